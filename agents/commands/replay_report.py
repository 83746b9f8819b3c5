"""What a replay found, as `assayer policy diff` reports it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agents.commands.console import emit, say, table
from agents.commands.tallies import emit_tally, say_tally
from agents.records import format_time

if TYPE_CHECKING:
    from agents.monitoring.replay.findings import Findings
    from agents.monitoring.replay.replayer import Setup
    from agents.monitoring.replay.sources import Range

OUTCOMES = ("remove", "review")


@dataclass(frozen=True, slots=True)
class Report:
    """A replay, done."""

    setup: Setup
    range: Range
    found: Findings
    notes: tuple[str, ...]
    """What has to be known to read it."""

    @property
    def differ(self) -> int:
        """How many listings come out otherwise."""
        return sum(self.found.tally.counts.values())

    def changed(self, change: str) -> int:
        """Return how many listings come out otherwise in one way."""
        return sum(count for (each, _), count in self.found.tally.counts.items() if each == change)

    def sellers(self) -> str:
        """Return of how many sellers something is removed that was not."""
        from agents.monitoring.replay.findings import MOST_SELLERS

        count = len(self.found.newly_removed)
        return f"{count:,}{' or more' if count >= MOST_SELLERS else ''}"

    def when(self) -> str:
        """Return when the listing changes were, in words."""
        found = self.found
        if found.first is None or found.last is None:
            return "of no time that can be believed"
        return f"from {_minute(found.first)} to {_minute(found.last)} UTC"

    def rules(self) -> Iterator[tuple[str, str, int, int]]:
        """Yield rule, outcome and how often it decides, old and new: removals first, then most."""
        acted = self.found.acted
        pairs = {(outcome, rule) for _, outcome, rule in acted}
        for outcome, rule in sorted(
            pairs,
            key=lambda pair: (
                OUTCOMES.index(pair[0]),
                -max(acted["old", *pair], acted["new", *pair]),
                pair[1],
            ),
        ):
            yield rule, outcome, acted["old", outcome, rule], acted["new", outcome, rule]


def notes_of(setup: Setup, found: Findings) -> list[str]:
    """Return what has to be known of a replay to read what it found."""
    from agents.monitoring.replay.replayer import REMEMBERED, abstaining
    from agents.monitoring.signals import SELLER

    policies = [setup.old.compiled(), setup.new.compiled()]

    def rules(signals: frozenset[str]) -> str:
        names = dict.fromkeys(name for each in policies for name in abstaining(each, signals))
        return ", ".join(names)

    notes = []
    if names := rules(REMEMBERED):
        notes.append(
            "What was taken down before, how fast a seller lists and what an update replaced is "
            f"not played again: these rules abstain where it would decide: {names}."
        )
    asking = rules(SELLER)
    if setup.sellers is not None:
        notes.append(f"Sellers are those of {setup.sellers}; of others nothing is known.")
    elif setup.store:
        notes.append("What is known of sellers is what is known now, not what was known then.")
    elif asking:
        why = f": {setup.store_away}" if setup.store_away else ""
        notes.append(
            f"Nothing is known of sellers{why}. These rules abstain where it would decide: "
            f"{asking}."
        )
    if found.strangers:
        notes.append(
            f"About the sellers of {found.strangers:,} listings Redis was asked in vain; there "
            "rules that need it abstain."
        )
    unreadable = {reason: count for reason, count in found.unreadable.items() if count}
    if unreadable:
        told = ", ".join(f"{count:,} {reason}" for reason, count in sorted(unreadable.items()))
        notes.append(f"Left out is what can't be read or judged: {told}.")
    return notes


def emit_report(report: Report) -> None:
    """Print a report as JSON lines: a line for each change and rule, then a sum."""
    found = report.found
    emit_tally(found.tally)
    emit({
        "before": report.setup.old.version,
        "after": report.setup.new.version,
        "registry_version": report.setup.registry_version,
        "from": _time(report.range.start),
        "to": _time(report.range.end),
        "first": _time(found.first),
        "last": _time(found.last),
        "read": found.read,
        "judged": found.tally.judged,
        "differ": report.differ,
        "sellers_newly_removed": len(found.newly_removed),
        "outcomes": {
            side: {outcome: found.outcomes(side, outcome) for outcome in OUTCOMES}
            for side in ("old", "new")
        },
        "rules": [
            {"rule": rule, "outcome": outcome, "old": old, "new": new}
            for rule, outcome, old, new in report.rules()
        ],
        "periods": [
            {"from": format_time(start), **counts} for start, counts in found.periods.rows()
        ],
        "period_ms": found.periods.length,
        "unreadable": {reason: count for reason, count in found.unreadable.items() if count},
        "notes": report.notes,
    })  # fmt: skip


def differs_by(old: int, new: int) -> str:
    """Return a difference with its sign."""
    return f"{new - old:+,}" if new != old else "0"


def _minute(moment: int) -> str:
    return format_time(moment)[:16].replace("T", " ")


def _time(moment: int | None) -> str | None:
    return None if moment is None else format_time(moment)


def say_report(report: Report, html: Path | None) -> None:
    """Print a report for people."""
    found, setup = report.found, report.setup
    say_tally(found.tally)
    rows: list[tuple[str, ...]] = [
        (rule, outcome, f"{old:,}", f"{new:,}", differs_by(old, new))
        for rule, outcome, old, new in report.rules()
    ]
    for outcome in OUTCOMES:
        old, new = found.outcomes("old", outcome), found.outcomes("new", outcome)
        rows.append(("all", outcome, f"{old:,}", f"{new:,}", differs_by(old, new)))
    table(rows, ("deciding rule", "outcome", "old", "new", "differs by"))
    say()
    for note in report.notes:
        say(note)
    say(
        f"{setup.new.version} instead of {setup.old.version}, registry {setup.registry_version}: "
        f"{report.differ:,} of {found.read:,} listing changes {report.when()} come out otherwise; "
        f"{found.tally.judged:,} of them name a mark or show a known picture. Removed, and were "
        f"not: {report.changed('newly_removed'):,}, of {report.sellers()} sellers."
    )
    if html is not None:
        say(f"The page is {html}")
