"""The schemas as a contract: documented, fully compatible over every version, and equal to ours."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Callable, Iterator
from typing import Any, Final, get_args

import fastavro
import msgspec
import pytest
from avro.schema import parse

import schemas
from agents import records
from agents.takedowns import NAMESPACE


def _types(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield every record and enum of a schema, itself included."""
    if isinstance(schema, list):
        for branch in schema:
            yield from _types(branch)
    elif isinstance(schema, dict):
        if schema["type"] in ("record", "enum"):
            yield schema
        for inner in ("items", "values", "type"):
            if isinstance(schema.get(inner), dict | list):
                yield from _types(schema[inner])
        for field in schema.get("fields", ()):
            yield from _types(field["type"])


def test_there_is_a_schema_for_every_record_of_the_contract() -> None:
    wanted = {"listing", "seller", "sale", "right", "takedown", "review", "dead-letter"}
    assert wanted <= set(schemas.NAMES)
    with pytest.raises(KeyError, match=r"there are .*listing"):
        schemas.load("listings")


@pytest.mark.parametrize("name", schemas.NAMES)
def test_every_record_field_and_enum_says_what_it_is(name: str) -> None:
    schema = schemas.load(name)
    parse(json.dumps(schema))
    assert schema["namespace"] == "assayer"
    for type_ in _types(schema):
        assert len(type_["doc"]) > 10, type_["name"]
        for field in type_.get("fields", ()):
            assert len(field.get("doc", "")) > 4, f"{type_['name']}.{field['name']}"


def test_others_can_compute_a_takedown_id_from_the_schema_alone() -> None:
    fields = schemas.load("takedown")["fields"]
    doc = next(field["doc"] for field in fields if field["name"] == "takedown_id")
    assert str(NAMESPACE) in doc
    assert "<listing_id>:<revision>" in doc


@pytest.mark.parametrize("name", schemas.NAMES)
def test_every_released_version_reads_every_other(name: str) -> None:
    """FULL_TRANSITIVE, by the Avro specification's own checker; the current one is the newest."""
    versions = schemas.released(name)
    for reader in versions:
        for writer in versions:
            assert schemas.compatibility_errors(reader, writer) == []


@pytest.mark.parametrize("name", schemas.NAMES)
def test_the_current_schema_is_released(name: str) -> None:
    """What producers may already write has to be kept: the newest released version is this one."""
    assert schemas.released(name)[-1] == schemas.load(name)


def test_a_takedown_from_before_has_no_fingerprint() -> None:
    first, *_ = schemas.released("takedown")
    record = {
        "takedown_id": "t",
        "action": "REMOVED",
        "listing_id": "l",
        "seller_id": "s",
        "policy_version": "p",
        "registry_version": "1",
        "listing_occurred_at": 0,
        "received_at": 0,
        "decided_at": 0,
        "statement": {"ground": "g", "facts": "f", "redress": "r"},
    }
    written = io.BytesIO()
    plain = schemas.without_docs(first)
    fastavro.schemaless_writer(written, fastavro.parse_schema(plain), record)
    written.seek(0)
    ours = fastavro.parse_schema(schemas.without_docs(schemas.load("takedown")))
    read = fastavro.schemaless_reader(written, fastavro.parse_schema(plain), ours)
    assert isinstance(read, dict)
    assert read["fingerprint"] is None


def test_a_review_from_before_is_to_be_worked() -> None:
    ours = fastavro.parse_schema(schemas.without_docs(schemas.load("review")))
    for earlier in schemas.released("review")[:-1]:
        plain = fastavro.parse_schema(schemas.without_docs(earlier))
        written = io.BytesIO()
        record = {
            "takedown_id": "t", "action": "REVIEW", "listing_id": "l", "seller_id": "s",
            "policy_version": "p", "registry_version": "1", "listing_occurred_at": 0,
            "received_at": 0, "decided_at": 0,
            "statement": {"ground": "g", "facts": "f", "redress": "r"},
        }  # fmt: skip
        fastavro.schemaless_writer(written, plain, record)
        written.seek(0)
        read = fastavro.schemaless_reader(written, plain, ours)
        assert isinstance(read, dict)
        assert (read["priority"], read["group_id"]) == (0.0, "")
        assert (read["queue"], read["budget_asked"]) == ("WORK", False)


