"""The worker: everything put together, from the settings."""

from __future__ import annotations

import asyncio
import gc
import logging
import math
import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Final, TypeVar, cast

from faust.types import TP

from agents.alliance.rights_log import rights_decoder
from agents.breaker.breaker import Breaker
from agents.breaker.held import HeldEvents
from agents.breaker.releases import Releases
from agents.health import Health
from agents.history.watched import WatchKeeper
from agents.monitoring.agent import (
    bury_what_is_no_right,
    follow_views,
    monitor_listings,
    rejudge_listings,
)
from agents.monitoring.judge_keeper import JudgeKeeper
from agents.monitoring.monitor import GROUP, Monitor, Topics
from agents.monitoring.policies import Policy, default_policy, load_policy
from agents.monitoring.policy_publish import record_policy
from agents.monitoring.screening import Limits, listing_decoder
from agents.monitoring.sweeping.automatic import AutomaticSweeps
from agents.takedowns import TakedownEvents
from agents.views import Views
from agents.watchdog import Watchdog
from streams import topics
from streams.app import create_app
from streams.batch_topics import DRAIN_SECONDS, BatchApp
from streams.codec import Encoder
from streams.dead_letters import DeadLetters
from streams.health import HealthServer
from streams.log_reader import partitions_of
from streams.memory import give_memory_back, keep_batches_memory, use_one_arena
from streams.metrics import Metrics
from streams.producer import Producer
from streams.schema_registry import SchemaRegistry
from streams.settings import Settings
from streams.store import Store
from streams.transport import BatchConsumer
from streams.unavailable import UNAVAILABLE

log = logging.getLogger(__name__)

T = TypeVar("T")

PILLARS: Final = ("monitoring",)
FIRST_RETRY: Final = 0.5
LAST_RETRY: Final = 15.0
STOP_SECONDS: Final = DRAIN_SECONDS + 2.0
"""How long the app may take to stop: it drains, commits and leaves its group."""
FLUSH_SECONDS: Final = 1.0
"""How long the producer is flushed at the end: what it still has is of batches read again."""


class WorkerCrashedError(RuntimeError):
    """The worker stopped by itself: the reason stands in the log."""


class PortTakenError(OSError):
    """The port for metrics and health can't be had."""


