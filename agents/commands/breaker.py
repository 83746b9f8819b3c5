"""`assayer breaker`: shows what is held over the quotas, releases and discards it."""

from __future__ import annotations

import asyncio
import getpass
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

from cyclopts import App, Parameter

from agents.commands.console import (
    NO,
    UNREACHABLE,
    CommandError,
    Json,
    complain,
    emit,
    leave,
    progress,
    say,
    table,
)
from agents.records import format_time
from streams.settings import Settings

if TYPE_CHECKING:
    from agents.breaker.counting import Standing
    from agents.breaker.held import Held
    from agents.breaker.queue import Decision, Queue

app = App(
    name="breaker",
    help="Takedowns that were held because they were over a quota: status, release, discard.",
    help_epilogue="Example: assayer breaker status",
)

All = Annotated[bool, Parameter(name="--all", negative="")]

NEWEST: Final = 10
"""Held takedowns that `status` shows."""


@app.command
def status(*, newest: int = NEWEST, json: Json = False) -> None:
    """Show the quotas, what went through of each, and what is held.

    The limits are those that the workers apply in this minute and hour (UTC). Exit 3 when Redis
    does not answer; what is held is shown all the same.

    Example: assayer breaker status

    Parameters
    ----------
    newest
        How many of the held takedowns to show, the newest first.
    json
        Report as JSON.
    """
    from agents.breaker.queue import read_queue
    from streams.store import StoreUnavailable

    settings = Settings()
    waiting = read_queue(settings).open()
    away = ""
    standings: list[Standing] = []
    try:
        standings = asyncio.run(_standings(settings))
    except StoreUnavailable as error:
        away = str(error)
    held = Counter(each.quota.key for each in waiting if each.quota)
    shown = waiting[::-1][: max(0, newest)]
    if json:
        emit(
            {
                "held": len(waiting),
                "quotas": [_quota(standing, held) for standing in standings],
                "newest": [_summary(each) for each in shown],
            }
        )
    else:
        _show(standings, held, shown, len(waiting))
    if away:
        complain(f"assayer: the quotas are not shown: {away}")
        leave(UNREACHABLE)


@app.command
def release(
    *ids: str,
    rule: str | None = None,
    brand: str | None = None,
    all_: All = False,
    limit: int | None = None,
    author: str = "",
    reason: str = "",
    json: Json = False,
) -> None:
    """Send held takedowns: what was decided takes effect, under the ids it would have had.

    What was released before stays so. A release that was cut short can be run again: nothing is
    sent twice. Exit 1 when an id is none of a held takedown, or was discarded.

    Example: assayer breaker release --rule replica-words --limit 100

    Parameters
    ----------
    ids
        Ids of takedowns, as `status` shows them.
    rule
        Those that this rule decided.
    brand
        Those of this brand.
    all_
        Every one that waits.
    limit
        At most so many, the oldest first.
    author
        Who decides; the name of the user without it.
    reason
        Why; it stands in the record.
    json
        Report as JSON.
    """
    choice = Choice(ids, rule, brand, all_, limit)
    _carry_out(choice, "RELEASED", author, reason, json=json)