def _change(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    schema = copy.deepcopy(schemas.load("listing"))
    change(schema)
    return schema


def _field(schema: dict[str, Any], name: str) -> dict[str, Any]:
    field: dict[str, Any] = next(f for f in schema["fields"] if f["name"] == name)
    return field


HARMFUL: Final[dict[str, Callable[[dict[str, Any]], object]]] = {
    "a field without a default": lambda s: s["fields"].append(
        {"name": "shop", "type": "string", "doc": "Shop."}
    ),
    "another type": lambda s: _field(s, "quantity").update(type=["null", "string"]),
    "a required field removed": lambda s: s["fields"].remove(_field(s, "title")),
    "a default removed": lambda s: _field(s, "brand").pop("default"),
    "an enum symbol removed, and no default": lambda s: _field(s, "kind").update(
        type={"type": "enum", "name": "ChangeKind", "symbols": ["CREATED", "UPDATED"]}
    ),
    "another record": lambda s: s.update(name="Offer"),
}


@pytest.mark.parametrize("change", HARMFUL.values(), ids=HARMFUL.keys())
def test_a_harmful_change_is_refused(change: Callable[[dict[str, Any]], object]) -> None:
    changed = _change(change)
    old = schemas.load("listing")
    both = schemas.compatibility_errors(changed, old) + schemas.compatibility_errors(old, changed)
    if change is HARMFUL["a default removed"]:
        # Harmless between these two; refused once a version without the field is met.
        without = _change(lambda s: s["fields"].remove(_field(s, "brand")))
        assert schemas.compatibility_errors(old, without) == []
        both = schemas.compatibility_errors(changed, without)
    assert both


STRUCTS: Final[dict[str, type[msgspec.Struct]]] = {
    "Listing": records.Listing,
    "Image": records.Image,
    "Seller": records.Seller,
    "Sale": records.Sale,
    "Right": records.Right,
    "AuthorisedSeller": records.AuthorisedSeller,
    "Takedown": records.Takedown,
    "Review": records.Review,
    "Evidence": records.Evidence,
    "Statement": records.Statement,
}
# Defaulted for other producers; we never leave it out.
WE_ALWAYS_SAY: Final = {"Takedown": {"revision"}, "Review": {"revision"}}
ONLY_IN_FILES: Final = {"Seller": {"upheld", "cleared"}}
CHOICES: Final = {
    "ChangeKind": records.ChangeKind,
    "Condition": records.Condition,
    "SellerKind": records.SellerKind,
    "RightKind": records.RightKind,
    "Source": records.Source,
    "Queue": records.Queue,
}
PAIRS = [
    pytest.param(type_, id=f"{name}.{type_['name']}")
    for name in schemas.NAMES
    for type_ in _types(schemas.load(name))
    if type_["type"] == "record" and type_["name"] in STRUCTS
]


@pytest.mark.parametrize("type_", PAIRS)
def test_structs_have_the_names_and_defaults_of_the_schema(type_: dict[str, Any]) -> None:
    struct = STRUCTS[type_["name"]]
    fields = {field.name: field for field in msgspec.structs.fields(struct)}
    assert set(fields) - ONLY_IN_FILES.get(type_["name"], set()) == {
        field["name"] for field in type_["fields"]
    }
    for field in type_["fields"]:
        ours = fields[field["name"]]
        if field["name"] in WE_ALWAYS_SAY.get(type_["name"], set()):
            assert ours.required
        elif "default" in field:
            value = ours.default if ours.default_factory is msgspec.NODEFAULT else {}
            assert json.loads(msgspec.json.encode(value)) == field["default"], field["name"]
        else:
            # `screen` and `feed` take a listing without event_id: one is made for it.
            optional = (type_["name"], field["name"]) == ("Listing", "event_id")
            assert ours.required is not optional, field["name"]


@pytest.mark.parametrize("name", schemas.NAMES)
def test_choices_are_those_of_the_schema(name: str) -> None:
    for type_ in _types(schemas.load(name)):
        if type_["type"] == "enum" and type_["name"] in CHOICES:
            assert tuple(type_["symbols"]) == get_args(CHOICES[type_["name"]])


def test_without_docs_keeps_only_what_decides_how_bytes_are_read() -> None:
    schema = schemas.load("listing")
    plain = schemas.without_docs(schema)
    assert '"doc"' not in json.dumps(plain)
    assert "logicalType" not in json.dumps(plain)
    assert schemas.compatibility_errors(plain, schema) == []
    assert schemas.compatibility_errors(schema, plain) == []
