"""The worker: everything put together, from the settings."""

from __future__ import annotations

import asyncio
import gc
import logging
import math
import time
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Final, TypeVar, cast

from agents.alliance.rights_log import rights_decoder
from agents.monitoring.agent import (
    bury_what_is_no_right,
    follow_views,
    monitor_listings,
    rejudge_listings,
)
from agents.monitoring.monitor import Monitor, Topics
from agents.monitoring.policies import Policy, default_policy, load_policy
from agents.monitoring.registry_keeper import RegistryKeeper
from agents.monitoring.screening import Limits, listing_decoder
from agents.takedowns import TakedownEvents
from agents.views import FOLDS
from streams import kafka, topics
from streams.app import create_app
from streams.codec import Decoder, Encoder
from streams.dead_letters import DeadLetters
from streams.health import HealthServer
from streams.kafka import KafkaUnavailableError
from streams.log_reader import MissingTopicError, partitions_of
from streams.metrics import WINDOWS, Metrics
from streams.producer import Producer
from streams.schema_registry import RegistryUnavailableError, SchemaRegistry
from streams.settings import Settings
from streams.store import Store, StoreUnavailable
from streams.transport import BatchApp, BatchConsumer
from streams.views import View

log = logging.getLogger(__name__)

T = TypeVar("T")

PILLARS: Final = ("monitoring",)
GROUP: Final = "assayer-monitoring"
STALL_SECONDS: Final = 120.0
"""With records waiting and none done for this long, the worker is not alive."""
LOOP_SECONDS: Final = 30.0
"""An event loop that has not turned for this long is stuck."""
FIRST_RETRY: Final = 0.5
LAST_RETRY: Final = 15.0

_AWAY: Final = (KafkaUnavailableError, RegistryUnavailableError, StoreUnavailable)


class WorkerCrashedError(RuntimeError):
    """The worker stopped by itself: the reason stands in the log."""


class PortTakenError(OSError):
    """The port for metrics and health can't be had."""


