"""Avro values in the Confluent wire format: a zero byte, the schema's id in four, the record.

A value is read with the schema it was *written* with, fetched by its id and kept, and resolved
against ours: an older or a newer producer works, a foreign record is refused.
"""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import fastavro

import schemas
from streams.projection import (
    BrokenRecordError,
    Projection,
    TooManyItemsError,
    compile_projection,
    library,
)
from streams.schema_registry import (
    RegistryUnavailableError,
    SchemaRegistry,
    UnknownSchemaError,
)
from streams.texts import Texts
from streams.transcoding import Transcoding
from streams.writer_schemas import danger_of

HEADER_BYTES: Final = 5
RETRY_SECONDS: Final = 1.0
"""How long an unreachable registry is not asked again, so that no batch waits for it twice."""


class DecodeError(ValueError):
    """A value that can't be read; `reason` is the word for the metric."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Reader:
    """How values of one schema id are read, or why they can't be."""

    writer: Any = None
    reader: Any = None
    projection: Projection | None = None
    walk: Projection | None = None
    """Tells whether a value is whole, before fastavro passes over what is not ours."""
    transcoding: Transcoding[Any] | None = None
    refusal: DecodeError | None = None


@dataclass(frozen=True, slots=True)
class ProjectedValues:
    """What the screen needs of some values."""

    refused: dict[int, DecodeError]
    """By number: values that can't be read. Of these everything else is without meaning."""
    fields: tuple[list[Any], ...]
    """The projected fields, each for all values."""
    texts: Texts
    items: Texts


