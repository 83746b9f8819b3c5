"""Input nobody should send, and servers that go away: nothing stops, nothing is lost."""

from __future__ import annotations

import base64
import copy
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import redis
from confluent_kafka import Producer
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

import schemas
from agents.records import DAY_MS, Sale
from deploy.services import Kafka, Redis, SchemaRegistryServer
from streams import topics
from streams.codec import Encoder
from streams.topics import Topic
from tests.harness import (
    Bus,
    WorkerProcess,
    json_lines,
    listing,
    now_ms,
    run_command,
    wait_for,
)
from tests.integration.gate import Gate
from tests.unit.streams.shelf import framed, written

YEAR_1: Final = -62_135_596_800_000
BROKEN: Final = (b"takedown-1", b"takedown-2", b"takedown-3")
"""Keys of what is put on the takedowns' topic, and is no takedown of ours."""
RECORD: Final = {
    "event_id": "e",
    "listing_id": "bad",
    "seller_id": "s",
    "occurred_at": 0,
    "title": "Zorvex replica",
}


def _register(bus: Bus, subject: str, schema: dict[str, Any]) -> int:
    client = SchemaRegistryClient({"url": bus.settings.schema_registry_url})
    return client.register_schema(subject, Schema(json.dumps(schema), "AVRO"))


def _send(
    bus: Bus, topic: Topic, values: list[tuple[str, bytes | None]], partition: int = 0
) -> None:
    """Send raw values, each with its key and a header, in one go."""
    producer = Producer(
        {
            "bootstrap.servers": bus.settings.kafka_bootstrap,
            "message.max.bytes": 16_000_000,
            "linger.ms": 100,
        }
    )
    for key, value in values:
        producer.produce(
            bus.settings.topic(topic.name),
            key=key.encode(),
            value=value,
            partition=partition,
            headers=[("origin", b"test")],
        )
    assert producer.flush(20) == 0


def _encoder(bus: Bus, topic: Topic) -> Encoder:
    return Encoder(bus.registry, bus.settings.topic(topic.name), topic.schema)


def _letters(bus: Bus, topic: Topic) -> list[dict[str, Any]]:
    name = bus.settings.topic(topic.name)
    return [record for record in bus.records(topics.DEAD_LETTERS) if record["topic"] == name]


def _wait_for_letters(
    bus: Bus, worker: WorkerProcess, topic: Topic, keys: set[str]
) -> dict[str, dict[str, Any]]:
    """Return the dead letters of a topic by their records' keys, once they are all there."""

    def look() -> dict[str, dict[str, Any]]:
        found = {letter["key"].decode(): letter for letter in _letters(bus, topic)}
        return found if keys <= found.keys() else {}

    result: dict[str, dict[str, Any]] = wait_for(
        look, 30, lambda: f"letters of {keys}; there are {_letters(bus, topic)}\n{worker.text}"
    )
    return result


