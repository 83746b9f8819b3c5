"""The rights registry as a fold over `assayer.rights`: what was published and not withdrawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from agents.records import Right, RowError, from_mapping
from streams import topics
from streams.aside import giving_way
from streams.codec import DecodeError, Decoder
from streams.kafka import ping
from streams.log_reader import LogReader, LogRecord
from streams.schema_registry import SchemaRegistry
from streams.settings import Settings

NONE: Final = -1
"""Version of a registry to which no record was applied."""


class RightsLog:
    """Applies the records of the topic in order. The version is the last offset applied."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._rights: dict[str, Right] = {}
        self._published_at: dict[str, int] = {}
        self.version = NONE
        self.refused: list[tuple[int, str]] = []
        self._changed: set[str] = set()

    @property
    def rights(self) -> Mapping[str, Right]:
        """The rights by id."""
        return self._rights

    def take_changed(self) -> set[str]:
        """Return the ids of rights that were published or withdrawn since the last call."""
        changed, self._changed = self._changed, set()
        return changed

    def published_at(self, right_id: str) -> int:
        """Return the offset of the record that a right is of. Raises KeyError where it is none."""
        return self._published_at[right_id]

    def apply(self, records: Iterable[LogRecord]) -> list[tuple[LogRecord, DecodeError]]:
        """Apply records; return those that are no rights. They count for the version all the same.

        A null value withdraws the right of its key.

        Raises:
            RegistryUnavailableError: a record's schema is not known and can't be fetched. Nothing
                was applied: a right is never passed over because its schema could not be had.
        """
        records = list(records)
        away = self._decoder.fetch(self._decoder.unknown(record.value for record in records))
        if away is not None:
            raise away
        failed = []
        for record in giving_way(records):
            self.version = record.offset
            if record.value is None:
                withdrawn = (record.key or b"").decode("utf-8", "replace")
                self._changed.add(withdrawn)
                self._rights.pop(withdrawn, None)
                self._published_at.pop(withdrawn, None)
                continue
            try:
                right = self._right(record.value)
            except DecodeError as error:
                failed.append((record, error))
                continue
            self._changed.add(right.right_id)
            self._rights[right.right_id] = right
            self._published_at[right.right_id] = record.offset
        return failed

    def _right(self, value: bytes) -> Right:
        try:
            return from_mapping(self._decoder.decode(value), Right)
        except RowError as error:
            raise DecodeError("foreign_record", f"not a right: {error}") from None


def rights_decoder(registry: SchemaRegistry) -> Decoder:
    """Return the decoder of the topic's values."""
    return Decoder(registry, topics.RIGHTS.schema)


class UnknownRegistryError(LookupError):
    """A version of the registry that the topic does not hold."""


def read_rights(
    settings: Settings, registry: SchemaRegistry, version: int | None = None
) -> RightsLog:
    """Return the registry as it is now, or as it was in a version; blocks while it reads the topic.

    Raises:
        KafkaUnavailableError, MissingTopicError, RegistryUnavailableError
        UnknownRegistryError: the topic holds no such version.
    """
    ping(settings)
    registry.ping()
    log = RightsLog(rights_decoder(registry))
    reader = LogReader(settings, settings.topic(topics.RIGHTS.name))
    try:
        _, end = reader.bounds()
        for records in reader.read_until(end if version is None else min(end, version + 1)):
            for record, error in log.apply(records):
                log.refused.append((record.offset, str(error)))
    finally:
        reader.close()
    if version not in (None, log.version):
        raise UnknownRegistryError(
            f"{topics.RIGHTS.name} holds no registry version {version}; the one before it is "
            f"{log.version}"
        )
    return log


def right_record(right: Right) -> dict[str, object]:
    """Return the Avro record of a right."""
    record: dict[str, object] = msgspec.to_builtins(right)
    return record
