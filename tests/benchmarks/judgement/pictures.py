"""Listings with pictures: near a known infringing one, and what keeps that from harming others.

Hashes are chance; a near one differs in as many of the 256 bits as is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import msgspec

from agents.records import Image
from tests.benchmarks.judgement.bases import Shelf
from tests.benchmarks.judgement.cases import (
    ALLOW,
    CHEAP,
    HONEST,
    REMOVE,
    REVIEW,
    Case,
    Promise,
    counted,
    seller,
)
from tests.benchmarks.judgement.evasions import half_marks, with_copy_word
from tests.benchmarks.judgement.halves import Half, Hand
from tests.benchmarks.judgement.hide import disguise
from tests.benchmarks.judgement.rights import hashes_of
from tests.benchmarks.judgement.speak import speech

BITS: Final = 256
CLASSES: Final[dict[str, Promise]] = {
    "known picture and bad standing": REMOVE,
    "known picture and replica words": REMOVE,
    "known picture and hidden mark": REMOVE,
    "known picture and a low price": REMOVE,
    "known picture, nothing else": REVIEW,
    "picture of poor quality near a known one": ALLOW,
    "picture 40 bits from a known one": ALLOW,
    "the owner's own picture": ALLOW,
}


def near(pdq: str, bits: int, hand: Hand) -> str:
    """Return the hash with so many of its bits turned."""
    value = int(pdq, 16)
    for bit in hand.chance.sample(range(BITS), bits):
        value ^= 1 << bit
    return f"{value:064x}"


def pictures(shelf: Shelf, half: Half, seed: int, count: int) -> Iterator[Case]:
    """One class for each combination; the plain mark stands in the title where price counts."""
    marks = half_marks(half, "plain")
    for name_of_class, promised in CLASSES.items():
        hand = Hand.for_class(seed, half, name_of_class)
        for made, bench in enumerate(counted(5 * count, "en", shelf, hand)):
            mark, base = hand.pick(marks), bench.base()
            known, official = hashes_of(mark)
            title, name = base.listing.title, mark.name
            if "hidden" in name_of_class:
                name = disguise(name, "Cyrillic letters", hand) or f"{name[:2]}\u200b{name[2:]}"
            if not (name_of_class == "known picture, nothing else" and made % 2):
                title = f"{name} {title}"
            if "replica words" in name_of_class:
                title = with_copy_word(bench, title, name, hand.draw(speech("en").replica))
            pdq = near(known, hand.chance.randint(0, 31), hand)
            if "40 bits" in name_of_class:
                pdq = near(known, hand.chance.randint(40, 120), hand)
            if "owner's own picture" in name_of_class:
                pdq = near(official, hand.chance.randint(0, 6), hand)
            quality = hand.chance.randint(0, 49) if "poor" in name_of_class else 80
            listing = bench.listing(
                base, mark, title=title, price=CHEAP if "low price" in name_of_class else HONEST
            )
            case = Case(
                "honest" if promised is ALLOW else "infringing", name_of_class, "en", listing,
                seller("bad" if "bad standing" in name_of_class else "clean", hand), promised, mark,
            )  # fmt: skip
            image = Image("https://img.example/1.jpg", pdq, quality)
            yield replace(case, listing=msgspec.structs.replace(listing, images=(image,)))
