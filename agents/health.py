"""How a worker is: its gauges, whether it is alive, whether it is ready."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable
from contextlib import suppress
from typing import Final, cast

from faust.types import TP

from agents.breaker.breaker import Breaker
from agents.history.watched import WatchKeeper
from agents.monitoring.judge_keeper import JudgeKeeper
from agents.monitoring.policies import Policy
from agents.views import Views
from agents.watchdog import Mark
from streams import topics
from streams.batch_topics import BatchApp
from streams.certificates import expiries
from streams.kafka import ping
from streams.log_reader import MissingTopicError
from streams.memory import memory_limit
from streams.metrics import BUDGET_WINDOWS, WINDOWS, Metrics
from streams.partition_ends import PartitionEnds
from streams.producer import Producer
from streams.schema_registry import SchemaRegistry
from streams.settings import Settings
from streams.store import Store
from streams.transport import BatchConsumer
from streams.unavailable import UNAVAILABLE

log = logging.getLogger(__name__)

STALL_SECONDS: Final = 120.0
"""With records waiting, every server there and none done for this long, the worker is stuck."""
LOOP_SECONDS: Final = 30.0
"""An event loop that has not turned for this long is stuck."""
CERTIFICATE_SECONDS: Final = 600.0
"""How often the files of certificates are looked at: they are renewed in place."""


class Health:
    """What is known of a worker. The worker fills in its parts as it makes them.

    `live` and `readiness` are asked in threads of their own: they look at state, and wait for
    nothing.
    """

    def __init__(self, settings: Settings, registry: SchemaRegistry, metrics: Metrics) -> None:
        self._settings = settings
        self._registry = registry
        self._metrics = metrics
        self._turned = time.monotonic()
        self.keeper: JudgeKeeper | None = None
        self.views: Views | None = None
        self.watching: WatchKeeper | None = None
        self.app: BatchApp | None = None
        self.producer: Producer | None = None
        self._up = {"kafka": False, "redis": False, "schema_registry": False}
        self._all_up_since = math.inf
        self._measured: set[TP] = set()
        self._shown = ""
        """Version of the policy that the metrics show."""
        self.ready = asyncio.Event()
        """Set when the worker first was ready."""
        self.answered(**self._up)
        metrics.memory_limit.set(memory_limit())
        metrics.health.probes |= {"live": self.live, "ready": self.readiness}

    @property
    def consumer(self) -> BatchConsumer | None:
        """The app's consumer while it runs."""
        app = self.app
        if app is None or not app.started or app.should_stop:
            return None
        consumer = cast(BatchConsumer, app.consumer)
        return consumer if consumer.connected else None

    def answered(self, **up: bool) -> None:
        """Note which servers answered when they were last asked."""
        self._up |= up
        for name, answers in up.items():
            self._metrics.dependency_up.labels(name).set(answers)
        if not all(self._up.values()):
            self._all_up_since = math.inf
        elif self._all_up_since == math.inf:
            self._all_up_since = time.monotonic()

    def live(self) -> dict[str, str]:
        """Return the checks of liveness: a worker that fails one should be restarted."""
        quiet = time.monotonic() - self._turned
        consumer = self.consumer
        stalled = 0.0
        if consumer is not None and any(consumer.lag().values()):
            # Views and what is judged again wait for Redis and for schemas, as long as it takes:
            # after another start they would wait for them just the same.
            stalled = time.monotonic() - max(consumer.last_progress, self._all_up_since)
        return {
            "event_loop": "" if quiet < LOOP_SECONDS else f"has not turned for {quiet:.0f} s",
            "progress": (
                "" if stalled < STALL_SECONDS else f"records wait, none done for {stalled:.0f} s"
            ),
        }

    def mark(self) -> Mark:
        """Return how far the worker is, for its watchdog.

        Listings wait for Kafka alone; views, and what is judged again, for Redis and schemas too.
        """
        consumer, views = self.consumer, self.views
        if consumer is None or views is None:
            return Mark(self._turned, None, busy=False)
        lags = {tp.topic for tp, lag in consumer.lag().items() if lag}
        listings = self._settings.topic(topics.LISTINGS.name) in lags
        others = bool(lags) and all(self._up.values()) and views.complete
        return Mark(
            self._turned,
            (consumer.last_progress, self._caught_up()),
            busy=self._up["kafka"] and (listings or others),
        )

    def _caught_up(self) -> float:
        """Return how many records views have read to catch up: done, though no batch is."""
        return sum(
            sample.value
            for family in self._metrics.view_catch_up.collect()
            for sample in family.samples
            if sample.name.endswith("_total")
        )

    def readiness(self) -> dict[str, str]:
        """Return the checks of readiness: a worker that fails one lacks something it needs."""
        keeper, views, watching = self.keeper, self.views, self.watching
        app, consumer = self.app, self.consumer
        assigned = consumer is not None and bool(consumer.assignment())
        rebalancing = app is not None and app.rebalancing
        checks = {
            name: "" if up else "does not answer; see the log and: assayer doctor"
            for name, up in self._up.items()
        }
        checks["registry"] = "not read yet" if keeper is None or not keeper.loaded else keeper.error
        checks["policy"] = (
            "not read yet" if keeper is None or not keeper.loaded else keeper.policy_error
        )
        checks["partitions"] = (
            "" if assigned and not rebalancing else "none assigned yet, or rebalancing"
        )
        read = watching is not None and watching.complete
        checks["views"] = (
            "" if read and views is not None and views.complete else "not complete yet"
        )
        return checks

    async def measure(self) -> None:
        """Keep the gauges current, once a second."""
        while True:
            self._turned = time.monotonic()
            self.set_gauges()
            if not self.ready.is_set() and not any(self.readiness().values()):
                log.info("ready: listings are judged as they come")
                self.ready.set()
            await asyncio.sleep(1.0 if self.ready.is_set() else 0.05)

    def set_gauges(self) -> None:
        """Set the gauges to what is now."""
        metrics, keeper, consumer = self._metrics, self.keeper, self.consumer
        now = time.time()
        for name, seconds in WINDOWS.items():
            metrics.before_first_sale_ratio.labels(name).set(metrics.first_sale.ratio(seconds, now))
        for name in BUDGET_WINDOWS:
            metrics.review_budget_used.labels(name).set(metrics.review_budget.share(name, now))
        metrics.review_cut_off.set(metrics.review_budget.cut_off)
        if keeper is not None and keeper.loaded:
            registry = keeper.current.registry
            metrics.registry_version.set(int(registry.version))
            metrics.registry_rights.set(len(registry.rights))
            self.show_policy(keeper.current.policy)
            for topic, at in keeper.followed_at.items():
                metrics.followed_at.labels(topic).set(at)
            metrics.policy_refused.set(len(keeper.refused_policies))
            metrics.policy_candidate.set(keeper.current.candidate is not None)
            metrics.snoozes.set(len(keeper.current.snoozes.running(int(now * 1000))))
        if self.producer is not None:
            metrics.undelivered_seconds.set(self.producer.waiting_seconds())
        if self.watching is not None:
            metrics.watched_sellers.set(len(self.watching.current))
        if consumer is not None:
            lags = consumer.lag()
            for tp, lag in lags.items():
                metrics.consumer_lag.labels(tp.topic, str(tp.partition)).set(lag)
            for tp in self._measured - lags.keys():  # another worker has it now, and its lag
                metrics.consumer_lag.remove(tp.topic, str(tp.partition))
            self._measured = set(lags)

    def show_policy(self, policy: Policy) -> None:
        """Show which policy is in use, with a series for each of its rules."""
        if policy.version == self._shown:
            return
        self._shown = policy.version
        self._metrics.policy.info({"version": policy.version})
        for rule in policy.rules:
            self._metrics.rule_hits.labels(rule.name, rule.mode)
            if rule.outcome == "remove" and rule.mode == "enforce":
                self._metrics.takedowns.labels(rule.name, "MONITORING")

    async def watch_queue(self, breaker: Breaker) -> None:
        """Keep the number of held takedowns current; while it is not known, it stays."""
        while True:
            waiting = await breaker.open()
            if waiting is not None:
                self._metrics.held_takedowns.set(waiting)
            await asyncio.sleep(1.0)

    async def watch_certificates(self) -> None:
        """Keep current when the certificates of the settings end."""
        while True:
            for setting, at in (await asyncio.to_thread(expiries, self._settings)).items():
                self._metrics.certificate_expiry.labels(setting).set(at)
            await asyncio.sleep(CERTIFICATE_SECONDS)

    async def watch(self, store: Store, views: Views) -> None:
        """Ask every server now and then, and mend the views when Redis comes back."""
        ends = PartitionEnds(self._settings)
        while True:
            # At once: a server that hangs must not delay what the others' return would mend.
            redis, kafka, registry = await asyncio.gather(
                _answers(store.ping()),
                _answers(asyncio.to_thread(ping, self._settings, 5.0)),
                _answers(asyncio.to_thread(self._registry.ping)),
            )
            self.answered(redis=redis, kafka=kafka, schema_registry=registry)
            if kafka:
                await self._ask_ends(ends)
            if redis and kafka:
                await views.mend()
            else:
                views.complete = False
            await asyncio.sleep(2.0)

    async def _ask_ends(self, ends: PartitionEnds) -> None:
        """Ask where the partitions of this worker end; while that is not told, it stays."""
        consumer = self.consumer
        if consumer is not None:
            with suppress(*UNAVAILABLE):
                consumer.ends = await asyncio.to_thread(ends.ask, consumer.assignment())


async def _answers(call: Awaitable[object]) -> bool:
    try:
        await call
    except (*UNAVAILABLE, MissingTopicError):
        return False
    return True
