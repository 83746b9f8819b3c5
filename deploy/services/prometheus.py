"""A Prometheus that scrapes one worker every second."""

from __future__ import annotations

import json
import shutil
import urllib.request
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode

from deploy.services.process import Service, ServiceError, accepts, free_port


class Prometheus(Service):
    """A real Prometheus over targets given as `host:port`."""

    name = "prometheus"

    def __init__(
        self,
        *targets: str,
        rules: Path | None = None,
        alertmanager: str = "",
        detached: bool = False,
    ) -> None:
        """Prepare it, with files of rules if there are any: one, or several as `*.yaml` says them.

        Alerts go to the `host:port` of an Alertmanager, if there is one.

        Raises ServiceError when it is not installed.
        """
        super().__init__(detached=detached)
        self._binary = shutil.which("prometheus")
        if self._binary is None:
            raise ServiceError("prometheus is missing; as root: apt-get install prometheus")
        self.port = free_port()
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(rules)] if rules else [],
            "alerting": {
                "alertmanagers": (
                    [{"static_configs": [{"targets": [alertmanager]}]}] if alertmanager else []
                )
            },
            "scrape_configs": [
                {"job_name": "assayer", "static_configs": [{"targets": list(targets)}]}
            ],
        }
        (self.folder / "prometheus.yml").write_text(json.dumps(config))

    def command(self) -> list[str]:
        """Return the command line."""
        return [
            str(self._binary),
            f"--config.file={self.folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
        ]

    def answers(self) -> bool:
        """Return whether it is ready."""
        if not accepts(self.port):
            return False
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}/-/ready", timeout=2
            ) as response:
                return bool(response.status == 200)
        except (URLError, OSError):
            return False

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the result vector of an instant query."""
        address = f"http://127.0.0.1:{self.port}/api/v1/query?{urlencode({'query': expression})}"
        with urllib.request.urlopen(address, timeout=5) as response:
            result: list[dict[str, Any]] = json.load(response)["data"]["result"]
            return result
