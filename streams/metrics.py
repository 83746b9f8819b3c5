"""Every metric, in one list: its kind, unit, labels and what it tells an operator.

Counted once a batch, not once a listing: a child's `inc` and its `labels()` cost a microsecond.
No label takes an unbounded value: no listing, seller or right id.
"""

from __future__ import annotations

import math
import threading
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Info, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

HANDLING_BUCKETS: Final = (
    0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900,
    3600, 14_400, 43_200, 86_400,
)  # fmt: skip
"""Seconds: 5 ms to one day."""

STAGE_BUCKETS: Final = (
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30,
)  # fmt: skip
"""Seconds that one batch spends in a stage."""

SWEEP_STEPS: Final = ("read", "judged", "removed", "reviewed", "held")

WINDOWS: Final[Mapping[str, int]] = {"5m": 300, "1h": 3600, "24h": 86_400}
"""Windows of the before-first-sale ratio, in seconds."""


BUDGET_WINDOWS: Final[Mapping[str, int]] = {"hour": 3600, "day": 86_400}
"""What a budget of reviews is given for, in seconds."""


class BatchHistogram(Collector):
    """A histogram that takes a batch of values at once.

    Sorting 500 values and bisecting the bucket bounds costs a twentieth of prometheus_client's
    `observe` for each.
    """

    def __init__(
        self, name: str, documentation: str, buckets: Sequence[float], labels: Sequence[str] = ()
    ) -> None:
        self._name = name
        self._documentation = documentation
        self._labels = tuple(labels)
        self._bounds = tuple(buckets)
        self._series: dict[tuple[str, ...], tuple[list[int], list[float]]] = {}
        self._lock = threading.Lock()
        if not labels:
            self._series[()] = ([0] * (len(buckets) + 1), [0.0])

    def observe(self, values: Iterable[float], *labels: str) -> None:
        """Count every value; seconds."""
        ordered = sorted(values)
        if not ordered:
            return
        with self._lock:
            if labels not in self._series:
                self._series[labels] = ([0] * (len(self._bounds) + 1), [0.0])
            counts, total = self._series[labels]
            below = 0
            for index, bound in enumerate(self._bounds):
                upto = bisect_right(ordered, bound)
                counts[index] += upto - below
                below = upto
                if upto == len(ordered):
                    break
            counts[-1] += len(ordered) - below
            total[0] += math.fsum(ordered)

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Yield the family for a scrape."""
        family = HistogramMetricFamily(self._name, self._documentation, labels=self._labels)
        with self._lock:
            for labels, (counts, total) in self._series.items():
                cumulative = 0
                buckets: list[tuple[str, float]] = []
                for bound, count in zip((*self._bounds, math.inf), counts, strict=True):
                    cumulative += count
                    buckets.append(("+Inf" if bound == math.inf else str(float(bound)), cumulative))
                family.add_metric(list(labels), buckets, sum_value=total[0])
        yield family


class HealthChecks(Collector):
    """Whether each check of /health passes, asked at the scrape.

    Not set by the event loop: one that is stuck has to be seen as well.
    """

    def __init__(self) -> None:
        self.probes: dict[str, Callable[[], Mapping[str, str]]] = {}
        """By name of the probe, what returns each check with '' or what is wrong."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the family for a scrape."""
        family = GaugeMetricFamily(
            "assayer_health_up",
            "1 when a check of /health/live or /health/ready passes, by probe: live, ready.",
            labels=["probe", "check"],
        )
        for probe, ask in self.probes.items():
            for check, wrong in ask().items():
                family.add_metric([probe, check], float(not wrong))
        yield family


