"""Decides which takedowns of a batch go through and which are held for a person."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from agents.breaker.counting import Answer, Counted, OwnCounts, answer_shared
from agents.breaker.held import HeldEvents, count_open, hold
from agents.breaker.quotas import Exceeded, Moment, Quotas
from agents.records import Takedown
from streams.producer import Outgoing
from streams.store import Store, StoreUnavailable

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Decided:
    """A takedown and its event, ready to be sent."""

    takedown: Takedown
    event: Outgoing


@dataclass(slots=True)
class Ruling:
    """What became of takedowns."""

    through: list[Decided] = field(default_factory=list)
    held: list[Outgoing] = field(default_factory=list)
    """Records for the queue; of what stands there already, none."""


class Breaker:
    """Counts the takedowns of all workers against the quotas of the policy.

    Neither Redis nor anything in it stops a takedown or holds up a batch: while it does not answer
    a worker counts by itself, from where all of them stood, with the same quotas. Several workers
    then let through up to as many times a quota.
    """

    def __init__(self, store: Store, events: HeldEvents) -> None:
        self._store = store
        self._events = events
        self._own = OwnCounts()
        self._alone = False

    async def divide(self, takedowns: Sequence[Decided], quotas: Quotas, now: float) -> Ruling:
        """Return what goes through and what is held; `now` is UTC seconds since 1970.

        A takedown that comes again gets the answer it got before, or passes if it was released.
        """
        ruling = Ruling()
        if not takedowns:
            return ruling
        counted = [_counted(each.takedown, quotas) for each in takedowns]
        answers = await self._answers(counted, Moment.of(now))
        for each, answer in zip(takedowns, answers, strict=True):
            if answer is None:
                ruling.through.append(each)
            elif isinstance(answer, Exceeded):
                record = hold(each.takedown, each.event, answer, int(now * 1000))
                ruling.held.append(self._events.event(record))
        return ruling

    async def open(self) -> int | None:
        """Return how many held takedowns wait, None where that is not known now.

        Tells Redis what was counted without it, where there is something to tell.
        """
        try:
            if self._own.answers:
                await self._shared((), Moment.of(time.time()))
            return await count_open(self._store)
        except StoreUnavailable:
            return None
        except Exception:  # whatever stands in Redis: the worker goes on, and tries again
            if not self._alone:
                log.exception("the number of held takedowns can't be read")
            self._alone = True
            return None

    async def _answers(self, takedowns: Sequence[Counted], moment: Moment) -> Sequence[Answer]:
        try:
            return await self._shared(takedowns, moment)
        except StoreUnavailable as error:
            self._tell(f"Redis does not answer ({error})")
        except Exception:  # whatever stands under the quotas' keys: the protection goes on
            if not self._alone:
                log.exception("the quotas in Redis can't be read")
            self._tell("the quotas in Redis can't be read")
        return self._own.answer(takedowns, moment)

    async def _shared(self, takedowns: Sequence[Counted], moment: Moment) -> Sequence[Answer]:
        answers = await answer_shared(self._store, self._own, takedowns, moment)
        if self._alone:
            log.info("takedowns are counted by all workers together again")
        self._alone = False
        return answers

    def _tell(self, why: str) -> None:
        if not self._alone:
            log.warning("takedowns are counted by this worker alone: %s", why)
        self._alone = True


def _counted(takedown: Takedown, quotas: Quotas) -> Counted:
    rule = takedown.rules[0] if takedown.rules else ""
    return Counted(takedown.takedown_id, quotas.of(rule, takedown.brand))
