"""The queue as its records make it, in whichever order they come again."""

from __future__ import annotations

import itertools

import fastavro
import msgspec
import pytest

import schemas
from agents.breaker.held import Held, State, hold, resolve
from agents.breaker.queue import Queue
from agents.breaker.quotas import Exceeded
from agents.records import Statement, Takedown
from streams.producer import Outgoing

NOW = 1_790_000_000_000


def held(takedown_id: str = "t-1", at: int = NOW) -> Held:
    return Held(
        takedown_id=takedown_id,
        state="HELD",
        listing_id="l-1",
        seller_id="s-1",
        listing_occurred_at=NOW,
        at=at,
        value=b"\x00value",
    )


def test_a_record_has_the_names_of_its_schema_and_keeps_the_takedown_to_the_byte() -> None:
    takedown = Takedown(
        takedown_id="t-1",
        action="REMOVED",
        listing_id="l-1",
        revision=3,
        seller_id="s-1",
        rules=("replica-words", "hidden-mark"),
        brand="Zorvex",
        policy_version="p",
        registry_version="1",
        listing_occurred_at=NOW - 5,
        received_at=NOW - 4,
        decided_at=NOW - 3,
        statement=Statement("g", "f", "r"),
    )
    event = Outgoing("takedowns", b"l-1", b"\x00\x00\x01", [("ce_id", b"t-1:REMOVED"), ("n", None)])
    record = hold(takedown, event, Exceeded("brand:zorvex", "hour", 7, 1.5), NOW)
    names = [field["name"] for field in schemas.load("held")["fields"]]
    assert list(record.__struct_fields__) == names
    schema = fastavro.parse_schema(schemas.without_docs(schemas.load("held")))
    assert fastavro.validate(msgspec.to_builtins(record, builtin_types=(bytes,)), schema)
    sent = record.takedown_event("takedowns")
    assert (sent.key, sent.value, list(sent.headers)) == (event.key, event.value, event.headers)
    assert (record.rule, record.brand, record.revision) == ("replica-words", "Zorvex", 3)
    resolution = resolve(record, "DISCARDED", "ann", "a bad right", NOW + 1)
    with pytest.raises(ValueError, match="holds no takedown"):
        resolution.takedown_event("takedowns")


@pytest.mark.parametrize(
    "states",
    [
        states
        for length in (1, 2, 3)
        for states in itertools.product(("HELD", "RELEASED", "DISCARDED"), repeat=length)
    ],
    ids="-".join,
)
def test_a_resolution_closes_and_a_release_stands_above_all(states: tuple[State, ...]) -> None:
    queue = Queue()
    for number, state in enumerate(states):
        record = held(at=NOW + number)
        queue.add(record if state == "HELD" else resolve(record, state, "ann", "", NOW + number))
    wanted = next((state for state in ("RELEASED", "DISCARDED") if state in states), None)
    (entry,) = queue.entries.values()
    assert (entry.resolution and entry.resolution.state) == wanted
    assert len(queue.open()) == (wanted is None)


def test_what_waits_is_listed_oldest_first() -> None:
    queue = Queue()
    for number in (3, 1, 2):
        queue.add(held(f"t-{number}", NOW + number))
    queue.add(held("t-1", NOW + 9))
    assert [each.takedown_id for each in queue.open()] == ["t-1", "t-2", "t-3"]
