"""Servers go away and come back while listings stream by: nothing is lost, nothing stops."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

import schemas
from agents.monitoring.monitor import GROUP
from agents.records import DAY_MS, Seller
from agents.takedowns import takedown_id
from deploy.services import Kafka, Redis, SchemaRegistryServer
from streams import topics
from streams.settings import Settings
from tests.chaos.faults import STOP_SECONDS
from tests.harness import (
    RIGHT,
    Bus,
    WorkerProcess,
    alter_topic,
    listing,
    now_ms,
    run_command,
    unlimited,
    wait_for,
)


@pytest.fixture
def own_redis() -> Iterator[Redis]:
    """A Redis that the test may end."""
    with Redis() as server:
        yield server


@pytest.fixture
def own_kafka() -> Iterator[Kafka]:
    """A broker that the test may end."""
    with Kafka() as server:
        yield server


@pytest.fixture
def own_registry() -> Iterator[SchemaRegistryServer]:
    """A registry that the test may hang."""
    with SchemaRegistryServer() as server:
        yield server


def _bus(settings: Settings, **changes: Any) -> Bus:
    bus = Bus(settings.model_copy(update=changes))
    bus.publish(rights=[RIGHT])
    return bus


def test_judged_again_when_redis_is_back(
    settings: Settings, own_redis: Redis, tmp_path: Path
) -> None:
    """Redis dies and comes back with nothing in it.

    Meanwhile listings are judged without what it knows: a cheap one is reviewed, and says why. Then
    the views are rebuilt from Kafka and the listing is taken down, for its seller is unverified.
    """
    bus = _bus(settings, redis_url=type(settings.redis_url)(own_redis.url))
    bus.publish(sellers=[Seller("s-9", created_at=now_ms() - 900 * DAY_MS, verified=False)])
    with WorkerProcess(bus.settings, tmp_path) as worker:
        worker.wait_ready()
        read = worker.metric("assayer_view_catch_up_records_total", view="sellers")
        own_redis.kill()
        wait_for(lambda: not worker.ready(), 20, "a worker that is not ready")
        bus.publish(
            [
                listing("replica", "Zorvex replica", seller_id="s-9"),
                listing(
                    "cheap", "Zorvex Diver", seller_id="s-9", price_minor=2_000, currency="USD"
                ),
            ]
        )
        assert bus.takedown("replica")["units_sold_before"] is None
        review = bus.review("cheap")
        assert any("did not answer" in evidence["note"] for evidence in review["evidence"])
        assert worker.get("/health/live")[0] == 200
        own_redis.start()
        again = bus.takedown("cheap")
        assert again["rules"][0] == "cheap-mark-untrusted"
        assert again["takedown_id"] == review["takedown_id"] == takedown_id("cheap", 1)
        worker.wait_ready()
        assert worker.metric("assayer_view_catch_up_records_total", view="sellers") > read


def test_a_broker_that_crashes_loses_no_takedown(
    settings: Settings, own_kafka: Kafka, tmp_path: Path
) -> None:
    """The broker is killed twice while listings are judged, and started again with its data."""
    bus = _bus(settings, kafka_bootstrap=own_kafka.bootstrap)
    infringing: set[str] = set()
    with WorkerProcess(
        bus.settings, tmp_path, ASSAYER_BATCH_RECORDS="20", **unlimited(tmp_path)
    ) as worker:
        worker.wait_ready()
        for turn in range(3):
            names = [f"l{turn}-{number}" for number in range(500)]
            bus.publish(
                listing(name, f"Zorvex replica {number}" if number % 5 == 0 else f"Chair {number}")
                for number, name in enumerate(names)
            )
            infringing |= set(names[::5])
            if turn < 2:
                own_kafka.kill()
                own_kafka.start()

        def done() -> bool:
            committed = bus.committed(GROUP, topics.LISTINGS).values()
            return sum(max(0, offset) for offset in committed) == 1500

        wait_for(done, 90, lambda: f"every listing committed\n{worker.text}")
        assert worker.stop() == 0, worker.text
    assert {record["listing_id"] for record in bus.takedowns()} == infringing


def test_a_frozen_broker_holds_up_no_stop(
    settings: Settings, own_kafka: Kafka, tmp_path: Path
) -> None:
    """SIGTERM with the broker frozen and batches in flight: it once lived 715 s, until SIGCONT.

    What the stop left is read again by the next worker: every infringing listing is taken down.
    """
    bus = _bus(settings, kafka_bootstrap=own_kafka.bootstrap)
    names = [f"l{number}" for number in range(24_000)]
    free = unlimited(tmp_path)
    with WorkerProcess(bus.settings, tmp_path, ASSAYER_BATCH_RECORDS="50", **free) as worker:
        worker.wait_ready()
        bus.publish(
            listing(name, f"Zorvex replica {number}" if number % 40 == 0 else f"Chair {number}")
            for number, name in enumerate(names)
        )
        wait_for(lambda: worker.handled() > 500, 60, "first listings")
        own_kafka.suspend()
        try:
            time.sleep(5)
            asked = time.monotonic()
            assert worker.stop(45) == 0, worker.text
            assert time.monotonic() - asked < STOP_SECONDS + 1
            assert "read again" in worker.text
        finally:
            own_kafka.resume()

    def done() -> bool:
        return sum(max(0, n) for n in bus.committed(GROUP, topics.LISTINGS).values()) == len(names)

    with WorkerProcess(bus.settings, tmp_path, **free) as again:
        wait_for(done, 120, lambda: f"every listing committed\n{again.text}")
        assert again.stop() == 0, again.text
    assert {record["listing_id"] for record in bus.takedowns()} == set(names[::40])


def test_frozen_views_and_schemas_hold_up_no_stop(
    settings: Settings, own_redis: Redis, own_registry: SchemaRegistryServer, tmp_path: Path
) -> None:
    """SIGTERM while Redis and the registry hang, and a batch of sellers waits for its view."""
    bus = _bus(
        settings,
        redis_url=type(settings.redis_url)(own_redis.url),
        schema_registry_url=own_registry.url,
    )
    with WorkerProcess(bus.settings, tmp_path) as worker:
        worker.wait_ready()
        bus.publish(sellers=[Seller("s-1", created_at=now_ms())])
        wait_for(lambda: 1 in bus.committed(GROUP, topics.SELLERS).values(), 30, "a seller")
        own_redis.suspend()
        own_registry.suspend()
        try:
            known = bus.messages(topics.SELLERS)[0]
            bus.send(topics.SELLERS, [("s-1", known.value())])
            wait_for(lambda: " waits: " in worker.text, 30, "a view that waits")
            asked = time.monotonic()
            assert worker.stop(45) == 0, worker.text
            assert time.monotonic() - asked < STOP_SECONDS + 1
            assert "read again" in worker.text
        finally:
            own_redis.resume()
            own_registry.resume()
    assert sum(max(0, n) for n in bus.committed(GROUP, topics.SELLERS).values()) == 1


def test_a_registry_that_hangs_stops_only_what_needs_it(
    settings: Settings, own_registry: SchemaRegistryServer, tmp_path: Path
) -> None:
    """Known schemas go on; a listing of a new one is a dead letter until it is replayed."""
    bus = _bus(settings, schema_registry_url=own_registry.url)
    newer = schemas.load("listing")
    newer["fields"].append({"name": "stall", "type": "string", "default": ""})
    client = SchemaRegistryClient({"url": own_registry.url})
    topic = bus.settings.topic(topics.LISTINGS.name)
    value = AvroSerializer(client, json.dumps(newer))(
        {
            "event_id": str(uuid.uuid4()),
            "listing_id": "newer",
            "seller_id": "s-1",
            "occurred_at": now_ms(),
            "title": "Zorvex replica",
        },
        SerializationContext(topic, MessageField.VALUE),
    )
    with WorkerProcess(bus.settings, tmp_path) as worker:
        worker.wait_ready()
        bus.publish([listing("known-1", "Zorvex replica")])
        bus.takedown("known-1")
        known = bus.messages(topics.LISTINGS)[0].value()
        own_registry.suspend()
        try:
            bus.send(topics.LISTINGS, [("newer", value)])
            bus.send(topics.LISTINGS, [("known-1", known)])
            wait_for(lambda: len(bus.messages(topics.TAKEDOWNS)) == 2, 40, "what is known goes on")
            wait_for(lambda: bus.messages(topics.DEAD_LETTERS), 40, "a dead letter")
        finally:
            own_registry.resume()
        replayed = run_command(
            bus.settings, "dead-letters", "replay", "--reason", "registry_unavailable"
        )
        assert replayed.returncode == 0, replayed.stderr
        bus.takedown("newer")


def test_a_takedown_that_kafka_refuses_ends_the_worker_and_is_made_at_the_next_start(
    settings: Settings, tmp_path: Path
) -> None:
    """The topic takes no record of that size: nothing is acknowledged, and the log says why."""
    bus = _bus(settings)
    alter_topic(settings, topics.TAKEDOWNS, "max.message.bytes", "100")
    with WorkerProcess(settings, tmp_path) as refused:
        refused.wait_ready()
        bus.publish([listing("refused", "Zorvex replica")])
        assert refused.exit_code(60) == 1, refused.text
        assert f"{settings.topic(topics.TAKEDOWNS.name)} refuses a record of" in refused.text
    assert max(bus.committed(GROUP, topics.LISTINGS).values()) <= 0
    alter_topic(settings, topics.TAKEDOWNS, "max.message.bytes", "1048588")
    with WorkerProcess(settings, tmp_path) as worker:
        assert bus.takedown("refused")["takedown_id"] == takedown_id("refused", 1)
        assert worker.wait_ready()


def _unreadable() -> list[tuple[str, Callable[[bytes], bytes | None], str]]:
    return [
        ("no value", lambda _: None, "empty_value"),
        ("no wire format", lambda _: b"\x07nonsense", "undecodable"),
        ("cut off", lambda value: value[:20], "undecodable"),
        ("a schema nobody has", lambda value: b"\0\x7f\xff\xff\xfe" + value[5:], "unknown_schema"),
        ("too large", lambda value: value + b"\0" * 1_000_000, "too_large"),
    ]


def test_what_cannot_be_read_is_buried_whole_and_holds_nothing_up(
    settings: Settings, tmp_path: Path
) -> None:
    """Each bad record is a dead letter with its bytes and its place; those beside it are judged.

    One of them stands in the rights' topic: the registry counts its offset and goes on without it.
    """
    bus = _bus(settings)
    bus.send(topics.RIGHTS, [("no right", b"\x07nonsense")])
    bus.publish([listing("first", "Zorvex replica")])
    good = bus.messages(topics.LISTINGS)[0].value()
    bad = {name: (change(good), reason) for name, change, reason in _unreadable()}
    for name, (value, _) in bad.items():
        bus.send(topics.LISTINGS, [(name, value)])
    bus.publish(
        [
            listing("last", "Zorvex replica"),
            listing("future", "Zorvex replica", occurred_at=now_ms() + DAY_MS),
            listing("past", "Zorvex replica", occurred_at=-62_135_596_800_000),
        ]
    )
    with WorkerProcess(bus.settings, tmp_path) as worker:
        worker.wait_ready()
        assert bus.takedown("last")["registry_version"] == "1"
        letters = wait_for(
            lambda: found if len(found := bus.records(topics.DEAD_LETTERS)) == len(bad) + 3 else [],
            30,
            "the dead letters",
        )
    by_key = {letter["key"].decode(): letter for letter in letters}
    for name, (value, reason) in bad.items():
        assert by_key[name]["value"] == value
        assert by_key[name]["reason"] == reason
        assert by_key[name]["topic"] == bus.settings.topic(topics.LISTINGS.name)
        assert by_key[name]["error"]
    assert by_key["no right"]["topic"] == bus.settings.topic(topics.RIGHTS.name)
    assert by_key["no right"]["reason"] == "undecodable"
    assert by_key["future"]["reason"] == by_key["past"]["reason"] == "bad_time"
    assert {record["listing_id"] for record in bus.takedowns()} == {"first", "last"}
