"""Health: what a worker says of itself when records wait, servers are away, partitions move."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from agents.health import STALL_SECONDS, Health
from streams.metrics import Metrics
from streams.schema_registry import SchemaRegistry
from streams.settings import Settings

ONE, OTHER = TP("marketplace.listings", 0), TP("marketplace.listings", 1)


class Worker:
    """Health over an app whose consumer has these lags."""

    def __init__(self, lag: dict[TP, int]) -> None:
        settings = Settings(schema_registry_url="mock://health")
        self.metrics = Metrics()
        self.health = Health(settings, SchemaRegistry.connect(settings), self.metrics)
        self.lag = lag
        consumer = SimpleNamespace(
            connected=True,
            lag=lambda: self.lag,
            last_progress=time.monotonic(),
            assignment=lambda: set(self.lag),
        )
        app: Any = SimpleNamespace(
            started=True, should_stop=False, rebalancing=False, consumer=consumer
        )
        self.health.app = app

    def lags(self) -> dict[str, float]:
        """Return the gauge by partition."""
        self.health.set_gauges()
        (family,) = self.metrics.consumer_lag.collect()
        return {sample.labels["partition"]: sample.value for sample in family.samples}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of the monotonic clock."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_records_that_wait_too_long_end_a_worker(clock: list[float]) -> None:
    idle, busy = Worker({ONE: 0}), Worker({ONE: 1})
    for worker in (idle, busy):
        worker.health.answered(kafka=True, redis=True, schema_registry=True)
    clock[0] += STALL_SECONDS - 1
    assert not busy.health.live()["progress"]
    clock[0] += 2
    assert busy.health.live()["progress"] == "records wait, none done for 121 s"
    assert not idle.health.live()["progress"]


@pytest.mark.parametrize("server", ["kafka", "redis", "schema_registry"])
def test_records_that_wait_for_a_server_end_no_worker(server: str, clock: list[float]) -> None:
    """Views wait for Redis and for schemas; when it is back they have their time again."""
    worker = Worker({ONE: 1})
    worker.health.answered(kafka=True, redis=True, schema_registry=True)
    worker.health.answered(**{server: False})
    clock[0] += STALL_SECONDS + 1
    assert not worker.health.live()["progress"]
    worker.health.answered(**{server: True})
    assert not worker.health.live()["progress"]
    clock[0] += STALL_SECONDS + 1
    worker.health.answered(**{server: True})
    assert worker.health.live()["progress"]


def test_the_lag_of_a_partition_that_went_to_another_worker_is_not_shown() -> None:
    worker = Worker({ONE: 3, OTHER: 5})
    assert worker.lags() == {"0": 3, "1": 5}
    worker.lag = {OTHER: 4}
    assert worker.lags() == {"1": 4}


def test_the_checks_are_metrics_also_when_the_event_loop_is_stuck(clock: list[float]) -> None:
    worker = Worker({ONE: 1})

    def up(probe: str, check: str) -> float | None:
        labels = {"probe": probe, "check": check}
        return worker.metrics.registry.get_sample_value("assayer_health_up", labels)

    assert up("live", "event_loop") == up("live", "progress") == 1
    assert up("ready", "kafka") == up("ready", "registry") == 0
    worker.health.answered(kafka=True, redis=True, schema_registry=True)
    assert up("ready", "kafka") == 1
    clock[0] += STALL_SECONDS + 1
    assert up("live", "event_loop") == up("live", "progress") == 0
