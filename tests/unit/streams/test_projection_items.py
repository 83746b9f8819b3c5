"""Strings of an array's records, collected by a projection without decoding the rest."""

from __future__ import annotations

import io
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.projection import BrokenRecordError, TooManyItemsError, compile_projection

SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "R",
    "fields": [
        {"name": "a", "type": "string"},
        {
            "name": "images",
            "type": {
                "type": "array",
                "items": {
                    "type": "record",
                    "name": "I",
                    "fields": [
                        {"name": "url", "type": "string"},
                        {"name": "pdq", "type": "string"},
                        {"name": "quality", "type": ["null", "int"]},
                    ],
                },
            },
        },
        {"name": "again", "type": {"type": "array", "items": "I"}},
        {"name": "z", "type": "long"},
    ],
}
ITEM = st.fixed_dictionaries(
    {
        "url": st.text(max_size=200),
        "pdq": st.text(max_size=100),
        "quality": st.one_of(st.none(), st.integers(-5, 200)),
    }
)
RECORD = st.fixed_dictionaries(
    {
        "a": st.text(),
        "images": st.lists(ITEM, max_size=70),
        "again": st.lists(ITEM, max_size=3),
        "z": st.integers(-(2**40), 2**40),
    }
)


def encoded(record: dict[str, Any]) -> bytes:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(SCHEMA), record)
    return stream.getvalue()


@given(record=RECORD)
def test_collects_what_decoding_finds(record: dict[str, Any]) -> None:
    project = compile_projection(SCHEMA, ("z",), {}, ("a",), (("images", "pdq"),))
    z, texts, items = project(b"head." + encoded(record), 5)
    assert z == record["z"]
    assert texts == ([record["a"].encode()] if record["a"] else [])
    assert items == [item["pdq"].encode() for item in record["images"] if item["pdq"]]


def test_collects_several_fields_of_several_arrays_in_their_order() -> None:
    asked = (("again", "pdq"), ("images", "pdq"), ("images", "url"))
    project = compile_projection(SCHEMA, (), {}, (), asked)
    one = {"url": "u", "pdq": "p", "quality": 1}
    _, items = project(encoded({"a": "", "images": [one], "again": [one], "z": 0}), 0)
    assert items == [b"u", b"p", b"p"]


@given(record=RECORD, cut=st.integers(1, 30))
def test_refuses_half_a_record(record: dict[str, Any], cut: int) -> None:
    project = compile_projection(SCHEMA, ("z",), {}, (), (("images", "pdq"),))
    value = encoded(record)
    with pytest.raises(BrokenRecordError):
        project(value[: max(0, len(value) - cut)], 0)


@pytest.mark.parametrize("asked", [("a", "pdq"), ("images", "quality")])
def test_refuses_what_is_no_string_of_items(asked: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="item texts"):
        compile_projection(SCHEMA, (), {}, (), (asked,))


def test_a_writer_that_knows_no_such_field_gives_none() -> None:
    older = {**SCHEMA, "fields": [SCHEMA["fields"][0]]}
    project = compile_projection(older, (), {}, ("a",), (("images", "pdq"),))
    assert project(b"\x02x", 0) == ([b"x"], [])


@pytest.mark.parametrize("block", [1, 63, 64, 1_000])
def test_items_are_counted_over_all_blocks_and_arrays(block: int) -> None:
    item = b"\x02u\x00\x00"
    count = _varint(block)
    blocks = (count + item * block) * (1_000 // block) + b"\0"
    value = b"\0" + blocks + blocks + b"\2"
    items = 2 * (1_000 // block) * block
    enough = compile_projection(SCHEMA, ["z"], {}, most_items=items)
    assert enough(value, 0) == (1, [], [])
    with pytest.raises(TooManyItemsError):
        compile_projection(SCHEMA, ["z"], {}, most_items=items - 1)(value, 0)


def _varint(number: int) -> bytes:
    """Return a count as Avro writes it: zigzag, seven bits a byte."""
    left, found = number << 1, bytearray()
    while left > 127:
        found.append(left & 127 | 128)
        left >>= 7
    return bytes([*found, left])
