"""The projection reads what a full decode reads, and no bytes make it crash, hang or lie."""

from __future__ import annotations

import io
from typing import Any

import fastavro
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

import schemas
from agents.monitoring.screening import TEXT_FIELDS
from streams.projection import BrokenRecordError, TooManyItemsError, compile_projection
from streams.writer_schemas import danger_of
from tests.unit.streams.shelf import written

WANTED = ("kind", "occurred_at", "listing_id")
DEFAULTS = {"kind": "UPDATED"}
CURRENT = schemas.without_docs(schemas.load("listing"))
OPTIONAL = [f["name"] for f in CURRENT["fields"] if "default" in f]

LONGS = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
PRIMITIVES: dict[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": LONGS,
    "float": st.floats(width=32, allow_nan=False),
    "double": st.floats(allow_nan=False),
    "bytes": st.binary(max_size=200),
    "string": TEXTS,
}


def values(type_: Any, named: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Return a strategy for the values of a type."""
    if isinstance(type_, list):
        return st.one_of([values(branch, named) for branch in type_])
    if isinstance(type_, str):
        return PRIMITIVES[type_] if type_ in PRIMITIVES else values(named[type_], named)
    kind = type_["type"]
    if kind == "array":
        return st.lists(values(type_["items"], named), max_size=4)
    if kind == "map":
        return st.dictionaries(TEXTS, values(type_["values"], named), max_size=4)
    if kind == "enum":
        named[type_["name"]] = type_
        return st.sampled_from(type_["symbols"])
    if kind == "fixed":
        named[type_["name"]] = type_
        return st.binary(min_size=type_["size"], max_size=type_["size"])
    if kind == "record":
        named[type_["name"]] = type_
        return st.fixed_dictionaries(
            {field["name"]: values(field["type"], named) for field in type_["fields"]}
        )
    return values(kind, named)


@st.composite
def types(draw: st.DrawFn, depth: int = 2) -> Any:
    """Draw a type that a newer producer might have added."""
    if depth == 0:
        return draw(st.sampled_from(sorted(PRIMITIVES)))
    inner = types(depth - 1)
    number = draw(st.integers(0, 10**9))
    kind = draw(st.sampled_from(["primitive", "array", "map", "union", "record", "enum", "fixed"]))
    if kind == "array":
        return {"type": "array", "items": draw(inner)}
    if kind == "map":
        return {"type": "map", "values": draw(inner)}
    if kind == "union":
        return ["null", draw(st.sampled_from(["string", "long", "double", "boolean"]))]
    if kind == "record":
        fields = [{"name": f"f{n}", "type": draw(inner)} for n in range(draw(st.integers(0, 3)))]
        return {"type": "record", "name": f"R{number}x{depth}", "fields": fields}
    if kind == "enum":
        return {"type": "enum", "name": f"E{number}x{depth}", "symbols": ["A", "B", "C"]}
    if kind == "fixed":
        return {"type": "fixed", "name": f"F{number}x{depth}", "size": draw(st.integers(0, 9))}
    return draw(st.sampled_from(sorted(PRIMITIVES)))


@st.composite
def written_listings(draw: st.DrawFn) -> tuple[dict[str, Any], bytes]:
    """Draw a writer's schema that ours can read, and a record written with it."""
    missing = draw(st.sets(st.sampled_from(OPTIONAL)))
    fields = [f for f in CURRENT["fields"] if f["name"] not in missing]
    added = draw(st.lists(types(), max_size=3))
    fields += [{"name": f"new_{number}", "type": type_} for number, type_ in enumerate(added)]
    schema = CURRENT | {"fields": draw(st.permutations(fields))}
    try:
        fastavro.parse_schema(schema)
    except fastavro.schema.SchemaParseException:
        assume(condition=False)  # the same name twice
    assume(not danger_of(schema))
    return schema, written(schema, draw(values(schema, {})))


def _project(schema: Any, value: bytes) -> tuple[Any, ...]:
    return compile_projection(schema, WANTED, DEFAULTS, TEXT_FIELDS)(value, 0)


def _decode(schema: Any, value: bytes) -> tuple[dict[str, Any], int]:
    """Return the record in our schema as fastavro reads it, and how many bytes it took."""
    stream = io.BytesIO(value)
    record: Any = fastavro.schemaless_reader(
        stream, fastavro.parse_schema(schema), fastavro.parse_schema(CURRENT)
    )
    return record, stream.tell()


def _expected(record: dict[str, Any]) -> tuple[list[Any], list[bytes]]:
    texts = []
    for name in TEXT_FIELDS:
        found = record[name]
        texts += list(found.values()) if isinstance(found, dict) else [found]
    wanted = [record["kind"], record["occurred_at"], record["listing_id"].encode()]
    return wanted, sorted(text.encode() for text in texts if text)


@settings(max_examples=150, suppress_health_check=list(HealthCheck), deadline=None)
@given(written_listings())
def test_a_projection_reads_what_a_full_decode_reads(
    drawn: tuple[dict[str, Any], bytes],
) -> None:
    """Whatever optional fields the producer lacks, has in another order, or has added."""
    schema, value = drawn
    record, _ = _decode(schema, value)
    wanted, texts = _expected(record)
    projected = _project(schema, value)
    assert list(projected[:-2]) == wanted
    assert sorted(text for text in projected[-2] if text) == texts


@settings(max_examples=150, suppress_health_check=list(HealthCheck), deadline=None)
@given(written_listings(), st.data())
def test_spoilt_bytes_are_refused_or_read_as_a_full_decode_reads_them(
    drawn: tuple[dict[str, Any], bytes], data: st.DataObject
) -> None:
    """Cut off, extended or overwritten anywhere: a BrokenRecordError, or the record."""
    schema, value = drawn
    at = data.draw(st.integers(0, len(value)))
    spoilt = data.draw(
        st.one_of(
            st.just(value[:at]),
            st.binary(min_size=1, max_size=20).map(lambda more: value + more),
            st.binary(min_size=1, max_size=8).map(
                lambda other: value[:at] + other + value[at + len(other) :]
            ),
            st.binary(max_size=400),
        )
    )
    try:
        projected = _project(schema, spoilt)
    except BrokenRecordError:
        return
    try:
        record, length = _decode(schema, spoilt)
    except Exception:  # noqa: BLE001 - a text that is no UTF-8, an index out of an enum's range …
        return  # the projection looks into less; what it lets through is decoded when it matters
    if length == len(spoilt):
        wanted, texts = _expected(record)
        assert list(projected[:-2]) == wanted
        assert sorted(text for text in projected[-2] if text) == texts


@settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
@given(written_listings(), st.lists(st.integers(0, 400), min_size=1, max_size=6), st.integers(0, 9))
def test_many_at_once_are_read_as_each_by_itself(
    drawn: tuple[dict[str, Any], bytes], cuts: list[int], room: int
) -> None:
    """Whatever stands beside it: half a record takes nothing of the next."""
    schema, value = drawn
    projection = compile_projection(schema, WANTED, DEFAULTS, TEXT_FIELDS)
    values = [part for cut in cuts for part in (value, value[:cut], b"")]
    found = projection.read(values, room=room)
    alone = [projection.read([part]) for part in values]
    assert found.whole.tolist() == [bool(one.whole[0]) for one in alone]
    for number, one in enumerate(alone):
        if one.whole[0]:
            assert [column[number] for column in found.fields] == [c[0] for c in one.fields]
            assert found.texts.of_record(number) == one.texts.of_record(0)
        else:
            assert found.texts.of_record(number) == []


@settings(max_examples=60, deadline=None)
@given(LONGS)
@example(0)
@example(-1)
@example(2**63 - 1)
@example(-(2**63))
def test_numbers_of_every_size(number: int) -> None:
    schema = {"type": "record", "name": "R", "fields": [{"name": "n", "type": "long"}]}
    assert compile_projection(schema, ("n",), {})(written(schema, {"n": number}), 0) == (
        number,
        [],
        [],
    )


@pytest.mark.parametrize("length", [0, 1, 63, 64, 8191, 8192, 1_048_576])
def test_texts_of_every_length(length: int) -> None:
    """Length prefixes of one, two, three and four bytes."""
    schema = {"type": "record", "name": "R", "fields": [{"name": "t", "type": "string"}]}
    value = written(schema, {"t": "x" * length})
    texts = [b"x" * length] if length else []
    assert compile_projection(schema, (), {}, ("t",))(value, 0) == (texts, [])
    assert compile_projection(schema, ("t",), {})(value, 0) == (b"x" * length, [], [])
    for cut in (0, len(value) // 2, len(value) - 1):
        with pytest.raises(BrokenRecordError):
            compile_projection(schema, (), {})(value[:cut], 0)


def test_blocks_with_their_size_in_bytes_are_read() -> None:
    """A producer may write an array or a map in several blocks, each with its size (Avro spec)."""
    schema = {
        "type": "record",
        "name": "R",
        "fields": [{"name": "m", "type": {"type": "map", "values": "string"}}],
    }
    one = b"\x02a\x04xx"
    two = b"\x02b\x04yy"
    value = b"\x01" + bytes([len(one) * 2]) + one + b"\x02" + two + b"\x00"
    assert compile_projection(schema, (), {}, ("m",))(value, 0) == ([b"xx", b"yy"], [])


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"\xff" * 11, id="a number of more than 64 bits"),
        pytest.param(b"\x01", id="a negative length"),
        pytest.param(b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", id="a length beyond the end"),
    ],
)
def test_impossible_lengths_are_refused(value: bytes) -> None:
    for type_ in ("string", {"type": "array", "items": "string"}):
        schema = {"type": "record", "name": "R", "fields": [{"name": "t", "type": type_}]}
        with pytest.raises((BrokenRecordError, TooManyItemsError)):
            compile_projection(schema, (), {})(value, 0)


