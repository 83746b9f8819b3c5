"""An Alertmanager by itself, without a cluster."""

from __future__ import annotations

import shutil
import urllib.request
from pathlib import Path
from urllib.error import URLError

from deploy.services.process import Service, ServiceError, accepts, free_port

_NAMES = ("prometheus-alertmanager", "alertmanager")
"""Debian calls the binary by the package's name."""


class Alertmanager(Service):
    """A real Alertmanager under the configuration of a file; `address` is `host:port`."""

    name = "alertmanager"

    def __init__(self, configuration: Path, *, detached: bool = False) -> None:
        """Prepare it. Raises ServiceError when it is not installed."""
        super().__init__(detached=detached)
        self._binary = next(filter(None, map(shutil.which, _NAMES)), None)
        if self._binary is None:
            raise ServiceError(
                "alertmanager is missing; as root: apt-get install prometheus-alertmanager"
            )
        self._configuration = configuration
        self.port = free_port()

    @property
    def address(self) -> str:
        """Where Prometheus finds it."""
        return f"127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        """Return the command line."""
        return [
            str(self._binary),
            f"--config.file={self._configuration}",
            f"--storage.path={self.folder / 'data'}",
            f"--web.listen-address={self.address}",
            "--cluster.listen-address=",
        ]

    def answers(self) -> bool:
        """Return whether it is ready."""
        if not accepts(self.port):
            return False
        try:
            with urllib.request.urlopen(f"http://{self.address}/-/ready", timeout=2) as response:
                return bool(response.status == 200)
        except (URLError, OSError):
            return False
