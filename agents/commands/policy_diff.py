"""`assayer policy diff`: what another policy would decide, of recorded listings or of live ones."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter
from cyclopts.types import ExistingFile

from agents.commands.console import NO, CommandError, Json, emit, say
from agents.commands.policy_life import connect, in_force, read
from agents.commands.tallies import emit_tally, say_tally

if TYPE_CHECKING:
    from agents.monitoring.comparison import Tally

Flag = Annotated[bool, Parameter(negative="")]

LIVE_ALONE: Final = "--live compares the candidate with what is in force: nothing else goes with it"


def diff(
    old: str | None = None,
    new: str | None = None,
    /,
    *,
    from_: Annotated[str | None, Parameter(name="--from")] = None,
    to: str | None = None,
    listings: ExistingFile | None = None,
    registry: int | None = None,
    rights: ExistingFile | None = None,
    sellers: ExistingFile | None = None,
    html: Path | None = None,
    processes: int | None = None,
    live: Flag = False,
    json: Json = False,
) -> None:
    """Judge recorded listings by two policies, and show by rule what differs, with samples.

    All listing changes of the range are judged, as the stream had them, each at the time of its
    record: what had expired then has expired. The rights are those of today, or of a version; what
    is known of sellers is what is known now. What was taken down before, how fast a seller lists
    and what an update replaced is not played again: rules that ask for it abstain on both sides.
    Nothing is written to Kafka, and nothing committed. Exit 1 where there is nothing in the range,
    or rows of a file were refused.

    A policy is a file, a version as `policy list` shows it, `default` (the shipped one) or
    `current` (the one in force). Muted rules are muted as they are now, in a version with an offset
    as they were then.

    Example: assayer policy diff current stricter.yaml --from 2026-11-24 --html diff.html

    Parameters
    ----------
    old
        The policy to begin with.
    new
        The policy instead of it.
    from_
        The first moment of the range; ISO 8601. It is needed, unless listings come from a file.
    to
        The first moment behind it; the range ends with what is there without it.
    listings
        JSON Lines with listings, instead of Kafka; judged each at its `occurred_at`.
    registry
        Version of the rights, an offset of their topic; the newest without it.
    rights
        JSON Lines with rights, instead of those of Kafka.
    sellers
        JSON Lines with sellers, instead of Redis; with --listings nothing is known without it.
    html
        Write a page with plots there as well.
    processes
        How many processes share the work; one for each core, and no more than there are partitions.
    live
        Instead: what the candidate on trial would have decided on live traffic, counted by every
        worker since it met the policy in force.
    json
        Report as JSON lines: a line for each change and rule, then a sum.
    """
    if live:
        given = (old, new, from_, to, listings, registry, rights, sellers, html, processes)
        if any(each is not None for each in given):
            raise CommandError(LIVE_ALONE)
        _live(json=json)
        return
    if old is None or new is None:
        raise CommandError("say which two policies, or --live; see: assayer policy diff --help")
    from agents.commands.policy_replay import Asked, compare

    compare(
        Asked(old, new, from_, to, listings, registry, rights, sellers, html, processes), json=json
    )


def _live(*, json: bool) -> None:
    settings, registry = connect()
    state = in_force(settings, read(settings, registry))
    if state.candidate is None:
        raise CommandError(
            "no candidate is on trial; see: assayer policy push --candidate FILE", NO
        )
    from agents.monitoring.trial import counted
    from streams.store import Store

    enforced, candidate = state.policy.version, state.candidate.version

    async def look() -> Tally:
        store = Store(settings)
        try:
            await store.ping()
            return await counted(store, candidate, enforced)
        finally:
            await store.close()

    tally = asyncio.run(look())
    differ = sum(tally.counts.values())
    if json:
        emit_tally(tally)
        emit({"before": enforced, "after": candidate, "judged": tally.judged, "differ": differ})
        return
    say_tally(tally)
    say(
        f"{candidate} instead of {enforced}: {differ:,} of {tally.judged:,} listings that name a "
        "mark come out otherwise"
    )
