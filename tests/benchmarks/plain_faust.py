"""The peer: a plain Faust app that decodes and judges each listing with the worker's functions.

It is what one would write from Faust's documentation: its own aiokafka transport, `async for` over
the stream, `send` for what follows. It judges with the same registry, policy and seller facts as
the worker, and writes the same takedowns.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, Protocol

import faust
import mode

from agents.monitoring.decisions import decision_of
from agents.monitoring.judge_keeper import JudgeKeeper
from agents.monitoring.policies import default_policy
from agents.monitoring.screening import listing_decoder, to_listing
from agents.reputation import FOLDS, read_facts
from agents.takedowns import TakedownEvents, takedown
from streams import topics
from streams.codec import Decoder, Encoder
from streams.schema_registry import SchemaRegistry
from streams.settings import Settings
from streams.store import Store
from streams.views import View


class Count(Protocol):
    """What the agent tells of its progress."""

    acted: int

    def at(self, handled: int) -> bool:
        """Note how many listings were handled; return whether that was all."""


async def serve(
    settings: Settings, group: str, meter: Count, stop: asyncio.Event, folder: str
) -> None:
    """Judge listings until the meter has enough or `stop` is set; Faust's own files go to a folder.

    Raises RuntimeError when the app ends by itself.
    """
    registry = SchemaRegistry.connect(settings)
    decoder = listing_decoder(registry)
    store = Store(settings)
    takedowns = settings.topic(topics.TAKEDOWNS.name)
    reviews = settings.topic(topics.REVIEWS.name)
    events = TakedownEvents(
        takedowns,
        reviews,
        Encoder(registry, takedowns, topics.TAKEDOWNS.schema),
        Encoder(registry, reviews, topics.REVIEWS.schema),
    )
    keeper = JudgeKeeper(settings, registry, default_policy())
    judge = await asyncio.to_thread(keeper.load)
    app = faust.App(
        group,
        broker=f"kafka://{settings.kafka_bootstrap}",
        value_serializer="raw",
        datadir=folder,
        autodiscover=False,
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        agent_supervisor=mode.CrashingSupervisor,
    )
    listings = app.topic(settings.topic(topics.LISTINGS.name), value_type=bytes)
    out = {name: app.topic(name, value_type=bytes) for name in (takedowns, reviews)}
    handled = 0

    @app.agent(listings)
    async def monitor(stream: Any) -> None:
        nonlocal handled
        async for value in stream:
            await _judge(value)
            handled += 1
            # The clock is looked at now and then: a look costs a microsecond.
            if handled % 100 == 0 and meter.at(handled):
                stop.set()

    async def _judge(value: bytes) -> None:
        received = time.time_ns() // 1_000_000
        await decoder.prepare((value,))
        listing = to_listing(decoder, value)
        examination = judge.examine(listing, received)
        seller, sold = None, None
        if examination.matches:
            asked = [listing.seller_id] if examination.needs_seller else []
            sellers, units = await read_facts(store, asked, [listing.listing_id], received)
            seller, sold = sellers.get(listing.seller_id), units[listing.listing_id]
        judgement = judge.decide(examination, seller)
        if judgement.verdict.outcome == "allow":
            return
        meter.acted += 1
        event = events.event(takedown(decision_of(examination, judgement, sold, received)))
        await out[event.topic].send(
            key=event.key,
            value=event.value,
            headers={name: value or b"" for name, value in event.headers},
        )

    try:
        for fold in FOLDS:  # facts are read only from views that are complete
            await View(fold, settings, store, Decoder(registry, fold.schema)).ensure()
        await app.start()
        while not stop.is_set():
            if app.crashed:
                raise RuntimeError(f"the Faust app ended: {app.crash_reason!r}")
            await asyncio.sleep(0.02)
    finally:
        await app.stop()
        await asyncio.to_thread(keeper.close)
        await store.close()
