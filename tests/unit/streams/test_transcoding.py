"""What is made by way of MessagePack is what a full decode makes, and no bytes crash it or lie."""

from __future__ import annotations

import io
from typing import Any

import fastavro
import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from agents.monitoring.screening import to_listings
from agents.records import Listing
from streams.codec import DecodeError, Decoder
from streams.transcoding import Transcoding
from tests.unit.streams.shelf import Shelf, framed, written
from tests.unit.streams.test_projection import CURRENT, types, values, written_listings

SLOW = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


def decoded(schema: Any, value: bytes) -> Any:
    """Return the record that a full decode reads; raises where it is not whole."""
    stream = io.BytesIO(value)
    record = fastavro.schemaless_reader(stream, fastavro.parse_schema(schema), None)
    if stream.tell() != len(value):
        raise ValueError("bytes too many")
    return record


@SLOW
@given(written_listings())
def test_a_listing_is_what_a_full_decode_makes(drawn: tuple[dict[str, Any], bytes]) -> None:
    schema, value = drawn
    reader = fastavro.parse_schema(CURRENT)
    record: Any = fastavro.schemaless_reader(
        io.BytesIO(value), fastavro.parse_schema(schema), reader
    )
    assert Transcoding(schema, Listing).read([b"head:" + value], 5) == [
        msgspec.convert(record, Listing)
    ]


@st.composite
def written_anything(draw: st.DrawFn) -> tuple[dict[str, Any], list[bytes]]:
    """Draw a schema of any types, and a few records written with it."""
    fields = [{"name": f"f{n}", "type": draw(types())} for n in range(draw(st.integers(1, 3)))]
    schema = {"type": "record", "name": "Any", "fields": fields}
    try:
        fastavro.parse_schema(schema)
    except fastavro.schema.SchemaParseException:
        assume(condition=False)  # the same name twice
    records = draw(st.lists(values(schema, {}), min_size=1, max_size=4))
    return schema, [written(schema, record) for record in records]


@SLOW
@given(written_anything())
def test_values_of_every_type_come_through(drawn: tuple[dict[str, Any], list[bytes]]) -> None:
    schema, written_ = drawn
    assert Transcoding(schema, dict).read(written_) == [decoded(schema, each) for each in written_]


@SLOW
@given(written_listings(), st.data())
def test_spoilt_bytes_are_refused_or_read_as_a_full_decode_reads_them(
    drawn: tuple[dict[str, Any], bytes], data: st.DataObject
) -> None:
    schema, value = drawn
    start = data.draw(st.integers(0, len(value)))
    end = data.draw(st.integers(start, len(value)))
    spoilt = value[:start] + data.draw(st.binary(max_size=12)) + value[end:]
    before, made, behind = Transcoding(schema, dict, most_items=10_000).read([value, spoilt, value])
    assert before == behind == decoded(schema, value)
    if made is not None:
        assert made == decoded(schema, spoilt)


def test_blocks_with_their_size_in_bytes_are_read() -> None:
    schema = {
        "type": "record",
        "name": "Any",
        "fields": [{"name": "all", "type": {"type": "array", "items": "long"}}],
    }
    #        two of three bytes: 1, 300 ┐  one: -5 ┐  end
    value = bytes([3, 6, 2, 0xD8, 0x04, 2, 9, 0])
    assert Transcoding(schema, dict).read([value]) == [{"all": [1, 300, -5]}]
    assert Transcoding(schema, dict, most_items=2).read([value]) == [None]


@pytest.mark.parametrize("symbols", [1, 20, 70_000])
def test_heads_of_every_length_are_written(symbols: int) -> None:
    fields = [{"name": f"f{n}", "type": "null"} for n in range(symbols)]
    schema = {"type": "record", "name": "Any", "fields": fields}
    assert Transcoding(schema, dict).read([b""]) == [dict.fromkeys(f"f{n}" for n in range(symbols))]


def test_what_takes_more_room_than_its_bytes_makes_room() -> None:
    item = {"type": "record", "name": "Item", "fields": [{"name": "a" * 900, "type": "null"}]}
    array = {"type": "array", "items": item}
    schema = {"type": "record", "name": "Any", "fields": [{"name": "all", "type": array}]}
    record = {"all": [{"a" * 900: None}] * 500}
    assert Transcoding(schema, dict).read([written(schema, record)]) == [record]


def test_listings_read_at_once_are_those_read_one_by_one() -> None:
    shelf = Shelf()
    decoder = Decoder(shelf.registry, "listing", made=Listing)
    listing = Listing("l1", "s1", 1_700_000_000_000, "Title", attributes={"Größe": "40"})
    value = framed(shelf.put(CURRENT), written(CURRENT, msgspec.to_builtins(listing)))
    decoder.fetch(decoder.unknown([value]))
    broken = value.replace(b"Title", b"Titl\xff")
    good = to_listings(decoder, [value, value[:-1], broken, value + b"\0", value])
    assert [each for each in good if isinstance(each, Listing)] == [listing] * 2
    assert [each.reason for each in good if isinstance(each, DecodeError)] == ["undecodable"] * 3
    (empty,) = to_listings(decoder, [None])
    assert isinstance(empty, DecodeError)
    assert empty.reason == "empty_value"
    assert decoder.make([value, value]) == [listing, listing]


def test_an_older_schema_is_left_to_a_full_decode() -> None:
    older = {**CURRENT, "fields": [f for f in CURRENT["fields"] if f["name"] != "mpn"]}
    shelf = Shelf()
    decoder = Decoder(shelf.registry, "listing", made=Listing)
    listing = Listing("l1", "s1", 1_700_000_000_000, "Title")
    value = framed(shelf.put(older), written(older, msgspec.to_builtins(listing)))
    decoder.fetch(decoder.unknown([value]))
    assert decoder.make([value]) == [None]
    assert to_listings(decoder, [value]) == [listing]
