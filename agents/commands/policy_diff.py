"""`assayer policy diff`: what another policy would decide."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from cyclopts import Parameter

from agents.commands.console import NO, CommandError, Json, emit, say, table
from agents.commands.policy_life import connect, in_force, read

if TYPE_CHECKING:
    from agents.monitoring.comparison import Change, Tally

Flag = Annotated[bool, Parameter(negative="")]

SHOWN: Final = 5
"""Samples that are shown for each change and rule, where people read."""


def diff(*, live: Flag = False, json: Json = False) -> None:
    """Show what the candidate on trial would have decided otherwise on live traffic.

    Counted by every worker since the candidate met the policy in force: by rule, how many listings
    would be removed that were not, no longer removed, reviewed, allowed; with samples.

    Example: assayer policy diff --live

    Parameters
    ----------
    live
        Beside the policy in force, on the listings that come.
    json
        Report as JSON lines: a line for each change and rule, then a sum.
    """
    if not live:
        raise CommandError("say --live; see: assayer policy diff --help")
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
    if json:
        emit_tally(tally, enforced, candidate)
    else:
        say_tally(tally, enforced, candidate)


def emit_tally(tally: Tally, before: str, after: str) -> None:
    """Print a tally as JSON lines."""
    for change, rule in in_order(tally):
        emit({
            "change": change,
            "rule": rule,
            "listings": tally.counts[change, rule],
            "samples": [msgspec.to_builtins(s) for s in tally.samples.get((change, rule), ())],
        })  # fmt: skip
    emit({"before": before, "after": after, "judged": tally.judged,
          "differ": sum(tally.counts.values())})  # fmt: skip


def say_tally(tally: Tally, before: str, after: str) -> None:
    """Print a tally for people."""
    from agents.monitoring.comparison import CHANGES

    if tally.counts:
        table(
            [
                (f"{tally.counts[change, rule]:,}", CHANGES[change], rule)
                for change, rule in in_order(tally)
            ],
            ("listings", "what differs", "rule"),
        )
    for change, rule in in_order(tally):
        samples = tally.samples.get((change, rule), ())
        say(f"\n{CHANGES[change]}, {rule}:")
        for each in samples[:SHOWN]:
            say(f"  {each.listing_id}  {each.before} -> {each.after}  {each.title}")
    say(
        f"{after} instead of {before}: {sum(tally.counts.values()):,} of {tally.judged:,} listings "
        "that name a mark come out otherwise"
    )


def in_order(tally: Tally) -> list[tuple[Change, str]]:
    """Return what differs, the gravest change first, the most frequent rule first."""
    from agents.monitoring.comparison import CHANGES

    order = list(CHANGES)
    return sorted(tally.counts, key=lambda key: (order.index(key[0]), -tally.counts[key], key[1]))