class Worker:
    """One worker process. `run` returns when it was asked to stop and has stopped cleanly."""

    def __init__(
        self,
        settings: Settings,
        *,
        registry: SchemaRegistry | None = None,
        only: Collection[str] = PILLARS,
    ) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self.only = tuple(only)
        self._registry = registry or SchemaRegistry.connect(settings)
        self._policy: Policy = (
            load_policy(settings.policy_file) if settings.policy_file else default_policy()
        )
        self._up = {"kafka": False, "redis": False, "schema_registry": False}
        self._turned = time.monotonic()
        self._views_ready = False
        self._told_of_views = False
        self._keeper: RegistryKeeper | None = None
        self._app: BatchApp | None = None
        self.health: HealthServer | None = None
        self.ready = asyncio.Event()
        """Set when the worker first was ready."""
        self._show_policy()

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set.

        Raises:
            WorkerCrashedError: it ended by itself; what was not done is read again at the start.
            MissingTopicError: a topic does not exist.
        """
        self.health = self._serve_health()
        log.info("metrics and health at %s", self.health.url)
        store = Store(self.settings)
        producer: Producer | None = None
        tasks: list[asyncio.Task[Any]] = []
        try:
            # Measured from the beginning: a registry or a view may take minutes to be read.
            tasks = [asyncio.create_task(self._measure())]
            serving = await _unless(stop, self._start(store))
            if serving is None:
                return
            producer, views = serving
            _collect_less_garbage()
            tasks.append(asyncio.create_task(self._watch(store, views)))
            await self._serve(stop, tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._keeper is not None:
                await asyncio.to_thread(self._keeper.close)
            if producer is not None:
                await asyncio.to_thread(producer.close)
            await store.close()
            self.health.close()

    def _serve_health(self) -> HealthServer:
        host, port = self.settings.metrics_host, self.settings.metrics_port
        try:
            return HealthServer(host, port, self.metrics.registry, self._live, self._ready)
        except OSError as error:
            raise PortTakenError(
                f"can't serve metrics on {host}:{port}: {error.strerror}; a worker may run there "
                "already, or set ASSAYER_METRICS_PORT (0 takes a free one)"
            ) from error

    async def _serve(self, stop: asyncio.Event, tasks: list[asyncio.Task[Any]]) -> None:
        app = self._app
        assert app is not None  # noqa: S101 - _start has made it
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
            await app.stop()

    async def _start(self, store: Store) -> tuple[Producer, list[View]]:
        """Wait for what is needed, read the registry, and put the app together."""
        settings, registry = self.settings, self._registry
        await self._wait_for("kafka", lambda: asyncio.to_thread(self._find_topics))
        takedowns, reviews, dead_letters, sightings = await self._wait_for(
            "schema_registry",
            lambda: asyncio.to_thread(
                lambda: [
                    Encoder(registry, settings.topic(topic.name), topic.schema)
                    for topic in (
                        topics.TAKEDOWNS,
                        topics.REVIEWS,
                        topics.DEAD_LETTERS,
                        topics.SIGHTINGS,
                    )
                ]
            ),
        )
        producer = Producer(settings)
        graves = settings.topic(topics.DEAD_LETTERS.name)
        self._keeper = RegistryKeeper(settings, registry, self._policy)
        await self._wait_for("registry", lambda: asyncio.to_thread(self._keeper_load))
        views = [View(fold, settings, store, Decoder(registry, fold.schema)) for fold in FOLDS]
        monitor = Monitor(
            keeper=self._keeper,
            decoder=listing_decoder(registry),
            store=store,
            producer=producer,
            events=TakedownEvents(
                settings.topic(topics.TAKEDOWNS.name),
                settings.topic(topics.REVIEWS.name),
                takedowns,
                reviews,
            ),
            dead_letter_encoder=dead_letters,
            sightings_encoder=sightings,
            topics=Topics(
                settings.topic(topics.LISTINGS.name),
                graves,
                settings.topic(topics.REJUDGE.name),
                settings.topic(topics.SIGHTINGS.name),
            ),
            limits=Limits(settings.max_record_bytes, settings.max_clock_ahead_s),
            metrics=self.metrics,
        )
        self._app = self._new_app(
            monitor, views, DeadLetters(graves, dead_letters, producer, self.metrics)
        )
        await self._ensure(views)
        return producer, views

    def _find_topics(self) -> None:
        for topic in topics.TOPICS:
            partitions_of(self.settings, self.settings.topic(topic.name), 5.0)

    def _keeper_load(self) -> None:
        assert self._keeper is not None  # noqa: S101
        self._keeper.load()

    def _new_app(self, monitor: Monitor, views: list[View], dead_letters: DeadLetters) -> BatchApp:
        listings, rejudge, rights = (
            self.settings.topic(topic.name)
            for topic in (topics.LISTINGS, topics.REJUDGE, topics.RIGHTS)
        )
        batch_topics = {listings, rejudge, rights, *(view.topic for view in views)}
        app = create_app(self.settings, GROUP, batch_topics)
        monitor_listings(app, listings, monitor)
        rejudge_listings(app, rejudge, monitor)
        bury_what_is_no_right(app, rights, rights_decoder(self._registry), dead_letters)
        by_topic: dict[str, list[View]] = {}
        for view in views:
            by_topic.setdefault(view.topic, []).append(view)
        for of_topic in by_topic.values():
            follow_views(app, of_topic, dead_letters)
        # Faust makes the consumer when somebody first asks for it. Health is asked for in threads
        # of its own: at a bad moment there were two consumers, and the one asked never started.
        assert isinstance(app.consumer, BatchConsumer)  # noqa: S101
        return app

    async def _wait_for(self, what: str, attempt: Callable[[], Awaitable[T]]) -> T:
        """Try until it answers, with growing pauses and a line for each try; return the answer."""
        pause = FIRST_RETRY
        while True:
            try:
                answer = await attempt()
            except _AWAY as error:
                log.warning("%s; trying again in %.1f s", error, pause)
            else:
                if what in self._up:
                    self._up[what] = True
                return answer
            await asyncio.sleep(pause)
            pause = min(pause * 2, LAST_RETRY)

    async def _ensure(self, views: list[View]) -> None:
        """Bring the views up to date; without Redis the worker goes on, and tries again later."""
        try:
            await asyncio.gather(*(view.ensure() for view in views))
            self._views_ready = True
        except _AWAY as error:
            if self._views_ready or not self._told_of_views:
                log.warning("views are not up to date: %s", error)
            self._views_ready, self._told_of_views = False, True
        else:
            self._told_of_views = False

    async def _watch(self, store: Store, views: list[View]) -> None:
        """Ask every dependency now and then, and mend the views when Redis comes back."""
        while True:
            # At once: a server that hangs must not delay what the others' return would mend.
            (
                self._up["redis"],
                self._up["kafka"],
                self._up["schema_registry"],
            ) = await asyncio.gather(
                _answers(store.ping()),
                _answers(asyncio.to_thread(kafka.ping, self.settings, 5.0)),
                _answers(asyncio.to_thread(self._registry.ping)),
            )
            for name, up in self._up.items():
                self.metrics.dependency_up.labels(name).set(up)
            if self._up["redis"] and self._up["kafka"]:
                complete = [await _complete(store, view) for view in views]
                if not (self._views_ready and all(complete)):
                    await self._ensure(views)
            else:
                self._views_ready = False
            await asyncio.sleep(2.0)

    async def _measure(self) -> None:
        """Keep the gauges current, once a second."""
        while True:
            self._turned = time.monotonic()
            now = time.time()
            for name, seconds in WINDOWS.items():
                self.metrics.before_first_sale_ratio.labels(name).set(
                    self.metrics.first_sale.ratio(seconds, now)
                )
            keeper = self._keeper
            if keeper is not None and keeper.loaded:
                registry = keeper.current.registry
                self.metrics.registry_version.set(int(registry.version))
                self.metrics.registry_rights.set(len(registry.rights))
            consumer = self._consumer
            if consumer is not None:
                for tp, lag in consumer.lag().items():
                    self.metrics.consumer_lag.labels(tp.topic, str(tp.partition)).set(lag)
            if not self.ready.is_set() and not any(self._ready().values()):
                log.info("ready: listings are judged as they come")
                self.ready.set()
            await asyncio.sleep(1.0 if self.ready.is_set() else 0.05)

    def view_lag(self) -> int:
        """Return how many records of sellers, sales and takedowns the views have still to apply.

        0 also while that can't be told.
        """
        consumer = self._consumer
        topics_of_views = {self.settings.topic(fold.topic) for fold in FOLDS}
        if consumer is None:
            return 0
        return sum(n for tp, n in consumer.lag().items() if tp.topic in topics_of_views)

    def outcomes(self) -> dict[str, int]:
        """Return how many listings were handled so far, by outcome."""
        return {
            sample.labels["outcome"]: int(sample.value)
            for family in self.metrics.listings.collect()
            for sample in family.samples
            if sample.name.endswith("_total")
        }

    @property
    def _consumer(self) -> BatchConsumer | None:
        app = self._app
        if app is None or not app.started or app.should_stop:
            return None
        consumer = cast(BatchConsumer, app.consumer)
        return consumer if consumer.connected else None

    def _live(self) -> dict[str, str]:
        """Return the checks of liveness: a worker that fails one should be restarted."""
        quiet = time.monotonic() - self._turned
        consumer = self._consumer
        stalled = 0.0
        if consumer is not None and self._up["kafka"] and any(consumer.lag().values()):
            stalled = time.monotonic() - consumer.last_progress
        return {
            "event_loop": "" if quiet < LOOP_SECONDS else f"has not turned for {quiet:.0f} s",
            "progress": (
                "" if stalled < STALL_SECONDS else f"records wait, none done for {stalled:.0f} s"
            ),
        }

    def _ready(self) -> dict[str, str]:
        """Return the checks of readiness."""
        keeper = self._keeper
        consumer = self._consumer
        assigned = consumer is not None and bool(consumer.assignment())
        rebalancing = self._app is not None and self._app.rebalancing
        checks = {
            name: "" if up else "does not answer; see the log and: assayer doctor"
            for name, up in self._up.items()
        }
        checks["registry"] = "not read yet" if keeper is None or not keeper.loaded else keeper.error
        checks["policy"] = ""
        checks["partitions"] = (
            "" if assigned and not rebalancing else "none assigned yet, or rebalancing"
        )
        checks["views"] = "" if self._views_ready else "not complete yet"
        return checks

    def _show_policy(self) -> None:
        self.metrics.policy.info({"version": self._policy.version})
        for rule in self._policy.rules:
            self.metrics.rule_hits.labels(rule.name, rule.mode)
            if rule.outcome == "remove" and rule.mode == "enforce":
                self.metrics.takedowns.labels(rule.name, "MONITORING")
        for name in WINDOWS:
            self.metrics.before_first_sale_ratio.labels(name).set(math.nan)
        for name in self._up:
            self.metrics.dependency_up.labels(name).set(0)


def _collect_less_garbage() -> None:
    """Leave what stands at the start out of garbage collection, and collect the rest less often.

    A batch makes thousands of objects, hardly one in a cycle. Collecting cost 4.0 µs a listing with
    Python's thresholds, a twelfth of all, and costs 0.1 with these.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


async def _unless(stop: asyncio.Event, work: Awaitable[Any]) -> Any:
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


async def _answers(call: Awaitable[object]) -> bool:
    try:
        await call
    except (*_AWAY, MissingTopicError):
        return False
    return True


async def _complete(store: Store, view: View) -> bool:
    try:
        return bool(await store.call(lambda client: client.exists(view.ready_key)))
    except StoreUnavailable:
        return False
