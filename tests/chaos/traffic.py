"""Listings that stream by, some of them infringing: what was published is known to the last one."""

from __future__ import annotations

import asyncio
import random
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self

import msgspec

from agents.records import DAY_MS, Listing
from streams import topics
from streams.cloud_events import cloud_event
from streams.codec import Encoder
from streams.producer import Outgoing, Producer
from streams.schema_registry import SchemaRegistry
from streams.settings import Settings
from tests.harness import listing, now_ms

SELLERS = 400
INFRINGING = 0.04
POISONED = 0.001
TWICE = 0.01
LATE = 0.01
SOON = 0.01
UPDATED = 0.3
"""Share of the infringing listings with a second revision, which half of the time comes first."""
STEP_SECONDS = 0.2


@dataclass
class Published:
    """What is on the bus, and so what has to follow from it."""

    listings: int = 0
    infringing: set[tuple[str, int]] = field(default_factory=set)
    """Listings and revisions that have to be taken down, each under one id."""
    poison: set[str] = field(default_factory=set)
    """Keys of what has to become a dead letter."""


class Traffic:
    """Publishes `rate` listings a second from a thread, until it is stopped. A context manager.

    Some come twice, some days late, some minutes early, some revisions in the wrong order; some are
    no listings at all, or of tomorrow.
    """

    def __init__(self, settings: Settings, seed: str, rate: int) -> None:
        """Register the schema of listings; blocks."""
        self.rate = rate
        self.published = Published()
        self._random = random.Random(f"traffic {seed}")
        self._topic = settings.topic(topics.LISTINGS.name)
        registry = SchemaRegistry.connect(settings)
        self._encoder = Encoder(registry, self._topic, topics.LISTINGS.schema)
        # New partitions get their share within seconds, not minutes.
        self._producer = Producer(settings, **{"topic.metadata.refresh.interval.ms": 3000})
        self._stopping = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(180)
        self._producer.close()

    def stop(self) -> Published:
        """Publish no more; return what was published, all of which the broker has."""
        self._stopping.set()
        self._thread.join(180)
        if self._error is not None:
            raise self._error
        assert not self._thread.is_alive(), "what was published is not acknowledged"
        return self.published

    def _run(self) -> None:
        try:
            asyncio.run(self._publish())
        except BaseException as error:
            self._error = error
            raise

    async def _publish(self) -> None:
        began, due = time.monotonic(), 0.0
        while not self._stopping.is_set():
            # What a broker that was away could not take is not made up for: the rate is a rate.
            due = max(due, time.monotonic() - began - 1.0) + STEP_SECONDS
            count = round(self.rate * STEP_SECONDS)
            await self._producer.deliver([each for _ in range(count) for each in self._next()])
            self.published.listings += count
            await asyncio.sleep(max(0.0, began + due - time.monotonic()))

    def _next(self) -> Iterator[Outgoing]:
        """Yield the records of one more listing."""
        chance = self._random.random()
        number = f"l{self._random.getrandbits(60):x}"
        seller = f"s-{self._random.randrange(SELLERS)}"
        if chance < POISONED:
            self.published.poison.add(number)
            yield self._poison(number, seller)
        elif chance < POISONED + INFRINGING:
            yield from self._infringing(number, seller)
        else:
            yield from self._repeated(listing(number, f"Chair {number}", seller_id=seller))

    def _poison(self, number: str, seller: str) -> Outgoing:
        ahead = listing(number, "Zorvex replica", seller_id=seller, occurred_at=now_ms() + DAY_MS)
        whole = self._record(ahead)
        value = self._random.choice((whole.value, b"\x07nonsense", (whole.value or b"")[:20], None))
        return Outgoing(whole.topic, whole.key, value, whole.headers)

    def _infringing(self, number: str, seller: str) -> Iterator[Outgoing]:
        revisions = [1, 2] if self._random.random() < UPDATED else [1]
        self._random.shuffle(revisions)
        for revision in revisions:
            self.published.infringing.add((number, revision))
            title = f"Zorvex watch replica {number}"
            changed = listing(number, title, seller_id=seller, revision=revision)
            yield from self._repeated(changed)

    def _repeated(self, changed: Listing) -> Iterator[Outgoing]:
        chance = self._random.random()
        if chance < LATE:
            changed = msgspec.structs.replace(changed, occurred_at=changed.occurred_at - 3 * DAY_MS)
        elif chance < LATE + SOON:
            changed = msgspec.structs.replace(changed, occurred_at=changed.occurred_at + 300_000)
        record = self._record(changed)
        yield record
        if self._random.random() < TWICE:
            yield record

    def _record(self, changed: Listing) -> Outgoing:
        value = msgspec.to_builtins(changed)
        value["event_id"] = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        headers = cloud_event(value["event_id"], "marketplace.listing.v1", changed.occurred_at)
        key = changed.listing_id.encode()
        return Outgoing(self._topic, key, self._encoder.encode(value), headers)
