"""The audit of what is installed: nothing passes that was not looked at."""

from __future__ import annotations

import json
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from deploy import audit
from deploy.services.process import free_port


@contextmanager
def _database(package: str = "") -> Iterator[str]:
    """Serve OSV's interface, with a vulnerability of a package; yield its address."""
    identity = "PYSEC-2099-1"

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
            vulnerable = {"vulns": [{"id": identity, "modified": "2026-01-01T00:00:00Z"}]}
            names = [query["package"]["name"] for query in asked]
            self._answer({"results": [vulnerable if n == package else {} for n in names]})

        def do_GET(self) -> None:
            affected = {
                "package": {"name": package, "ecosystem": "PyPI"},
                "ranges": [
                    {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.1"}]}
                ],
            }
            self._answer(
                {
                    "id": identity,
                    "modified": "2026-01-01T00:00:00Z",
                    "summary": "lets everybody in",
                    "affected": [affected],
                }
            )

        def _answer(self, body: Any) -> None:
            encoded = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(encoded)))
            self.end_headers()
            self.wfile.write(encoded)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()


def test_the_bill_names_every_package_that_a_worker_needs() -> None:
    bill = audit.bill_of_materials()
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    names = {component["name"] for component in bill["components"]}
    project = tomllib.loads((audit.ROOT / "pyproject.toml").read_text())["project"]
    wanted = {
        name.partition("[")[0].split(">")[0].split("=")[0] for name in project["dependencies"]
    }
    assert wanted <= names
    assert "pytest" not in names
    assert all(component["purl"].startswith("pkg:pypi/") for component in bill["components"])
    licences = {name: audit.licence_of(name) for name in audit.packages_of(bill)}
    written = json.loads(audit.write_bill(bill, licences).read_text())
    said = {
        c["name"]: c["licenses"][0]["expression"] for c in written["components"] if "licenses" in c
    }
    assert said == licences


def test_the_licences_of_all_that_is_installed_are_allowed() -> None:
    names = audit.packages_of(audit.bill_of_materials())
    assert len(names) > 50
    assert audit.refused_licences({name: audit.licence_of(name) for name in names}) == []


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("Apache-2.0 OR BSD-2-Clause", True),
        ("GPL-3.0-only OR MIT", True),
        ("Apache-2.0 AND MIT", True),
        ("(MIT AND Zlib) OR GPL-3.0-only", True),
        ("GPL-3.0-only", False),
        ("MIT AND GPL-3.0-only", False),
        ("AGPL-3.0-or-later OR GPL-3.0-only", False),
        ("", False),
        ("A licence of our own", False),
    ],
)
def test_a_licence_is_allowed_or_named(expression: str, allowed: bool) -> None:
    assert audit.allows(expression) is allowed
    refused = audit.refused_licences({"package": expression})
    assert len(refused) == (0 if allowed else 1)


def test_a_known_vulnerability_fails_the_audit(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with _database("redis") as address:
        looked = audit.vulnerabilities(address)
    (line,) = looked.found
    assert line.startswith("redis ")
    assert "PYSEC-2099-1 lets everybody in (fixed in: 99.1)" in line
    monkeypatch.setattr(audit, "vulnerabilities", lambda: looked)
    assert audit.main([]) == 1
    assert line in capsys.readouterr().out


def test_what_was_looked_up_and_found_sound_is_said_with_how_much_it_was() -> None:
    with _database() as address:
        looked = audit.vulnerabilities(address)
    assert (looked.found, looked.not_audited) == ((), "")
    assert looked.packages > 50


def test_a_database_that_is_away_is_never_taken_for_sound(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    looked = audit.vulnerabilities(f"http://127.0.0.1:{free_port()}/")
    assert looked.not_audited
    monkeypatch.setattr(audit, "vulnerabilities", lambda: looked)
    assert audit.main([]) == 0
    assert "vulnerabilities: NOT AUDITED" in capsys.readouterr().out
    assert audit.main(["--strict"]) == 3