class FirstSale:
    """How many listings were taken down before they sold, over sliding windows."""

    _SLOT: Final = 60

    def __init__(self) -> None:
        self._slots: deque[tuple[int, int, int]] = deque()
        self._lock = threading.Lock()

    def add(self, before: int, known: int, now: float) -> None:
        """Count `known` takedowns whose sales are known, `before` of them with none sold."""
        slot = int(now) // self._SLOT
        with self._lock:
            if self._slots and self._slots[-1][0] == slot:
                _, seen_before, seen = self._slots[-1]
                self._slots[-1] = (slot, seen_before + before, seen + known)
            else:
                self._slots.append((slot, before, known))
            oldest = slot - max(WINDOWS.values()) // self._SLOT
            while self._slots and self._slots[0][0] < oldest:
                self._slots.popleft()

    def ratio(self, window: int, now: float) -> float:
        """Return the share within the last `window` seconds; NaN where nothing was taken down."""
        oldest = int(now - window) // self._SLOT
        with self._lock:
            before = sum(slot[1] for slot in self._slots if slot[0] > oldest)
            known = sum(slot[2] for slot in self._slots if slot[0] > oldest)
        return before / known if known else math.nan


class BudgetUse:
    """How much of the budget of reviews is used, as it was when it was last asked."""

    def __init__(self) -> None:
        self._used: Mapping[str, float] = {}
        self._at = 0.0
        self.cut_off = math.nan
        """Priority from which a new case was worked; NaN where it was never asked."""

    def note(self, used: Mapping[str, float], cut_off: float, now: float) -> None:
        """Take the shares of the `BUDGET_WINDOWS` that are used at this moment."""
        self._used, self.cut_off, self._at = used, cut_off, now

    def share(self, window: str, now: float) -> float:
        """Return what is used of the hour or day: 0 in a new one, NaN where it was never asked."""
        seconds = BUDGET_WINDOWS[window]
        if not self._used:
            return math.nan
        return self._used[window] if now // seconds == self._at // seconds else 0.0


