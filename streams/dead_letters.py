"""Dead letters: a record that could not be decoded or judged, whole, with where it came from."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from streams.batches import Record
from streams.cloud_events import cloud_event
from streams.codec import Encoder
from streams.metrics import Metrics
from streams.producer import PATIENCE_SECONDS, Headers, Outgoing, Producer

ERROR_CHARS: Final = 500
MOST_BYTES: Final = 12_000_000
"""A record that takes more (a topic's limit is on compressed batches) is not kept whole here."""
SHOWN_BYTES: Final = 100_000
TRUNCATED: Final = "too_large_to_keep"
"""Reason of a letter that holds only the beginning of its record."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A record and why it failed; `reason` is one word, for the metric."""

    record: Record
    reason: str
    error: str


class DeadLetters:
    """The topic of dead letters, for whoever has nothing else to send along with them."""

    def __init__(self, topic: str, encoder: Encoder, producer: Producer, metrics: Metrics) -> None:
        self._topic = topic
        self._encoder = encoder
        self._producer = producer
        self._metrics = metrics

    async def bury(self, topic: str, partition: int, failures: Sequence[Failure]) -> None:
        """Return when the broker has a letter of each failure; then count them.

        Raises:
            TimeoutError: the broker does not take them; their records must not be acknowledged.
            DeliveryError: the broker refuses one for good.
        """
        if not failures:
            return
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._producer.deliver(
                letters(self._encoder, self._topic, topic, partition, failures)
            )
        for failure in failures:
            self._metrics.dead_letters.labels(topic, failure.reason).inc()


def letters(
    encoder: Encoder, to: str, topic: str, partition: int, failures: Iterable[Failure]
) -> list[Outgoing]:
    """Return the dead letters of the failed records of one partition, ready to be sent."""
    now = time.time_ns() // 1_000_000
    outgoing = []
    for failure in failures:
        record = failure.record
        if _size(record) > MOST_BYTES:
            failure, record = _truncated(failure)  # noqa: PLW2901 - the same failure, shortened
        value: dict[str, Any] = {
            "topic": topic,
            "partition": partition,
            "offset": record.offset,
            "timestamp": record.timestamp,
            "key": record.key,
            "value": record.value,
            "headers": [{"key": name, "value": content} for name, content in record.headers],
            "reason": failure.reason,
            "error": failure.error[:ERROR_CHARS],
            "failed_at": now,
        }
        headers: Headers = cloud_event(
            f"{topic}:{partition}:{record.offset}", "assayer.dead-letter.v1", now
        )
        outgoing.append(Outgoing(to, topic.encode(), encoder.encode(value), headers))
    return outgoing


@dataclass(frozen=True, slots=True)
class _Beginning:
    """The beginning of a record that is too large to keep."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


def _size(record: Record) -> int:
    headers = sum(len(name) + len(value or b"") for name, value in record.headers)
    return len(record.key or b"") + len(record.value or b"") + headers


def _truncated(failure: Failure) -> tuple[Failure, _Beginning]:
    record = failure.record
    kept = _Beginning(
        record.offset,
        record.timestamp,
        (record.key or b"")[:SHOWN_BYTES],
        (record.value or b"")[:SHOWN_BYTES],
    )
    error = (
        f"{_size(record)} bytes, of which only the first are kept here: read it where it came "
        f"from ({failure.error})"
    )
    return Failure(kept, TRUNCATED, error), kept
