"""A gate before a schema registry: TLS, and a user with a password, or nothing is passed on."""

from __future__ import annotations

import base64
import ssl
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from tests.certificates import Identity


class RegistryGate:
    """Passes requests on to a registry for one user alone. A context manager."""

    def __init__(self, registry: str, identity: Identity, trusted: Path, user: str) -> None:
        """`user` is `name:password`; `trusted` are the authorities of the clients' certificates."""
        expected = "Basic " + base64.b64encode(user.encode()).decode()
        base = urlsplit(registry)
        gate = self

        class Handler(BaseHTTPRequestHandler):
            def _pass_on(self) -> None:
                gate.requests += 1
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.headers.get("Authorization") != expected:
                    self._answer(401, b'{"error_code": 40101, "message": "Unauthorized"}')
                    return
                request = urllib.request.Request(  # noqa: S310 - the test's own registry
                    f"{base.scheme}://{base.netloc}{self.path}",
                    data=body or None,
                    method=self.command,
                    headers={"Content-Type": "application/json"},
                )
                try:
                    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
                        self._answer(response.status, response.read())
                except urllib.error.HTTPError as error:
                    self._answer(error.code, error.read())

            do_GET = do_POST = _pass_on  # noqa: N815 - the names that http.server calls

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Say nothing."""

        self.requests = 0
        """How many came so far."""
        self._server = _Server(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(identity.certificate, identity.key)
        context.load_verify_locations(trusted)
        context.verify_mode = ssl.CERT_REQUIRED
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.url = f"https://127.0.0.1:{self._server.server_address[1]}{base.path}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that are refused break off."""
