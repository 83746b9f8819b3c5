"""Reads takedowns and reviews back from their topics."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

import msgspec

from agents.records import Takedown
from streams import topics
from streams.codec import DecodeError, Decoder
from streams.log_reader import LogReader, LogRecord, partitions_of
from streams.schema_registry import SchemaRegistry
from streams.settings import Settings
from streams.topics import Topic

BOTH: tuple[Topic, ...] = (topics.TAKEDOWNS, topics.REVIEWS)

CHUNK = 5_000


def takedowns_of(
    settings: Settings, registry: SchemaRegistry, ids: Collection[str]
) -> dict[str, Takedown]:
    """Return the newest takedown or review of each id; ids that are found nowhere are left out.

    The events' headers tell them apart, so that no other is decoded.

    Raises:
        KafkaUnavailableError, MissingTopicError, RegistryUnavailableError
    """
    wanted = set(ids)

    def is_wanted(record: LogRecord) -> bool:
        return _event_id(record) in wanted

    found: dict[str, Takedown] = {}
    for each in all_takedowns(settings, registry, chosen=is_wanted):
        held = found.get(each.takedown_id)
        if held is None or held.decided_at <= each.decided_at:
            found[each.takedown_id] = each
    return found


def event_ids(settings: Settings, topic: str, wanted: Collection[str]) -> frozenset[str]:
    """Return which of these ids the events of a topic have, whatever they say; blocks.

    Raises:
        KafkaUnavailableError, MissingTopicError
    """
    found: set[str] = set()
    for partition in range(partitions_of(settings, topic)):
        reader = LogReader(settings, topic, partition)
        try:
            reader.seek(reader.bounds()[0])
            for records in reader.read_to_end(CHUNK):
                found.update(map(_event_id, records))
                found.intersection_update(wanted)
        finally:
            reader.close()
    return frozenset(found)


def _event_id(record: LogRecord) -> str:
    event_id = next((value for name, value in record.headers if name == "ce_id"), b"")
    return event_id.partition(b":")[0].decode("utf-8", "replace")


def all_takedowns(
    settings: Settings,
    registry: SchemaRegistry,
    *,
    of: Sequence[Topic] = BOTH,
    since: int | None = None,
    chosen: Callable[[LogRecord], bool] = lambda _: True,
    advance: Callable[[int], object] = lambda _: None,
) -> Iterator[Takedown]:
    """Yield takedowns and reviews, or what `of` names, by partition, oldest first in each.

    `since` is UTC milliseconds, of the record on the topic. What is no takedown is passed over.

    Raises:
        KafkaUnavailableError, MissingTopicError, RegistryUnavailableError
    """
    for topic in of:
        name = settings.topic(topic.name)
        decoder = Decoder(registry, topic.schema)
        for partition in range(partitions_of(settings, name)):
            reader = LogReader(settings, name, partition)
            try:
                reader.seek(reader.bounds()[0] if since is None else reader.offset_at(since))
                for records in reader.read_to_end(CHUNK):
                    advance(len(records))
                    yield from _decoded(decoder, [each for each in records if chosen(each)])
            finally:
                reader.close()


def _decoded(decoder: Decoder, records: Sequence[LogRecord]) -> Iterator[Takedown]:
    away = decoder.fetch(decoder.unknown(record.value for record in records))
    if away is not None:
        raise away
    for record in records:
        try:
            yield msgspec.convert(decoder.decode(record.value), Takedown)
        except (DecodeError, msgspec.ValidationError):
            continue
