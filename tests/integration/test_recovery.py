"""Servers go away and come back, and views are lost: nothing stops, nothing is lost."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import redis

from agents.records import Sale
from agents.views import FOLDS
from deploy.services import Kafka, Redis, SchemaRegistryServer
from streams import topics
from tests.harness import Bus, WorkerProcess, listing, now_ms, run_command, wait_for
from tests.integration.gate import Gate
from tests.integration.stored import value_of


def _seller_evidence(record: dict[str, Any]) -> str:
    return " ".join(e["note"] for e in record["evidence"] if e["signal"] == "seller")


def test_without_redis_listings_are_judged_and_judged_again(
    bus: Bus, worker: WorkerProcess, redis_server: Redis
) -> None:
    """A bad seller's hidden mark is a review while nothing is known of him, a takedown after."""
    bus.publish([listing(f"away-{n}", "Zorvex replica", seller_id="s-away") for n in range(3)])
    bus.takedown("away-2")
    worker.settle()
    redis_server.kill()
    try:
        wait_for(lambda: "redis" in worker.failing(), 20, "readiness that says Redis is away")
        bus.publish([listing("blind", "Zor\u200bvex watch", seller_id="s-away")])
        review = bus.review("blind")
        assert "did not answer" in _seller_evidence(review)
        assert review["units_sold_before"] is None
        assert worker.metric("assayer_dependency_up", dependency="redis") == 0
        assert worker.get("/health/live")[0] == 200
    finally:
        redis_server.start()  # empty: the views are rebuilt from Kafka
    found = bus.takedown("blind")
    assert found["rules"][0] == "hidden-mark-supported"
    assert "3.0 upheld" in _seller_evidence(found)
    worker.wait_ready(20)


def test_a_view_that_is_dropped_is_rebuilt_and_replays_change_no_standing(
    bus: Bus, worker: WorkerProcess, redis_server: Redis
) -> None:
    bus.publish(
        [listing(f"standing-{n}", "Zorvex replica", seller_id="s-standing") for n in range(2)],
        sales=[Sale("standing-sale", "standing-0", "s-standing", 2, now_ms())],
    )
    bus.takedown("standing-1")
    worker.settle()
    client = redis.Redis(port=redis_server.port)
    before = _at_rest(client, bus)
    assert any(b"standing:s-standing" in key for key in before)

    # The same takedown events again, as a replayed dead letter or a second worker would send them.
    again = [
        (message.key().decode(), message.value())
        for message in bus.messages(topics.TAKEDOWNS)
        if message.key().startswith(b"standing-")
    ]
    bus.send(topics.TAKEDOWNS, again)
    worker.settle()
    assert _data(client, bus) == before

    client.flushall()
    wait_for(
        lambda: worker.ready() and _data(client, bus) == before,
        30,
        lambda: f"the views rebuilt: {_differences(before, _data(client, bus))}",
    )

    # Records that come while the view is gone are not taken for all there is.
    client.flushall()
    bus.publish(sales=[Sale("standing-sale-2", "standing-0", "s-standing", 5, now_ms())])
    key = f"{bus.settings.topic_prefix}assayer:sold:standing-0"
    wait_for(lambda: client.get(key) == b"7", 30, "both sales in the view")

    rebuilt = run_command(bus.settings, "views", "rebuild")
    assert rebuilt.returncode == 0, rebuilt.stderr
    after = _at_rest(client, bus)
    assert after.pop(key.encode()) == b"7"
    before.pop(key.encode())
    assert {k: v for k, v in after.items() if b"sale:standing-sale-2" not in k} == before


def _differences(one: dict[bytes, Any], other: dict[bytes, Any]) -> dict[bytes, Any]:
    """Return what two states of the views have apart, by key."""
    return {
        key: (one.get(key), other.get(key))
        for key in one.keys() | other.keys()
        if one.get(key) != other.get(key)
    }


def _at_rest(client: Any, bus: Bus) -> dict[bytes, Any]:
    """Return what the views hold once nothing changes any more: sightings come behind the rest."""
    found: dict[bytes, Any] = {}

    def look() -> bool:
        last = dict(found)
        time.sleep(1)
        found.clear()
        found.update(_data(client, bus))
        return found == last

    wait_for(look, 30, "views at rest")
    return found


