"""What a worker shows to the network, and that no secret is in any of it."""

from __future__ import annotations

import base64
import http.client
import importlib
import pkgutil
import re
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import faust.web.apps
import faust.web.base
import psutil
import pytest
from pydantic import SecretStr

from deploy.services.process import free_port
from streams.settings import Settings
from tests.harness import Bus, WorkerProcess, environment, listing

SECRETS = {
    name: f"s3cret-{number}-{name}/+%"
    for number, (name, field) in enumerate(Settings.model_fields.items())
    if field.annotation is SecretStr and name != "redis_url"
}
USER = "somebody"


def _shown(text: str) -> list[str]:
    """Return the secrets that a text shows, plainly or as the wire has them."""
    shown = []
    for name, secret in {**SECRETS, "redis_url": SECRETS["redis_password"]}.items():
        pair = base64.b64encode(f"{USER}:{secret}".encode()).decode()
        forms = (secret, urllib.parse.quote(secret, safe=""), pair, repr(secret)[1:-1])
        if any(form in text for form in forms):
            shown.append(name)
    return shown


@pytest.fixture(scope="module")
def worker(bus: Bus, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerProcess]:
    """A ready worker that is given every secret, and logs all it can."""
    folder = tmp_path_factory.mktemp("worker")
    given = {f"ASSAYER_{name.upper()}": value for name, value in SECRETS.items()}
    del given["ASSAYER_REDIS_PASSWORD"]  # this Redis takes none
    with WorkerProcess(bus.settings, folder, ASSAYER_LOG_LEVEL="DEBUG", **given) as process:
        yield process.wait_ready()


def test_one_port_listens_and_it_is_on_loopback(worker: WorkerProcess) -> None:
    process = psutil.Process(worker.pid)
    listening = [
        connection.laddr
        for each in (process, *process.children(recursive=True))
        for connection in each.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert [f"http://{address.ip}:{address.port}" for address in listening] == [worker.url]
    assert listening[0].ip == "127.0.0.1"
    assert Settings.model_fields["metrics_host"].default == "127.0.0.1"


def _faust_paths() -> set[str]:
    """Return a path for everything that Faust's own web would serve under any of its settings."""
    base = faust.web.base
    prefixes = {
        prefix
        for blueprints in (
            base.DEFAULT_BLUEPRINTS,
            base.PRODUCTION_BLUEPRINTS,
            base.DEBUG_BLUEPRINTS,
            base.OPTIONAL_BLUEPRINTS,
        )
        for prefix, _ in blueprints
    }
    pages = set()
    for module in pkgutil.iter_modules(faust.web.apps.__path__):
        blueprint = importlib.import_module(f"{faust.web.apps.__name__}.{module.name}").blueprint
        pages |= {re.sub(r"\{\w+\}", "x", route.uri) for route in blueprint.routes}
    return {(prefix + page) or "/" for prefix in prefixes for page in pages}


def test_nothing_of_fausts_web_answers(worker: WorkerProcess) -> None:
    paths = _faust_paths()
    assert {"/", "/assignment/", "/table/x/x/", "/router/", "/graph/", "/performance/"} <= paths
    for path in sorted(paths):
        assert worker.get(path)[0] == 404, path
    for path in ("/metrics/../etc/passwd", "/health", "/debug", "//", "/health/live/x"):
        assert worker.get(path)[0] == 404, path


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT"])
def test_nothing_can_be_changed_through_the_port(worker: WorkerProcess, method: str) -> None:
    address = urllib.parse.urlsplit(worker.url).netloc
    for path in ("/metrics", "/health/ready", "/"):
        connection = http.client.HTTPConnection(address, timeout=5)
        connection.putrequest(method, path)
        connection.endheaders()
        assert connection.getresponse().status == 501
        connection.close()


def test_what_a_worker_tells_holds_no_secret(bus: Bus, worker: WorkerProcess) -> None:
    bus.publish([listing("secret-1", "Zorvex replica")])
    bus.takedown("secret-1")
    told = [worker.text, *(worker.get(path)[1] for path in ("/metrics", "/health/ready", "/none"))]
    assert "DEBUG" in worker.text
    assert _shown("\n".join(told)) == []
    assert _shown(f"x {SECRETS['kafka_sasl_password']} x") == ["kafka_sasl_password"]


@pytest.mark.parametrize("source", ["environment", "files"])
def test_what_commands_tell_holds_no_secret(
    source: str, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no server answers, and where a setting is wrong beside the secrets."""
    monkeypatch.chdir(tmp_path)
    values = {
        **SECRETS,
        "redis_url": f"redis://{USER}:{urllib.parse.quote(SECRETS['redis_password'], safe='')}"
        f"@127.0.0.1:{free_port()}/0",
    }
    for name, value in values.items():
        if source == "environment":
            monkeypatch.setenv(f"ASSAYER_{name.upper()}", value)
        else:
            path = tmp_path / name
            path.write_text(value)
            monkeypatch.setenv(f"ASSAYER_{name.upper()}_FILE", str(path))
    monkeypatch.setenv("ASSAYER_KAFKA_BOOTSTRAP", f"127.0.0.1:{free_port()}")
    monkeypatch.setenv("ASSAYER_KAFKA_SECURITY_PROTOCOL", "SASL_PLAINTEXT")
    monkeypatch.setenv("ASSAYER_KAFKA_SASL_USERNAME", USER)
    monkeypatch.setenv("ASSAYER_SCHEMA_REGISTRY_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("ASSAYER_SCHEMA_REGISTRY_USERNAME", USER)
    told = []
    for command in (
        ["doctor"],
        ["doctor", "--json"],
        ["topics", "create"],
        ["topics", "acls", "worker", "--apply"],
        ["views", "rebuild"],
        ["views", "acl"],
        ["rights", "list"],
        ["breaker", "status"],
    ):
        done = run(None, *command)
        told.append(done.stdout + done.stderr)
    assert told[0].count("********") == len(values)
    monkeypatch.setenv("ASSAYER_BATCH_RECORDS", "none")
    done = run(None, "doctor")
    assert done.returncode == 2
    told.append(done.stdout + done.stderr)
    assert _shown("\n".join(told)) == []
    assert not re.search(r"s3cret-\d", "\n".join(told))


def test_a_child_is_told_secrets_by_its_environment_and_not_by_its_arguments(
    bus: Bus, worker: WorkerProcess
) -> None:
    """Arguments of a process can be read by every user of the machine."""
    assert environment(bus.settings)["ASSAYER_REDIS_URL"]
    process = psutil.Process(worker.pid)
    assert _shown(" ".join(process.cmdline())) == []
