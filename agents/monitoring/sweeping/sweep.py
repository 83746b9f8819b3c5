"""A sweep from beginning to end, put together from the settings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from agents.alliance.rights_log import read_rights
from agents.breaker.breaker import Breaker
from agents.breaker.held import HeldEvents
from agents.monitoring.judge_keeper import JudgeKeeper
from agents.monitoring.monitor import GROUP, Topics
from agents.monitoring.policies import default_policy, load_policy
from agents.monitoring.policy_publish import record_policy
from agents.monitoring.screening import listing_decoder
from agents.monitoring.sweeping.catalogue import Catalogue, bounds_of
from agents.monitoring.sweeping.judging import SweepJudge
from agents.monitoring.sweeping.pace import Pace
from agents.monitoring.sweeping.state import SweepState
from agents.monitoring.sweeping.subject import Subject, changed_rights, of_rights, of_rules
from agents.takedowns import TakedownEvents
from agents.views import Views
from streams import topics
from streams.codec import Encoder
from streams.producer import Producer
from streams.schema_registry import SchemaRegistry
from streams.settings import Settings
from streams.store import Store

OUTCOMES: Final = (
    "read", "judged", "removed", "reviewed", "held", "already_decided", "expired", "failed"
)  # fmt: skip
"""What is counted: changes of listings read, then listings."""

Bar = Callable[[str, int | None], AbstractContextManager[Any]]
"""Shows the progress of so many steps of something."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: ids of rights, names of rules, or two versions of the registry."""

    rights: Collection[str] = ()
    rules: Collection[str] = ()
    versions: tuple[int, int] | None = None
    rate: int = 20_000
    again: bool = False
    judged_only: bool = False
    """Only what the workers have judged: what comes behind they judge themselves."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a sweep has done, over all of its runs."""

    subject: Subject
    counts: dict[str, int]
    rules: dict[str, int]
    """Takedowns by their deciding rule."""
    seconds: float
    finished: int
    """UTC milliseconds."""
    before: bool = False
    """It had been done before, and nothing was done."""


async def sweep(settings: Settings, wish: Wish, bar: Bar) -> Outcome | None:
    """Judge the live catalogue again; None where the versions differ in nothing to sweep for.

    A sweep that was cut short goes on where it was.

    Raises:
        UnknownSubjectError: a right or a rule that is not there.
        SweepTakenError: another process runs the same sweep.
        KafkaUnavailableError, RegistryUnavailableError, StoreUnavailable: at the start; later
            they are waited for.
        MissingTopicError
    """
    registry = SchemaRegistry.connect(settings)
    rights = await asyncio.to_thread(_rights, settings, registry, wish)
    if rights is None and not wish.rules:
        return None
    async with _keeper(settings, registry) as keeper, _store(settings) as store:
        subject = rights or of_rules(keeper.current.policy, wish.rules)
        state = SweepState(store, subject.id)
        await state.take()
        try:
            before = state.finished is not None and not wish.again
            if not before:
                run = _Run(settings, registry, wish, keeper, store, subject, state)
                await run.work(bar)
            return _outcome(subject, state, before=before)
        finally:
            await state.release()


def _rights(settings: Settings, registry: SchemaRegistry, wish: Wish) -> Subject | None:
    if wish.versions is not None:
        return changed_rights(settings, registry, *wish.versions)
    return of_rights(read_rights(settings, registry), wish.rights) if wish.rights else None


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of a sweep, with everything it needs."""

    settings: Settings
    registry: SchemaRegistry
    wish: Wish
    keeper: JudgeKeeper
    store: Store
    subject: Subject
    state: SweepState

    async def work(self, bar: Bar) -> None:
        listings = self.settings.topic(topics.LISTINGS.name)
        if self.state.finished is not None:
            await self.state.forget()
        if not self.state.parts:
            judged_by = self.settings.topic(GROUP) if self.wish.judged_only else None
            bounds = await asyncio.to_thread(bounds_of, self.settings, listings, judged_by)
            await self.state.begin(bounds)
        pace = Pace(self.wish.rate)
        catalogue = await asyncio.to_thread(
            partial(
                Catalogue,
                self.settings,
                listings,
                self.state,
                pace,
                listing_decoder(self.registry),
                keeper=self.keeper,
                subject=self.subject,
            )
        )
        with bar("reading listings", catalogue.unread) as advance:
            await catalogue.read(advance)
        with bar("looking back", catalogue.not_looked_back) as advance:
            await catalogue.look_back(advance)
        producer = await asyncio.to_thread(Producer.connected, self.settings)
        try:
            judge = await asyncio.to_thread(self._judge, pace, producer)
            with bar("judging", judge.left) as advance:
                await judge.judge(advance)
        finally:
            await asyncio.to_thread(producer.close)
        await self.state.finish()

    def _judge(self, pace: Pace, producer: Producer) -> SweepJudge:
        name = self.settings.topic
        takedowns, reviews, held, dead_letters = (
            Encoder(self.registry, name(topic.name), topic.schema)
            for topic in (topics.TAKEDOWNS, topics.REVIEWS, topics.HELD, topics.DEAD_LETTERS)
        )
        return SweepJudge(
            self.settings,
            Topics(
                name(topics.LISTINGS.name),
                name(topics.DEAD_LETTERS.name),
                name(topics.REJUDGE.name),
                name(topics.SIGHTINGS.name),
            ),
            self.state,
            pace,
            listing_decoder(self.registry),
            keeper=self.keeper,
            subject=self.subject,
            store=self.store,
            views=Views(self.settings, self.store, self.registry),
            producer=producer,
            events=TakedownEvents(
                name(topics.TAKEDOWNS.name), name(topics.REVIEWS.name), takedowns, reviews
            ),
            breaker=Breaker(self.store, HeldEvents(name(topics.HELD.name), held)),
            dead_letter_encoder=dead_letters,
        )


@asynccontextmanager
async def _keeper(settings: Settings, registry: SchemaRegistry) -> AsyncIterator[JudgeKeeper]:
    """Keep the judge that the workers have, and its policy on the topic."""
    path = settings.policy_file
    policy = load_policy(path) if path else default_policy()
    keeper = JudgeKeeper(settings, registry, policy, pinned=path is not None)
    try:
        await asyncio.to_thread(keeper.load)
        if keeper.unrecorded():
            await record_policy(settings, registry, policy, author="assayer sweep")
        yield keeper
    finally:
        await asyncio.to_thread(keeper.close)


@asynccontextmanager
async def _store(settings: Settings) -> AsyncIterator[Store]:
    store = Store(settings)
    try:
        await store.ping()
        yield store
    finally:
        await store.close()


def _outcome(subject: Subject, state: SweepState, *, before: bool) -> Outcome:
    assert state.finished is not None, "finished by now"  # noqa: S101
    prefix = "rule:"
    return Outcome(
        subject,
        {name: state.counts.get(name, 0) for name in OUTCOMES},
        {
            name.removeprefix(prefix): count
            for name, count in state.counts.items()
            if name.startswith(prefix)
        },
        state.seconds,
        state.finished,
        before,
    )