class Decoder:
    """Reads the values of one record type."""

    def __init__(
        self,
        registry: SchemaRegistry,
        name: str,
        *,
        projected: Sequence[str] = (),
        texts: Sequence[str] = (),
        item_texts: Sequence[tuple[str, str]] = (),
        defaults: Mapping[str, Any] | None = None,
        most_items: int | None = None,
        made: type[Any] | None = None,
    ) -> None:
        """Read values of the schema `name`.

        `projected`, `texts` and `item_texts` name the fields that `project_all` reads, `most_items`
        is how much it takes: see `compile_projection`. `made` is the type of what `make` returns.
        """
        if projected or texts:
            library()  # where it was not built, that is told now, and not of every record
        self._registry = registry
        self._name = name
        self._schema = schemas.load(name)
        self._plain = schemas.without_docs(self._schema)
        self._projected = tuple(projected)
        self._is_string = {
            field["name"]: field["type"] == "string" for field in self._schema["fields"]
        }
        self._texts = tuple(texts)
        self._item_texts = tuple(item_texts)
        self._defaults = defaults or {}
        self._most_items = most_items
        self._made = made
        self._readers: dict[bytes, _Reader] = {}
        self._missing: dict[bytes, tuple[DecodeError, float]] = {}
        self._unreachable: RegistryUnavailableError | None = None
        self._unreachable_until = 0.0

    def unknown(self, values: Iterable[bytes | None]) -> set[bytes]:
        """Return the five-byte headers among `values` whose schema is not known yet."""
        now = time.monotonic()
        return {
            head
            for head in {value[:HEADER_BYTES] for value in values if value} - self._readers.keys()
            if len(head) == HEADER_BYTES
            and head[0] == 0
            and (head not in self._missing or self._missing[head][1] <= now)
        }

    async def prepare(self, values: Iterable[bytes | None]) -> RegistryUnavailableError | None:
        """Fetch the schemas that `values` were written with, without blocking the loop.

        Returns why some could not be fetched: the registry can't be reached. It is not asked again
        for a second; until it answers, values of schemas not seen before are refused with the
        reason 'registry_unavailable'. A caller to whom the order of records matters waits instead.
        """
        heads = self.unknown(values)
        if not heads:
            return None
        if time.monotonic() < self._unreachable_until:
            return self._unreachable
        return await asyncio.to_thread(self.fetch, heads)

    def fetch(self, heads: Iterable[bytes]) -> RegistryUnavailableError | None:
        """Fetch the schemas of these headers; the blocking half of `prepare`."""
        for head in heads:
            try:
                self._readers[head] = self._plan(head)
                self._missing.pop(head, None)
            except UnknownSchemaError as error:
                # Kept for a second only: it may be registered a moment later.
                refusal = DecodeError("unknown_schema", str(error))
                if len(self._missing) > 10_000:
                    self._missing.clear()
                self._missing[head] = (refusal, time.monotonic() + RETRY_SECONDS)
            except RegistryUnavailableError as error:
                self._unreachable = error
                self._unreachable_until = time.monotonic() + RETRY_SECONDS
                return error
        return None

    def _plan(self, head: bytes) -> _Reader:
        schema_id = int.from_bytes(head[1:], "big")
        written = self._registry.writer_schema(schema_id)
        try:
            problem = danger_of(written) or next(
                iter(schemas.compatibility_errors(self._schema, written)), ""
            )
            if not problem:
                return self._reader_of(written)
        except Exception as error:  # noqa: BLE001 - anybody's schema: what parsing it stumbled over
            problem = _describe(error)
        return _Reader(
            refusal=DecodeError(
                "foreign_schema",
                f"schema {schema_id} ({written.get('name')}) is not readable as "
                f"{self._schema['name']}: {problem}",
            )
        )

    def _reader_of(self, written: Any) -> _Reader:
        plain = schemas.without_docs(written)
        projection = None
        if self._projected or self._texts:
            try:
                projection = compile_projection(
                    plain,
                    self._projected,
                    self._defaults,
                    self._texts,
                    self._item_texts,
                    most_items=self._most_items,
                )
            except (ValueError, KeyError, SyntaxError):
                projection = None  # of another type or shape: such values are decoded whole
        writer = fastavro.parse_schema(plain)
        same = plain == self._plain
        # fastavro passes over items of a fixed size without looking for the end of the bytes: an
        # array of a field we do not have would be 2**60 steps, if its count says so.
        walk = None if same else compile_projection(plain, (), {})
        return _Reader(
            writer=writer,
            reader=None if same else fastavro.parse_schema(self._plain),
            projection=projection,
            walk=walk,
            transcoding=Transcoding(plain, self._made, most_items=self._most_items)
            if same and self._made is not None
            else None,
        )

    def _reader(self, value: bytes) -> _Reader:
        reader = self._readers.get(value[:HEADER_BYTES])
        if reader is not None and reader.refusal is None:
            return reader
        if reader is not None and reader.refusal is not None:
            raise reader.refusal
        if value[0] != 0 or len(value) < HEADER_BYTES:
            raise DecodeError(
                "undecodable", "not in the Confluent wire format: no zero byte and schema id"
            )
        missing = self._missing.get(value[:HEADER_BYTES])
        if missing is not None:
            raise missing[0]
        schema_id = int.from_bytes(value[1:HEADER_BYTES], "big")
        raise DecodeError(
            "registry_unavailable",
            f"schema {schema_id} is not known yet and the registry does not answer",
        )

    def decode(self, value: bytes | None) -> dict[str, Any]:
        """Return the record with our schema's fields; times as integers of milliseconds.

        Raises:
            DecodeError: with its reason.
        """
        if not value:
            raise DecodeError("empty_value", "the record has no value")
        reader = self._reader(value)
        if reader.walk is not None:
            try:
                reader.walk(value, HEADER_BYTES)
            except (BrokenRecordError, TooManyItemsError):
                raise DecodeError(
                    "undecodable", "broken Avro: the bytes are not one whole record of its schema"
                ) from None
        stream = io.BytesIO(value)
        stream.seek(HEADER_BYTES)
        try:
            record: Any = fastavro.schemaless_reader(stream, reader.writer, reader.reader)
        except Exception as error:  # noqa: BLE001 - fastavro raises what its reading stumbled over
            raise DecodeError("undecodable", f"broken Avro: {_describe(error)}") from None
        if stream.tell() != len(value):
            raise DecodeError(
                "undecodable", f"broken Avro: {len(value) - stream.tell()} bytes too many"
            )
        return cast(dict[str, Any], record)

    def make(self, values: Sequence[bytes]) -> list[Any]:
        """Return the objects that values stand for, of the type `made`.

        None for those that `decode` has to read: of another version of the schema, and broken ones.
        """
        heads = {value[:HEADER_BYTES] for value in values}
        reader = self._readers.get(next(iter(heads))) if len(heads) == 1 else None
        if reader is None or reader.transcoding is None:
            return [None] * len(values)
        return reader.transcoding.read(values, HEADER_BYTES)

    def project(self, value: bytes | None) -> tuple[Any, ...]:
        """Return the projected fields of a value, the bytes of its texts, and those of its items.

        Raises:
            DecodeError: with its reason.
        """
        found = self.project_all([value])
        if 0 in found.refused:
            raise found.refused[0]
        fields = [values[0] for values in found.fields]
        return (*fields, found.texts.of_record(0), found.items.of_record(0))

    def project_all(self, values: Sequence[bytes | None]) -> ProjectedValues:
        """Return what the screen needs of values: the projected fields, texts and items.

        Strings among the fields are bytes. All of a value has been walked over; whether any of its
        strings is UTF-8 is not looked at. A batch of one schema whose values are all whole is read
        at once; otherwise those that are not are read whole, to see what is wrong with them.
        """
        heads = {value[:HEADER_BYTES] if value else b"" for value in values}
        if len(heads) == 1:
            reader = self._readers.get(next(iter(heads)))
            if reader is not None and reader.projection is not None:
                found = reader.projection.read(cast(Sequence[bytes], values), HEADER_BYTES)
                if found.whole.all():
                    return ProjectedValues({}, found.fields, found.texts, found.items)
        return self._project_each(values)

    def _project_each(self, values: Sequence[bytes | None]) -> ProjectedValues:
        """Return the same of values of several schemas, of which some can't be read."""
        rows: list[tuple[Any, ...]] = []
        refused: dict[int, DecodeError] = {}
        nothing: tuple[Any, ...] = (*(None for _ in self._projected), [], [])
        for number, value in enumerate(values):
            try:
                rows.append(self._project_one(value))
            except DecodeError as error:
                refused[number] = error
                rows.append(nothing)
        fields = tuple([row[at] for row in rows] for at in range(len(self._projected)))
        texts, items = (Texts.of([row[at] for row in rows]) for at in (-2, -1))
        return ProjectedValues(refused, fields, texts, items)

    def _project_one(self, value: bytes | None) -> tuple[Any, ...]:
        if not value:
            raise DecodeError("empty_value", "the record has no value")
        reader = self._reader(value)
        if reader.projection is None:
            return self._project_decoded(self.decode(value))
        try:
            return reader.projection(value, HEADER_BYTES)
        except TooManyItemsError:
            raise DecodeError(
                "too_large", f"its lists hold more than {self._most_items} items together"
            ) from None
        except BrokenRecordError:  # its decoding says how
            return self._project_decoded(self.decode(value))

    def _project_decoded(self, record: Mapping[str, Any]) -> tuple[Any, ...]:
        texts: list[bytes] = []
        for name in self._texts:
            found = record[name]
            texts += [
                text.encode()
                for text in (found.values() if isinstance(found, dict) else [found])
                if text
            ]
        fields = tuple(
            value.encode() if self._is_string[name] else value
            for name in self._projected
            for value in (record[name],)
        )
        items = [
            item[name].encode()
            for array, name in self._item_texts
            for item in record[array]
            if item[name]
        ]
        return (*fields, texts, items)


class Encoder:
    """Writes the values of one record type for one topic."""

    def __init__(self, registry: SchemaRegistry, topic: str, name: str) -> None:
        """Register the schema for the topic's values; blocks.

        Raises:
            IncompatibleSchemaError, RegistryUnavailableError
        """
        self._name = name
        self._schema = fastavro.parse_schema(schemas.without_docs(schemas.load(name)))
        self._head = b"\x00" + registry.register(topic, name).to_bytes(4, "big")

    def encode(self, record: Mapping[str, Any]) -> bytes:
        """Return the value; times are integers of milliseconds.

        Raises:
            ValueError: the record does not fit the schema.
        """
        stream = io.BytesIO()
        stream.write(self._head)
        try:
            fastavro.schemaless_writer(stream, self._schema, record)
        except (TypeError, KeyError, AttributeError, OverflowError) as error:
            raise ValueError(f"not a {self._name}: {_describe(error)}") from error
        return stream.getvalue()


def _describe(error: Exception) -> str:
    text = str(error).strip() or "the bytes end too early"
    return f"{type(error).__name__}: {text}"[:200]
