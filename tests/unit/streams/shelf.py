"""A schema registry as a dictionary, and values as a producer would write them."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from typing import Any

import fastavro
from confluent_kafka.schema_registry.error import SchemaRegistryError

import schemas
from streams.schema_registry import SchemaRegistry


@dataclass(frozen=True)
class Stored:
    """A schema as confluent-kafka's client returns it."""

    schema_str: str
    schema_type: str | None = "AVRO"


@dataclass
class Shelf:
    """Schemas by id. `error` is raised instead of an answer, when there is one."""

    schemas: dict[int, Stored] = field(default_factory=dict)
    error: Exception | None = None
    asked: list[int] = field(default_factory=list)

    def get_schema(self, schema_id: int) -> Stored:
        self.asked.append(schema_id)
        if self.error is not None:
            raise self.error
        if schema_id not in self.schemas:
            raise SchemaRegistryError(404, 40403, "Schema not found")
        return self.schemas[schema_id]

    def register_schema(self, subject_name: str, schema: Any) -> int:
        assert subject_name.endswith("-value")
        return self.put(json.loads(schema.schema_str))

    def put(self, schema: Any) -> int:
        text = json.dumps(schema)
        for known, stored in self.schemas.items():
            if stored.schema_str == text:
                return known
        self.schemas[len(self.schemas) + 1] = Stored(text)
        return len(self.schemas)

    @property
    def registry(self) -> SchemaRegistry:
        return SchemaRegistry(self, "http://shelf")


def written(schema: Any, record: dict[str, Any]) -> bytes:
    """Return the Avro bytes of a record, without the wire format's header."""
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schemas.without_docs(schema)), record)
    return stream.getvalue()


def framed(schema_id: int, body: bytes) -> bytes:
    """Return a value in the Confluent wire format."""
    return b"\x00" + schema_id.to_bytes(4, "big") + body
