"""Untouched rows under rights for their own brands and for a thousand well-known ones.

No row is labelled: all are assumed honest, so every removal and review counts as false.
"""

from __future__ import annotations

import random
import re
import statistics
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from agents.monitoring.judge import Verdict
from agents.records import Listing, Right
from tests.benchmarks.judgement.bases import Shelf
from tests.benchmarks.judgement.cases import Standing, seller
from tests.benchmarks.judgement.court import Court
from tests.benchmarks.judgement.halves import Half, Hand
from tests.benchmarks.judgement.honest import clutter
from tests.benchmarks.judgement.speak import LANGUAGES

BRANDS: Final = Path(__file__).parent / "brands.txt"
SELLERS: Final[tuple[Standing, ...]] = ("clean", "unknown", "new")
ABSENT_RIGHTS: Final = 1_200
CLUTTERED: Final = 600
_SYLLABLES: Final = (
    "zor", "vex", "quan", "drel", "mir", "tak", "bol", "fen", "gar", "hul", "jex", "kav", "lor",
    "nep", "osk", "pry", "rud", "tov", "ulm", "wex",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FalseAlarm:
    """A listing assumed honest that was acted on."""

    listing: Listing
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Run:
    """What became of untouched listings under some rights and one kind of seller."""

    name: str
    listings: int
    rights: int
    removed: int
    reviewed: int
    passing: int
    """Listings that passed the worker's screen over raw bytes."""
    alarms: tuple[FalseAlarm, ...]


@cache
def known_brands() -> tuple[str, ...]:
    """Return the well-known brand names of `brands.txt`."""
    lines = BRANDS.read_text(encoding="utf-8").splitlines()
    names = [name.strip() for line in lines if not line.startswith("#") for name in line.split("|")]
    return tuple(dict.fromkeys(name for name in names if name))


def brands_of(rows: Sequence[Listing]) -> list[tuple[str, tuple[str, ...]]]:
    """Return the brands the rows give, with the spelling in another script as an alias."""
    found: dict[str, tuple[str, ...]] = {}
    for row in rows:
        name, _, other = row.brand.partition("(")
        if sum(c.isalpha() for c in name) >= 3:
            alias = other.rstrip(") ").strip()
            found.setdefault(name.strip(), (alias,) if alias and not alias.isascii() else ())
    return sorted(found.items())


def occurring(rows: Sequence[Listing]) -> list[Right]:
    """Return rights for every brand that the rows give and for the well-known ones."""
    pairs = brands_of(rows)
    given = {name.casefold() for name, _ in pairs}
    pairs += [(name, ()) for name in known_brands() if name.casefold() not in given]
    return [
        Right(f"real-{number}", f"Owner of {name}", brand=name, mark=name, aliases=aliases)
        for number, (name, aliases) in enumerate(pairs)
    ]


def absent(rows: Sequence[Listing]) -> list[Right]:
    """Return rights, 1,200 of them, whose marks no row contains: well-known ones, then invented."""
    text = "\n".join(
        _letters(" ".join((row.title, row.description, row.brand, *row.attributes.values())))
        for row in rows
    )
    words = set(re.findall(r"\w+", text))
    names = [n for n in known_brands() if not _contained(_letters(n), text, words)]
    chance = random.Random(3)
    while len(names) < ABSENT_RIGHTS:
        name = "".join(chance.sample(_SYLLABLES, 3)).capitalize()
        if name not in names:
            names.append(name)
    return [
        Right(f"absent-{number}", f"Owner of {name}", brand=name, mark=name)
        for number, name in enumerate(names[:ABSENT_RIGHTS])
    ]


def _letters(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text).casefold()
    kept = "".join(
        c if c.isalnum() or c.isspace() else " " for c in folded if not unicodedata.combining(c)
    )
    return " ".join(kept.split())


def _contained(name: str, text: str, words: set[str]) -> bool:
    return name in words if " " not in name else name in text or name.replace(" ", "") in words


def judge_rows(rows: Sequence[Listing], seed: int) -> list[Run]:
    """Judge every row under rights for its brands, in a run for each kind of seller."""
    rights = occurring(rows)
    court = Court(rights)
    passing = len(court.passing(rows))
    found = []
    for standing in SELLERS:
        hand = Hand.for_class(seed, "test", "real", standing)
        alarms = []
        for row in rows:
            verdict = court.verdict(row, seller(standing, hand, row.seller_id))
            if verdict.outcome != "allow":
                alarms.append(FalseAlarm(row, verdict))
        name = f"rights for their brands and well-known ones, seller {standing}"
        found.append(_run(name, len(rows), len(rights), passing, alarms))
    return found


def judge_priced(rows: Sequence[Listing], seed: int) -> Run:
    """Judge every row with its brand's median price as the reference, sellers clean.

    No goal: one price a brand is a poor measure of laptops and their ink alike.
    """
    prices: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        if row.brand and row.price_minor:
            key = (row.brand.partition("(")[0].strip(), row.currency)
            prices.setdefault(key, []).append(row.price_minor)
    best = {brand: (currency, found) for (brand, currency), found in
            sorted(prices.items(), key=lambda item: len(item[1]))}  # fmt: skip
    rights = [
        msgspec.structs.replace(
            right,
            reference_price_minor=int(statistics.median(best[right.mark][1])),
            reference_currency=best[right.mark][0],
        )
        if right.mark in best
        else right
        for right in occurring(rows)
    ]
    court = Court(rights)
    hand = Hand.for_class(seed, "test", "real", "priced")
    alarms = []
    for row in rows:
        verdict = court.verdict(row, seller("clean", hand, row.seller_id))
        if verdict.outcome != "allow":
            alarms.append(FalseAlarm(row, verdict))
    name = "the same, reference price = the brand's median (no goal), seller clean"
    return _run(name, len(rows), len(rights), len(court.passing(rows)), alarms)


def judge_absent(rows: Sequence[Listing], half: Half, seed: int) -> list[Run]:
    """Judge rows, and titles cluttered with numbers and emoji, under rights that don't occur."""
    shelf = Shelf(rows, half)
    cluttered = []
    for language in LANGUAGES:
        hand = Hand.for_class(seed, half, "clutter", language)
        for number in range(CLUTTERED // len(LANGUAGES)):
            base = hand.pick(shelf.plain_goods(language)).listing
            title = clutter(hand, shelf, language)
            cluttered.append(
                Listing(f"clutter:{language}:{number}", "seller:any", base.occurred_at, title,
                        description=base.description, language=language)
            )  # fmt: skip
    rights = absent([*rows, *cluttered])
    court = Court(rights)
    found = []
    for name, listings in (("rows", rows), ("cluttered titles", cluttered)):
        alarms = []
        for row in listings:
            verdict = court.verdict(row, None)
            if verdict.outcome != "allow":
                alarms.append(FalseAlarm(row, verdict))
        passing = len(court.passing(listings))
        found.append(
            _run(f"{name}, {len(rights):,} rights that occur in none", len(listings), len(rights),
                 passing, alarms)
        )  # fmt: skip
    return found


def _run(name: str, n: int, rights: int, passing: int, alarms: Sequence[FalseAlarm]) -> Run:
    removed = sum(alarm.verdict.outcome == "remove" for alarm in alarms)
    return Run(name, n, rights, removed, len(alarms) - removed, passing, tuple(alarms))
