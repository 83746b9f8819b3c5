"""Input nobody should send: it is buried whole, and what stands beside it is judged."""

from __future__ import annotations

import copy
import json
from typing import Any, Final

from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

import schemas
from agents.records import DAY_MS
from deploy.services import SchemaRegistryServer
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
from tests.unit.streams.shelf import framed, written

YEAR_1: Final = -62_135_596_800_000
BROKEN: Final = (b"takedown-1", b"takedown-2", b"takedown-3", b"takedown-4")
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
    bus.send(topics.LISTINGS, values, partition=0, headers=[("origin", b"test")])
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
                "takedown-4": (
                    takedowns.encode(takedown | {"action": "REINSTATED", "decided_at": 2**63 - 1}),
                    "bad_time",
                ),
            },
        ),
        (
            topics.RIGHTS,
            {"right-1": (b"no right", "undecodable"), "right-2": (b"", "empty_value")},
        ),
    ]
    version = worker.metric("assayer_registry_version")
    for topic, values in poison:
        bus.send(topic, [(key, value) for key, (value, _) in values.items()])
    bus.send(topics.SALES, [("poisoned", sales.encode(sale | {"quantity": 4}))])
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
    found = bus.newest(topics.TAKEDOWNS, "poisoned", broken=BROKEN)
    assert found["units_sold_before"] == 4
    assert worker.ready(), worker.get("/health/ready")


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
        bus.send(topics.SELLERS, [("s-newer", framed(seller_id, written(newer_seller, seller)))])
        bus.send(topics.LISTINGS, [("newer", value), ("known", known)])
        wait_for(
            lambda: worker.metric("assayer_dead_letters_total", reason="registry_unavailable") == 1,
            40,
            lambda: f"the newer listing in the dead letters\n{worker.text}",
        )
        wait_for(
            lambda: "schema_registry" in worker.failing(), 30, "readiness that says it is away"
        )
        assert worker.get("/health/live")[0] == 200
    finally:
        schema_registry.resume()
    bus.newest(topics.TAKEDOWNS, "known", broken=BROKEN)
    assert not [r for r in bus.takedowns(broken=BROKEN) if r["listing_id"] == "newer"]
    done = run_command(
        bus.settings, "dead-letters", "replay", "--reason", "registry_unavailable", "--json"
    )
    assert (done.returncode, json_lines(done.stdout)) == (0, [{"replayed": 1}]), done.stderr
    bus.newest(topics.TAKEDOWNS, "newer", broken=BROKEN)
    worker.wait_ready(20)
    bus.publish(
        [listing("cheap", "Zorvex Diver", seller_id="s-newer", price_minor=900, currency="USD")]
    )
    # The seller is known to be established, or it would be a takedown.
    assert bus.review("cheap")["rules"] == ["cheap-mark"]
    buried = {letter["key"] for letter in _letters(bus, topics.SELLERS)}
    assert b"s-newer" not in buried, "the seller was waited for"
