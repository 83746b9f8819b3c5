"""Honest listings that look odd: what editors, exports and other languages do to a plain mark.

The contract calls a mark hidden that can be read only after folding; here any reader reads it, and
nobody hid it. Which of these count as plain is this benchmark's reading of the contract.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from typing import Final

from tests.benchmarks.judgement.bases import Shelf
from tests.benchmarks.judgement.cases import ALLOW, HONEST, NEVER_REMOVE, Case, counted, seller
from tests.benchmarks.judgement.evasions import half_marks, name_in
from tests.benchmarks.judgement.halves import Half, Hand
from tests.benchmarks.judgement.honest import PEOPLE
from tests.benchmarks.judgement.lookalikes import FULL_WIDTH, MATHEMATICAL, SMALL_CAPITALS
from tests.benchmarks.judgement.speak import LANGUAGES, speech

HEADINGS: Final = (
    "NEW", "SALE", "HOT", "PROMO", "READY STOCK", "BEST SELLER", "OFERTA", "TERLARIS", "GRATIS",
    "LIMITED", "ORIGINAL", "COD",
)  # fmt: skip
SPREAD: Final = (" ", ".", "-", "★", " ✨ ", "\u200b", "•")


def _edges(name: str, hand: Hand) -> str:
    """Zero-width characters and odd spaces around the mark, as copying from a page leaves them."""
    return hand.pick((
        f"\u200b{name}", f"{name}\u200b", f"\ufeff{name}", f"{name}\u00ad", f"\u200e{name}\u200e",
        f"{name}\u200d", f"\u00a0{name}\u00a0", f"\u2068{name}\u2069",
    ))  # fmt: skip


def _gaps(name: str, hand: Hand) -> str:
    """Another space between the words of the mark."""
    return name.replace(" ", hand.pick(("\u00a0", "  ", "\u202f", "\u2009", "\u3000", "\n")))


def _escaped(name: str, hand: Hand) -> str:
    """The mark as an export escapes it: &amp;, &#39;, &eacute;."""
    import html.entities

    accent = {ord(c): f"&{html.entities.codepoint2name[ord(c)]};" for c in "éèôëçöàü"}
    quote = hand.pick(("&#39;", "&apos;", "&rsquo;", "&#x27;"))
    return name.replace("&", "&amp;").translate(accent).replace("'", quote)


def _decomposed(name: str, hand: Hand) -> str:
    """Accents as characters of their own, as some file systems write them."""
    del hand
    return unicodedata.normalize("NFD", name)


def _signs(name: str, hand: Hand) -> str:
    """A trade mark sign, a hashtag, quotes, brackets, a possessive."""
    return hand.pick((
        f"{name}®", f"{name}™", f"{name} (R)", f"#{name.replace(' ', '')}", f"„{name}“",
        f"«{name}»", f"「{name}」", f"【{name}】", f"<b>{name}</b>", f"{name}'s", f"{name}…",
        f"|{name}|", f"★{name}★",
        f"{name}/", f"❤{name}❤", f"*{name}*", f"_{name}_", f"@{name.lower().replace(' ', '')}",
    ))  # fmt: skip


WAYS: Final[dict[str, Callable[[str, Hand], str]]] = {
    "odd characters at the mark's edges": _edges,
    "another space between its words": _gaps,
    "escaped by an export": _escaped,
    "decomposed accents": _decomposed,
    "signs around the mark": _signs,
}


def odd_but_plain(shelf: Shelf, half: Half, seed: int, count: int) -> Iterator[Case]:
    """Plain marks in odd typography, at honest prices."""
    marks = half_marks(half, "plain")
    for way, write in WAYS.items():
        hand = Hand.for_class(seed, half, way)
        usable = [
            mark
            for mark in marks
            if any(write(mark.name, Hand.for_class(0, half, str(n))) != mark.name for n in range(3))
        ]
        for bench in counted(6 * count, "en", shelf, hand):
            bench.language = hand.pick(LANGUAGES)
            mark, base = hand.pick(usable), bench.base()
            title = f"{write(mark.name, hand)} {base.listing.title}"
            yield Case(
                "honest", f"plain mark, {way}", bench.language,
                bench.listing(base, mark, title=title, price=HONEST),
                seller(hand.pick(PEOPLE), hand), ALLOW, mark, phrase=title[:30],
            )  # fmt: skip


def decorated(shelf: Shelf, half: Half, seed: int, count: int) -> Iterator[Case]:
    """A plain mark among words in fancy letters or spread apart; Turkish capitals."""
    marks = half_marks(half, "plain", "short")
    for language in LANGUAGES:
        hand = Hand.for_class(seed, half, "decorated", language)
        for bench in counted(count, language, shelf, hand):
            mark, base = hand.pick(marks), bench.base()
            heading = _fancy(hand.pick(HEADINGS), hand)
            title = f"{heading} {bench.titled(base, name_in(mark, hand, language))}"
            yield Case(
                "honest", "plain mark beside fancy or spread words", language,
                bench.listing(base, mark, title=title, price=HONEST),
                seller(hand.pick(PEOPLE), hand), ALLOW, mark, phrase=heading,
            )  # fmt: skip
    hand = Hand.for_class(seed, half, "Turkish capitals")
    dotted = [mark for mark in marks if "i" in mark.name.casefold()]
    for bench in counted(4 * count, "tr", shelf, hand):
        mark = hand.pick(dotted)
        base, name = bench.base(), mark.name.replace("i", "İ").upper()
        title = f"{name} {hand.pick(speech('tr').goods).replace('i', 'İ').upper()}"
        yield Case(
            "honest", "Turkish capitals (NİKE)", "tr",
            bench.listing(base, mark, title=title, price=HONEST),
            seller("clean", hand), NEVER_REMOVE, mark,
        )  # fmt: skip


def _fancy(word: str, hand: Hand) -> str:
    style = hand.pick(("mathematical", "small", "wide", "spread", "spread"))
    if style == "mathematical":
        table = MATHEMATICAL[hand.pick(sorted(MATHEMATICAL))]
        return "".join(table.get(c, c) for c in word)
    if style == "small":
        return "".join(SMALL_CAPITALS.get(c, (c,))[0] for c in word)
    if style == "wide":
        return "".join(FULL_WIDTH.get(c, c) for c in word)
    return hand.pick(SPREAD).join(word)
