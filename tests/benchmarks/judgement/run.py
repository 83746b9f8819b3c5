"""Generates the cases of a half, judges them, and counts what came out as promised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from agents.monitoring.judge import Verdict
from agents.records import Listing
from tests.benchmarks.judgement import evasions, honest, particular, pictures, typography
from tests.benchmarks.judgement.bases import Shelf
from tests.benchmarks.judgement.cases import Case
from tests.benchmarks.judgement.court import Court
from tests.benchmarks.judgement.halves import Half
from tests.benchmarks.judgement.rights import marks

Maker = Callable[[Shelf, Half, int, int], Iterator[Case]]

MAKERS: Final[tuple[Maker, ...]] = (
    evasions.plain_with_copy_words,
    evasions.hidden,
    evasions.hidden_elsewhere,
    evasions.cheap,
    particular.disguised_words,
    particular.authorisations,
    pictures.pictures,
    honest.resale,
    honest.nominative,
    honest.sayings,
    honest.rights_that_do_not_bite,
    honest.other_words,
    particular.accessories,
    particular.longest_mark,
    typography.odd_but_plain,
    typography.decorated,
)
CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class Tried:
    """A case with its verdict."""

    case: Case
    verdict: Verdict
    lost_at_screen: bool
    """The full way would act, and the worker's screen over raw bytes lets nothing through."""

    @property
    def kept(self) -> bool:
        """Return whether the promise was kept, by the full way and by the screen."""
        return self.verdict.outcome in self.case.promised and not self.lost_at_screen

    @property
    def misquoted(self) -> bool:
        """Return whether a piece of evidence is not what stands in the listing at its place."""
        return any(
            item.text and item.field in ("title", "description", "brand")
            and getattr(self.case.listing, item.field)[item.start : item.end] != item.text
            for item in self.verdict.evidence
        )  # fmt: skip


@dataclass(slots=True)
class Tally:
    """Outcomes of the cases under one heading."""

    n: int = 0
    kept: int = 0
    lost_at_screen: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)

    def add(self, tried: Tried) -> None:
        """Count a case."""
        self.n += 1
        self.kept += tried.kept
        self.lost_at_screen += tried.lost_at_screen
        self.outcomes[tried.verdict.outcome] += 1

    @property
    def share(self) -> float:
        """Return the share that came out as promised, 0 to 1."""
        return self.kept / self.n if self.n else 0.0


def cases(rows: Sequence[Listing], half: Half, seed: int, count: int) -> Iterator[Case]:
    """Yield every case of a half; the same ones for the same rows, seed and count."""
    shelf = Shelf(rows, half)
    for maker in MAKERS:
        yield from maker(shelf, half, seed, count)


def run(generated: Sequence[Case]) -> list[Tried]:
    """Judge the cases under the benchmark's rights."""
    court = Court(mark.right for mark in marks())
    found = []
    for start in range(0, len(generated), CHUNK):
        chunk = generated[start : start + CHUNK]
        passing = court.passing([case.listing for case in chunk])
        for position, case in enumerate(chunk):
            verdict = court.verdict(case.listing, case.seller)
            lost = verdict.outcome != "allow" and position not in passing
            found.append(Tried(case, verdict, lost))
    return found


def tallies(tried: Sequence[Tried], heading: Callable[[Case], str]) -> dict[str, Tally]:
    """Return the tallies under the headings of the cases, in the order they come."""
    found: dict[str, Tally] = {}
    for item in tried:
        found.setdefault(heading(item.case), Tally()).add(item)
    return found