def _data(client: Any, bus: Bus) -> dict[bytes, Any]:
    """Return what the views of the installation hold, offsets and numbers of changes apart."""
    found: dict[bytes, Any] = {}
    prefix = f"{bus.settings.topic_prefix}assayer:"
    kept = [f"{prefix}{pattern}" for fold in FOLDS for pattern in fold.keys]
    for key in (key for pattern in kept for key in client.scan_iter(match=pattern, count=1000)):
        if key.endswith(b"watched:number"):
            continue
        found[key] = value_of(client, key)
        if key.endswith(b"watched:changes"):  # a rebuilt one is numbered anew, to be read again
            found[key] = sorted(seller for seller, _ in found[key])
    return found


def test_what_redis_holds_of_a_seller_may_be_nonsense(
    bus: Bus, worker: WorkerProcess, redis_server: Redis
) -> None:
    """Another program wrote there: what needs it abstains, and the batch is judged on the rest."""
    worker.wait_ready(30)
    client = redis.Redis(port=redis_server.port)
    prefix = f"{bus.settings.topic_prefix}assayer:"
    client.hset(f"{prefix}seller:s-odd", mapping={"created_at": "yesterday", "verified": "maybe"})
    client.hset(f"{prefix}standing:s-odd", mapping={"upheld": "many", "cleared": "none"})
    bus.publish(
        [
            listing("odd-1", "Zor\u200bvex watch", seller_id="s-odd"),
            listing("odd-2", "Zorvex watch replica", seller_id="s-odd"),
        ]
    )
    assert bus.takedown("odd-2")["units_sold_before"] == 0
    assert "Too little is known of the seller" in _seller_evidence(bus.review("odd-1"))
    client.delete(f"{prefix}seller:s-odd", f"{prefix}standing:s-odd")
    worker.wait_ready(20)


def test_kafka_goes_and_comes_back_while_the_worker_runs(
    bus: Bus, worker: WorkerProcess, kafka: Kafka
) -> None:
    bus.publish([listing("before-stop", "Zorvex replica")])
    bus.takedown("before-stop")
    kafka.stop()
    try:
        wait_for(lambda: "kafka" in worker.failing(), 30, "readiness that says Kafka is away")
        assert worker.get("/health/live")[0] == 200
    finally:
        kafka.start()
    bus.publish([listing("after-stop", "Zorvex replica")])
    bus.takedown("after-stop")
    worker.wait_ready(60)


def test_a_worker_that_starts_without_its_servers_waits_for_them(
    bus: Bus,
    worker: WorkerProcess,
    tmp_path: Path,
    redis_server: Redis,
    schema_registry: SchemaRegistryServer,
) -> None:
    """The registry away: a line for each try, with growing pauses. Then Redis: it goes on."""
    assert worker.stop() == 0, worker.text
    gate = Gate(schema_registry.port)
    url = bus.settings.schema_registry_url.replace(f":{schema_registry.port}", f":{gate.port}")
    settings = bus.settings.model_copy(update={"schema_registry_url": url})
    redis_server.kill()
    try:
        with WorkerProcess(settings, tmp_path) as waiting:
            wait_for(lambda: waiting.text.count("trying again") == 2, 60, "two tries")
            lines = [line for line in waiting.text.splitlines() if "trying again" in line]
            assert all(f"schema registry {url} does not answer" in line for line in lines)
            assert lines[0].endswith("trying again in 0.5 s")
            assert lines[1].endswith("trying again in 1.0 s")
            assert "Traceback" not in waiting.text
            assert waiting.get("/health/live")[0] == 200
            assert waiting.get("/metrics")[0] == 200
            assert set(waiting.failing()) >= {"schema_registry", "registry", "partitions"}
            with gate:
                wait_for(
                    lambda: set(waiting.failing()) == {"redis", "views"},
                    60,
                    lambda: f"all but Redis: {waiting.failing()}\n{waiting.text}",
                )
                bus.publish([listing("no-redis", "Zorvex replica")])
                bus.takedown("no-redis")
                assert waiting.stop() == 0, waiting.text
    finally:
        redis_server.start()
