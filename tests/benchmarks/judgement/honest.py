"""Listings of honest sellers, class by class, which the contract promises to leave alone."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Iterator
from typing import Final

from tests.benchmarks.judgement.bases import Shelf
from tests.benchmarks.judgement.cases import (
    ALLOW,
    CHEAP,
    HONEST,
    NEVER_REMOVE,
    Bench,
    Case,
    Standing,
    counted,
    seller,
)
from tests.benchmarks.judgement.evasions import half_marks, name_in, with_copy_word
from tests.benchmarks.judgement.halves import Half, Hand
from tests.benchmarks.judgement.hide import TECHNIQUES, disguise
from tests.benchmarks.judgement.rights import ABROAD, Mark
from tests.benchmarks.judgement.speak import LANGUAGES, speech

PEOPLE: Final[tuple[Standing, ...]] = ("clean", "new", "unverified", "unknown")
TINY: Final = (0.002, 0.1)


def resale(shelf: Shelf, half: Half, seed: int, count: int) -> Iterator[Case]:
    """Plain mark at an honest price, used goods, other currencies, comparisons."""
    marks = half_marks(half, "plain", "short")
    for name_of_class in ("plain mark, honest price", "everyday spelling, honest price",
                          "used goods, low price", "used by its words, low price",
                          "other currency, low number"):  # fmt: skip
        for language in LANGUAGES:
            hand = Hand.for_class(seed, half, name_of_class, language)
            for bench in counted(count, language, shelf, hand):
                mark, base = hand.pick(marks), bench.base()
                name = name_in(mark, hand, language)
                values: dict[str, object] = {}
                price: tuple[float, float] | None = hand.pick((HONEST, None))
                if name_of_class.startswith("everyday"):
                    name = _everyday(mark.name, hand)
                title = bench.titled(base, name)
                if name_of_class.startswith("used"):
                    price = CHEAP
                    values["condition"] = hand.pick(("USED", "USED", "REFURBISHED"))
                if name_of_class.startswith("used by"):
                    title = f"{title} {hand.draw(speech(language).used)}"
                    values["condition"] = "UNKNOWN"
                if name_of_class.startswith("other"):
                    price = CHEAP
                    values["currency"] = hand.pick(("KWD", "BHD", "OMR", "XYZ", ""))
                yield Case(
                    "honest", name_of_class, language,
                    bench.listing(base, mark, title=title, price=price, values=values),
                    seller(hand.pick(PEOPLE), hand), ALLOW, mark,
                )  # fmt: skip


def _everyday(name: str, hand: Hand) -> str:
    """Return the mark as people type it: no accents, another apostrophe, a hyphen, 'and'."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return hand.pick((
        plain, name.upper(), name.lower(), name.replace("'", "’"), plain.replace("'", ""),
        name.replace(" & ", " and "), name.replace(" ", "-"), name.replace("-", " "), f"{name}®",
        f"{name}™", f"#{name}", f"“{name}”", f"{name},", f"({name})",
    ))  # fmt: skip


def nominative(shelf: Shelf, half: Half, seed: int, count: int) -> Iterator[Case]:
    """The mark names what the goods are for; prices are an accessory's, sellers anybody."""
    marks = half_marks(half, "plain", "short")
    for language in LANGUAGES:
        hand = Hand.for_class(seed, half, "nominative", language)
        words = speech(language)
        for bench in counted(3 * count, language, shelf, hand):
            mark, base = hand.pick(marks), bench.base()
            phrase = hand.draw(words.nominative)
            text = phrase.format(m=name_in(mark, hand, language))
            title = hand.pick((
                text, text, f"{text} - {hand.pick(('black', '2 pcs', 'A', '20 mm', '1pc', '✨'))}",
                f"{hand.pick(('New', '✅', '2026', '[HOT]', '3D'))} {text}",
            ))  # fmt: skip
            yield Case(
                "honest", "nominative use", language,
                bench.listing(base, mark, title=title, price=TINY,
                              description=" ".join(words.plain)),
                seller(hand.pick(PEOPLE), hand), ALLOW, mark, phrase=phrase,
            )  # fmt: skip


