"""What the tests of history share: takedowns of another pillar, and what the views hold."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import redis

from agents.history.fingerprints import fingerprint
from agents.history.recall import FOLDS
from agents.records import Statement, Takedown
from agents.takedowns import TakedownEvents, takedown_id
from streams import topics
from streams.codec import Encoder
from streams.producer import Producer
from streams.settings import Settings
from tests.harness import Bus
from tests.integration.stored import value_of


def reviewed(bus: Bus) -> set[str]:
    return {record["listing_id"] for record in bus.records(topics.REVIEWS)}


def publish_takedowns(bus: Bus, records: Sequence[Takedown]) -> None:
    """Publish takedowns as another pillar would."""
    names = [bus.settings.topic(topic.name) for topic in (topics.TAKEDOWNS, topics.REVIEWS)]
    encoders = [
        Encoder(bus.registry, names[0], "takedown"),
        Encoder(bus.registry, names[1], "review"),
    ]
    events = TakedownEvents(names[0], names[1], encoders[0], encoders[1])

    async def work() -> None:
        producer = Producer(bus.settings)
        try:
            await producer.deliver_within([events.event(record) for record in records], 20)
        finally:
            producer.close()

    asyncio.run(work())


def removal(
    listing_id: str,
    seller_id: str,
    title: str,
    decided_at: int,
    rights: tuple[str, ...] = ("tm-1",),
) -> Takedown:
    return Takedown(
        takedown_id=takedown_id(listing_id, 1),
        action="REMOVED",
        listing_id=listing_id,
        revision=1,
        seller_id=seller_id,
        policy_version="test",
        registry_version="1",
        listing_occurred_at=decided_at,
        received_at=decided_at,
        decided_at=decided_at,
        statement=Statement("ground", "facts", "redress"),
        fingerprint=fingerprint(title.lower()),
        right_ids=rights,
    )


def state_of(settings: Settings) -> dict[str, Any]:
    """Return what the views of history hold and the minute in which it ends, offsets apart.

    By which change a seller came to be watched goes by the order of events: who is, does not.
    """
    client = redis.Redis.from_url(settings.redis_url.get_secret_value())
    prefix = f"{settings.topic_prefix}assayer:"
    state: dict[str, Any] = {}
    for fold in FOLDS:
        for pattern in fold.keys:
            for key in client.scan_iter(match=prefix + pattern):
                name = key.decode().removeprefix(prefix)
                if name in ("watched:changes", "watched:number"):
                    continue
                ttl: Any = client.pttl(key)
                ends = round((time.time() + ttl / 1000) / 60) if ttl > 0 else ttl
                state[name] = (value_of(client, key), ends)
    client.close()
    return state
