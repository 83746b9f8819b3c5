"""Classes that turn on one point: accessories' other fields, longer marks, lapsed authorisations,
words of copying in disguise.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tests.benchmarks.judgement.bases import Shelf
from tests.benchmarks.judgement.cases import (
    ALLOW,
    CHEAP,
    HONEST,
    NEVER_REMOVE,
    REMOVE,
    Bench,
    Case,
    counted,
    seller,
)
from tests.benchmarks.judgement.evasions import half_marks, name_in, with_copy_word
from tests.benchmarks.judgement.halves import Half, Hand
from tests.benchmarks.judgement.hide import disguise
from tests.benchmarks.judgement.honest import PEOPLE, TINY
from tests.benchmarks.judgement.rights import THERE, of_kind
from tests.benchmarks.judgement.speak import LANGUAGES, speech

COMPATIBLE: Final = (
    "Compatible Brand", "Compatible with", "Compatible brands", "Compatibility by Model",
    "Phone Model", "For Brand", "适用品牌", "Marca compatible", "Kompatibel dengan",
    "Brand Compatibility",
)  # fmt: skip
WORD_TRICKS: Final = (
    "leet digits", "Cyrillic letters", "zero-width", "mathematical styles", "dotted apart",
    "spaced apart", "full-width", "symbols", "censored (N*ke)", "combining stacks", "dashed apart",
)  # fmt: skip


def accessories(shelf: Shelf, half: Half, seed: int, count: int) -> Iterator[Case]:
    """Nominative titles whose other fields name the mark too, and nominative fields alone."""
    marks = half_marks(half, "plain", "short")
    for language in LANGUAGES:
        words = speech(language)
        hand = Hand.for_class(seed, half, "accessories", language)
        for bench in counted(count, language, shelf, hand):
            mark, base = hand.pick(marks), bench.base()
            name = name_in(mark, hand, language)
            first, second = (hand.draw(words.nominative).format(m=name) for _ in range(2))
            described = hand.odds(0.6)
            field = {hand.pick(COMPATIBLE): mark.name}
            yield Case(
                "honest",
                "nominative use, mark again in the description"
                if described
                else "nominative use, mark again in the attributes",
                language,
                bench.listing(
                    base, mark, title=first, price=TINY,
                    description=f"{second}.\n✔ {name}\n{words.plain[0]}" if described else "",
                    values={} if described else {"attributes": field},
                ),
                seller(hand.pick(PEOPLE), hand), ALLOW, mark, phrase=first,
            )  # fmt: skip


def longest_mark(shelf: Shelf, half: Half, seed: int, count: int) -> Iterator[Case]:
    """A registered mark within a longer one: the price is measured against the longer one's."""
    hand = Hand.for_class(seed, half, "longest mark")
    for made in range(6 * count):
        bench, mark = Bench(shelf, hand, "en", made), hand.pick(of_kind("longer"))
        base = bench.base()
        title = hand.pick((mark.name, mark.name.upper(), f"Original {mark.name}, sealed, gift"))
        yield Case(
            "honest", "longer registered mark around another, honest price", "en",
            bench.listing(base, mark, title=title, description="", price=(0.7, 1.1)),
            seller(hand.pick(("clean", "new")), hand), ALLOW, mark,
        )  # fmt: skip


def authorisations(shelf: Shelf, half: Half, seed: int, count: int) -> Iterator[Case]:
    """A seller authorised where the listing ships to, and one whose authorisation has lapsed."""
    marks = [mark for mark in half_marks(half, "plain") if not mark.right.territories]
    for name_of_class, promised in (
        ("authorised where it ships to, replica words, cheap", NEVER_REMOVE),
        ("authorisation lapsed, replica words, cheap", REMOVE),
    ):
        hand = Hand.for_class(seed, half, name_of_class)
        for bench in counted(6 * count, "en", shelf, hand):
            mark, base = hand.pick(marks), bench.base()
            lapsed = promised is REMOVE
            who = mark.formerly_authorised if lapsed else mark.authorised_there
            title = with_copy_word(bench, bench.titled(base, mark.name), mark.name, "replica")
            yield Case(
                "infringing" if lapsed else "honest", name_of_class, "en",
                bench.listing(base, mark, title=title, price=hand.pick((CHEAP, HONEST)),
                              values={"seller_id": who, "ships_to": (THERE,)}),
                seller("clean", hand, who), promised, mark,
            )  # fmt: skip


def disguised_words(shelf: Shelf, half: Half, seed: int, count: int) -> Iterator[Case]:
    """Plain mark, and replica vocabulary written so that a search does not find it."""
    marks = half_marks(half, "plain")
    for technique in WORD_TRICKS:
        hand = Hand.for_class(seed, half, "disguised words", technique)
        made = 0
        while made < 2 * count:
            language = hand.pick(("en", "es", "pt", "id", "ms", "fr", "it", "de", "tr", "pl"))
            mark = hand.pick(marks)
            word = hand.draw([w for w in speech(language).replica if w.isascii() and len(w) > 4])
            shown = disguise(word, technique, hand)
            if shown is None:
                continue
            made += 1
            bench = Bench(shelf, hand, language, made)
            base = bench.base()
            title = f"{bench.titled(base, mark.name)} {shown}"
            yield Case(
                "infringing", "plain mark, disguised replica words", language,
                bench.listing(base, mark, title=title, price=HONEST),
                seller("clean", hand), REMOVE, mark, f"words: {technique}", word,
            )  # fmt: skip