def _wait_for_takedown(bus: Bus, worker: WorkerProcess, listing_id: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = wait_for(
        lambda: [r for r in bus.takedowns(broken=BROKEN) if r["listing_id"] == listing_id],
        30,
        lambda: f"a takedown of {listing_id}\n{worker.text}",
    )
    return found[0]


def test_what_is_no_listing_goes_to_the_dead_letters_and_its_batch_is_judged(
    bus: Bus, worker: WorkerProcess
) -> None:
    encoder = _encoder(bus, topics.LISTINGS)
    good = encoder.encode(RECORD | {"occurred_at": now_ms()})
    seller_schema = _register(bus, "foreign-value", schemas.load("seller"))
    recursive = copy.deepcopy(schemas.load("listing"))
    node = {"name": "next", "type": ["null", "Node"]}
    recursive["fields"].append(
        {"name": "chain", "type": {"type": "record", "name": "Node", "fields": [node]}}
    )
    elsewhere = copy.deepcopy(schemas.load("listing"))
    elsewhere["fields"].append({"name": "shop", "type": ["null", "string"], "default": None})
    bad: dict[str, tuple[bytes | None, str]] = {
        "null": (None, "empty_value"),
        "empty": (b"", "empty_value"),
        "json": (b'{"title": "Zorvex replica"}', "undecodable"),
        "magic": (b"\x07" + good[1:], "undecodable"),
        "short": (b"\x00\x00", "undecodable"),
        "truncated": (good[:-4], "undecodable"),
        "extended": (good + b"more", "undecodable"),
        "unknown": (framed(1_000_000, good[5:]), "unknown_schema"),
        "impossible": (framed(2**32 - 1, good[5:]), "unknown_schema"),
        "foreign": (
            framed(
                seller_schema,
                written(schemas.load("seller"), {"seller_id": "s"}),
            ),
            "foreign_schema",
        ),
        "recursive": (
            framed(
                _register(bus, "recursive-value", recursive), good[5:] + b"\x02" * 300_000 + b"\x00"
            ),
            "foreign_schema",
        ),
        "long-title": (
            encoder.encode(RECORD | {"occurred_at": now_ms(), "title": "Zorvex" + "x" * 5_000_000}),
            "too_large",
        ),
        "long-name": (
            encoder.encode(
                RECORD
                | {"occurred_at": now_ms(), "attributes": {"n" * 900_000: "Zorvex 1:1 replica"}}
            ),
            "too_large",
        ),
        "year-1": (encoder.encode(RECORD | {"occurred_at": YEAR_1}), "bad_time"),
        "negative": (encoder.encode(RECORD | {"occurred_at": -(2**63)}), "bad_time"),
        "future": (encoder.encode(RECORD | {"occurred_at": now_ms() + DAY_MS}), "bad_time"),
        "last": (encoder.encode(RECORD | {"occurred_at": 2**63 - 1}), "bad_time"),
    }
    values: list[tuple[str, bytes | None]] = []
    for key, (value, _) in bad.items():
        beside = RECORD | {"listing_id": f"beside-{key}", "occurred_at": now_ms()}
        values += [(key, value), (f"beside-{key}", encoder.encode(beside))]
    _send(bus, topics.LISTINGS, values)
    letters = _wait_for_letters(bus, worker, topics.LISTINGS, set(bad))
    for key, (value, reason) in bad.items():
        letter = letters[key]
        assert letter["reason"] == reason, (key, letter["error"])
        assert letter["value"] == value, key
        assert letter["partition"] == 0
        assert [(h["key"], h["value"]) for h in letter["headers"]] == [("origin", b"test")]
        assert letter["error"]
        assert abs(letter["failed_at"] - now_ms()) < 120_000
    assert len({letter["offset"] for letter in letters.values()}) == len(letters)
    wanted = {f"beside-{key}" for key in bad}
    wait_for(
        lambda: wanted <= {record["listing_id"] for record in bus.takedowns(broken=BROKEN)},
        30,
        lambda: f"the good listings beside them\n{worker.text}",
    )
    topic = bus.settings.topic(topics.LISTINGS.name)
    reasons = {reason for _, reason in bad.values()}
    for reason in reasons:
        count = sum(1 for _, r in bad.values() if r == reason)
        assert worker.metric("assayer_dead_letters_total", topic=topic, reason=reason) == count
    assert worker.metric("assayer_listings_total", outcome="dead_letter") == len(bad)
    assert worker.ready()


def test_poison_on_the_other_topics_harms_no_view(bus: Bus, worker: WorkerProcess) -> None:
    """Sellers, sales, takedowns and rights: refused one by one, what comes after them counts."""
    sale = {"event_id": "p-1", "listing_id": "poisoned", "seller_id": "s", "occurred_at": 0}
    takedown = {
        "takedown_id": "t-1",
        "action": "REMOVED",
        "listing_id": "l",
        "seller_id": "s-poisoned",
        "policy_version": "p",
        "registry_version": "1",
        "listing_occurred_at": 0,
        "received_at": 0,
        "statement": {"ground": "g", "facts": "f", "redress": "r"},
    }
    sales, takedowns = _encoder(bus, topics.SALES), _encoder(bus, topics.TAKEDOWNS)
    poison: list[tuple[Topic, dict[str, tuple[bytes, str]]]] = [
        (
            topics.SELLERS,
            {"seller-1": (b"no seller", "undecodable"), "seller-2": (b"", "empty_value")},
        ),
        (
            topics.SALES,
            {
                "sale-1": (b"\x00\x00\x0f\x42\x40nothing", "unknown_schema"),
                "sale-2": (sales.encode(sale | {"quantity": 2**62}), "bad_quantity"),
                "sale-3": (sales.encode(sale | {"quantity": 5})[:-1], "undecodable"),
            },
        ),
        (
            topics.TAKEDOWNS,
            {
                "takedown-1": (b"\x01\x02", "undecodable"),
                "takedown-2": (takedowns.encode(takedown | {"decided_at": 2**63 - 1}), "bad_time"),
                "takedown-3": (takedowns.encode(takedown | {"decided_at": YEAR_1}), "bad_time"),
            },
        ),
        (
            topics.RIGHTS,
            {"right-1": (b"no right", "undecodable"), "right-2": (b"", "empty_value")},
        ),
    ]
    version = worker.metric("assayer_registry_version")
    for topic, values in poison:
        _send(bus, topic, [(key, value) for key, (value, _) in values.items()])
    _send(bus, topics.SALES, [("poisoned", sales.encode(sale | {"quantity": 4}))])
    for topic, values in poison:
        letters = _wait_for_letters(bus, worker, topic, set(values))
        for key, (value, reason) in values.items():
            assert (letters[key]["reason"], letters[key]["value"]) == (reason, value), key
    wait_for(
        lambda: worker.metric("assayer_registry_version") == version + 2,
        20,
        "a registry version that counts what was refused",
    )
    assert worker.metric("assayer_registry_rights") == 1
    bus.publish([listing("poisoned", "Zorvex replica")])
    found = _wait_for_takedown(bus, worker, "poisoned")
    assert found["units_sold_before"] == 4
    assert worker.ready(), worker.get("/health/ready")


def test_dead_letters_are_listed_shown_and_filtered(bus: Bus) -> None:
    listed = json_lines(run_command(bus.settings, "dead-letters", "list", "--json").stdout)
    assert len(listed) >= 20
    only = run_command(
        bus.settings, "dead-letters", "list", "--json", "--reason", "bad_time",
        "--topic", bus.settings.topic(topics.LISTINGS.name),
    )  # fmt: skip
    assert {row["reason"] for row in json_lines(only.stdout)} == {"bad_time"}
    (chosen,) = [row for row in listed if row["bytes"] > 5_000_000]
    (whole,) = json_lines(run_command(bus.settings, "dead-letters", "show", chosen["id"]).stdout)
    assert b"Zorvexxxxxx" in base64.b64decode(whole["value"])
    assert base64.b64decode(whole["key"]) == b"long-title"
    text = run_command(bus.settings, "dead-letters", "list").stdout
    assert chosen["id"] in text
    assert "too_large" in text
    missing = run_command(bus.settings, "dead-letters", "show", "9:999999")
    assert (missing.returncode, missing.stderr.count("\n")) == (1, 1)


def test_a_schema_that_cannot_be_fetched_now_is_replayed_later(
    bus: Bus, worker: WorkerProcess, schema_registry: SchemaRegistryServer
) -> None:
    """The registry hangs when a newer producer appears: its listing waits in the dead letters.

    Listings of schemas known already are judged meanwhile. A seller, though, is waited for: passed
    over and replayed, it would overwrite what came after it.
    """
    newer = copy.deepcopy(schemas.load("listing"))
    newer["fields"].append({"name": "colour", "type": "string", "default": ""})
    record = RECORD | {"listing_id": "newer", "occurred_at": now_ms(), "colour": "red"}
    value = framed(_register(bus, "newer-value", newer), written(newer, record))
    newer_seller = copy.deepcopy(schemas.load("seller"))
    newer_seller["fields"].append({"name": "shop", "type": "string", "default": ""})
    old = now_ms() - 900 * DAY_MS
    seller = {"seller_id": "s-newer", "created_at": old, "verified": True, "shop": "x"}
    seller_id = _register(bus, "newer-seller-value", newer_seller)
    known = _encoder(bus, topics.LISTINGS).encode(
        RECORD | {"listing_id": "known", "occurred_at": now_ms()}
    )
    schema_registry.suspend()
    try:
        _send(bus, topics.SELLERS, [("s-newer", framed(seller_id, written(newer_seller, seller)))])
        _send(bus, topics.LISTINGS, [("newer", value), ("known", known)])
        wait_for(
            lambda: worker.metric("assayer_dead_letters_total", reason="registry_unavailable") == 1,
            40,
            lambda: f"the newer listing in the dead letters\n{worker.text}",
        )
        wait_for(
            lambda: "schema_registry" in _failing(worker), 30, "readiness that says it is away"
        )
        assert worker.get("/health/live")[0] == 200
    finally:
        schema_registry.resume()
    _wait_for_takedown(bus, worker, "known")
    assert not [r for r in bus.takedowns(broken=BROKEN) if r["listing_id"] == "newer"]
    done = run_command(
        bus.settings, "dead-letters", "replay", "--reason", "registry_unavailable", "--json"
    )
    assert (done.returncode, json_lines(done.stdout)) == (0, [{"replayed": 1}]), done.stderr
    _wait_for_takedown(bus, worker, "newer")
    worker.wait_ready(20)
    bus.publish(
        [listing("cheap", "Zorvex Diver", seller_id="s-newer", price_minor=900, currency="USD")]
    )
    reviewed = wait_for(
        lambda: [r for r in bus.records(topics.REVIEWS) if r["listing_id"] == "cheap"],
        20,
        "a review, because the seller is known to be established",
    )
    assert reviewed[0]["rules"] == ["cheap-mark"]
    assert not _letters(bus, topics.SELLERS)[2:], "the seller was waited for"


def _failing(worker: WorkerProcess) -> dict[str, str]:
    """Return what the worker says it lacks; nothing while its port does not answer yet."""
    status, body = worker.get("/health/ready")
    if not status:
        return {}
    checks: dict[str, str] = json.loads(body)["checks"]
    return {name: text for name, text in checks.items() if text != "ok"}


def _seller_evidence(record: dict[str, Any]) -> str:
    return " ".join(e["note"] for e in record["evidence"] if e["signal"] == "seller")


def test_without_redis_listings_are_judged_and_judged_again(
    bus: Bus, worker: WorkerProcess, redis_server: Redis
) -> None:
    """A bad seller's hidden mark is a review while nothing is known of him, a takedown after."""
    bus.publish([listing(f"away-{n}", "Zorvex replica", seller_id="s-away") for n in range(3)])
    _wait_for_takedown(bus, worker, "away-2")
    _settled(worker)
    redis_server.kill()
    try:
        wait_for(lambda: "redis" in _failing(worker), 20, "readiness that says Redis is away")
        bus.publish([listing("blind", "Zor\u200bvex watch", seller_id="s-away")])
        review = wait_for(
            lambda: [r for r in bus.records(topics.REVIEWS) if r["listing_id"] == "blind"],
            20,
            lambda: f"a review without facts\n{worker.text}",
        )[0]
        assert "did not answer" in _seller_evidence(review)
        assert review["units_sold_before"] is None
        assert worker.metric("assayer_dependency_up", dependency="redis") == 0
        assert worker.get("/health/live")[0] == 200
    finally:
        redis_server.start()  # empty: the views are rebuilt from Kafka
    found = _wait_for_takedown(bus, worker, "blind")
    assert found["rules"][0] == "hidden-mark-supported"
    assert "3.0 upheld" in _seller_evidence(found)
    worker.wait_ready(20)


def _settled(worker: WorkerProcess) -> None:
    """Return when nothing waits to be applied."""
    time.sleep(1.2)  # the gauge is set once a second
    wait_for(lambda: worker.metric("assayer_consumer_lag") == 0, 20, "no lag")


def test_a_view_that_is_dropped_is_rebuilt_and_replays_change_no_standing(
    bus: Bus, worker: WorkerProcess, redis_server: Redis
) -> None:
    bus.publish(
        [listing(f"standing-{n}", "Zorvex replica", seller_id="s-standing") for n in range(2)],
        sales=[Sale("standing-sale", "standing-0", "s-standing", 2, now_ms())],
    )
    _wait_for_takedown(bus, worker, "standing-1")
    _settled(worker)
    client = redis.Redis(port=redis_server.port)
    before = _at_rest(client, bus)
    assert any(b"standing:s-standing" in key for key in before)

    # The same takedown events again, as a replayed dead letter or a second worker would send them.
    again = [
        (message.key().decode(), message.value())
        for message in bus.messages(topics.TAKEDOWNS)
        if message.key().startswith(b"standing-")
    ]
    _send(bus, topics.TAKEDOWNS, again)
    _settled(worker)
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
    """Return what the views of the installation hold, offsets apart."""
    found: dict[bytes, Any] = {}
    for key in client.scan_iter(match=f"{bus.settings.topic_prefix}assayer:*", count=1000):
        if b":view:" not in key:
            found[key] = _READ[client.type(key)](client, key)
    return found


def _without_count(value: bytes) -> bytes:
    return value[16:] if value.startswith(b"HYLL") else value


_READ: Final[dict[bytes, Callable[[Any, bytes], Any]]] = {
    # A sketch of distinct values begins with what was last counted in it: no part of the state.
    b"string": lambda client, key: _without_count(client.get(key)),
    b"hash": lambda client, key: client.hgetall(key),
    b"set": lambda client, key: client.smembers(key),
    b"zset": lambda client, key: client.zrange(key, 0, -1, withscores=True),
    b"list": lambda client, key: client.lrange(key, 0, -1),
}


def test_kafka_goes_and_comes_back_while_the_worker_runs(
    bus: Bus, worker: WorkerProcess, kafka: Kafka
) -> None:
    bus.publish([listing("before-stop", "Zorvex replica")])
    _wait_for_takedown(bus, worker, "before-stop")
    kafka.stop()
    try:
        wait_for(lambda: "kafka" in _failing(worker), 30, "readiness that says Kafka is away")
        assert worker.get("/health/live")[0] == 200
    finally:
        kafka.start()
    bus.publish([listing("after-stop", "Zorvex replica")])
    _wait_for_takedown(bus, worker, "after-stop")
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
            assert set(_failing(waiting)) >= {"schema_registry", "registry", "partitions"}
            with gate:
                wait_for(
                    lambda: set(_failing(waiting)) == {"redis", "views"},
                    60,
                    lambda: f"all but Redis: {_failing(waiting)}\n{waiting.text}",
                )
                bus.publish([listing("no-redis", "Zorvex replica")])
                _wait_for_takedown(bus, waiting, "no-redis")
                assert waiting.stop() == 0, waiting.text
    finally:
        redis_server.start()
