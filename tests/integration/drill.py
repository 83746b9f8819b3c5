"""What a fire drill needs: alerts that do not take minutes, and somebody who is paged."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, Self

import yaml

from tests.harness import wait_for

ROOT: Final = Path(__file__).resolve().parents[2]
FASTER: Final = 30
"""A minute of the rules is two seconds of the drill."""
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION: Final = re.compile(r"(\d+)([smhd])")


def hurried_rules(folder: Path) -> Path:
    """Write the rules with every duration a thirtieth of what it is; return what names the files.

    Only durations change: how long an alert waits, over what a rate is taken. Objectives are left
    out: what a month has to be like says nothing of a minute on a busy machine.
    """
    for path in (ROOT / "deploy/prometheus/rules").glob("*.yaml"):
        if path.stem == "objectives":
            continue
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        for group in document["groups"]:
            for rule in group["rules"]:
                if "for" in rule:
                    rule["for"] = _hurried(rule["for"])
                rule["expr"] = re.sub(
                    r"\[(\w+)\]|(?<=offset )(\w+)", lambda found: _hurried(found[0]), rule["expr"]
                )
        (folder / path.name).write_text(yaml.safe_dump(document), encoding="utf-8")
    return folder / "*.yaml"


def _hurried(text: str) -> str:
    """Return durations divided; a rate takes two scrapes, a second apart, and one to spare."""
    least = 3 if text.startswith("[") else 1
    return _DURATION.sub(
        lambda found: f"{max(least, int(found[1]) * _SECONDS[found[2]] // FASTER)}s", text
    )


def hurried_routes(folder: Path, address: str) -> Path:
    """Write Alertmanager's configuration for receivers at an address, with short waits."""
    source = ROOT / "deploy/alertmanager/alertmanager.yml"
    document = yaml.safe_load(source.read_text(encoding="utf-8"))
    for route in (document["route"], *document["route"]["routes"]):
        route |= {"group_wait": "1s", "group_interval": "1s"}
    for receiver in document["receivers"]:
        for webhook in receiver["webhook_configs"]:
            webhook["url"] = re.sub(r"(?<=//)[^/]+", address, webhook["url"])
    target = folder / "alertmanager.yml"
    target.write_text(yaml.safe_dump(document), encoding="utf-8")
    return target


class OnCall:
    """Who is paged and who gets tickets: Alertmanager's webhooks. A context manager."""

    def __init__(self) -> None:
        heard = self._heard = []  # type: list[tuple[str, dict[str, Any]]]

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver = self.path.removeprefix("/")
                heard.extend((receiver, alert) for alert in json.loads(body)["alerts"])
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def heard(self, receiver: str = "") -> list[dict[str, Any]]:
        """Return the alerts that a receiver, or anybody, was told of."""
        return [alert for name, alert in self._heard if receiver in ("", name)]

    def told(
        self, receiver: str, name: str, status: str, hint: Callable[[], str]
    ) -> dict[str, Any]:
        """Return the alert once the receiver is told that it is `firing` or `resolved`."""

        def look() -> list[dict[str, Any]]:
            return [
                alert
                for alert in self.heard(receiver)
                if (alert["labels"]["alertname"], alert["status"]) == (name, status)
            ]

        found: list[dict[str, Any]] = wait_for(
            look, 30, lambda: f"{name} {status} at {receiver}: {self._heard}\n{hint()}"
        )
        return found[0]
