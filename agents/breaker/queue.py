"""The queue as a person sees it: read from Kafka, released and discarded.

Kafka alone is asked, so that what is held can be looked at and decided about while Redis is away.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from agents.breaker.held import Held, HeldEvents, held_of, resolve
from agents.records import Takedown
from agents.takedown_log import all_takedowns
from streams import topics
from streams.codec import DecodeError, Decoder, Encoder
from streams.log_reader import LogReader, partitions_of
from streams.producer import Producer
from streams.schema_registry import SchemaRegistry
from streams.settings import Settings

CHUNK: Final = 200
"""Takedowns that are sent, and then marked as released, at once: what a kill may leave between."""
PATIENCE: Final = 60.0
CLOCK_MS: Final = 3_600_000
"""How far the clocks of producers may differ, when it is looked up what was sent since a time."""


@dataclass(slots=True)
class Entry:
    """A held takedown, and what a person decided about it, if anything."""

    held: Held
    """Without the takedown itself once that is decided."""
    resolution: Held | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decides about held takedowns, and why."""

    state: Literal["RELEASED", "DISCARDED"]
    author: str
    reason: str = ""


class Queue:
    """Every takedown that was ever held, by id, oldest first."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}

    def add(self, record: Held) -> None:
        """Fold the next record of a partition, as the view `held` does."""
        entry = self.entries.get(record.takedown_id)
        if entry is None:
            self.entries[record.takedown_id] = Entry(
                record, record if record.state != "HELD" else None
            )
        elif record.state != "HELD":
            before = entry.resolution
            if before is None or (before.state, record.state) == ("DISCARDED", "RELEASED"):
                entry.resolution = record
                entry.held = msgspec.structs.replace(entry.held, value=None, headers=())

    def open(self) -> list[Held]:
        """Return what waits, oldest first."""
        waiting = [each.held for each in self.entries.values() if each.resolution is None]
        return sorted(waiting, key=lambda held: (held.at, held.takedown_id))


def read_queue(settings: Settings) -> Queue:
    """Return the queue as it stands; what is no record of it is passed over.

    Raises:
        KafkaUnavailableError, MissingTopicError, RegistryUnavailableError
    """
    queue = Queue()
    for record in _held(settings, SchemaRegistry.connect(settings)):
        queue.add(record)
    return queue


def held_takedowns(
    settings: Settings, registry: SchemaRegistry, ids: Collection[str]
) -> dict[str, Takedown]:
    """Return the takedowns of these ids that were ever held, whatever was decided about them.

    Raises:
        KafkaUnavailableError, MissingTopicError, RegistryUnavailableError
    """
    decoder = Decoder(registry, topics.TAKEDOWNS.schema)
    found: dict[str, Takedown] = {}
    for record in _held(settings, registry):
        if record.takedown_id in ids and record.value is not None:
            away = decoder.fetch(decoder.unknown([record.value]))
            if away is not None:
                raise away
            found[record.takedown_id] = msgspec.convert(decoder.decode(record.value), Takedown)
    return found


def _held(settings: Settings, registry: SchemaRegistry) -> Iterator[Held]:
    """Yield the records of the queue, each partition's in order."""
    registry.ping()
    decoder = Decoder(registry, topics.HELD.schema)
    topic = settings.topic(topics.HELD.name)
    for partition in range(partitions_of(settings, topic)):
        reader = LogReader(settings, topic, partition)
        try:
            reader.seek(reader.bounds()[0])
            for records in reader.read_to_end():
                away = decoder.fetch(decoder.unknown(record.value for record in records))
                if away is not None:
                    raise away
                for record in records:
                    try:
                        yield held_of(decoder.decode(record.value))
                    except DecodeError:
                        continue  # the worker buries it
        finally:
            reader.close()


async def decide(
    settings: Settings,
    chosen: Sequence[Held],
    decision: Decision,
    advance: Callable[[int], object] = lambda _: None,
) -> None:
    """Carry out a decision about held takedowns; return when the broker has all of it.

    What is released is sent as it is, and then marked as released. What was sent already, by a
    release that was cut short, is only marked. `advance` is called with how many are done.

    Raises:
        KafkaUnavailableError, MissingTopicError, RegistryUnavailableError
    """
    releases = decision.state == "RELEASED"
    registry = SchemaRegistry.connect(settings)
    sent = taken_down(settings, registry, chosen) if releases else frozenset()
    to = settings.topic(topics.TAKEDOWNS.name)
    topic = settings.topic(topics.HELD.name)
    events = HeldEvents(topic, Encoder(registry, topic, topics.HELD.schema))
    producer = Producer.connected(settings)
    try:
        for start in range(0, len(chosen), CHUNK):
            chunk = chosen[start : start + CHUNK]
            unsent = [held for held in chunk if releases and held.takedown_id not in sent]
            if unsent:
                takedowns = [held.takedown_event(to) for held in unsent]
                await producer.deliver_within(takedowns, PATIENCE)
            at = time.time_ns() // 1_000_000
            marks = [
                resolve(held, decision.state, decision.author, decision.reason, at)
                for held in chunk
            ]
            await producer.deliver_within([events.event(mark) for mark in marks], PATIENCE)
            advance(len(chunk))
    finally:
        producer.close()


def taken_down(
    settings: Settings, registry: SchemaRegistry, chosen: Sequence[Held]
) -> frozenset[str]:
    """Return which of these stand in `assayer.takedowns` since they were held.

    Raises:
        KafkaUnavailableError, MissingTopicError, RegistryUnavailableError
    """
    if not chosen:
        return frozenset()
    keys = {held.listing_id.encode() for held in chosen}
    ids = {held.takedown_id for held in chosen}
    sent = all_takedowns(
        settings,
        registry,
        of=(topics.TAKEDOWNS,),
        since=min(held.at for held in chosen) - CLOCK_MS,
        chosen=lambda record: record.key in keys,
    )
    return frozenset(
        each.takedown_id for each in sent if each.action == "REMOVED" and each.takedown_id in ids
    )
