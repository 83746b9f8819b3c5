"""The worker's HTTP port: /metrics, /health/live and /health/ready.

Served from a thread of its own, so that it answers when the event loop does not: that is when an
operator needs it most.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

Checks = Callable[[], Mapping[str, str]]
"""Returns each check by name: an empty text when it passes, or what is wrong."""

READ_SECONDS: Final = 10.0


class HealthServer:
    """Serves metrics and health until closed.

    `live` and `ready` are called in the server's threads, at each request: they look at state, they
    do not ask a server.
    """

    def __init__(
        self, host: str, port: int, registry: CollectorRegistry, live: Checks, ready: Checks
    ) -> None:
        """Bind and serve. Raises OSError when the port is taken."""

        class Handler(BaseHTTPRequestHandler):
            timeout = READ_SECONDS
            server_version = "assayer"
            sys_version = ""

            def do_GET(self) -> None:
                path = self.path.split("?", 1)[0]
                if path == "/metrics":
                    encode, content_type = choose_encoder(self.headers.get("Accept", ""))
                    self._send(200, encode(registry), content_type)
                elif path in ("/health/live", "/health/ready"):
                    checks = dict((live if path.endswith("live") else ready)())
                    failed = {name: text for name, text in checks.items() if text}
                    body = {
                        "status": "failing" if failed else "ok",
                        "checks": {name: text or "ok" for name, text in checks.items()},
                    }
                    self._send(
                        503 if failed else 200,
                        json.dumps(body, sort_keys=True).encode() + b"\n",
                        "application/json",
                    )
                else:
                    self._send(404, b"try /metrics, /health/live or /health/ready\n", "text/plain")

            def _send(self, status: int, body: bytes, content_type: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Say nothing: a scrape every few seconds is not news."""

        self._server = ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True
        self.host = host
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.2,), name="health", daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.host}:{self.port}"

    def close(self) -> None:
        """Stop serving and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=2.0)