def sayings(shelf: Shelf, half: Half, seed: int, count: int) -> Iterator[Case]:
    """Negated replica words, words that only sound like them, 'inspired by', parts."""
    marks = half_marks(half, "plain", "short")
    for section, name_of_class, promised in (
        ("negated", "negated replica words", ALLOW),
        ("innocent", "innocent context (scale model, AAA batteries …)", ALLOW),
        ("soft", "'inspired', 'style' alone", NEVER_REMOVE),
        ("part", "parts, low price", NEVER_REMOVE),
    ):
        for language in LANGUAGES:
            hand = Hand.for_class(seed, half, name_of_class, language)
            words = speech(language)
            for bench in counted(count, language, shelf, hand):
                mark, base = hand.pick(marks), bench.base()
                phrase = hand.draw(getattr(words, section))
                goods = hand.pick(words.goods)
                text = phrase.format(m=name_in(mark, hand, language), g=goods)
                description = " ".join(words.plain)
                title = text
                if section == "soft":
                    title = hand.pick((f"{text} {goods}", f"{goods} {text}"))
                if section == "negated" and hand.odds(0.3):
                    title, description = f"{mark.name} {goods}", text
                price = TINY if section == "part" else HONEST
                yield Case(
                    "honest", name_of_class, language,
                    bench.listing(base, mark, title=title, description=description, price=price),
                    seller(hand.pick(PEOPLE), hand), promised, mark, phrase=phrase,
                )  # fmt: skip


def rights_that_do_not_bite(shelf: Shelf, half: Half, seed: int, count: int) -> Iterator[Case]:
    """Authorised sellers, and rights expired, not yet valid or in force elsewhere."""
    for kind, name_of_class, promised in (
        ("plain", "authorised seller, any words and disguise", NEVER_REMOVE),
        ("expired", "right expired", ALLOW),
        ("future", "right not yet valid", ALLOW),
        ("elsewhere", "right in force elsewhere", ALLOW),
    ):
        marks = half_marks(half, kind)
        hand = Hand.for_class(seed, half, name_of_class)
        for made in range((20 if kind == "plain" else 8) * count):
            bench = Bench(shelf, hand, hand.pick(LANGUAGES), made)
            mark, base = hand.pick(marks), bench.base()
            name = mark.name
            technique = ""
            if hand.odds(0.5):
                technique = hand.pick(TECHNIQUES)
                name = disguise(name, technique, hand) or name
            title = bench.titled(base, name)
            word = hand.draw(speech(bench.language).replica)
            if hand.odds(0.5):
                title = with_copy_word(bench, title, name, word)
            values: dict[str, object] = {}
            who = seller(hand.pick(("clean", "new", "bad")), hand)
            if kind == "plain":
                values["seller_id"] = mark.authorised
                who = seller(hand.pick(("clean", "new", "bad")), hand, mark.authorised)
            price = hand.pick((CHEAP, HONEST))
            if kind == "elsewhere":
                values["ships_to"] = (ABROAD,)
            yield Case(
                "honest", name_of_class, bench.language,
                bench.listing(base, mark, title=title, price=price, values=values),
                who, promised, mark, technique, word,
            )  # fmt: skip


ENDINGS: Final = ("ville", "son", "ia", "ella", "ify", "ists", "ology", "ham", "x3", "man", "ette")
STARTS: Final = ("Mc", "un", "Neo", "Anti", "Eco", "Bi", "pro", "re", "Ultra", "Al")