@pytest.mark.parametrize(
    ("fields", "danger"),
    [
        ([{"name": "x", "type": {"type": "array", "items": "null"}}], "no bytes"),
        (
            [
                {
                    "name": "x",
                    "type": {
                        "type": "array",
                        "items": {"type": "record", "name": "Empty", "fields": []},
                    },
                }
            ],
            "no bytes",
        ),
        (
            [
                {
                    "name": "x",
                    "type": {
                        "type": "record",
                        "name": "Node",
                        "namespace": "a.b",
                        "fields": [{"name": "next", "type": {"type": "array", "items": "Node"}}],
                    },
                }
            ],
            "recursive at 'a.b.Node'",
        ),
        ([{"name": "x", "type": "Elsewhere"}], "does not define"),
        ([{"name": "x", "type": 7}], "no type"),
    ],
)
def test_dangerous_schemas_are_recognised(fields: list[Any], danger: str) -> None:
    assert danger in danger_of({"type": "record", "name": "R", "fields": fields})


def test_a_few_names_that_stand_for_billions_of_fields_are_recognised() -> None:
    type_: Any = "long"
    fields = []
    for level in range(40):
        pair = [{"name": "a", "type": type_}, {"name": "b", "type": type_}]
        fields.append(
            {"name": f"x{level}", "type": {"type": "record", "name": f"N{level}", "fields": pair}}
        )
        type_ = f"N{level}"
    assert "too large" in danger_of({"type": "record", "name": "R", "fields": fields})


def test_a_schema_nested_without_end_is_recognised() -> None:
    type_: Any = "string"
    for _ in range(5000):
        type_ = {"type": "array", "items": type_}
    schema = {"type": "record", "name": "R", "fields": [{"name": "x", "type": type_}]}
    assert "too deeply" in danger_of(schema)


@pytest.mark.parametrize("name", schemas.NAMES)
def test_our_own_schemas_are_harmless(name: str) -> None:
    assert danger_of(schemas.load(name)) == ""


def test_what_cannot_be_projected_says_so() -> None:
    schema = {"type": "record", "name": "R", "fields": [{"name": "t", "type": ["null", "long"]}]}
    with pytest.raises(ValueError, match="cannot be projected"):
        compile_projection(schema, ("t",), {})
    with pytest.raises(ValueError, match="texts are strings"):
        compile_projection(schema, (), {}, ("t",))
    with pytest.raises(KeyError):
        compile_projection(schema, ("absent",), {})
