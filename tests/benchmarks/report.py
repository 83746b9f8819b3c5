"""What a benchmark reports: medians, ratios by round, and tables in Markdown."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some rounds, and the noise around it."""

    median: float
    low: float
    high: float

    def text(self, digits: int = 0, unit: str = "") -> str:
        """Return `median (low–high)` with so many decimal digits."""
        median, low, high = (f"{value:,.{digits}f}" for value in (self.median, self.low, self.high))
        return f"{median}{unit} ({low}–{high})"


@dataclass(frozen=True, slots=True)
class Table:
    """A table; every row has as many cells as the head."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """What one subject reports."""

    title: str
    how: str
    """What was done, in what units, and how to read it."""
    command: str
    machine: str
    tables: tuple[Table, ...]
    notes: tuple[str, ...] = ()


def spread(values: Sequence[float]) -> Spread:
    """Return median, smallest and largest. Raises ValueError when there are none."""
    if not values:
        raise ValueError("no rounds to take a median of")
    return Spread(statistics.median(values), min(values), max(values))


def ratios(values: Sequence[float], to: Sequence[float]) -> list[float]:
    """Return, round by round, how many times `to` a value is.

    The rounds of a run see the same machine noise, so the median of their ratios says more than the
    ratio of two medians. Raises ValueError when the rounds do not pair up.
    """
    return [value / base for value, base in zip(values, to, strict=True)]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the nearest-rank percentile; `share` is 0 to 1. Raises ValueError without values."""
    if not values:
        raise ValueError("no values to take a percentile of")
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def table_text(table: Table) -> str:
    """Return the table in Markdown. Raises ValueError when a row is too short or too long."""
    for row in table.rows:
        if len(row) != len(table.head):
            raise ValueError(f"{len(row)} cells under a head of {len(table.head)}: {row}")
    lines = [table.head, tuple("---" for _ in table.head), *table.rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def section_text(section: Section) -> str:
    """Return a section in Markdown."""
    parts = [
        f"## {section.title}",
        section.how,
        f"`{section.command}` on {section.machine}.",
        *(table_text(table) for table in section.tables),
        "\n".join(f"- {note}" for note in section.notes),
    ]
    return "\n\n".join(part for part in parts if part)


HEAD = """\
# Benchmarks

Written by `make bench`. A figure is the median of the rounds with the smallest and the largest
beside it. Ratios come first: contestants of a round ran one after the other on the same machine, so
their ratio holds where an absolute figure only says how fast this machine was.
"""

_MARKER = re.compile(r"^<!-- subject: (\S+) -->\n", re.MULTILINE)


def merge(page: str, texts: Mapping[str, str], order: Iterable[str]) -> str:
    """Return the page of results with these subjects' texts new and the others' kept."""
    pieces = _MARKER.split(page)
    known = dict(zip(pieces[1::2], pieces[2::2], strict=True)) | dict(texts)
    names = [*(name for name in order if name in known)]
    names += sorted(known.keys() - set(names))
    return "\n".join([HEAD, *(f"<!-- subject: {n} -->\n{known[n].strip()}\n" for n in names)])
