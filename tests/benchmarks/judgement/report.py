"""Tables of what was found, as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tests.benchmarks.judgement.cases import Promise
from tests.benchmarks.judgement.real import Run
from tests.benchmarks.judgement.run import Tally, Tried, tallies

GOAL: Final = 0.99
GOALS: Final = (
    "Goals: removed ≤ 0.1 %, reviewed ≤ 1 %; of rows under rights that occur in none, ≤ 12 % "
    "pass the byte screen."
)
ORDER: Final = ("allow", "review", "remove")

HONESTY: Final = """\
Generated evasions and generated honest listings are of this benchmark's own making, put into base
rows; real listings are assumed honest, for none is labelled. Neither number says how often a
marketplace's listings would be judged rightly."""


def text_of(promised: Promise) -> str:
    """Return a promise in the contract's words."""
    return " or ".join(outcome for outcome in ORDER if outcome in promised)


def generated(tried: Sequence[Tried]) -> str:
    """Return the tables of the generated cases."""
    parts = []
    for group, title in (
        ("infringing", "Generated evasions: share that came out as promised"),
        ("honest", "Generated honest listings: share that was left alone as promised"),
    ):
        of_group = [item for item in tried if item.case.group == group]
        if of_group:
            parts += [f"### {title}", _by_class(of_group)]
    hidden = [item for item in tried if item.case.technique and item.case.group == "infringing"]
    if hidden:
        parts += ["### Hidden marks, by technique", _by_technique(hidden)]
    parts += ["### By language", _by_language(tried)]
    misquoted = sum(item.misquoted for item in tried)
    lost = sum(item.lost_at_screen for item in tried)
    parts.append(
        f"Cases {len(tried):,}; lost at the byte screen (the full way acts, the screen lets "
        f"nothing through) {lost}; verdicts whose evidence is not what stands in the listing "
        f"{misquoted}."
    )
    return "\n\n".join(parts)


def _by_class(tried: Sequence[Tried]) -> str:
    promised = {item.case.name: text_of(item.case.promised) for item in tried}
    several = {
        item.case.name for item in tried if text_of(item.case.promised) != promised[item.case.name]
    }
    rows = [
        _row(name, "by support" if name in several else promised[name], tally)
        for name, tally in tallies(tried, lambda case: case.name).items()
    ]
    head = "| class | promised | n | as promised | allow | review | remove | lost at screen |"
    return "\n".join([head, "|---|---|--:|--:|--:|--:|--:|--:|", *rows])


def _row(name: str, promised: str, tally: Tally) -> str:
    outcomes = " | ".join(str(tally.outcomes[outcome]) for outcome in ORDER)
    return (
        f"| {name} | {promised} | {tally.n} | {_percent(tally)} | {outcomes} "
        f"| {tally.lost_at_screen} |"
    )


def _percent(tally: Tally) -> str:
    text = f"{tally.share:.1%}"
    return text if tally.share >= GOAL else f"**{text}**"


def _by_technique(tried: Sequence[Tried]) -> str:
    rows = [
        f"| {name} | {tally.n} | {_percent(tally)} | {tally.outcomes['allow']} | "
        f"{tally.lost_at_screen} |"
        for name, tally in tallies(tried, lambda case: case.technique).items()
    ]
    head = "| technique | n | as promised | not seen at all | lost at screen |"
    return "\n".join([head, "|---|--:|--:|--:|--:|", *rows])


def _by_language(tried: Sequence[Tried]) -> str:
    infringing = tallies(
        [item for item in tried if item.case.group == "infringing"], lambda case: case.language
    )
    honest = tallies(
        [item for item in tried if item.case.group == "honest"], lambda case: case.language
    )
    spoken = list(dict.fromkeys([*infringing, *honest]))
    rows = []
    for language in spoken:
        caught, left = infringing.get(language, Tally()), honest.get(language, Tally())
        rows.append(
            f"| {language} | {caught.n} | {_percent(caught) if caught.n else '-'} "
            f"| {left.n} | {_percent(left) if left.n else '-'} |"
        )
    head = "| language | evasions | as promised | honest | as promised |"
    return "\n".join([head, "|---|--:|--:|--:|--:|", *rows])


def real(runs: Sequence[Run]) -> str:
    """Return the table of untouched listings, with the goals."""
    rows = []
    for run in runs:
        n = run.listings
        rows.append(
            f"| {run.name} | {n:,} | {run.rights:,} | {_rate(run.removed, n, 0.001)} "
            f"| {_rate(run.reviewed, n, 0.01)} | {run.passing / n:.1%} |"
        )
    return "\n".join([
        "### Real listings, untouched, assumed honest",
        "",
        GOALS,
        "",
        "| listings | n | rights | removed | reviewed | pass the byte screen |",
        "|---|--:|--:|--:|--:|--:|",
        *rows,
    ])  # fmt: skip


def _rate(count: int, n: int, goal: float) -> str:
    text = f"{count} ({count / n:.2%})"
    return text if count / n <= goal else f"**{text}**"
