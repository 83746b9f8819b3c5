"""Reads the dead letters back, and sends them where they came from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from streams import topics
from streams.codec import DecodeError, Decoder
from streams.dead_letters import TRUNCATED
from streams.log_reader import LogReader, partitions_of
from streams.producer import Outgoing, Producer
from streams.schema_registry import SchemaRegistry
from streams.settings import Settings

NO_LETTER: Final = "no_dead_letter"
"""Reason shown for a record of the dead letters' topic that is none."""
UNSENDABLE: Final = (NO_LETTER, TRUNCATED)
"""Reasons of letters that do not hold a record to be sent again."""

CHUNK: Final = 500
PATIENCE: Final = 60.0


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead letter and where it lies."""

    id: str
    """Partition and offset in the dead letters' topic: `0:17`."""
    record: dict[str, Any]


def read_dead_letters(settings: Settings) -> list[DeadLetter]:
    """Return every dead letter that is kept, oldest first.

    A record that failed more than once, because it was read again after a crash or by another
    worker, is one letter: the first.

    Raises:
        KafkaUnavailableError, MissingTopicError, RegistryUnavailableError
    """
    registry = SchemaRegistry.connect(settings)
    registry.ping()
    decoder = Decoder(registry, topics.DEAD_LETTERS.schema)
    topic = settings.topic(topics.DEAD_LETTERS.name)
    letters: list[DeadLetter] = []
    for partition in range(partitions_of(settings, topic)):
        letters += _read_partition(settings, decoder, topic, partition)
    first: dict[tuple[object, ...], DeadLetter] = {}
    for letter in sorted(letters, key=lambda letter: letter.record["failed_at"]):
        record = letter.record
        where = tuple(record[name] for name in ("topic", "partition", "offset", "timestamp"))
        first.setdefault(where, letter)
    return list(first.values())


def _read_partition(
    settings: Settings, decoder: Decoder, topic: str, partition: int
) -> Iterator[DeadLetter]:
    reader = LogReader(settings, topic, partition)
    try:
        low, _ = reader.bounds()
        reader.seek(low)
        for records in reader.read_to_end():
            away = decoder.fetch(decoder.unknown(record.value for record in records))
            if away is not None:
                raise away
            for record in records:
                try:
                    value = decoder.decode(record.value)
                except DecodeError as error:
                    value = _unreadable(topic, partition, record.offset, record.value, str(error))
                yield DeadLetter(f"{partition}:{record.offset}", value)
    finally:
        reader.close()


def _unreadable(
    topic: str, partition: int, offset: int, value: bytes | None, error: str
) -> dict[str, Any]:
    """Return a letter that stands for a record that is no dead letter itself."""
    return {
        "topic": topic,
        "partition": partition,
        "offset": offset,
        "timestamp": 0,
        "key": None,
        "value": value,
        "headers": [],
        "reason": NO_LETTER,
        "error": error,
        "failed_at": 0,
    }


async def replay_letters(
    settings: Settings, letters: Sequence[DeadLetter], advance: Callable[[int], object]
) -> None:
    """Send the original records to their topics; return when the broker has them.

    Raises:
        KafkaUnavailableError
        DeliveryError: a broker refuses one for good, as where its topic is gone.
    """
    producer = Producer.connected(settings)
    try:
        for start in range(0, len(letters), CHUNK):
            chunk = letters[start : start + CHUNK]
            await producer.deliver_within([_original(letter) for letter in chunk], PATIENCE)
            advance(len(chunk))
    finally:
        producer.close()


def _original(letter: DeadLetter) -> Outgoing:
    record = letter.record
    headers = [(header["key"], header["value"] or b"") for header in record["headers"]]
    headers.append(("assayer-replay-of", letter.id.encode()))
    return Outgoing(record["topic"], record["key"], record["value"], headers)