class Worker:
    """One worker process. `run` returns when it was asked to stop and has stopped.

    `stopping` is called when a stop begins, asked for or not. A client that hangs can hold up the
    event loop with it: who must end in any case begins to count there, in a thread. `end` is what
    the watchdog ends the process with.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        registry: SchemaRegistry | None = None,
        stopping: Callable[[], None] = lambda: None,
        end: Callable[[int], object] = os._exit,
    ) -> None:
        use_one_arena()
        self.settings = settings
        self.metrics = Metrics()
        self.url = ""
        """Where metrics and health are served, while it runs."""
        self.abandoned = False
        """Whether the app did not stop in time: parts of it run on, and hold up a clean end."""
        self._stopping = stopping
        self._end = end
        self._registry = registry or SchemaRegistry.connect(settings)
        self._policy: Policy = (
            load_policy(settings.policy_file) if settings.policy_file else default_policy()
        )
        self._health = Health(settings, self._registry, self.metrics)
        self._health.show_policy(self._policy)

    @property
    def ready(self) -> asyncio.Event:
        """Set when the worker first was ready."""
        return self._health.ready

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set.

        Raises:
            WorkerCrashedError: it ended by itself; what was not done is read again at the start.
            MissingTopicError: a topic does not exist.
        """
        async with AsyncExitStack() as closing:
            server = self._serve_health()
            closing.callback(server.close)
            self.url = server.url
            log.info("metrics and health at %s", self.url)
            store = Store(self.settings)
            closing.push_async_callback(store.close)
            # Measured from the beginning: a registry or a view may take minutes to be read.
            tasks = [
                asyncio.create_task(self._health.measure()),
                asyncio.create_task(self._health.watch_certificates()),
            ]
            watchdog = Watchdog(
                self._health.mark, self.settings.watchdog_s, self.metrics.stuck_seconds, self._end
            )
            closing.callback(watchdog.close)
            watchdog.start()
            try:
                started = await _unless(stop, self._start(store, closing))
                if started is None:
                    return
                app, views, watching, breaker = started
                collect_less_garbage()
                tasks.append(asyncio.create_task(self._health.watch_queue(breaker)))
                tasks.append(asyncio.create_task(self._health.watch(store, views)))
                tasks.append(asyncio.create_task(watching.follow()))
                if self.settings.sweep_rate:
                    tasks.append(asyncio.create_task(self._sweeps(store).run()))
                await self._serve(app, stop, tasks)
            finally:
                self._stopping()
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    def _serve_health(self) -> HealthServer:
        host, port = self.settings.metrics_host, self.settings.metrics_port
        try:
            return HealthServer(
                host, port, self.metrics.registry, self._health.live, self._health.readiness
            )
        except OSError as error:
            raise PortTakenError(
                f"can't serve metrics on {host}:{port}: {error.strerror}; a worker may run there "
                "already, or set ASSAYER_METRICS_PORT (0 takes a free one)"
            ) from error

    async def _start(
        self, store: Store, closing: AsyncExitStack
    ) -> tuple[BatchApp, Views, WatchKeeper, Breaker]:
        """Wait for what is needed, read the registry, and put the app together."""
        settings, registry, health = self.settings, self._registry, self._health
        name = settings.topic
        await _wait_for(lambda: asyncio.to_thread(self._find_topics))
        health.answered(kafka=True)
        takedowns, reviews, dead_letters, sightings, held = await _wait_for(
            lambda: asyncio.to_thread(self._encoders)
        )
        health.answered(schema_registry=True)
        producer = health.producer = Producer(settings)
        closing.push_async_callback(asyncio.to_thread, producer.close, FLUSH_SECONDS)
        keeper = health.keeper = JudgeKeeper(
            settings, registry, self._policy, pinned=settings.policy_file is not None
        )
        closing.push_async_callback(asyncio.to_thread, keeper.close)
        await _wait_for(lambda: asyncio.to_thread(keeper.load))
        if keeper.unrecorded():
            await _wait_for(
                lambda: record_policy(settings, registry, self._policy, author="assayer worker")
            )
        watching = health.watching = WatchKeeper(store)
        breaker = Breaker(store, HeldEvents(name(topics.HELD.name), held))
        monitor = Monitor(
            keeper=keeper,
            decoder=listing_decoder(registry),
            store=store,
            producer=producer,
            events=TakedownEvents(
                name(topics.TAKEDOWNS.name), name(topics.REVIEWS.name), takedowns, reviews
            ),
            breaker=breaker,
            dead_letter_encoder=dead_letters,
            sightings_encoder=sightings,
            topics=Topics(
                name(topics.LISTINGS.name),
                name(topics.DEAD_LETTERS.name),
                name(topics.REJUDGE.name),
                name(topics.SIGHTINGS.name),
            ),
            limits=Limits(settings.max_record_bytes, settings.max_clock_ahead_s),
            metrics=self.metrics,
            watching=watching,
        )
        views = health.views = Views(settings, store, registry, self.metrics)
        graves = DeadLetters(name(topics.DEAD_LETTERS.name), dead_letters, producer, self.metrics)
        app = health.app = self._new_app(monitor, views, graves)
        await views.ensure()
        await watching.renew()
        return app, views, watching, breaker

    def _sweeps(self, store: Store) -> AutomaticSweeps:
        """Return what sweeps for new rights and rules while this worker reads the rights."""
        health, keeper = self._health, self._health.keeper
        assert keeper is not None, "loaded by now"  # noqa: S101
        rights = TP(self.settings.topic(topics.RIGHTS.name), 0)

        def holds() -> bool:
            return health.consumer is not None and rights in health.consumer.assignment()

        return AutomaticSweeps(
            self.settings,
            self._registry,
            keeper=keeper,
            fallback=self._policy,
            store=store,
            metrics=self.metrics,
            holds=holds,
        )

    def _find_topics(self) -> None:
        for topic in topics.TOPICS:
            partitions_of(self.settings, self.settings.topic(topic.name), 5.0)

    def _encoders(self) -> list[Encoder]:
        """Register the schemas of what the worker writes."""
        return [
            Encoder(self._registry, self.settings.topic(topic.name), topic.schema)
            for topic in (
                topics.TAKEDOWNS,
                topics.REVIEWS,
                topics.DEAD_LETTERS,
                topics.SIGHTINGS,
                topics.HELD,
            )
        ]

    def _new_app(self, monitor: Monitor, views: Views, dead_letters: DeadLetters) -> BatchApp:
        listings, rejudge, rights = (
            self.settings.topic(topic.name)
            for topic in (topics.LISTINGS, topics.REJUDGE, topics.RIGHTS)
        )
        batch_topics = {listings, rejudge, rights, *views.by_topic}
        app = create_app(self.settings, GROUP, batch_topics)
        monitor_listings(app, listings, monitor)
        rejudge_listings(app, rejudge, monitor)
        bury_what_is_no_right(app, rights, rights_decoder(self._registry), dead_letters)
        held = self.settings.topic(topics.HELD.name)
        for topic, of_topic in views.by_topic.items():
            if topic == held:
                releases = Releases(of_topic[0].decoder, self.metrics)
                follow_views(app, of_topic, dead_letters, releases.count)
            else:
                follow_views(app, of_topic, dead_letters)
        # Faust makes the consumer when somebody first asks for it. Health is asked for in threads
        # of its own: at a bad moment there were two consumers, and the one asked never started.
        assert isinstance(app.consumer, BatchConsumer)  # noqa: S101
        return app

    async def _serve(
        self, app: BatchApp, stop: asyncio.Event, tasks: Sequence[asyncio.Task[None]]
    ) -> None:
        """Let the app run until `stop` is set, or it or one of the tasks has ended by itself."""
        try:
            await app.start()
            while not stop.is_set():
                if app.crashed or app.should_stop:
                    raise WorkerCrashedError(f"the worker ended: {app.crash_reason!r}")
                for task in tasks:
                    if task.done():
                        error = task.exception()
                        log.error("a background task ended", exc_info=error)
                        raise WorkerCrashedError(f"a background task ended: {error!r}") from error
                try:
                    await asyncio.wait_for(stop.wait(), 0.2)
                except TimeoutError:
                    continue
        finally:
            self._stopping()
            await self._stop(app)

    async def _stop(self, app: BatchApp) -> None:
        """Stop the app, or leave it as it is when that takes too long."""
        stopping = asyncio.ensure_future(app.stop())
        # Not asyncio.timeout: it waits until the cancelled stop has ended, which may hang as well.
        await asyncio.wait({stopping}, timeout=STOP_SECONDS)
        if stopping.done():
            stopping.result()
            return
        self.abandoned = True
        log.warning(
            "not stopped within %.0f s, and left as it is: %d batches in flight and what could not "
            "be committed are read again at the next start",
            STOP_SECONDS,
            cast(BatchConsumer, app.consumer).in_flight,
        )

    def view_lag(self) -> int:
        """Return how many records the views have still to apply; 0 while that can't be told."""
        consumer, views = self._health.consumer, self._health.views
        if consumer is None or views is None:
            return 0
        return sum(n for tp, n in consumer.lag().items() if tp.topic in views.by_topic)

    def held(self) -> int:
        """Return how many takedowns wait for a person; 0 while that can't be told."""
        (family,) = self.metrics.held_takedowns.collect()
        value = family.samples[0].value
        return 0 if math.isnan(value) else int(value)

    def outcomes(self) -> dict[str, int]:
        """Return how many listings were handled so far, by outcome."""
        return {
            sample.labels["outcome"]: int(sample.value)
            for family in self.metrics.listings.collect()
            for sample in family.samples
            if sample.name.endswith("_total")
        }


def collect_less_garbage() -> None:
    """Leave what stands at the start out of garbage collection, and collect the rest less often.

    A batch makes thousands of objects, hardly one in a cycle. Collecting cost 4.0 µs a listing with
    Python's thresholds, a twelfth of all, and costs 0.1 with these.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    give_memory_back()
    keep_batches_memory()


async def _wait_for(attempt: Callable[[], Awaitable[T]]) -> T:
    """Try until it answers, with growing pauses and a line for each try; return the answer."""
    pause = FIRST_RETRY
    while True:
        try:
            return await attempt()
        except UNAVAILABLE as error:
            log.warning("%s; trying again in %.1f s", error, pause)
        await asyncio.sleep(pause)
        pause = min(pause * 2, LAST_RETRY)


async def _unless(stop: asyncio.Event, work: Awaitable[T]) -> T | None:
    """Return the result of `work`, or None when `stop` is set first."""
    working = asyncio.ensure_future(work)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not working.done():
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        return None
    return working.result()
