"""Fire drills: a fault is made, who is on call hears of it, and the runbook shows the cause.

Worker, Redis, Kafka, Prometheus and Alertmanager are real; rules and routes are those of `deploy`,
with a minute shortened to two seconds.
"""

from __future__ import annotations

import shlex
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy.services import Alertmanager, Kafka, Prometheus, Redis, SchemaRegistryServer
from streams import topics
from streams.settings import Settings
from tests.harness import RIGHT, Bus, WorkerProcess, listing, run_command, wait_for
from tests.integration.drill import OnCall, hurried_routes, hurried_rules
from tests.runbooks import first_look


@dataclass
class Site:
    """An installation with everything that watches over it."""

    bus: Bus
    redis: Redis
    worker: WorkerProcess
    prometheus: Prometheus
    on_call: OnCall

    def firing(self) -> list[str]:
        """Return the names of the alerts that fire in Prometheus."""
        found = self.prometheus.query('ALERTS{alertstate="firing"}')
        return sorted(each["metric"]["alertname"] for each in found)

    def told(self, receiver: str, alert: str, status: str = "firing") -> dict[str, Any]:
        """Return an alert once its receiver has it."""
        return self.on_call.told(receiver, alert, status, lambda: f"firing: {self.firing()}")

    def first_look(self, alert: str) -> tuple[int, str]:
        """Do what the runbook begins with; return its exit code and what it shows."""
        language, line = first_look(alert)
        assert language == "sh"
        done = run_command(self.bus.settings, *shlex.split(line)[1:])
        return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def site(
    kafka: Kafka, schema_registry: SchemaRegistryServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    folder: Path = tmp_path_factory.mktemp("drill")
    with ExitStack() as running:
        redis = running.enter_context(Redis())
        settings = Settings(
            kafka_bootstrap=kafka.bootstrap,
            schema_registry_url=schema_registry.url,
            redis_url=redis.url,  # type: ignore[arg-type]
            topic_prefix=f"d{uuid.uuid4().hex[:10]}.",
            topic_partitions=3,
        )
        bus = Bus(settings)
        bus.publish(rights=[RIGHT])
        worker = running.enter_context(WorkerProcess(settings, folder)).wait_ready()
        on_call = running.enter_context(OnCall())
        routes = hurried_routes(folder, on_call.address)
        alertmanager = running.enter_context(Alertmanager(routes))
        prometheus = running.enter_context(
            Prometheus(
                worker.url.removeprefix("http://"),
                rules=hurried_rules(folder),
                alertmanager=alertmanager.address,
            )
        )
        site = Site(bus, redis, worker, prometheus, on_call)
        wait_for(lambda: prometheus.query("assayer_health_up == 1"), 20, "a scrape")
        yield site


def test_nobody_is_called_while_all_is_well(site: Site) -> None:
    """Listings are handled, for longer than any alert waits that pages."""
    site.bus.publish([listing("well", "Zorvex replica")])
    site.bus.takedown("well")
    time.sleep(7)
    assert site.firing() == []
    assert site.on_call.heard() == []


def test_redis_dies(site: Site) -> None:
    """One page, for Redis; none and no ticket for the worker, which is not ready for it."""
    site.redis.kill()
    alert = site.told("pager", "AssayerDependencyDown")
    assert alert["labels"]["dependency"] == "redis"
    assert alert["labels"]["severity"] == "critical"
    assert alert["annotations"]["summary"] == "redis answers no worker"
    code, shown = site.first_look("AssayerDependencyDown")
    assert code == 3
    (line,) = [line for line in shown.splitlines() if line.startswith("redis")]
    assert "unreachable" in line
    wait_for(lambda: "AssayerNoWorker" in site.firing(), 20, "what follows from it")
    time.sleep(2)
    assert {each["labels"]["alertname"] for each in site.on_call.heard()} == {
        "AssayerDependencyDown"
    }
    site.redis.start()
    site.told("pager", "AssayerDependencyDown", "resolved")
    site.worker.wait_ready()
    assert site.first_look("AssayerDependencyDown")[0] == 0


def test_poison_is_published(site: Site) -> None:
    """What nobody can read: a ticket with its topic and reason, and the letter is shown."""
    site.bus.send(topics.LISTINGS, [("poison", b"no listing at all")])
    alert = site.told("tickets", "AssayerDeadLetters")
    assert alert["labels"]["topic"] == site.bus.settings.topic(topics.LISTINGS.name)
    code, shown = site.first_look("AssayerDeadLetters")
    assert code == 0
    assert alert["labels"]["reason"] in shown
    assert topics.LISTINGS.name in shown
