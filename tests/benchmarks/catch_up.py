"""After a stop of ten minutes: how fast the worker catches up, and how soon all is quick again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient

from agents.monitoring.monitor import GROUP
from agents.records import Listing
from streams import topics
from streams.settings import Settings
from tests.benchmarks import catalogue, machine
from tests.benchmarks.contestants import Task
from tests.benchmarks.installation import fill, installation, rewind, servers
from tests.benchmarks.latency import Seen, Takedowns, broker_sets_times, contestant, publishing
from tests.benchmarks.pacer import Pace
from tests.benchmarks.report import Section, Table, percentile
from tests.benchmarks.sampling import Samples
from tests.benchmarks.subjects import Options
from tests.benchmarks.throughput import run_task

RATE: Final = 1_000
"""Listings a second before, during and after the stop."""
STOPPED_S: Final = 600
FRESH_S: Final = 45
"""Seconds for which fresh listings are published beside the catching up, at least."""
SLOWEST: Final = 5_000
"""Listings a second that are caught up at least: by it the fresh ones are published long enough."""
SAMPLE_SECONDS: Final = 0.25
QUICK_MS: Final = 1_000.0


def run(options: Options) -> Section:
    """Fill ten minutes of listings, let the full rate be measured on them, then catch up."""
    described = machine.description(options.cores)
    backlog = RATE * STOPPED_S
    rights = catalogue.rights()
    with servers(options.cores) as running:
        settings = running.settings("catch-up.")
        bus = installation(settings, rights)
        broker_sets_times(settings, settings.topic(topics.TAKEDOWNS.name))
        supply = catalogue.Catalogue([right.mark for right in rights], options.data)
        now = time.time_ns() // 1_000_000
        fill(bus, spread_out(supply.listings(backlog, now), now), options.compression)
        full = run_task(
            settings,
            Task("ours", options.cores.contestant, warm_up=backlog // 10, listings=backlog),
        ).rate
        rewind(settings)
        takedowns = Takedowns(bus, fresh=True)
        pace = Pace(RATE, FRESH_S + backlog // SLOWEST, catalogue.INFRINGING)
        with (
            contestant(settings, Task("ours", options.cores.contestant)),
            Samples(lag_of(settings), SAMPLE_SECONDS) as lag,
        ):
            begun = time.time()
            seen = takedowns.watch(publishing(settings, pace))
        takedowns.close()
    found = caught_up(seen, lag.samples, begun)
    return Section(
        title="Catching up",
        how=(
            f"{backlog:,} listings, of {STOPPED_S // 60} minutes at {RATE:,}/s in which no worker "
            f"ran, wait when a worker starts; {RATE:,} fresh ones a second come in meanwhile. The "
            "lag is what the group has not committed, looked at four times a second; the rate is "
            "that at which it fell between a tenth and nine tenths of the way, fresh ones added. "
            "It is set beside the rate of a worker that reads the same listings while nothing "
            "comes in. Latency is milliseconds from `occurred_at` until the takedown of a fresh "
            "listing was on the broker; the lag is 'gone' when less than a second's listings wait."
        ),
        command=options.command,
        machine=described,
        tables=(
            Table(
                ("catching up", "measured"),
                (
                    ("full rate, nothing coming in", f"{full:,.0f}/s"),
                    ("rate of catching up", f"{found.rate:,.0f}/s"),
                    ("to the full rate", f"{found.rate / full:.2f} ×"),
                    ("lag gone, after the start of the worker", f"{found.lag_gone:.1f} s"),
                    (
                        "fresh listings handled within a second, after that",
                        f"{found.quick - found.lag_gone:+.1f} s",
                    ),
                    (
                        "latency in ms from 5 s after that: p50, p99",
                        f"{percentile(found.after, 0.5):.0f}, {percentile(found.after, 0.99):.0f}",
                    ),
                ),
            ),
        ),
    )


def spread_out(listings: Iterator[Listing], now: int) -> Iterator[Listing]:
    """Yield listings as they occurred while the worker stood still, up to now."""
    for number, listing in enumerate(listings):
        occurred = now - STOPPED_S * 1000 + number * 1000 // RATE
        yield msgspec.structs.replace(listing, occurred_at=occurred)


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """How it went, in seconds from the start."""

    rate: float
    lag_gone: float
    quick: float
    """From here on every fresh listing was handled within a second."""
    after: list[float]
    """Latencies of the fresh ones that occurred 5 s later."""


def caught_up(seen: Seen, lag: Sequence[tuple[float, float]], begun: float) -> CaughtUp:
    """Return how it went, from the lag by time and the latencies of fresh listings.

    Raises ValueError where the lag was never gone, or no fresh listing was handled after that.
    """
    most = max(waiting for _, waiting in lag)
    falling = [(moment, waiting) for moment, waiting in lag if 0.1 * most <= waiting <= 0.9 * most]
    (first, high), (last, low) = falling[0], falling[-1]
    gone = next((moment for moment, waiting in lag if moment > last and waiting < RATE), 0.0)
    fresh = [
        (occurred / 1000, latency)
        for occurred, latency in zip(seen.occurred, seen.on_broker, strict=True)
        if occurred / 1000 >= begun
    ]
    after = [latency for occurred, latency in fresh if gone and occurred >= gone + 5]
    if not after:
        raise ValueError(f"the lag of {most:,.0f} was not gone when the last listing was published")
    slow = [occurred + latency / 1000 for occurred, latency in fresh if latency > QUICK_MS]
    return CaughtUp(
        (high - low) / (last - first) + RATE,
        gone - begun,
        max(slow, default=begun) - begun,
        after,
    )


def lag_of(settings: Settings) -> Callable[[], float]:
    """Return what says how many listings the worker's group has not committed."""
    bootstrap = settings.kafka_bootstrap
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 4})
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "bench-lag", "enable.auto.commit": False}
    )
    name = settings.topic(topics.LISTINGS.name)
    partitions = [TopicPartition(name, p) for p in range(settings.topic_partitions)]
    group = ConsumerGroupTopicPartitions(settings.topic(GROUP), partitions)

    def lag() -> float:
        answer = admin.list_consumer_group_offsets([group])
        committed = next(iter(answer.values())).result(timeout=20).topic_partitions
        ends = [consumer.get_watermark_offsets(each, timeout=20)[1] for each in partitions]
        return float(sum(ends) - sum(max(0, each.offset) for each in committed))

    return lag
