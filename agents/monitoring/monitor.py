"""What the monitoring agent does with a batch: judge it, send what follows, count it.

The agent is in `agent.py`; this is the same work as awaitable steps, for a batch at a time.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from agents.breaker.breaker import Breaker, Decided
from agents.history.recall import Past
from agents.history.watched import WatchKeeper
from agents.monitoring import trial
from agents.monitoring.comparison import Ruling, Tally
from agents.monitoring.decisions import decision_of
from agents.monitoring.facts import known_of
from agents.monitoring.inputs import inputs_of
from agents.monitoring.judge import Examination, Judgement
from agents.monitoring.judge_keeper import JudgeKeeper
from agents.monitoring.judged import Judged, PendingReview, count
from agents.monitoring.policies import Policy
from agents.monitoring.remembering import (
    sighting_of,
    wants_sightings,
)
from agents.monitoring.screening import Limits, Screened, failure_of, screen
from agents.records import Review
from agents.reputation import SellerFacts
from agents.review_budget import spend
from agents.reviews import review_of
from agents.takedowns import TakedownEvents, takedown
from streams.batches import Record, RecordBatch
from streams.codec import Decoder, Encoder
from streams.columns import values_of
from streams.dead_letters import letters
from streams.metrics import Metrics
from streams.producer import PATIENCE_SECONDS, Outgoing, Producer
from streams.store import Store, StoreUnavailable

log = logging.getLogger(__name__)

GROUP: Final = "assayer-monitoring"
"""The group of the workers: what it has committed was judged."""


@dataclass(frozen=True, slots=True)
class Topics:
    """Names of the topics monitoring writes to, prefixes included."""

    listings: str
    dead_letters: str
    rejudge: str
    sightings: str


class Monitor:
    """Judges batches of listings."""

    def __init__(
        self,
        *,
        keeper: JudgeKeeper,
        decoder: Decoder,
        store: Store,
        producer: Producer,
        events: TakedownEvents,
        breaker: Breaker,
        dead_letter_encoder: Encoder,
        sightings_encoder: Encoder,
        topics: Topics,
        limits: Limits,
        metrics: Metrics,
        watching: WatchKeeper,
    ) -> None:
        self._keeper = keeper
        self._decoder = decoder
        self._store = store
        self._producer = producer
        self._events = events
        self._breaker = breaker
        self._dead_letter_encoder = dead_letter_encoder
        self._sightings_encoder = sightings_encoder
        self._topics = topics
        self._limits = limits
        self._metrics = metrics
        self._watching = watching
        self._spending = asyncio.Lock()
        self._told = False

    async def judge(self, batch: RecordBatch) -> Judged:
        """Judge every listing of the batch under one registry and one policy."""
        judge = self._keeper.current
        await self._decoder.prepare(values_of(batch.records))
        received = int(batch.received_at * 1000)
        screened = screen(
            batch.records,
            judge,
            self._decoder,
            self._limits,
            received,
            watched=self._watching.current,
        )
        judged = Judged(batch, allowed_at=screened.allowed, seconds=screened.seconds)
        judged.outcomes["allow"] = len(screened.allowed)
        judged.budget = judge.policy.reviews
        judged.versions = tuple(policy.version for policy in judge.policies)
        judged.trial = Tally() if judge.candidate else None
        if screened.examined:
            started = time.perf_counter()
            sellers, sold, pasts = await self._facts(screened, judge.policies, received)
            judged.seconds["facts"] = time.perf_counter() - started
            started = time.perf_counter()
            for position, (record, examination) in enumerate(screened.examined):
                seller_id = examination.listing.seller_id
                seller = None
                if sellers is not None:
                    seller = sellers.get(seller_id) or SellerFacts(seller_id)
                try:
                    judgement = judge.decide(
                        examination, seller, pasts.get(position), explain=False
                    )
                    self._record(
                        judged,
                        record=record,
                        examination=examination,
                        judgement=judgement,
                        sold=sold,
                        received=received,
                        known=(seller, pasts.get(position)),
                    )
                except Exception as error:  # noqa: BLE001 - one listing must not stop the others
                    screened.failures.append(failure_of(record, error))
            if any(map(wants_sightings, judge.policies)) and batch.topic == self._topics.listings:
                judged.outgoing += self._sightings(batch.partition, screened)
            judged.seconds["judge"] = time.perf_counter() - started
        if judged.decided:
            await self._hold_excess(judged, judge.policy)
        if screened.failures:
            judged.outgoing += letters(
                self._dead_letter_encoder,
                self._topics.dead_letters,
                batch.topic,
                batch.partition,
                screened.failures,
            )
            judged.outcomes["dead_letter"] = len(screened.failures)
            judged.failures.update(failure.reason for failure in screened.failures)
        judged.decided_at = time.time()
        return judged

    async def _facts(
        self, screened: Screened, policies: Sequence[Policy], now: int
    ) -> tuple[Mapping[str, SellerFacts] | None, Mapping[str, int | None], Mapping[int, Past]]:
        """Return what `known_of` does; None for the sellers where the store does not answer."""
        try:
            facts = await known_of(self._store, screened, policies, now)
        except StoreUnavailable:
            return None, {}, {}
        except Exception:
            # Whatever stands in Redis, or in one listing: rules that need it abstain, and the
            # batch is judged on the rest. It is tried again every half a second: told once.
            if not self._told:
                log.exception("what is known of sellers could not be read")
            self._told = True
            return None, {}, {}
        self._told = False
        return facts

    def _sightings(self, partition: int, screened: Screened) -> list[Outgoing]:
        """Return the record of the batch's listings that name a mark, if there are any."""
        try:
            seen = [
                msgspec.structs.asdict(sighting_of(item))
                for _, item in screened.examined
                if item.matches
            ]
            if not seen:
                return []
            value = self._sightings_encoder.encode({"sightings": seen})
        except Exception:  # what is remembered for later must not stop what is decided now
            log.exception("the sightings of a batch could not be written")
            return []
        return [Outgoing(self._topics.sightings, str(partition).encode(), value)]

    def _record(
        self,
        judged: Judged,
        *,
        record: Record,
        examination: Examination,
        judgement: Judgement,
        sold: Mapping[str, int | None],
        received: int,
        known: tuple[SellerFacts | None, Past | None],
    ) -> None:
        verdict, listing = judgement.verdict, examination.listing
        headers: tuple[tuple[str, bytes], ...] = ()
        decided = event = None
        if verdict.outcome != "allow":
            headers = tuple(record.headers)
            inputs = inputs_of(judged.batch.topic, judged.batch.partition, record, *known)
            decided = takedown(
                decision_of(examination, judgement, sold.get(listing.listing_id), received, inputs)
            )
            if decided.action == "REVIEW":
                seller, _ = known
                decided = review_of(
                    decided, seller.standing.score if seller and seller.standing else None
                )
            event = self._events.event(decided, headers)
        judged.outcomes[verdict.outcome] += 1
        for mode, rules in (
            ("enforce", verdict.rules),
            ("shadow", judgement.shadow),
            ("snoozed", judgement.snoozed),
        ):
            for rule in rules:
                judged.rules[rule, mode] += 1
        if (
            judged.trial is not None
            and judgement.on_trial is not None
            and (examination.matches or examination.watched)
        ):
            enforced = Ruling(verdict.outcome, verdict.rules)
            judged.trial.add(listing, enforced, judgement.on_trial)
            judged.rules.update((rule, "candidate") for rule in judgement.on_trial.rules)
        if judgement.awaits_facts:
            judged.awaiting += 1
        if judgement.awaits_facts and judged.batch.topic == self._topics.listings:
            judged.outgoing.append(
                Outgoing(self._topics.rejudge, record.key, record.value, tuple(record.headers))
            )
        if decided is None or event is None:
            judged.allowed_at.append(listing.occurred_at)
            return
        if isinstance(decided, Review):
            judged.acted_at.append(listing.occurred_at)
            judged.reviews.append(PendingReview(decided, headers))
        else:
            judged.decided.append(Decided(decided, event))

    async def _hold_excess(self, judged: Judged, policy: Policy) -> None:
        """Send takedowns within the quotas, and what is over one to the queue of held ones."""
        started = time.perf_counter()
        ruling = await self._breaker.divide(judged.decided, policy.quotas, time.time())
        judged.outgoing += [each.event for each in ruling.through] + ruling.held
        judged.takedowns += [each.takedown for each in ruling.through]
        judged.acted_at += [each.takedown.listing_occurred_at for each in ruling.through]
        judged.seconds["breaker"] = time.perf_counter() - started

    async def deliver(self, judged: Judged) -> None:
        """Return when the broker has everything that follows from the batch; then count it.

        Raises:
            TimeoutError: the broker does not take it; the batch must not be acknowledged.
            DeliveryError: the broker refuses it for good.
        """
        if judged.outgoing or judged.reviews:
            started = time.perf_counter()
            async with asyncio.timeout(PATIENCE_SECONDS):
                await asyncio.gather(
                    self._producer.deliver(judged.outgoing), self._deliver_reviews(judged)
                )
            judged.seconds["deliver"] = time.perf_counter() - started
        if judged.trial is not None and judged.trial.judged:
            enforced, candidate = judged.versions
            with suppress(StoreUnavailable):  # a trial is not worth waiting for
                await trial.count(self._store, candidate, enforced, judged.trial)
        count(judged, self._metrics, time.time())

    async def _deliver_reviews(self, judged: Judged) -> None:
        """Ask the budget and send the reviews; takedowns do not wait for it.

        One batch after another, so that the reviews of a listing keep their order.
        """
        if not judged.reviews:
            return
        async with self._spending:
            await self._ask_budget(judged)
        events = [self._events.event(each.review, each.headers) for each in judged.reviews]
        await self._producer.deliver(events)

    async def _ask_budget(self, judged: Judged) -> None:
        """Say of each review whether people have time for it; without an answer they have."""
        reviews = [each.review for each in judged.reviews]
        try:
            spent = await spend(self._store, judged.budget, reviews, int(time.time() * 1000))
        except StoreUnavailable:
            return
        except Exception:  # whatever stands in Redis: somebody sees the reviews all the same
            log.exception("the budget of reviews could not be asked")
            return
        judged.spent = spent
        judged.reviews = [
            replace(
                each, review=msgspec.structs.replace(each.review, queue=queue, budget_asked=True)
            )
            for each, queue in zip(judged.reviews, spent.queues, strict=True)
        ]
