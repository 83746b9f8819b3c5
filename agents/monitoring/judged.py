"""A batch that was judged: what has to reach the broker of it, and what is counted then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from agents.breaker.breaker import Decided
from agents.monitoring.comparison import Tally
from agents.monitoring.policies import Budget
from agents.records import Review, Takedown
from agents.review_budget import Spent
from streams.batches import RecordBatch
from streams.metrics import Metrics
from streams.producer import Outgoing


@dataclass(frozen=True, slots=True)
class PendingReview:
    """A review, to be worked until the budget says otherwise, with the listing's own headers."""

    review: Review
    headers: tuple[tuple[str, bytes], ...]


@dataclass(slots=True)
class Judged:
    """A batch that was judged, with everything that has to reach the broker before it is done."""

    batch: RecordBatch
    outgoing: list[Outgoing] = field(default_factory=list)
    allowed_at: list[int] = field(default_factory=list)
    """`occurred_at` of what was allowed."""
    acted_at: list[int] = field(default_factory=list)
    """`occurred_at` of what was taken down or sent to review."""
    outcomes: Counter[str] = field(default_factory=Counter)
    decided: list[Decided] = field(default_factory=list)
    """What is to be taken down, before the breaker was asked."""
    takedowns: list[Takedown] = field(default_factory=list)
    """What goes through; the rest of `decided` is held."""
    reviews: list[PendingReview] = field(default_factory=list)
    """What goes out beside `outgoing`, once the budget was asked."""
    budget: Budget = field(default_factory=Budget)
    spent: Spent | None = None
    """How the budget of reviews stands; None where there were none, or it was not asked."""
    rules: Counter[tuple[str, str]] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    trial: Tally | None = None
    """What the candidate differs in; None where there is none."""
    versions: tuple[str, ...] = ()
    """Of the policy, and of the candidate."""
    awaiting: int = 0
    """Listings whose outcome facts about the seller might change, which could not be had."""
    seconds: dict[str, float] = field(default_factory=dict)
    decided_at: float = 0.0


def count(judged: Judged, metrics: Metrics, acknowledged: float) -> None:
    """Count a batch that was acknowledged at this moment, in seconds since 1970."""
    for outcome, number in judged.outcomes.items():
        if number:
            metrics.listings.labels(outcome).inc(number)
    metrics.handling.observe(_seconds_since(judged.allowed_at, judged.decided_at))
    metrics.handling.observe(_seconds_since(judged.acted_at, acknowledged))
    for stage, seconds in judged.seconds.items():
        metrics.stage.observe((seconds,), stage)
    for (rule, mode), number in judged.rules.items():
        metrics.rule_hits.labels(rule, mode).inc(number)
    for reason, number in judged.failures.items():
        metrics.dead_letters.labels(judged.batch.topic, reason).inc(number)
    for queue, number in Counter(each.review.queue for each in judged.reviews).items():
        metrics.reviews.labels(queue.lower()).inc(number)
    if judged.spent is not None:
        _note_budget(judged.spent, metrics)
    if judged.takedowns:
        _count_takedowns(judged.takedowns, metrics, acknowledged)


def _count_takedowns(takedowns: Sequence[Takedown], metrics: Metrics, now: float) -> None:
    for (rule, source), number in Counter((t.rules[0], t.source) for t in takedowns).items():
        metrics.takedowns.labels(rule, source).inc(number)
    known = [t for t in takedowns if t.units_sold_before is not None]
    before = sum(1 for t in known if t.units_sold_before == 0)
    metrics.sales_known.inc(len(known))
    metrics.before_first_sale.inc(before)
    metrics.first_sale.add(before, len(known), now)


def _note_budget(spent: Spent, metrics: Metrics) -> None:
    metrics.review_budget.note(
        {"hour": spent.hour / spent.budget.per_hour, "day": spent.day / spent.budget.per_day},
        spent.cut_off,
        spent.asked_at / 1000,
    )


def _seconds_since(millis: Sequence[int], now: float) -> list[float]:
    return [max(0.0, now - then / 1000) for then in millis]