class Metrics:
    """The metrics of one worker, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        r = self.registry
        ProcessCollector(registry=r)  # memory, processor time and open files of this worker
        self.listings = Counter(
            "assayer_listings_total",
            "Listing changes handled, by outcome: allow, review, remove, dead_letter.",
            ["outcome"],
            registry=r,
        )
        self.handling = BatchHistogram(
            "assayer_handling_seconds",
            "From occurred_at to the takedown's acknowledgement, or to the verdict when allowed.",
            HANDLING_BUCKETS,
        )
        self.stage = BatchHistogram(
            "assayer_stage_seconds",
            "What one batch spends in a stage: screen, examine, facts, judge, breaker, deliver.",
            STAGE_BUCKETS,
            ["stage"],
        )
        self.takedowns = Counter(
            "assayer_takedowns_total",
            "Takedowns the broker has acknowledged, by deciding rule and source.",
            ["rule", "source"],
            registry=r,
        )
        self.reviews = Counter(
            "assayer_reviews_total",
            "Reviews the broker has acknowledged, by queue: work, or overflow of the budget.",
            ["queue"],
            registry=r,
        )
        self.review_budget_used = Gauge(
            "assayer_review_budget_used_ratio",
            "Share of the cases that people can review in this hour, and UTC day, given to them.",
            ["window"],
            registry=r,
        )
        self.review_cut_off = Gauge(
            "assayer_review_cut_off_priority",
            "Priority from which a new case was given to people when last asked; 1: none was.",
            registry=r,
        )
        self.before_first_sale = Counter(
            "assayer_before_first_sale_total",
            "Takedowns of listings that had sold nothing: the ratio's numerator.",
            registry=r,
        )
        self.sales_known = Counter(
            "assayer_takedowns_sales_known_total",
            "Takedowns whose units sold are known: the ratio's denominator.",
            registry=r,
        )
        self.before_first_sale_ratio = Gauge(
            "assayer_before_first_sale_ratio",
            "Share of takedowns before the first sale; NaN where there were none in the window.",
            ["window"],
            registry=r,
        )
        self.rule_hits = Counter(
            "assayer_rule_hits_total", "Times a rule fired.", ["rule", "mode"], registry=r
        )
        self.dead_letters = Counter(
            "assayer_dead_letters_total",
            "Records put to the dead letters, by the topic they came from and why.",
            ["topic", "reason"],
            registry=r,
        )
        self.held_takedowns = Gauge(
            "assayer_held_takedowns",
            "Takedowns over a quota that wait for a person: of all workers, the same at each.",
            registry=r,
        )
        self.consumer_lag = Gauge(
            "assayer_consumer_lag",
            "Records of a partition not handled yet.",
            ["topic", "partition"],
            registry=r,
        )
        self.registry_version = Gauge(
            "assayer_registry_version",
            "Offset of the last record of assayer.rights that verdicts are made under; -1: none.",
            registry=r,
        )
        self.registry_rights = Gauge(
            "assayer_registry_rights", "Rights in the registry that is in use.", registry=r
        )
        self.watched_sellers = Gauge(
            "assayer_watched_sellers",
            "Sellers whose listings are compared with what was removed though they name no mark.",
            registry=r,
        )
        self.policy = Info("assayer_policy", "The policy in use.", registry=r)
        self.policy_refused = Gauge(
            "assayer_policy_refused",
            "Changes of assayer.policies behind the policy in use that were refused; 0: none.",
            registry=r,
        )
        self.policy_candidate = Gauge(
            "assayer_policy_candidate",
            "1 while a candidate is tried beside the policy in use.",
            registry=r,
        )
        self.snoozes = Gauge(
            "assayer_policy_snoozes",
            "Rules that are muted at the moment, each for one seller, brand or listing.",
            registry=r,
        )
        self.view_catch_up = Counter(
            "assayer_view_catch_up_records_total",
            "Records read from Kafka to bring a view in Redis up to date, or to rebuild it.",
            ["view"],
            registry=r,
        )
        self.sweep_running = Gauge(
            "assayer_sweep_running",
            "1 while a sweep that this worker has begun judges what already stands.",
            registry=r,
        )
        self.swept = Counter(
            "assayer_swept_listings_total",
            "What this worker's sweeps have done, by step: read, judged, removed, reviewed, held.",
            ["step"],
            registry=r,
        )
        self.dependency_up = Gauge(
            "assayer_dependency_up",
            "1 when the dependency answers: kafka, redis, schema_registry.",
            ["dependency"],
            registry=r,
        )
        self.undelivered_seconds = Gauge(
            "assayer_undelivered_seconds",
            "How long the oldest records on their way to Kafka wait to be acknowledged; 0: none.",
            registry=r,
        )
        self.followed_at = Gauge(
            "assayer_followed_timestamp_seconds",
            "When a worker last followed rights, policies without an error, seconds since 1970.",
            ["topic"],
            registry=r,
        )
        self.certificate_expiry = Gauge(
            "assayer_certificate_expiry_timestamp_seconds",
            "When a certificate of the settings ends, seconds since 1970; NaN: it can't be read.",
            ["setting"],
            registry=r,
        )
        self.memory_limit = Gauge(
            "assayer_memory_limit_bytes",
            "Memory a worker may take: its control group's limit, or what the machine has.",
            registry=r,
        )
        self.health = HealthChecks()
        r.register(self.health)
        self.stuck_seconds = Gauge(
            "assayer_watchdog_seconds",
            "How long the worker has had records waiting, every server there, and none done, or an "
            "event loop that does not turn; at ASSAYER_WATCHDOG_S it is ended.",
            registry=r,
        )
        r.register(self.handling)
        r.register(self.stage)
        self.first_sale = FirstSale()
        self.review_budget = BudgetUse()
        for queue in ("work", "overflow"):
            self.reviews.labels(queue)
        for name in BUDGET_WINDOWS:
            self.review_budget_used.labels(name).set(math.nan)
        self.review_cut_off.set(math.nan)
        for outcome in ("allow", "review", "remove", "dead_letter"):
            self.listings.labels(outcome)
        for step in SWEEP_STEPS:
            self.swept.labels(step)
        for name in WINDOWS:
            self.before_first_sale_ratio.labels(name).set(math.nan)
        self.registry_version.set(-1)
        self.held_takedowns.set(math.nan)  # not known before Redis has answered
