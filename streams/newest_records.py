"""Reads the newest records of a whole topic, in no group and committing nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from streams.kafka import KafkaUnavailableError, client_config, unavailable
from streams.log_reader import PASSING, READER_GROUP, LogRecord, partitions_of
from streams.settings import Settings

AT_ONCE: Final = 200
"""Records taken at once: with a megabyte each they still fit."""


def shares(sizes: Sequence[int], most: int) -> list[int]:
    """Return how many records to take of partitions of these sizes, `most` in all.

    As evenly as can be: what a small partition has not, the larger ones give.
    """
    taken = [0] * len(sizes)
    left = most
    by_size = sorted(range(len(sizes)), key=sizes.__getitem__)
    for done, partition in enumerate(by_size):
        taken[partition] = min(sizes[partition], left // (len(sizes) - done))
        left -= taken[partition]
    return taken


def newest_records(
    settings: Settings, topic: str, most: int, *, seconds: float, timeout: float = 10.0
) -> Iterator[list[LogRecord]]:
    """Yield the newest records of a topic, `most` at most, each partition's in order.

    Ends at the records that were there at the beginning, or after `seconds` with what has come
    until then. `timeout` bounds how long no broker may answer, in seconds.

    Raises:
        KafkaUnavailableError: no broker answers, or none that lets us read.
        MissingTopicError: there is no such topic.
    """
    deadline = time.monotonic() + seconds
    count = partitions_of(settings, topic, timeout)
    bounds = _bounds(settings, topic, count, timeout)
    taken = shares([high - low for low, high in bounds], most)
    waiting = {
        partition: high
        for partition, ((_, high), share) in enumerate(zip(bounds, taken, strict=True))
        if share
    }
    if not waiting:
        return
    consumer = Consumer(
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
    try:
        consumer.assign(
            [
                TopicPartition(topic, partition, high - taken[partition])
                for partition, high in waiting.items()
            ]
        )
        while waiting and time.monotonic() < deadline:
            records = []
            for message in consumer.consume(AT_ONCE, 0.2):
                error = message.error()
                if error is not None:
                    if error.retriable() or error.code() in PASSING:
                        continue  # the client goes on trying by itself, until the time is up
                    raise unavailable(settings, error)
                partition, offset = message.partition() or 0, message.offset() or 0
                if offset >= bounds[partition][1]:
                    continue
                records.append(
                    LogRecord(
                        offset, message.timestamp()[1], message.key(), message.value(), ()
                    )
                )  # fmt: skip
                if offset == waiting.get(partition, -1) - 1:
                    del waiting[partition]
            if records:
                yield records
            else:
                # Offsets may hold no record at the end (transactions): the position tells.
                where = [TopicPartition(topic, partition) for partition in waiting]
                for place in consumer.position(where):
                    if place.offset >= waiting[place.partition]:
                        del waiting[place.partition]
    finally:
        consumer.close()


def _bounds(settings: Settings, topic: str, count: int, timeout: float) -> list[tuple[int, int]]:
    """Return the first offset kept of each partition and the one behind its last record."""
    admin = AdminClient(client_config(settings))
    partitions = [TopicPartition(topic, partition) for partition in range(count)]
    try:
        asked = [
            admin.list_offsets(dict.fromkeys(partitions, spec), request_timeout=timeout)
            for spec in (OffsetSpec.earliest(), OffsetSpec.latest())  # type: ignore[no-untyped-call]
        ]
        low, high = (
            {where.partition: future.result(timeout).offset for where, future in each.items()}
            for each in asked
        )
    except (KafkaException, TimeoutError) as error:
        if error.args and isinstance(error.args[0], KafkaError):
            raise unavailable(settings, error.args[0]) from None
        raise KafkaUnavailableError(
            f"Kafka at {settings.kafka_bootstrap} does not answer; check ASSAYER_KAFKA_BOOTSTRAP"
        ) from None
    return [(low[partition], high[partition]) for partition in range(count)]