@app.command
def discard(
    *ids: str,
    reason: str,
    rule: str | None = None,
    brand: str | None = None,
    all_: All = False,
    limit: int | None = None,
    author: str = "",
    json: Json = False,
) -> None:
    """Discard held takedowns: they are never sent, and the listings stay up.

    What was discarded before stays so. Exit 1 when an id is none of a held takedown, or was
    released.

    Example: assayer breaker discard --brand Zorvex --reason "the mark was entered wrongly"

    Parameters
    ----------
    ids
        Ids of takedowns, as `status` shows them.
    reason
        Why; it stands in the record.
    rule
        Those that this rule decided.
    brand
        Those of this brand.
    all_
        Every one that waits.
    limit
        At most so many, the oldest first.
    author
        Who decides; the name of the user without it.
    json
        Report as JSON.
    """
    choice = Choice(ids, rule, brand, all_, limit)
    if not reason.strip():
        raise CommandError("--reason: say why; it stands in the record")
    _carry_out(choice, "DISCARDED", author, reason, json=json)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which held takedowns a person means. Raises CommandError where that is not said."""

    ids: tuple[str, ...]
    rule: str | None
    brand: str | None
    all: bool
    limit: int | None

    def __post_init__(self) -> None:
        filtered = self.rule is not None or self.brand is not None
        if not (self.ids or filtered or self.all):
            raise CommandError("say which: ids, --rule, --brand or --all")
        if self.all and (self.ids or filtered):
            raise CommandError("--all: every one that waits, so nothing beside it but --limit")
        if self.ids and filtered:
            raise CommandError("ids, or --rule and --brand: not both")
        if self.limit is not None and self.limit < 1:
            raise CommandError("--limit: must be at least 1")

    def of(self, queue: Queue) -> list[Held]:
        """Return those that wait, oldest first."""
        from agents.breaker.quotas import brand_key

        wanted = set(self.ids)
        return [
            held
            for held in queue.open()
            if (not wanted or held.takedown_id in wanted)
            and (self.rule is None or held.rule == self.rule)
            and (self.brand is None or brand_key(held.brand) == brand_key(self.brand))
        ][: self.limit]


def _carry_out(choice: Choice, state: Any, author: str, reason: str, *, json: bool) -> None:
    from agents.breaker.queue import Decision, decide, read_queue

    decision = Decision(state, author.strip() or _user(), reason.strip())
    settings = Settings()
    queue = read_queue(settings)
    chosen = choice.of(queue)
    done = state.lower()
    with progress(f"{done} takedowns", len(chosen)) as advance:
        asyncio.run(decide(settings, chosen, decision, advance))
    before, refused = _not_waiting(choice.ids, queue, decision)
    left = len(queue.open()) - len(chosen)
    if json:
        emit({done: len(chosen), "before": before, "refused": list(refused), "held": left})
    else:
        earlier = f", {before} before" if before else ""
        say(f"{len(chosen)} takedowns {done}{earlier}; {left} are held")
        for line in refused.values():
            complain(line)
    if refused:
        leave(NO)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise CommandError("--author: say who decides; the user here has no name") from None


def _not_waiting(
    ids: Sequence[str], queue: Queue, decision: Decision
) -> tuple[int, dict[str, str]]:
    """Return of how many ids the same was decided before; and of which it can't be, with why."""
    before, refused = 0, {}
    for id_ in dict.fromkeys(ids):
        entry = queue.entries.get(id_)
        if entry is None:
            refused[id_] = f"no held takedown '{id_}'; see: assayer breaker status"
        elif entry.resolution is not None:
            resolution = entry.resolution
            if resolution.state == decision.state:
                before += 1
                continue
            refused[id_] = (
                f"takedown '{id_}' was {resolution.state.lower()} by {resolution.author or '?'} "
                f"at {format_time(resolution.at)}"
            )
    return before, refused


async def _standings(settings: Settings) -> list[Standing]:
    from agents.breaker.counting import read_standings
    from agents.breaker.quotas import Moment
    from streams.store import Store

    store = Store(settings)
    try:
        return await read_standings(store, Moment.of(time.time()))
    finally:
        await store.close()


def _show(
    standings: Sequence[Standing], held: Counter[str], shown: Sequence[Held], waiting: int
) -> None:
    if standings:
        table(
            [
                (
                    standing.key,
                    f"{standing.usage.in_minute:,} of {standing.limits[0]:,}",
                    f"{standing.usage.in_hour:,} of {standing.limits[1]:,}",
                    f"{standing.usage.baseline:,.1f}",
                    f"{held[standing.key]:,}",
                )
                for standing in standings
            ],
            ("quota", "this minute", "this hour", "baseline an hour", "held by it"),
        )
        say()
    if shown:
        table(
            [
                (each.takedown_id, each.listing_id, each.rule, each.brand, format_time(each.at))
                for each in shown
            ],
            ("held", "listing", "rule", "brand", "since"),
        )
        say()
    say(
        f"{waiting} takedowns are held"
        + ("; let them go or not with: assayer breaker release|discard" if waiting else "")
    )


def _quota(standing: Standing, held: Counter[str]) -> dict[str, Any]:
    usage = standing.usage
    return {
        "quota": standing.key,
        "minute": {"used": usage.in_minute, "limit": standing.limits[0]},
        "hour": {"used": usage.in_hour, "limit": standing.limits[1]},
        "baseline": usage.baseline,
        "held": held[standing.key],
    }


def _summary(held: Held) -> dict[str, Any]:
    return {
        "takedown_id": held.takedown_id,
        "listing_id": held.listing_id,
        "revision": held.revision,
        "seller_id": held.seller_id,
        "rule": held.rule,
        "brand": held.brand,
        "quota": held.quota.key if held.quota else "",
        "reason": held.reason,
        "held_at": format_time(held.at),
    }
