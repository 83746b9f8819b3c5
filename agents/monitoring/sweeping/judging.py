"""The second half of a sweep: what is left is judged as live traffic would be, and acted on.

Portion by portion: judged, noted in Redis, sent, acknowledged, and remembered by the views before
the next is judged. What was noted before a kill is sent after it as it is, so that a sweep ends the
same however often it was killed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Final

import msgspec

from agents.breaker.breaker import Breaker, Decided
from agents.breaker.quotas import Quotas
from agents.history.recall import Past
from agents.history.watched import WatchKeeper
from agents.monitoring.decisions import decision_of
from agents.monitoring.facts import known_of
from agents.monitoring.inputs import inputs_of
from agents.monitoring.judge import Examination, Judge, Judgement
from agents.monitoring.judge_keeper import JudgeKeeper
from agents.monitoring.judged import PendingReview
from agents.monitoring.monitor import Topics
from agents.monitoring.policies import Budget
from agents.monitoring.screening import Limits, Screened, failure_of, screen
from agents.monitoring.sweeping.catalogue import prepared, records_at
from agents.monitoring.sweeping.pace import Pace
from agents.monitoring.sweeping.state import Hit, Planned, SweepState, planned
from agents.monitoring.sweeping.subject import Subject
from agents.reputation import SellerFacts, known_cases
from agents.review_budget import spend
from agents.reviews import review_of
from agents.takedown_log import event_ids
from agents.takedowns import TakedownEvents, takedown, takedown_id
from agents.views import Views
from streams import topics
from streams.batches import Record
from streams.codec import Decoder, Encoder
from streams.dead_letters import Failure, letters
from streams.log_reader import LogReader, LogRecord
from streams.producer import PATIENCE_SECONDS, Outgoing, Producer
from streams.settings import Settings
from streams.store import Store
from streams.unavailable import RETRY_SECONDS, persist

log = logging.getLogger(__name__)

PORTION: Final = 50
"""Listings that are judged and sent at once, whatever the rate: what is decided of a portion counts
for the next, so that another size may come to another end."""


@dataclass(frozen=True, slots=True)
class _Judged:
    """A verdict with what it was made from."""

    record: Record
    examination: Examination
    judgement: Judgement
    seller: SellerFacts
    past: Past | None
    sold: int | None

    @property
    def takedown_id(self) -> str:
        return takedown_id(self.judgement.verdict.listing_id, self.judgement.verdict.revision)


@dataclass(slots=True)
class _Decided:
    """What follows from a portion."""

    events: list[Outgoing] = field(default_factory=list)
    """What is sent."""
    takedowns: list[Decided] = field(default_factory=list)
    """What joins the events as far as the breaker lets it."""
    reviews: list[PendingReview] = field(default_factory=list)
    """What joins the events once the budget was asked."""
    counts: Counter[str] = field(default_factory=Counter)


class SweepJudge:
    """Judges the hits under the registry and the policy in force, and sends what follows."""

    def __init__(
        self,
        settings: Settings,
        names: Topics,
        state: SweepState,
        pace: Pace,
        decoder: Decoder,
        *,
        keeper: JudgeKeeper,
        subject: Subject,
        store: Store,
        views: Views,
        producer: Producer,
        events: TakedownEvents,
        breaker: Breaker,
        dead_letter_encoder: Encoder,
    ) -> None:
        self._settings = settings
        self._names = names
        self._state = state
        self._pace = pace
        self._decoder = decoder
        self._keeper = keeper
        self._subject = subject
        self._store = store
        self._views = views
        self._watching = WatchKeeper(store)
        self._producer = producer
        self._events = events
        self._breaker = breaker
        self._dead_letter_encoder = dead_letter_encoder
        self._limits = Limits(settings.max_record_bytes, settings.max_clock_ahead_s)
        self._reviewed: frozenset[str] = frozenset()

    @property
    def left(self) -> int:
        """How many listings are left to judge."""
        return sum(len(part.hits) for part in self._state.parts.values())

    async def judge(self, advance: Callable[[int], object]) -> None:
        """Judge what is left, partition by partition, in the order of offsets."""
        if self._state.planned is not None:
            await self._send(self._state.planned, advance)
        if not self.left:
            return
        await self._settle()
        self._reviewed = await self._reviews()
        for n, part in self._state.parts.items():
            if not part.hits:
                continue
            reader = await asyncio.to_thread(LogReader, self._settings, self._names.listings, n)
            try:
                ordered = iter(sorted(part.hits.items(), key=lambda item: item[1].offset))
                while portion := dict(islice(ordered, PORTION)):
                    plan = await self._plan(n, reader, portion)
                    await self._state.plan(plan)
                    await self._send(plan, advance)
                    if plan.counts.get("removed"):
                        await self._remember()
            finally:
                await asyncio.to_thread(reader.close)

    async def _send(self, plan: Planned, advance: Callable[[int], object]) -> None:
        await self._producer.deliver_within(plan.outgoing(), PATIENCE_SECONDS)
        await self._state.done()
        advance(len(plan.listing_ids))

    async def _settle(self) -> None:
        """Bring the views up to date, as a worker does at its start: there may be none."""
        while True:
            await self._views.ensure()
            if self._views.complete:
                await self._watching.renew()
                if self._watching.complete:
                    return
            await asyncio.sleep(RETRY_SECONDS)

    async def _remember(self) -> None:
        """Return when the views know the takedowns that were sent: the next verdict counts them."""
        for view in self._views.by_topic[self._settings.topic(topics.TAKEDOWNS.name)]:
            await persist(f"view {view.fold.view}", view.ensure)
        await self._watching.renew()

    async def _reviews(self) -> frozenset[str]:
        """Return which of the hits were sent to review already."""
        ids = {
            takedown_id(listing_id, hit.revision)
            for part in self._state.parts.values()
            for listing_id, hit in part.hits.items()
        }
        topic = self._settings.topic(topics.REVIEWS.name)
        return await persist(
            "reading reviews",
            partial(asyncio.to_thread, event_ids, self._settings, topic, ids),
        )

    async def _plan(self, n: int, reader: LogReader, portion: Mapping[str, Hit]) -> Planned:
        offsets = [hit.offset for hit in portion.values()]
        records, read = await persist(
            "reading listings", partial(asyncio.to_thread, records_at, reader, offsets)
        )
        await self._pace.take(max(read, len(portion)))
        await prepared(self._decoder, records)
        decided = await self._decide(n, records)
        decided.counts["judged"] += len(records)
        decided.counts["expired"] += len(portion) - len(records)
        counts = {name: count for name, count in decided.counts.items() if count}
        return planned(n, portion, decided.events, counts)

    async def _decide(self, n: int, records: Sequence[LogRecord]) -> _Decided:
        while True:
            judge = self._keeper.current
            now = time.time_ns() // 1_000_000
            watched = self._watching.current
            screened = screen(records, judge, self._decoder, self._limits, now, watched=watched)
            sellers, sold, pasts = await self._facts(screened, judge, now)
            judged = _judged(judge, screened, sellers, sold, pasts)
            if not any(each.judgement.awaits_facts for each in judged):
                break
            await asyncio.sleep(RETRY_SECONDS)
            await self._settle()  # what was removed earlier is being gathered again
        decided = self._follow(n, judged, await self._known(judged), screened.failures, now)
        await self._hold_excess(decided, judge.policy.quotas)
        await self._ask_budget(judge.policy.reviews, decided, now)
        return decided

    async def _facts(
        self, screened: Screened, judge: Judge, now: int
    ) -> tuple[Mapping[str, SellerFacts], Mapping[str, int | None], Mapping[int, Past]]:
        """Return what the store knows, as soon as it answers."""
        try:
            return await persist(
                "what is known of sellers",
                partial(known_of, self._store, screened, judge.policies, now),
            )
        except Exception:  # whatever stands in Redis, or in one listing: rules that need it abstain
            log.exception("what is known of sellers could not be read")
            return {}, {}, {}

    async def _known(self, judged: Sequence[_Judged]) -> frozenset[str]:
        """Return the ids of what was decided on before, of what would be acted on."""
        acted = [each for each in judged if self._acts(each.judgement)]
        ids = [each.takedown_id for each in acted]
        cases = await persist("what was decided", partial(known_cases, self._store, ids))
        reviews = {each.takedown_id for each in acted if each.judgement.verdict.outcome == "review"}
        return cases | (reviews & self._reviewed)

    def _follow(
        self,
        n: int,
        judged: Sequence[_Judged],
        known: frozenset[str],
        failures: list[Failure],
        now: int,
    ) -> _Decided:
        """Return what follows from verdicts: nothing where the listing was decided on before."""
        decided = _Decided()
        for each in judged:
            if not self._acts(each.judgement):
                continue
            if each.takedown_id in known:
                decided.counts["already_decided"] += 1
                continue
            try:
                self._record(decided, n, each, now)
            except Exception as error:  # noqa: BLE001 - one listing must not stop the others
                failures.append(failure_of(each.record, error))
        decided.counts["failed"] += len(failures)
        decided.events += letters(
            self._dead_letter_encoder,
            self._names.dead_letters,
            self._names.listings,
            n,
            failures,
        )
        return decided

    def _record(self, decided: _Decided, n: int, each: _Judged, now: int) -> None:
        headers = tuple(each.record.headers)
        inputs = inputs_of(self._names.listings, n, each.record, each.seller, each.past)
        made = takedown(
            decision_of(each.examination, each.judgement, each.sold, now, inputs, source="SWEEP")
        )
        if made.action == "REVIEW":
            standing = each.seller.standing.score if each.seller.standing else None
            review = review_of(made, standing)
            self._events.event(review, headers)  # one that fits no record fails here
            decided.reviews.append(PendingReview(review, headers))
            decided.counts["reviewed"] += 1
            return
        decided.takedowns.append(Decided(made, self._events.event(made, headers)))

    async def _hold_excess(self, decided: _Decided, quotas: Quotas) -> None:
        """Send takedowns within the quotas, and what is over one to the queue of held ones.

        The quotas are those of live traffic. What a person has discarded is neither.
        """
        ruling = await self._breaker.divide(decided.takedowns, quotas, time.time())
        decided.events += [each.event for each in ruling.through] + ruling.held
        for each in ruling.through:
            decided.counts["removed"] += 1
            decided.counts[f"rule:{each.takedown.rules[0]}"] += 1
        held, through = len(ruling.held), len(ruling.through)
        decided.counts["held"] += held
        decided.counts["already_decided"] += len(decided.takedowns) - through - held

    async def _ask_budget(self, budget: Budget, decided: _Decided, now: int) -> None:
        """Say of each review whether people have time for it, as of those of live traffic."""
        if not decided.reviews:
            return
        reviews = [each.review for each in decided.reviews]
        spent = await persist(
            "the budget of reviews", partial(spend, self._store, budget, reviews, now)
        )
        decided.events += (
            self._events.event(
                msgspec.structs.replace(each.review, queue=queue, budget_asked=True), each.headers
            )
            for each, queue in zip(decided.reviews, spent.queues, strict=True)
        )

    def _acts(self, judgement: Judgement) -> bool:
        return judgement.verdict.outcome != "allow" and self._subject.concerns(judgement)


def _judged(
    judge: Judge,
    screened: Screened,
    sellers: Mapping[str, SellerFacts],
    sold: Mapping[str, int | None],
    pasts: Mapping[int, Past],
) -> list[_Judged]:
    """Return the verdicts on what was examined; what can't be judged joins the failures."""
    judged = []
    for position, (record, examination) in enumerate(screened.examined):
        seller_id = examination.listing.seller_id
        seller, past = sellers.get(seller_id) or SellerFacts(seller_id), pasts.get(position)
        try:
            judgement = judge.decide(examination, seller, past)
        except Exception as error:  # noqa: BLE001 - one listing must not stop the others
            screened.failures.append(failure_of(record, error))
            continue
        units = sold.get(examination.listing.listing_id)
        judged.append(_Judged(record, examination, judgement, seller, past, units))
    return judged
