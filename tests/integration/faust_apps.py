"""Small Faust apps whose events the test itself acknowledges, and plain clients around them."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from streams.app import create_app
from streams.batch_topics import BatchApp, batch_topic
from streams.batches import RecordBatch
from streams.settings import Settings

NEVER = 3600.0


class Held:
    """An event that waits for its acknowledgement."""

    def __init__(self, event: Any) -> None:
        self._event = event
        self.batch: RecordBatch = event.value
        self.done = False

    @property
    def values(self) -> list[str]:
        return [(record.value or b"").decode() for record in self.batch.records]

    def ack(self) -> None:
        self._event.ack()
        self.done = True


class HoldingApp:
    """An app that holds every batch until it is told; an async context manager."""

    def __init__(
        self,
        settings: Settings,
        *batch_topics: str,
        group: str = "holding",
        commit_every: float = 0.2,
        drain: float = 2.0,
        on_batch: Callable[[Held], object] = lambda _: None,
    ) -> None:
        self.app: BatchApp = create_app(settings, group, batch_topics)
        self.app.batches = dataclasses.replace(self.app.batches, drain=drain)
        self.app.conf.broker_commit_interval = commit_every
        self.held: list[Held] = []
        for topic in batch_topics:
            self._hold(topic, on_batch)

    def _hold(self, topic: str, on_batch: Callable[[Held], object]) -> None:
        @self.app.agent(batch_topic(self.app, topic), name=f"hold-{topic}", concurrency=1)
        async def hold(stream: Any) -> None:
            async for event in stream.noack().events():
                held = Held(event)
                self.held.append(held)
                on_batch(held)

    def of(self, topic: str, partition: int | None = None) -> list[Held]:
        return [
            held
            for held in self.held
            if held.batch.topic == topic and partition in (None, held.batch.partition)
        ]

    def values(self, topic: str, partition: int | None = None) -> list[str]:
        return [value for held in self.of(topic, partition) for value in held.values]

    def undone(self, topic: str, partition: int) -> int:
        return sum(not held.done for held in self.of(topic, partition))

    async def __aenter__(self) -> Self:
        await self.app.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.app.stop()


async def until(check: Callable[[], Any], what: str, seconds: float = 20.0) -> Any:
    """Return what `check` returns once it is true, turning the loop meanwhile."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not (result := check()):
        assert asyncio.get_running_loop().time() < deadline, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.02)
    return result


async def until_committed(
    settings: Settings, topic: str, wanted: dict[int, int], group: str = "holding"
) -> None:
    """Return once the group's committed offsets are these."""
    found: dict[int, int] = {}
    for _ in range(100):
        found = await asyncio.to_thread(committed, settings, topic, group)
        if found == wanted:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"committed {found}, not {wanted}")


def committed(settings: Settings, topic: str, group: str = "holding") -> dict[int, int]:
    """Return the committed offsets of a group by partition; none where there are none."""
    consumer = Consumer(
        {
            "bootstrap.servers": settings.kafka_bootstrap,
            "group.id": settings.topic(group),
            "enable.auto.commit": False,
        }
    )
    try:
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        found = consumer.committed([TopicPartition(topic, p) for p in partitions], timeout=10)
        return {tp.partition: tp.offset for tp in found if tp.offset >= 0}
    finally:
        consumer.close()


def make_topic(settings: Settings, name: str, partitions: int = 1, **config: str) -> str:
    """Make a topic under the settings' prefix; return its full name."""
    topic = settings.topic(name)
    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap})
    made = admin.create_topics([NewTopic(topic, partitions, 1, config=config)])
    made[topic].result(timeout=20)
    return topic


def produce(
    settings: Settings, topic: str, values: Iterable[str], partition: int = 0, pause: float = 0.0
) -> None:
    """Send values to a partition; with a pause, each is acknowledged before the next is sent."""
    producer = Producer({"bootstrap.servers": settings.kafka_bootstrap, "linger.ms": 0})
    for value in values:
        producer.produce(topic, value=value.encode(), partition=partition)
        if pause:
            producer.flush(10)
    assert producer.flush(10) == 0


def produce_whole(
    settings: Settings,
    topic: str,
    records: Iterable[tuple[bytes | None, bytes, list[tuple[str, str | bytes | None]]]],
    compression: str,
) -> None:
    """Send records with key, value and headers, a millisecond apart from 1,000 ms on."""
    producer = Producer(
        {"bootstrap.servers": settings.kafka_bootstrap, "compression.type": compression}
    )
    for number, (key, value, headers) in enumerate(records):
        producer.produce(
            topic, value=value, key=key, headers=headers, partition=0, timestamp=1_000 + number
        )
    assert producer.flush(10) == 0


def produce_in_transaction(
    settings: Settings, topic: str, values: Sequence[str], *, commit: bool
) -> None:
    """Send values in a transaction, which is committed or taken back."""
    producer = Producer(
        {"bootstrap.servers": settings.kafka_bootstrap, "transactional.id": f"{topic}-producer"}
    )
    producer.init_transactions(20)
    producer.begin_transaction()
    for value in values:
        producer.produce(topic, value=value.encode(), partition=0)
    producer.flush(10)
    if commit:
        producer.commit_transaction(20)
    else:
        producer.abort_transaction(20)
