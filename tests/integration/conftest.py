"""A worker that several tests of a file share, and the command as scripts run it."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import agents.cli
from deploy.services import Kafka, Redis, SchemaRegistryServer
from streams.settings import Settings
from tests.certificates import Authority
from tests.harness import RIGHT, Bus, WorkerProcess, environment, listing, run_command
from tests.integration.command import Result, write_lines


@pytest.fixture(scope="module")
def bus(kafka: Kafka, schema_registry: SchemaRegistryServer, redis_server: Redis) -> Bus:
    """An installation of the file's own, with one right."""
    settings = Settings(
        kafka_bootstrap=kafka.bootstrap,
        schema_registry_url=schema_registry.url,
        redis_url=redis_server.url,  # type: ignore[arg-type]
        topic_prefix=f"m{uuid.uuid4().hex[:10]}.",
        topic_partitions=3,
        session_timeout_s=6.0,
    )
    bus = Bus(settings)
    bus.publish(rights=[RIGHT])
    return bus


@pytest.fixture(scope="module")
def worker(bus: Bus, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerProcess]:
    """A ready worker of the installation."""
    folder: Path = tmp_path_factory.mktemp("worker")
    with WorkerProcess(bus.settings, folder) as process:
        yield process.wait_ready()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Any:
    """Run a command in this process, under an installation's environment.

    The worker has a process of its own: its last resort ends the one that it runs in.
    """

    def call(settings: Settings | None, *arguments: str, **more: str) -> Result:
        if settings is not None and arguments[0] == "worker":
            return run_command(settings, *arguments, **more)
        if settings is not None:
            for name, value in environment(settings, **more).items():
                if name.startswith("ASSAYER_"):
                    monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            agents.cli.main(list(arguments))
        out, err = capfdbinary.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        return subprocess.CompletedProcess(arguments, code, out.decode(), err.decode())

    return call


@pytest.fixture
def rights(tmp_path: Path) -> str:
    return write_lines(tmp_path / "rights.jsonl", RIGHT)


@pytest.fixture
def listings(tmp_path: Path) -> str:
    return write_lines(tmp_path / "listings.jsonl", listing("l-1", "Zorvex replica"))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Return what vouches for the servers and clients of a module."""
    return Authority(tmp_path_factory.mktemp("authority"))
