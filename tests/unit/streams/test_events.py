"""Headers, topics and dead letters as others see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

import schemas
from streams import topics
from streams.cloud_events import cloud_event
from streams.codec import Decoder, Encoder
from streams.dead_letters import MOST_BYTES, TRUNCATED, Failure, letters
from streams.producer import Outgoing
from tests.unit.streams.shelf import Shelf


def test_an_event_carries_cloudevents_headers_in_binary_mode() -> None:
    trace = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    headers = dict(cloud_event("id-1", "assayer.takedown.v1", 1_764_000_000_007, trace))
    assert headers == {
        "ce_specversion": b"1.0",
        "ce_id": b"id-1",
        "ce_type": b"assayer.takedown.v1",
        "ce_source": b"/assayer",
        "ce_time": b"2025-11-24T16:00:00.007Z",
        "content-type": b"application/avro",
        "traceparent": trace,
    }
    assert "traceparent" not in dict(cloud_event("id-1", "t", 0))


@pytest.mark.parametrize(
    ("millis", "written"),
    [
        (-62_135_596_800_000, b"0001-01-01T00:00:00.000Z"),
        (-1, b"1969-12-31T23:59:59.999Z"),
        (253_402_300_799_999, b"9999-12-31T23:59:59.999Z"),
        (-(2**63), b"0001-01-01T00:00:00.000Z"),
        (2**63 - 1, b"9999-12-31T23:59:59.999Z"),
    ],
)
def test_any_time_makes_a_header(millis: int, written: bytes) -> None:
    assert dict(cloud_event("id", "t", millis))["ce_time"] == written


def test_topics_are_declared_once_and_have_a_schema_that_tells_their_key() -> None:
    """A key is a field of the record, or the schema's doc says what it is."""
    names = [topic.name for topic in topics.TOPICS]
    assert len(names) == len(set(names))
    for topic in topics.TOPICS:
        schema = schemas.load(topic.schema)
        fields = {field["name"] for field in schema["fields"]}
        assert topic.key in fields or f"key the {topic.key} of" in schema["doc"], topic.name
        assert topic.written_by
        assert topic.read_by
        configuration = topic.configuration()
        assert set(configuration) >= {"cleanup.policy", "retention.ms", "max.message.bytes"}
        assert all(isinstance(value, str) for value in configuration.values())


def test_reference_data_is_one_partition_kept_for_ever_and_never_compacted() -> None:
    """A version is an offset, and any past version can be rebuilt."""
    assert topics.RIGHTS.partitions == 1
    assert topics.RIGHTS.configuration()["cleanup.policy"] == "delete"
    assert topics.RIGHTS.configuration()["retention.ms"] == "-1"


def test_what_views_are_rebuilt_from_is_kept_as_long_as_they_count() -> None:
    assert topics.TAKEDOWNS.retention_ms == topics.FOR_EVER
    assert topics.SELLERS.compacted
    assert topics.SALES.retention_ms >= 365 * topics.DAY_MS


def test_the_dead_letters_hold_every_record_whole() -> None:
    sources = [topic for topic in topics.TOPICS if topic is not topics.DEAD_LETTERS]
    largest = max(topic.max_message_bytes for topic in sources)
    assert topics.DEAD_LETTERS.max_message_bytes > largest + 100_000
    assert largest < MOST_BYTES


@dataclass(frozen=True)
class _Record:
    value: bytes | None
    key: bytes | None = b"\xffkey"
    offset: int = 41
    timestamp: int = 1_764_000_000_000
    headers: tuple[tuple[str, bytes], ...] = (("traceparent", b"00-a-b-01"), ("empty", b""))


def _letter(failure: Failure) -> tuple[dict[str, Any], Outgoing]:
    shelf = Shelf()
    encoder = Encoder(shelf.registry, "assayer.dead-letters", "dead-letter")
    (outgoing,) = letters(encoder, "assayer.dead-letters", "marketplace.listings", 3, [failure])
    decoder = Decoder(shelf.registry, "dead-letter")
    decoder.fetch(decoder.unknown([outgoing.value]))
    return decoder.decode(outgoing.value), outgoing


@pytest.mark.parametrize("value", [None, b"", b"\x00\x01\xff", b"x" * 8_000_000])
def test_a_dead_letter_is_the_record_whole_and_where_it_came_from(value: bytes | None) -> None:
    letter, outgoing = _letter(Failure(_Record(value), "undecodable", "why " * 1000))
    assert letter["value"] == value
    assert letter["key"] == b"\xffkey"
    place = (letter["topic"], letter["partition"], letter["offset"])
    assert place == ("marketplace.listings", 3, 41)
    assert [(h["key"], h["value"]) for h in letter["headers"]] == list(_Record(value).headers)
    assert letter["timestamp"] == 1_764_000_000_000
    assert letter["reason"] == "undecodable"
    assert letter["error"].startswith("why why")
    assert len(letter["error"]) == 500
    assert outgoing.topic == "assayer.dead-letters"
    assert outgoing.key == b"marketplace.listings"
    headers = dict(outgoing.headers)
    assert headers["ce_id"] == b"marketplace.listings:3:41"
    assert headers["ce_type"] == b"assayer.dead-letter.v1"


def test_a_record_that_is_larger_than_a_letter_can_be_says_so() -> None:
    """A topic's limit is on compressed batches: thirty megabytes of one letter may pass it."""
    value = b"x" * 30_000_000
    letter, outgoing = _letter(Failure(_Record(value), "too_large", "30000000 bytes"))
    assert letter["reason"] == TRUNCATED
    assert value.startswith(letter["value"])
    assert "30000" in letter["error"]
    assert letter["offset"] == 41
    assert len(outgoing.value or b"") < topics.DEAD_LETTERS.max_message_bytes
