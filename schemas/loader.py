"""Reads the schemas and compares their versions."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.schema import parse

ROOT: Final = Path(__file__).parent

NAMES: Final[tuple[str, ...]] = tuple(sorted(path.stem for path in (ROOT / "avro").glob("*.avsc")))
"""Every record of the contract, by file name without its ending."""

Schema = dict[str, Any]
"""An Avro record schema as parsed JSON."""


@cache
def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def load(name: str) -> Schema:
    """Return the current schema of `name`.

    Raises:
        KeyError: there is no such record.
    """
    if name not in NAMES:
        raise KeyError(f"no schema {name!r}; there are {', '.join(NAMES)}")
    schema: Schema = json.loads(_text(ROOT / "avro" / f"{name}.avsc"))
    return schema


def released(name: str) -> list[Schema]:
    """Return every released version of `name`, oldest first."""
    paths = sorted((ROOT / "released" / name).glob("*.avsc"), key=lambda path: int(path.stem))
    return [json.loads(_text(path)) for path in paths]


def without_docs(schema: Any) -> Any:
    """Return the schema without `doc` and `logicalType`: what decides how bytes are read."""
    if isinstance(schema, dict):
        return {
            key: without_docs(value)
            for key, value in schema.items()
            if key not in ("doc", "logicalType")
        }
    if isinstance(schema, list):
        return [without_docs(item) for item in schema]
    return schema


def compatibility_errors(reader: Schema, writer: Schema) -> list[str]:
    """Say why `reader` cannot read what `writer` wrote; empty when it can.

    Source: Avro specification, 'Schema Resolution', as implemented by the `avro` package.
    """
    checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]
    result = checker.get_compatibility(parse(json.dumps(reader)), parse(json.dumps(writer)))
    if result.compatibility is SchemaCompatibilityType.compatible:
        return []
    return sorted(result.messages)
