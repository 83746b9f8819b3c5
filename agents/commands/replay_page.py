"""The page of `assayer policy diff --html`: for whoever has to agree to a change of the policy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from typing import Final

from agents.commands.markup import Markup, Pair, bars, columns, element, joined, table
from agents.commands.replay_report import OUTCOMES, Report, differs_by
from agents.commands.tallies import in_order, printable, rules_of
from agents.monitoring.comparison import CHANGES, Change, Sample
from agents.records import DAY_MS, format_time

STYLE: Final = """
:root { color-scheme: light dark; --page: #fff; --card: #f4f5f7; --ink: #1b1f24; --soft: #5a6470;
  --line: #d9dde2; --old: #9aa5b1; --new: #2563c9; --bad: #b3261e; --good: #1a7f37; }
@media (prefers-color-scheme: dark) { :root { --page: #14171b; --card: #1f242a; --ink: #e8ebee;
  --soft: #a3adb8; --line: #363d46; --old: #76818d; --new: #6ea8fe; --bad: #ff8a80;
  --good: #6fd08c; } }
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Noto Sans", "Noto Sans CJK SC", sans-serif }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 4rem }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .75rem }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem }
p { margin: .5rem 0; max-width: 46rem }
.soft, figcaption { color: var(--soft); font-size: .9rem }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .75rem;
  margin: 1.5rem 0 }
.tile { background: var(--card); border-radius: .5rem; padding: .9rem 1rem }
.tile b { display: block; font-size: 1.9rem; line-height: 1.2; font-variant-numeric: tabular-nums }
.bad b { color: var(--bad) } .good b { color: var(--good) }
figure { margin: 1rem 0; overflow-x: auto }
svg { width: 100%; min-width: 34rem; height: auto; display: block; margin-top: .75rem }
svg text { fill: var(--ink); font-size: 13px } svg .value, svg .axis { fill: var(--soft) }
svg .value, svg .axis { font-size: 12px; font-variant-numeric: tabular-nums }
svg .middle { text-anchor: middle } svg .end { text-anchor: end }
svg .old { fill: var(--old) } svg .new { fill: var(--new) }
svg .grid { stroke: var(--line); stroke-width: 1 }
.key { display: inline-block; width: .8em; height: .8em; border-radius: .15em; margin: 0 .35em 0 0 }
.key.old { background: var(--old) } .key.new { background: var(--new); margin-left: 1.2em }
.wide { overflow-x: auto }
table { border-collapse: collapse; width: 100%; font-size: .9rem }
th, td { text-align: left; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; overflow-wrap: anywhere }
th { color: var(--soft); font-weight: 600 }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
td small { display: block; color: var(--soft) }
details { border: 1px solid var(--line); border-radius: .5rem; padding: .6rem 1rem;
  margin: .6rem 0 }
summary { cursor: pointer; font-weight: 600 }
li { margin: .3rem 0; max-width: 46rem }
code { font-size: .9em; overflow-wrap: anywhere }
@media print { details { break-inside: avoid } }
"""

OUTCOME_NAMES: Final = {"remove": "taken down", "review": "sent to a person", "allow": "left alone"}
HEADINGS: Final[dict[Change, str]] = {
    "newly_removed": "Newly taken down",
    "no_longer_removed": "No longer taken down",
    "newly_reviewed": "Newly sent to a person",
    "no_longer_reviewed": "No longer sent to a person",
    "other_rules": "The same outcome, by other rules",
}


def page(report: Report) -> str:
    """Return the whole page; the same report gives the same bytes."""
    head = (
        Markup('<meta charset="utf-8">'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        # Belt and braces: nothing of a listing is markup here, and no browser would run it.
        Markup(
            '<meta http-equiv="Content-Security-Policy" '
            "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        ),
        element("title", f"{_name(report)}: what changes"),
        element("style", Markup(STYLE)),
    )
    body = element("main", *_sections(report))
    whole = element("html", element("head", *head), element("body", body), lang="en")
    return f"<!doctype html>\n{whole}\n"


def _name(report: Report) -> str:
    old, new = (PurePath(each.asked).name for each in (report.setup.old, report.setup.new))
    return f"Policy {new} instead of {old}"


def _sections(report: Report) -> Iterator[Markup]:
    yield element("h1", _name(report))
    yield element("p", _lead(report))
    yield _tiles(report)
    if report.differ:
        yield element("h2", "Which rules decide")
        yield element("p", "Listing changes, by the rule that decides about them.", class_="soft")
        yield _rules(report)
    yield element("h2", "When")
    yield _over_time(report)
    yield element("h2", "How many of all listings")
    yield _share(report)
    if report.differ:
        yield element("h2", "What differs, with samples")
        yield element(
            "p",
            "Samples are drawn evenly from the whole range. Open one to see its listings.",
            class_="soft",
        )
        yield joined(_samples(report))
    yield element("h2", "How to read this")
    yield element("ul", *(element("li", note) for note in (*_basics(report), *report.notes)))


def _lead(report: Report) -> str:
    found = report.found
    old, new = found.outcomes("old", "remove"), found.outcomes("new", "remove")
    of = f"Of {found.read:,} listing changes {report.when()}"
    if not report.differ:
        return f"{of}, both policies decide the same about every one."
    newly, sellers = report.changed("newly_removed"), report.sellers()
    fewer = f"{report.changed('no_longer_removed'):,}"
    more = "None would be taken down that is not"
    if newly:
        more = (
            f"{_count(newly, 'listing change')} would be taken down that "
            f"{'is' if newly == 1 else 'are'} not, of {sellers} seller"
            f"{'' if sellers == '1' else 's'}"
        )
    return (
        f"{of}, the new policy would take down {new:,}, where the old one takes down {old:,}. "
        f"{more}; {fewer} would no longer be taken down."
    )


def _tiles(report: Report) -> Markup:
    tiles = (
        ("newly taken down", f"{report.changed('newly_removed'):,}", "bad"),
        ("sellers of those", report.sellers(), "bad"),
        ("no longer taken down", f"{report.changed('no_longer_removed'):,}", "good"),
        ("newly sent to a person", f"{report.changed('newly_reviewed'):,}", ""),
        ("no longer sent to a person", f"{report.changed('no_longer_reviewed'):,}", ""),
    )
    return element(
        "div",
        *(
            element(
                "div", element("b", figure), text, class_=f"tile {kind if figure != '0' else ''}"
            )
            for text, figure, kind in tiles
        ),
        class_="tiles",
    )


def _figure(plot: Markup) -> Markup:
    legend = element(
        "figcaption",
        element("span", class_="key old"),
        "old policy",
        element("span", class_="key new"),
        "new policy",
    )
    return element("figure", legend, plot)


def _rules(report: Report) -> Markup:
    rows = list(report.rules())
    pairs = [
        Pair(f"{rule}: {OUTCOME_NAMES[outcome]}", old, new) for rule, outcome, old, new in rows
    ]
    figures = table(
        ("rule", "outcome", "old", "new", "differs by"),
        [
            (rule, OUTCOME_NAMES[outcome], f"{old:,}", f"{new:,}", differs_by(old, new))
            for rule, outcome, old, new in rows
        ],
        numbers=3,
    )
    return joined((_figure(bars("Listing changes by deciding rule", pairs)), figures))


def _over_time(report: Report) -> Markup:
    periods = report.found.periods
    rows = periods.rows()
    caption = (
        f"Listing changes taken down, by the time of their record. A pair of columns is "
        f"{_length(periods.length)}."
    )
    pairs = [
        Pair(_moment(start, periods.length), counts["old remove"], counts["new remove"])
        for start, counts in rows
    ]
    return joined(
        (element("p", caption, class_="soft"), _figure(columns("Taken down, over time", pairs)))
    )


def _share(report: Report) -> Markup:
    found = report.found
    pairs = [
        Pair(
            f"{OUTCOME_NAMES[outcome]}, of 10,000 listing changes",
            found.outcomes("old", outcome) / found.read * 10_000,
            found.outcomes("new", outcome) / found.read * 10_000,
        )
        for outcome in OUTCOMES
    ]
    examined = (
        f"{found.tally.judged:,} of {found.read:,} listing changes "
        f"({found.tally.judged / found.read:.1%}) name a registered mark or show a known picture. "
        "All others are left alone by both policies."
    )
    return joined((_figure(bars("Share of listings", pairs, digits=1)), element("p", examined)))


def _samples(report: Report) -> Iterator[Markup]:
    tally = report.found.tally
    for number, (change, rule) in enumerate(in_order(tally)):
        rows = [
            (
                joined((element("bdi", printable(each.title)), element("small", _which(each)))),
                _ruling(each.before, each.rules_before),
                _ruling(each.after, each.rules_after),
            )
            for each in tally.samples.get((change, rule), ())
        ]
        heading = f"{HEADINGS[change]} by {rule}: {tally.counts[change, rule]:,}"
        if change.startswith("no_longer"):
            heading = f"{HEADINGS[change]}, before by {rule}: {tally.counts[change, rule]:,}"
        head = ("listing", "old policy", "new policy")
        opened: dict[str, str] = {} if number else {"open": ""}
        yield element("details", element("summary", heading), table(head, rows), **opened)


def _which(sample: Sample) -> str:
    return printable(
        f"listing {sample.listing_id}, revision {sample.revision}, of seller {sample.seller_id}, "
        f"{_moment(sample.occurred_at, 1)} UTC"
    )


def _ruling(outcome: str, rules: tuple[str, ...]) -> Markup:
    return joined((element("span", OUTCOME_NAMES[outcome]), element("small", rules_of(rules))))


def _basics(report: Report) -> Iterator[str]:
    setup = report.setup
    yield f"Old policy: {setup.old.version}. New policy: {setup.new.version}."
    yield (
        f"Rights: version {setup.registry_version} of the registry. Each listing change was judged "
        "by both policies at the time of its record, with the rights that were in force then."
    )
    yield (
        "A listing that changed several times in the range counts several times. "
        f"'{CHANGES['other_rules'].capitalize()}' means that nothing changes for the seller but "
        "the reasons."
    )
    if any(setup.old.snoozes) or any(setup.new.snoozes):
        yield "Rules that are muted for a seller, brand or listing are muted here too."


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _length(millis: int) -> str:
    for size, name in ((DAY_MS, "day"), (3_600_000, "hour"), (60_000, "minute")):
        if millis >= size:
            return _count(millis // size, name)
    return _count(millis // 1000, "second")


def _moment(millis: int, length: int) -> str:
    text = format_time(millis)
    return (
        text[:10]
        if length >= DAY_MS
        else f"{text[:10]} {text[11 : 16 if length >= 60_000 else 19]}"
    )
