"""Variants of a schema: other types, fields missing, doubled or nested, chosen by a number."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any, Final

_SIMPLE: Final = ("int", "long", "string", "bytes", "null", "boolean", "float", "double")


def varied(schema: dict[str, Any], number: int) -> dict[str, Any]:
    """Return a copy of a record's schema with one to three of its fields altered."""
    chance = random.Random(number)
    copied: dict[str, Any] = copy.deepcopy(schema)
    for _ in range(chance.randint(1, 3)):
        fields = chance.choice(list(_records(copied)))["fields"]
        place = chance.randrange(len(fields) + 1)
        if place == len(fields) or chance.random() < 0.2:
            fields.insert(place, {"name": f"new{place}", "type": _type(chance, 0)})
        elif chance.random() < 0.2:
            del fields[place]
        elif chance.random() < 0.2:
            chance.shuffle(fields)
        else:
            fields[place]["type"] = _around(chance, fields[place]["type"])
            if chance.random() < 0.5:
                fields[place].pop("default", None)
    return copied


def _records(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield a record and those within it that have fields."""
    if isinstance(schema, dict) and schema.get("type") == "record" and schema["fields"]:
        yield schema
        for field in schema["fields"]:
            yield from _records(field["type"])
    elif isinstance(schema, dict) and schema.get("type") in ("array", "map"):
        yield from _records(schema.get("items", schema.get("values")))


def _around(chance: random.Random, type_: Any) -> Any:
    """Return another type, or one with this one in it."""
    return chance.choice(
        (
            _type(chance, 0),
            _type(chance, 0),
            {"type": "array", "items": type_},
            {"type": "map", "values": type_},
            type_ if isinstance(type_, list) else ["null", type_],
            type_,
        )
    )


def _type(chance: random.Random, depth: int) -> Any:
    kind = chance.choice(
        (*_SIMPLE, "array", "map", "fixed", "enum", "record", "union") if depth < 4 else _SIMPLE
    )
    name = f"T{chance.randrange(10**9)}"
    if kind == "array":
        return {"type": "array", "items": _type(chance, depth + 1)}
    if kind == "map":
        return {"type": "map", "values": _type(chance, depth + 1)}
    if kind == "fixed":
        return {"type": "fixed", "name": name, "size": chance.choice((0, 1, 16, 2**20, 2**31, -1))}
    if kind == "enum":
        return {
            "type": "enum",
            "name": name,
            "symbols": [f"S{n}" for n in range(chance.choice((0, 1, 300)))],
        }
    if kind == "record":
        count = chance.choice((0, 1, 3, 17, 300))
        fields = [{"name": f"f{n}", "type": _type(chance, depth + 2)} for n in range(count)]
        return {"type": "record", "name": name, "fields": fields}
    if kind == "union":
        return [_type(chance, depth + 1) for _ in range(chance.choice((0, 1, 2, 5)))]
    return kind
