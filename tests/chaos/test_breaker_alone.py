"""The breaker while Redis is away: it goes on holding, and nothing waits for it or is dropped."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.breaker.quotas import HOUR_S
from agents.takedowns import takedown_id
from deploy.services import Redis
from streams import topics
from streams.settings import Settings
from tests.harness import RIGHT, Bus, WorkerProcess, listing, policy_with, wait_for

QUOTA = 12


@pytest.fixture
def own_redis() -> Iterator[Redis]:
    """A Redis that the test may end."""
    with Redis() as server:
        yield server


def ids(bus: Bus, topic: topics.Topic) -> set[str]:
    return {record["takedown_id"] for record in bus.records(topic)}


def names(first: int, last: int) -> list[str]:
    return [f"l-{n}" for n in range(first, last)]


def test_quotas_hold_while_redis_is_away(
    settings: Settings, own_redis: Redis, tmp_path: Path
) -> None:
    """Redis dies after five takedowns of twelve, and comes back with nothing in it.

    The worker counts on by itself: seven more go through, the rest is held. Back again, Redis
    learns what was held from Kafka and what was counted from the worker: a listing that comes again
    gets the answer it got, one that is new is held.
    """
    bus = Bus(settings.model_copy(update={"redis_url": type(settings.redis_url)(own_redis.url)}))
    bus.publish(rights=[RIGHT])
    left = HOUR_S - time.time() % HOUR_S
    if left < 90:
        time.sleep(left)
    quotas = f"{{brand: {{per_minute: {QUOTA}, per_hour: {QUOTA}, factor: 0}}}}"
    with WorkerProcess(bus.settings, tmp_path, **policy_with(tmp_path, quotas)) as worker:
        worker.wait_ready()

        def publish(first: int, last: int) -> None:
            before = worker.handled()
            bus.publish(listing(name, "Zorvex replica") for name in names(first, last))
            wait_for(
                lambda: worker.handled() >= before + last - first, 30, lambda: f"all\n{worker.text}"
            )

        publish(0, 5)
        worker.settle()
        own_redis.kill()
        wait_for(lambda: not worker.ready(), 20, "a worker that is not ready")
        publish(5, 30)
        sent, held = ids(bus, topics.TAKEDOWNS), ids(bus, topics.HELD)
        assert (len(sent), len(held)) == (QUOTA, 30 - QUOTA)
        assert sent | held == {takedown_id(name, 1) for name in names(0, 30)}
        assert "counted by this worker alone" in worker.text
        assert worker.metric("assayer_takedowns_total") == QUOTA
        assert worker.get("/health/live")[0] == 200
        own_redis.start()
        worker.wait_ready()
        wait_for(
            lambda: worker.metric("assayer_held_takedowns") == len(held), 20, "what is held, again"
        )
        publish(0, 40)
        worker.settle()
        assert ids(bus, topics.TAKEDOWNS) == sent
        assert ids(bus, topics.HELD) == {takedown_id(name, 1) for name in names(0, 40)} - sent
        wait_for(lambda: worker.metric("assayer_held_takedowns") == 28, 20, "ten more are held")