def other_words(shelf: Shelf, half: Half, seed: int, count: int) -> Iterator[Case]:
    """The mark inside a longer word; common words without the goods they protect; comparisons."""
    plain, common = half_marks(half, "plain"), half_marks(half, "common")
    for language in LANGUAGES:
        hand = Hand.for_class(seed, half, "longer word", language)
        for bench in counted(count, language, shelf, hand):
            mark, base = hand.pick([m for m in plain if m.name[-1].isalnum()]), bench.base()
            longer = (
                mark.name + hand.draw(ENDINGS)
                if hand.odds(0.6)
                else hand.draw(STARTS) + mark.name.lower()
            )
            title = bench.titled(base, longer)
            if hand.odds(0.3):
                title = f"{title} {hand.draw(speech(language).replica)}"
            yield Case(
                "honest", "mark inside a longer word", language,
                bench.listing(base, mark, title=title, price=hand.pick((TINY, HONEST))),
                seller(hand.pick(PEOPLE), hand), ALLOW, mark, phrase=longer,
            )  # fmt: skip
        hand = Hand.for_class(seed, half, "common word", language)
        made = 0
        bench = Bench(shelf, hand, language)
        while made < count:
            mark, base = hand.pick(common), bench.base()
            made += 1
            text = " ".join((base.listing.title, base.listing.description,
                             *base.listing.category_path)).casefold()  # fmt: skip
            if any(word.casefold() in text for word in mark.right.category_words):
                continue
            name = hand.pick((mark.name, mark.name.lower()))
            title = hand.pick((f"{name} {base.listing.title}", f"{base.listing.title} {name}"))
            yield Case(
                "honest", "common word without its goods", language,
                bench.listing(base, mark, title=title, price=hand.pick((TINY, HONEST))),
                seller(hand.pick(PEOPLE), hand), ALLOW, mark,
            )  # fmt: skip
        hand = Hand.for_class(seed, half, "comparison", language)
        for bench in counted(count, language, shelf, hand):
            some: list[Mark] = hand.chance.sample(plain, 3)
            names = " ".join(mark.name for mark in some)
            base = bench.base()
            yield Case(
                "honest", "several marks in one title", language,
                bench.listing(base, some[0], title=f"{base.listing.title} {names}", price=HONEST),
                seller("clean", hand), NEVER_REMOVE, some[0],
            )  # fmt: skip


EMOJI: Final = "🔥✨💯🎁👟💄📱🌸🐼🎀⭐️❤️‍🔥👩‍👧🇲🇾🇹🇭🇮🇩1️⃣2️⃣✅🆕🅰️🅱️🆗"
SIZES: Final = (
    "40 MM", "1:1", "AAA", "3/4\"", "M12x1.5", "5 V / 2 A", "XXL", "EU 42.5", "10 x 15 cm",
    "0.5 mm", "220-240 V~50 Hz", "4K@60Hz", "±0,2 °C", "№ 7", "Ø 32", "½ kg", "H2O", "CO₂", "IP67",
    "2.4G/5G", "USB 3.2 Gen 2x2", "E27", "G9", "PN16", "DN50", "A4", "B5",
)  # fmt: skip


def clutter(hand: Hand, shelf: Shelf, language: str) -> str:
    """Return an honest title full of part numbers, sizes, codes and emoji."""
    letters = string.ascii_uppercase + string.digits

    def number() -> str:
        sign = hand.pick(("-", ".", "/", "", " "))
        return sign.join(
            "".join(hand.chance.choice(letters) for _ in range(hand.chance.randint(1, 5)))
            for _ in range(hand.chance.randint(1, 4))
        )

    words = hand.pick(shelf.plain_goods(language)).listing.title.split(" ")
    for _ in range(hand.chance.randint(2, 6)):
        emoji = "".join(hand.chance.sample(EMOJI, hand.chance.randint(1, 6)))
        extra = hand.pick((
            number(), hand.pick(SIZES), emoji,
            " ".join(hand.chance.sample(string.ascii_uppercase, hand.chance.randint(2, 4))),
        ))  # fmt: skip
        words.insert(hand.chance.randint(0, len(words)), extra)
    return " ".join(words)
