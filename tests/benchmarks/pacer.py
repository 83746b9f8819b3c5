"""Publishes listings at a steady rate: `python -m tests.benchmarks.pacer PACE`, in its own process.

Reads a `Pace` from its argument and its settings from the environment.
"""

from __future__ import annotations

import itertools
import sys
import time
import uuid
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from confluent_kafka import Producer

from streams import topics
from streams.cloud_events import cloud_event
from streams.codec import Encoder
from streams.kafka import client_config
from streams.schema_registry import SchemaRegistry
from streams.settings import Settings
from tests.benchmarks import catalogue

POOL: Final = 60_000
"""Different listings of a run: half an hour at full rate would not fit in memory."""


class Pace(msgspec.Struct, frozen=True):
    """How much, how long."""

    rate: int
    """Listings a second."""
    seconds: int
    infringing: float
    """Share of the listings."""


def endless(supply: catalogue.Catalogue, pace: Pace, run: str) -> Iterator[dict[str, Any]]:
    """Return listings without end: `POOL` different ones, made at once, then those again.

    A listing that comes again has an id of its own, as have those of another `run`.
    """
    count = min(POOL, pace.rate * pace.seconds)
    naming = max(catalogue.NAMING, pace.infringing)
    pool = [
        msgspec.to_builtins(listing)
        for listing in supply.listings(count, 0, naming=naming, infringing=pace.infringing)
    ]
    return (
        {**record, "listing_id": f"{run}:{number}", "event_id": f"{run}:{number}"}
        for number, record in enumerate(itertools.cycle(pool))
    )


def main(argument: str) -> None:
    """Publish, each listing at its moment: a late one is not left out, nor are those behind it."""
    pace = msgspec.json.decode(argument, type=Pace)
    settings = Settings()
    topic = settings.topic(topics.LISTINGS.name)
    encoder = Encoder(SchemaRegistry.connect(settings), topic, topics.LISTINGS.schema)
    producer = Producer(client_config(settings, {"linger.ms": 0}))
    supply = catalogue.Catalogue([right.mark for right in catalogue.rights()])
    publications = endless(supply, pace, uuid.uuid4().hex[:8])
    producer.list_topics(topic, timeout=10)
    started = time.perf_counter() + 0.1
    for number, record in zip(range(pace.rate * pace.seconds), publications, strict=False):
        producer.poll(0)
        wait = started + number / pace.rate - time.perf_counter()
        if wait > 0:
            time.sleep(wait)
        now = time.time_ns() // 1_000_000
        producer.produce(
            topic,
            key=record["listing_id"],
            value=encoder.encode({**record, "occurred_at": now}),
            headers=[*cloud_event(record["event_id"], "marketplace.listing.v1", now)],
        )
    if producer.flush(30):
        raise SystemExit("not every listing reached the broker")


if __name__ == "__main__":
    main(sys.argv[1])
