"""Publishes rights to the registry's topic."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Final

from agents.alliance.rights_log import right_record
from agents.records import Right
from streams import topics
from streams.cloud_events import cloud_event
from streams.codec import Encoder
from streams.producer import Outgoing, Producer
from streams.schema_registry import SchemaRegistry
from streams.settings import Settings

CHUNK: Final = 1000
PATIENCE: Final = 60.0
"""Seconds a chunk may take."""


async def publish_rights(
    settings: Settings,
    rights: Sequence[Right],
    advance: Callable[[int], object] = lambda _: None,
    registry: SchemaRegistry | None = None,
) -> None:
    """Send the rights, in order, to the one partition; return when the broker has them.

    Raises:
        KafkaUnavailableError, RegistryUnavailableError
        IncompatibleSchemaError: the registry refuses the rights' schema.
        DeliveryError: the broker refuses one for good.
    """
    registry = registry or SchemaRegistry.connect(settings)
    topic = settings.topic(topics.RIGHTS.name)
    encoder = await asyncio.to_thread(Encoder, registry, topic, topics.RIGHTS.schema)
    now = time.time_ns() // 1_000_000
    await _send(
        settings,
        (
            Outgoing(
                topic,
                right.right_id.encode(),
                encoder.encode(right_record(right)),
                cloud_event(f"{right.right_id}:{now}", "assayer.right.v1", now),
                partition=0,
            )
            for right in rights
        ),
        advance,
    )


async def withdraw_rights(settings: Settings, right_ids: Iterable[str]) -> None:
    """Send a null value for each right.

    Raises:
        KafkaUnavailableError
        DeliveryError: the broker refuses one for good.
    """
    topic = settings.topic(topics.RIGHTS.name)
    now = time.time_ns() // 1_000_000
    await _send(
        settings,
        (
            Outgoing(
                topic,
                right_id.encode(),
                None,
                cloud_event(f"{right_id}:{now}", "assayer.right.v1", now),
                partition=0,
            )
            for right_id in right_ids
        ),
        lambda _: None,
    )


async def _send(
    settings: Settings, outgoing: Iterable[Outgoing], advance: Callable[[int], object]
) -> None:
    producer = Producer.connected(settings)
    try:
        remaining = iter(outgoing)
        while chunk := list(islice(remaining, CHUNK)):
            await producer.deliver_within(chunk, PATIENCE)
            advance(len(chunk))
    finally:
        producer.close()
