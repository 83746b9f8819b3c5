"""What a group has committed, read and written from outside of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from confluent_kafka import Consumer, KafkaException, TopicPartition

from streams.kafka import client_config, unavailable
from streams.log_reader import partitions_of
from streams.settings import Settings

SECONDS: Final = 10.0


def committed_offsets(settings: Settings, group: str, topic: str) -> dict[int, int]:
    """Return by partition what the group has committed; a partition without is left out. Blocks.

    `group` and `topic` are full names, prefixes included.

    Raises:
        KafkaUnavailableError, MissingTopicError
    """
    partitions = [TopicPartition(topic, n) for n in range(partitions_of(settings, topic))]
    with _consumer(settings, group) as consumer:
        found = consumer.committed(partitions, timeout=SECONDS)
    return {each.partition: each.offset for each in found if each.offset >= 0}


def commit_offset(settings: Settings, group: str, topic: str, partition: int, offset: int) -> None:
    """Commit an offset for a group that nobody is a member of; blocks.

    Raises:
        KafkaUnavailableError
    """
    with _consumer(settings, group) as consumer:
        consumer.commit(offsets=[TopicPartition(topic, partition, offset)], asynchronous=False)


@contextmanager
def _consumer(settings: Settings, group: str) -> Iterator[Consumer]:
    consumer = Consumer(client_config(settings, {"group.id": group, "enable.auto.commit": False}))
    try:
        yield consumer
    except KafkaException as error:
        told = unavailable(settings, error.args[0])
        raise type(told)(f"the offsets of group '{group}': {told}") from None
    finally:
        consumer.close()
