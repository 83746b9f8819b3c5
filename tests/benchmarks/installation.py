"""Real servers for a benchmark, and an installation filled with rights, sellers and listings."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Final

from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient

from agents.monitoring.monitor import GROUP
from agents.monitoring.publishing import ListingPublisher
from agents.records import Listing, Right
from deploy.services import Kafka, Redis, SchemaRegistryServer
from streams import topics
from streams.producer import Producer
from streams.settings import Settings
from tests.benchmarks.catalogue import sellers
from tests.benchmarks.machine import PARTITIONS, Cores
from tests.harness import Bus

CHUNK: Final = 5_000


@dataclass(frozen=True, slots=True)
class Servers:
    """A real Kafka, schema registry and Redis, all on the servers' core."""

    kafka: Kafka
    registry: SchemaRegistryServer
    redis: Redis

    def settings(self, prefix: str, partitions: int = PARTITIONS) -> Settings:
        """Return settings that lead to the servers, under a prefix of its own."""
        return Settings(
            kafka_bootstrap=self.kafka.bootstrap,
            schema_registry_url=self.registry.url,
            redis_url=self.redis.url,  # type: ignore[arg-type]
            topic_prefix=prefix,
            topic_partitions=partitions,
            metrics_port=0,
        )


@contextmanager
def servers(where: Cores) -> Iterator[Servers]:
    """Start the servers; this process has to be on their core, which they inherit."""
    with (
        Kafka(cpus=str(where.servers)) as kafka,
        SchemaRegistryServer() as registry,
        Redis() as redis,
    ):
        yield Servers(kafka, registry, redis)


def installation(settings: Settings, rights: Sequence[Right]) -> Bus:
    """Make the topics, publish the rights and the sellers."""
    bus = Bus(settings)
    bus.publish(rights=rights, sellers=sellers(time.time_ns() // 1_000_000))
    return bus


def fill(bus: Bus, listings: Iterator[Listing], compression: str) -> None:
    """Publish the listings as the platform's bus would, CloudEvents headers included."""

    async def work() -> None:
        producer = Producer(bus.settings, **{"compression.type": compression})
        publisher = await asyncio.to_thread(ListingPublisher, bus.settings, bus.registry, producer)
        try:
            while chunk := list(islice(listings, CHUNK)):
                await publisher.listings(chunk)
        finally:
            publisher.close()

    asyncio.run(work())


def rewind(settings: Settings) -> None:
    """Let the worker's group, which has to be empty, read the listings from the start again."""
    name = settings.topic(topics.LISTINGS.name)
    # Its end, while an event of its queue is not read yet, is told at level 6 (info).
    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap, "log_level": 4})
    group = ConsumerGroupTopicPartitions(
        settings.topic(GROUP),
        [TopicPartition(name, partition, 0) for partition in range(settings.topic_partitions)],
    )
    for future in admin.alter_consumer_group_offsets([group]).values():
        future.result(timeout=20)


def bytes_per_listing(bus: Bus) -> float:
    """Return the mean size of a listing's value in the topic, from its first 2,000 records."""
    from confluent_kafka import Consumer

    consumer = Consumer(
        {"bootstrap.servers": bus.settings.kafka_bootstrap, "group.id": "bench-size",
         "enable.auto.commit": False}
    )  # fmt: skip
    try:
        consumer.assign([TopicPartition(bus.settings.topic(topics.LISTINGS.name), 0, 0)])
        sizes = [len(message.value() or b"") for message in consumer.consume(2000, timeout=10)]
        return sum(sizes) / max(1, len(sizes))
    finally:
        consumer.close()
