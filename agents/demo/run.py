"""Runs the worker on embedded services, feeds it the sample and watches what comes out."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from confluent_kafka import Consumer
from confluent_kafka.admin import AdminClient

from agents.alliance.rights_publish import publish_rights
from agents.demo import sample
from agents.monitoring.publishing import ListingPublisher
from agents.records import Sale, Takedown
from agents.worker import Worker
from streams import topics
from streams.codec import Decoder
from streams.embedded import EmbeddedServices
from streams.kafka import client_config
from streams.settings import Settings

LISTINGS_A_SECOND: Final = 150
START_SECONDS: Final = 60.0
FINISH_SECONDS: Final = 120.0

Show = Callable[[Takedown, float], None]
"""Called for each takedown with its handling time in seconds."""


@dataclass(slots=True)
class Summary:
    """What the demo saw."""

    listings: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    handling: list[float] = field(default_factory=list)
    before_first_sale: int = 0
    held: int = 0
    """Takedowns over a quota."""
    seconds: float = 0.0

    def percentile(self, share: float) -> float:
        """Return the handling time, in seconds, that `share` of the takedowns kept within."""
        ordered = sorted(self.handling)
        if not ordered:
            return 0.0
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


async def run_demo(
    settings: Settings,
    *,
    count: int | None,
    show: Show,
    serving: Callable[[Worker, Summary], Any] | None = None,
    stop: asyncio.Event | None = None,
) -> Summary:
    """Run the demo and return its summary; with `serving`, go on until `stop` is set.

    `serving` is called with the worker and the summary once the sample is through.

    Raises:
        TimeoutError: the worker did not get ready, or did not finish.
    """
    with EmbeddedServices(settings) as services:
        prepared = services.settings
        await asyncio.to_thread(_make_topics, prepared)
        await publish_rights(prepared, sample.rights(), registry=services.registry)
        worker = Worker(prepared, registry=services.registry)
        ending = asyncio.Event()
        running = asyncio.create_task(worker.run(ending))
        watching: asyncio.Task[None] | None = None
        publisher: ListingPublisher | None = None
        summary = Summary()
        try:
            await _within([running], worker.ready.wait(), START_SECONDS, "get ready")
            publisher = await ListingPublisher.connect(prepared, services.registry)
            decoder = Decoder(services.registry, topics.TAKEDOWNS.schema)
            watching = asyncio.create_task(_watch(prepared, decoder, summary, show))
            both = (running, watching)
            started = time.monotonic()
            await publisher.sellers(sample.sellers())
            await _within(both, _settled(worker), FINISH_SECONDS, "read the sellers")
            await _feed(publisher, count, summary, worker)
            await _within(both, _finished(worker, summary), FINISH_SECONDS, "finish")
            summary.seconds = time.monotonic() - started
            if serving is not None and stop is not None:
                serving(worker, summary)
                await _within(both, stop.wait(), None, "serve")
        finally:
            if watching is not None:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)
            if publisher is not None:
                await asyncio.to_thread(publisher.close)
            ending.set()
            with contextlib.suppress(Exception):  # an error of the worker was raised above
                await running
    return summary


async def _within(
    tasks: Collection[asyncio.Task[None]], work: Any, seconds: float | None, what: str
) -> None:
    """Wait for `work`; one of `tasks` that ends meanwhile ends the demo with its own error."""
    working = asyncio.ensure_future(work)
    done, _ = await asyncio.wait(
        {*tasks, working}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
    )
    if working not in done:
        working.cancel()
    for task in tasks:
        if task in done:
            task.result()
            raise RuntimeError("the worker ended by itself")
    if working not in done:
        raise TimeoutError(f"the worker did not {what} within {seconds:.0f} s")


def _make_topics(settings: Settings) -> None:
    """Ask for each topic: the mock cluster makes what it is asked for."""
    admin: Any = AdminClient(client_config(settings))
    for topic in topics.TOPICS:
        admin.list_topics(settings.topic(topic.name), timeout=10)


async def _feed(
    publisher: ListingPublisher, count: int | None, summary: Summary, worker: Worker
) -> None:
    """Publish the sample at a steady pace, each listing as if it had just changed."""
    started = time.monotonic()
    after: list[Sale] = []
    for number, step in enumerate(sample.steps(count)):
        if step.before:
            await publisher.sales(step.before)
            await _settled(worker)
        listing = msgspec.structs.replace(step.listing, occurred_at=time.time_ns() // 1_000_000)
        await publisher.listings([listing])
        summary.listings += 1
        after += step.after
        await asyncio.sleep(started + (number + 1) / LISTINGS_A_SECOND - time.monotonic())
    await publisher.sales(after)


async def _settled(worker: Worker) -> None:
    """Return when the worker has applied the sellers and sales published so far."""
    await asyncio.sleep(0.05)  # until it has seen that there is something to apply
    while worker.view_lag():  # noqa: ASYNC110 - a lag has no event to wait for
        await asyncio.sleep(0.01)


async def _finished(worker: Worker, summary: Summary) -> None:
    """Return when every listing was handled and every takedown was seen."""
    while True:
        outcomes = summary.outcomes = worker.outcomes()
        summary.held = worker.held()
        seen = len(summary.handling) + summary.held
        if sum(outcomes.values()) >= summary.listings and seen >= outcomes.get("remove", 0):
            return
        await asyncio.sleep(0.02)


async def _watch(settings: Settings, decoder: Decoder, summary: Summary, show: Show) -> None:
    """Consume takedowns as a downstream service would."""
    consumer = Consumer(
        client_config(
            settings,
            {
                "group.id": "demo-watcher",
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 10,
            },
        )
    )
    consumer.subscribe([settings.topic(topics.TAKEDOWNS.name)])
    try:
        while True:
            messages = await asyncio.to_thread(consumer.consume, 100, 0.05)
            values = [m.value() for m in messages if m.error() is None]
            await decoder.prepare(values)
            for message, value in zip(messages, values, strict=False):
                record = msgspec.convert(decoder.decode(value), Takedown)
                # The record's own time: when the producer handed it to the broker.
                seconds = (message.timestamp()[1] - record.listing_occurred_at) / 1000
                summary.handling.append(seconds)
                summary.before_first_sale += record.units_sold_before == 0
                show(record, seconds)
    finally:
        await asyncio.to_thread(consumer.close)
