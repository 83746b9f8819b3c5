"""Reads one partition from an offset on, in no group and committing nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from streams.aside import giving_way
from streams.kafka import KafkaUnavailableError, client_config, describe, unavailable
from streams.settings import Settings

READER_GROUP: Final = "assayer-log-reader"
"""The client demands a name, and asks for its coordinator; nothing is ever committed."""


class MissingTopicError(LookupError):
    """The topic does not exist."""


class LogRecord(msgspec.Struct, frozen=True):
    """A record as it was read."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


class LogReader:
    """A partition read in order. Calls block: use it in a thread of its own."""

    def __init__(
        self,
        settings: Settings,
        topic: str,
        partition: int = 0,
        start: int = 0,
        *,
        headers: bool = True,
    ) -> None:
        """Without `headers` records have none, for readers that need none and are in haste."""
        self._with_headers = headers
        self.topic = topic
        self.partition = partition
        self.next_offset = start
        self._settings = settings
        self._consumer = Consumer(
            client_config(
                settings,
                {
                    # The client demands a name; assigning partitions by hand joins no group.
                    "group.id": settings.topic(READER_GROUP),
                    "enable.auto.commit": False,
                    "auto.offset.reset": "earliest",
                    "fetch.wait.max.ms": 50,
                },
            )
        )
        self._consumer.assign([TopicPartition(topic, partition, start)])

    def bounds(self, timeout: float = 10.0) -> tuple[int, int]:
        """Return the first offset kept and the one behind the last record.

        Raises:
            KafkaUnavailableError: no broker answers.
            MissingTopicError: there is no such topic.
        """
        where = TopicPartition(self.topic, self.partition)
        try:
            low, high = self._consumer.get_watermark_offsets(where, timeout=timeout)
        except KafkaException as error:
            raise self._explain(error.args[0]) from None
        return low, high

    def read(self, timeout: float = 0.2, limit: int = 1000) -> list[LogRecord]:
        """Return the next records, none when nothing came within `timeout` seconds.

        Raises:
            MissingTopicError: there is no such topic.
            KafkaUnavailableError: an error the client does not retry by itself.
        """
        records = []
        for message in giving_way(self._consumer.consume(limit, timeout)):
            error = message.error()
            if error is not None:
                if error.retriable() or error.code() in PASSING:
                    continue
                raise self._explain(error)
            records.append(
                LogRecord(
                    message.offset() or 0,
                    message.timestamp()[1],
                    message.key(),
                    message.value(),
                    _headers(message.headers()) if self._with_headers else (),
                )
            )
        if records:
            self.next_offset = records[-1].offset + 1
        return records

    def read_to_end(self, limit: int = 1000) -> Iterator[list[LogRecord]]:
        """Yield the records up to the end of the partition as it is now.

        Raises:
            KafkaUnavailableError: no broker answers.
            MissingTopicError: there is no such topic.
        """
        _, end = self.bounds()
        yield from self.read_until(end, limit)

    def read_until(self, end: int, limit: int = 1000) -> Iterator[list[LogRecord]]:
        """Yield the records before the offset `end`.

        Raises:
            KafkaUnavailableError: the broker stopped answering.
            MissingTopicError: there is no such topic.
        """
        silent = 0
        while self.next_offset < end:
            # No more than are left: the client would wait for the rest of what it is asked for.
            records = self.read(0.5, min(limit, end - self.next_offset))
            if records:
                silent = 0
                if records[-1].offset >= end:
                    records = [record for record in records if record.offset < end]
                yield records
                continue
            # Offsets may be missing at the end (transactions): the position tells.
            position = self._consumer.position([TopicPartition(self.topic, self.partition)])
            if position[0].offset >= end:
                return
            silent += 1
            if silent >= 20:
                raise KafkaUnavailableError(
                    f"{self.topic} stopped at offset {self.next_offset} of {end}"
                )

    def at_end(self) -> bool:
        """Return whether nothing is left to read; offsets that hold no record do not count.

        Raises:
            KafkaUnavailableError, MissingTopicError
        """
        _, end = self.bounds()
        position = self._consumer.position([TopicPartition(self.topic, self.partition)])
        return self.next_offset >= end or position[0].offset >= end

    def seek(self, offset: int) -> None:
        """Go on reading at this offset."""
        self.next_offset = offset
        self._consumer.assign([TopicPartition(self.topic, self.partition, offset)])

    def offset_at(self, millis: int, timeout: float = 10.0) -> int:
        """Return the first offset of a record that is not older than `millis`, UTC.

        Where all are older it is the one behind the last record.

        Raises:
            KafkaUnavailableError: no broker answers.
            MissingTopicError: there is no such topic.
        """
        where = TopicPartition(self.topic, self.partition, millis)
        try:
            (found,) = self._consumer.offsets_for_times([where], timeout=timeout)
        except KafkaException as error:
            raise self._explain(error.args[0]) from None
        return found.offset if found.offset >= 0 else self.bounds(timeout)[1]

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()

    def _explain(self, error: KafkaError) -> Exception:
        if error.code() in _MISSING | SILENT:
            try:
                partitions_of(self._settings, self.topic, timeout=2.0)  # says why
            except (KafkaUnavailableError, MissingTopicError) as told:
                return told
        if error.code() in _MISSING:
            return _missing(self.topic)
        return unavailable(self._settings, error)


def partitions_of(settings: Settings, topic: str, timeout: float = 10.0) -> int:
    """Return how many partitions a topic has.

    Raises:
        KafkaUnavailableError: no broker answers.
        MissingTopicError: there is no such topic.
    """
    found = describe(settings, topic, timeout).topics.get(topic)
    if found is None or (found.error is not None and found.error.code() in _MISSING):
        raise _missing(topic)
    if found.error is not None:
        raise unavailable(settings, found.error)
    return len(found.partitions)


def _missing(topic: str) -> MissingTopicError:
    return MissingTopicError(f"there is no topic '{topic}'; make it with: assayer topics create")


def _headers(headers: Any) -> tuple[tuple[str, bytes], ...]:
    return tuple((name, value or b"") for name, value in headers or ())


_MISSING = {
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001
    KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001
}
"""Errors that say there is no such topic, or no such partition of it."""

SILENT = {
    KafkaError._TRANSPORT,  # noqa: SLF001
    KafkaError._TIMED_OUT,  # noqa: SLF001
    KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
}
"""Errors that do not say why no broker answers."""

PASSING = {
    KafkaError._PARTITION_EOF,  # noqa: SLF001
    KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
    KafkaError._TRANSPORT,  # noqa: SLF001
    KafkaError._RESOLVE,  # noqa: SLF001
}
"""Errors during which the client goes on trying by itself."""
