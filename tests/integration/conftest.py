"""A worker that several tests of a file share."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.services import Kafka, Redis, SchemaRegistryServer
from streams.settings import Settings
from tests.harness import RIGHT, Bus, WorkerProcess


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
