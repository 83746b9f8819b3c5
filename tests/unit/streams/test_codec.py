"""Values in the wire format: what is read, and each reason for which one is refused."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka.schema_registry.error import SchemaRegistryError

import schemas
from agents.monitoring.screening import listing_decoder
from streams.codec import DecodeError, Decoder, Encoder
from streams.schema_registry import RegistryUnavailableError, UnknownSchemaError
from tests.unit.streams.shelf import Shelf, Stored, framed, written

LISTING = schemas.load("listing")
PDQ = "0f" * 32
RECORD = {
    "event_id": "e-1",
    "listing_id": "l-1",
    "seller_id": "s-1",
    "occurred_at": 1_764_000_000_000,
    "title": "Zorvex Taucheruhr ⌚",
    "brand": "Zorvex",
    "attributes": {"colour": "blau"},
    "images": [
        {"url": "https://shop.example/1.jpg", "pdq": PDQ, "pdq_quality": 90},
        {"url": "https://shop.example/2.jpg", "pdq": "", "pdq_quality": None},
    ],
}


def _decode(shelf: Shelf, value: bytes | None, decoder: Decoder | None = None) -> dict[str, Any]:
    decoder = decoder or listing_decoder(shelf.registry)
    decoder.fetch(decoder.unknown([value]))
    return decoder.decode(value)


def _refusal(shelf: Shelf, value: bytes | None) -> DecodeError:
    """Return the refusal of a value, the same from a full decode and from a projection."""
    decoder = listing_decoder(shelf.registry)
    decoder.fetch(decoder.unknown([value]))
    with pytest.raises(DecodeError) as projecting:
        decoder.project(value)
    with pytest.raises(DecodeError) as decoding:
        decoder.decode(value)
    assert decoding.value.reason == projecting.value.reason
    return decoding.value


def _listing_schema(change: Callable[[list[Any]], object], **values: Any) -> dict[str, Any]:
    schema = copy.deepcopy(LISTING) | values
    change(schema["fields"])
    return schema


def test_the_wire_format_is_a_zero_byte_four_of_the_id_and_the_record() -> None:
    shelf = Shelf()
    value = Encoder(shelf.registry, "marketplace.listings", "listing").encode(RECORD)
    assert value[:5] == b"\x00\x00\x00\x00\x01"
    assert value[5:] == written(LISTING, RECORD)
    assert value == framed(1, written(LISTING, RECORD))
    read = _decode(shelf, value)
    assert read["title"] == RECORD["title"]
    assert read["revision"] == 1
    assert read["kind"] == "UPDATED"
    assert read["occurred_at"] == 1_764_000_000_000


@pytest.mark.parametrize(
    ("schema", "record", "expected"),
    [
        pytest.param(
            _listing_schema(
                lambda f: f.append({"name": "shop", "type": "string", "default": "main"})
            ),
            RECORD | {"shop": "outlet"},
            {"brand": "Zorvex"},
            id="a newer producer with one field more",
        ),
        pytest.param(
            _listing_schema(lambda f: f.remove(next(x for x in f if x["name"] == "brand"))),
            {k: v for k, v in RECORD.items() if k != "brand"},
            {"brand": ""},
            id="an older producer without an optional field",
        ),
        pytest.param(
            _listing_schema(lambda f: f.reverse()), RECORD, {"brand": "Zorvex"}, id="another order"
        ),
        pytest.param(
            _listing_schema(lambda _: None, namespace="com.example.shop"),
            RECORD,
            {"brand": "Zorvex"},
            id="another namespace",
        ),
        pytest.param(
            _listing_schema(
                lambda f: next(x for x in f if x["name"] == "kind")["type"]["symbols"].insert(
                    0, "RESTORED"
                )
            ),
            RECORD | {"kind": "RESTORED"},
            {"kind": "UPDATED"},
            id="a kind this reader does not know",
        ),
        pytest.param(
            _listing_schema(
                lambda f: next(x for x in f if x["name"] == "title").update(type="bytes")
            ),
            RECORD | {"title": "Zorvex Taucheruhr ⌚".encode()},
            {},
            id="bytes, which Avro promotes to a string",
        ),
    ],
)
def test_older_and_newer_producers_are_read(
    schema: dict[str, Any], record: dict[str, Any], expected: dict[str, Any]
) -> None:
    shelf = Shelf()
    value = framed(shelf.put(schema), written(schema, record))
    decoder = listing_decoder(shelf.registry)
    read = _decode(shelf, value, decoder)
    assert {name: read[name] for name in expected} == expected
    assert set(read) == {field["name"] for field in LISTING["fields"]}
    assert read["title"] == RECORD["title"]
    kind, occurred_at, seller, texts, pictures = decoder.project(value)
    assert seller == str(RECORD["seller_id"]).encode()
    assert kind in ("UPDATED", "RESTORED")
    assert occurred_at == RECORD["occurred_at"]
    assert str(RECORD["title"]).encode() in texts
    assert b"blau" in texts
    assert pictures == [PDQ.encode()]


def _value(shelf: Shelf) -> bytes:
    return framed(shelf.put(LISTING), written(LISTING, RECORD))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        pytest.param(lambda _: None, "empty_value", id="null"),
        pytest.param(lambda _: b"", "empty_value", id="empty"),
        pytest.param(lambda _: b"\x00", "undecodable", id="one byte"),
        pytest.param(lambda _: b"\x00\x00\x00\x01", "undecodable", id="half an id"),
        pytest.param(lambda v: b"\x01" + v[1:], "undecodable", id="wrong magic byte"),
        pytest.param(lambda _: b'{"listing_id": "1"}', "undecodable", id="JSON"),
        pytest.param(lambda v: v[:5], "undecodable", id="no record behind the header"),
        pytest.param(lambda v: v[:-3], "undecodable", id="truncated"),
        pytest.param(lambda v: v + b"\x00", "undecodable", id="too long"),
        pytest.param(lambda v: framed(77, v[5:]), "unknown_schema", id="unknown id"),
        pytest.param(lambda v: framed(2**32 - 1, v[5:]), "unknown_schema", id="impossible id"),
    ],
)
def test_what_is_no_listing_is_refused_with_a_reason(
    spoil: Callable[[bytes], bytes | None], reason: str
) -> None:
    shelf = Shelf()
    error = _refusal(shelf, spoil(_value(shelf)))
    assert error.reason == reason
    assert str(error)


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param(schemas.load("seller"), id="another record"),
        pytest.param(_listing_schema(lambda f: f.pop(6)), id="a required field is missing"),
        pytest.param(
            _listing_schema(lambda f: f.append({"name": "x", "type": "com.shop.Elsewhere"})),
            id="a type that is defined elsewhere",
        ),
        pytest.param(
            _listing_schema(
                lambda f: f.append(
                    {
                        "name": "x",
                        "type": {
                            "type": "record",
                            "name": "Node",
                            "fields": [{"name": "next", "type": ["null", "Node"]}],
                        },
                    }
                )
            ),
            id="a recursive type, on which fastavro overflows the stack",
        ),
        pytest.param(
            _listing_schema(
                lambda f: f.append({"name": "x", "type": {"type": "array", "items": "null"}})
            ),
            id="an array that may claim any length",
        ),
    ],
)
def test_foreign_and_dangerous_schemas_are_refused(schema: dict[str, Any]) -> None:
    shelf = Shelf()
    value = framed(shelf.put(schema), b"\x02" * 200_000)
    error = _refusal(shelf, value)
    assert error.reason == "foreign_schema"
    assert "not readable as Listing" in str(error)


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize(
    "items", ["double", "float", "boolean", {"type": "fixed", "name": "F", "size": 16}], ids=str
)
def test_items_beyond_the_end_of_a_field_that_is_not_ours_end_at_once(
    items: Any, nested: bool
) -> None:
    """A few bytes that say 2**60 items: fastavro passes over them one by one, for years."""
    array = {"type": "array", "items": items}
    field = {"name": "x", "type": {"type": "map", "values": array} if nested else array}
    sale = schemas.load("sale")
    shelf = Shelf()
    decoder = Decoder(shelf.registry, "sale")
    theirs = sale | {"fields": [*sale["fields"], field]}
    record = {"event_id": "e", "listing_id": "l", "seller_id": "s", "quantity": 1}
    head = written(sale, {**record, "occurred_at": 1_764_000_000_000})
    count = b"\x80\x80\x80\x80\x80\x80\x80\x80\x20"
    body = head + (b"\x02\x02k" if nested else b"") + count + b"\x00" * 40
    value = framed(shelf.put(theirs), body)
    with pytest.raises(DecodeError) as error:
        _decode(shelf, value, decoder)
    assert error.value.reason == "undecodable"
    whole = head + b"\x00"
    assert _decode(shelf, framed(shelf.put(theirs), whole), decoder)["listing_id"] == "l"


@pytest.mark.parametrize(
    "stored", [Stored('"string"'), Stored("message Listing {}", "PROTOBUF"), Stored("string")]
)
def test_what_is_no_avro_record_counts_as_an_unknown_schema(stored: Stored) -> None:
    shelf = Shelf({1: stored})
    assert _refusal(shelf, framed(1, b"abc")).reason == "unknown_schema"


@pytest.mark.parametrize(
    "error",
    [
        ConnectionError("refused"),
        SchemaRegistryError(503, 50301, "no leader"),
        SchemaRegistryError(401, 401, "who are you"),
        SchemaRegistryError(404, 404, "a web server that is no registry"),
    ],
)
def test_a_registry_that_is_away_is_told_apart_and_asked_again(error: Exception) -> None:
    shelf = Shelf()
    value = _value(shelf)
    shelf.error = error
    decoder = listing_decoder(shelf.registry)
    assert isinstance(asyncio.run(decoder.prepare([value])), RegistryUnavailableError)
    with pytest.raises(DecodeError) as refused:
        decoder.project(value)
    assert refused.value.reason == "registry_unavailable"
    asked = len(shelf.asked)
    away = asyncio.run(decoder.prepare([value]))
    assert isinstance(away, RegistryUnavailableError)
    assert len(shelf.asked) == asked, "asked again at once: every batch would wait for it"
    with pytest.raises(RegistryUnavailableError):
        shelf.registry.ping()

    shelf.error = None
    shelf.registry.ping()
    decoder.fetch(decoder.unknown([value]))
    assert decoder.decode(value)["listing_id"] == "l-1"


def test_schemas_known_already_need_no_registry() -> None:
    shelf = Shelf()
    value = _value(shelf)
    decoder = listing_decoder(shelf.registry)
    assert asyncio.run(decoder.prepare([value, None, b"", b"x", value])) is None
    shelf.error = ConnectionError("refused")
    assert asyncio.run(decoder.prepare([value])) is None
    assert decoder.decode(value)["listing_id"] == "l-1"
    assert shelf.asked == [1]


def test_an_id_no_registry_has_is_not_asked_for() -> None:
    shelf = Shelf()
    with pytest.raises(UnknownSchemaError):
        shelf.registry.writer_schema(2**31)
    assert not shelf.asked


@pytest.mark.parametrize(
    "record",
    [
        {"listing_id": "l-1"},
        RECORD | {"title": None},
        RECORD | {"price_minor": 2**70},
        RECORD | {"kind": "SOLD"},
        RECORD | {"category_path": 7},
    ],
)
def test_what_does_not_fit_the_schema_is_not_written(record: dict[str, Any]) -> None:
    encoder = Encoder(Shelf().registry, "marketplace.listings", "listing")
    with pytest.raises(ValueError, match=r"\w"):
        encoder.encode(record)
