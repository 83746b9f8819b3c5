"""What two policies differ in, as commands print it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from agents.commands.console import emit, say, table

if TYPE_CHECKING:
    from agents.monitoring.comparison import Change, Tally

SHOWN: Final = 5
"""Samples that are shown for each change and rule, where people read."""


def emit_tally(tally: Tally) -> None:
    """Print a tally as JSON lines."""
    for change, rule in in_order(tally):
        emit({
            "change": change,
            "rule": rule,
            "listings": tally.counts[change, rule],
            "samples": [msgspec.to_builtins(s) for s in tally.samples.get((change, rule), ())],
        })  # fmt: skip


def say_tally(tally: Tally) -> None:
    """Print a tally for people: a table by change and rule, then samples."""
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
            by = f"{rules_of(each.rules_before)} -> {rules_of(each.rules_after)}"
            what = f"{each.listing_id}  {each.before} -> {each.after}  ({by})  {each.title}"
            say(f"  {printable(what)}")
    if tally.counts:
        say()


def in_order(tally: Tally) -> list[tuple[Change, str]]:
    """Return what differs, the gravest change first, the most frequent rule first."""
    from agents.monitoring.comparison import CHANGES

    order = list(CHANGES)
    return sorted(tally.counts, key=lambda key: (order.index(key[0]), -tally.counts[key], key[1]))


def rules_of(names: tuple[str, ...]) -> str:
    """Return the names of rules that fired, in a line."""
    return ", ".join(names) or "no rule"


def printable(text: str) -> str:
    """Return a text in one line, with what a terminal might obey shown as a code."""
    return "".join(c if c.isprintable() else f"{{U+{ord(c):04X}}}" for c in text)
