"""Listings that infringe, class by class, as the contract's table promises to catch them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tests.benchmarks.judgement.bases import Shelf
from tests.benchmarks.judgement.cases import (
    ACT,
    CHEAP,
    REMOVE,
    REVIEW,
    Bench,
    Case,
    Promise,
    Standing,
    counted,
    seller,
)
from tests.benchmarks.judgement.halves import Half, Hand, of_half
from tests.benchmarks.judgement.hide import TECHNIQUES, disguise
from tests.benchmarks.judgement.rights import Mark, of_kind
from tests.benchmarks.judgement.speak import LANGUAGES, speech

ANYONE: Final[tuple[Standing, ...]] = ("clean", "clean", "new", "unverified", "unknown")


def half_marks(half: Half, *kinds: str) -> list[Mark]:
    return of_half(of_kind(*kinds), half)


def name_in(mark: Mark, hand: Hand, language: str) -> str:
    """Return the mark as it is written plainly: itself, in capitals, or an alias of the script."""
    aliases = [alias for alias in mark.right.aliases if _script(alias) == _SCRIPT.get(language, "")]
    if aliases and hand.odds(0.5):
        return hand.pick(aliases)
    return hand.pick((mark.name, mark.name, mark.name, mark.name.upper(), mark.name.lower()))


_SCRIPT: Final = {"zh": "Han", "th": "Thai", "ru": "Cyrillic", "ar": "Arabic"}


def _script(text: str) -> str:
    for letter in text:
        code = ord(letter)
        if 0x0E00 <= code < 0x0E80:
            return "Thai"
        if 0x0400 <= code < 0x0530:
            return "Cyrillic"
        if 0x0600 <= code < 0x0700:
            return "Arabic"
        if 0x4E00 <= code < 0xA000:
            return "Han"
    return ""


def with_copy_word(bench: Bench, title: str, name: str, word: str) -> str:
    """Put replica vocabulary into a title: first, last, beside the mark, in brackets."""
    hand = bench.hand
    dressed = hand.pick(
        (word, word, word, f"({word})", f"[{word}]", f"【{word}】", f"🔥{word}🔥", word.upper())
    )
    joined = bench.language in ("th", "zh") and not word.isascii() and hand.odds(0.5)
    place = hand.pick(("first", "last", "beside", "beside"))
    if place == "first":
        return f"{dressed}{gap(dressed, title, joined=joined)}{title}"
    if place == "last":
        return f"{title}{gap(title, dressed, joined=joined)}{dressed}"
    if name not in title:  # all of the title is in capitals, and so is the name
        name = name.upper()
    return title.replace(name, f"{name} {dressed}" if hand.odds(0.6) else f"{dressed} {name}", 1)


def gap(left: str, right: str, *, joined: bool) -> str:
    """Return what stands between two pieces of a title: nothing where scripts allow to join them.

    Latin letters and digits joined to others would put a mark inside a longer word.
    """
    return "" if joined and not (left[-1].isascii() or right[0].isascii()) else " "


def plain_with_copy_words(shelf: Shelf, half: Half, seed: int, count: int) -> Iterator[Case]:
    """Plain mark and replica vocabulary, wherever the two stand."""
    marks = half_marks(half, "plain", "short")
    for place in ("title", "description", "both", "opening words of the description", "brand field",
                  "attributes", "mark and words in description only"):  # fmt: skip
        name_of_class = f"plain mark, replica words: {place}"
        for language in LANGUAGES:
            hand = Hand.for_class(seed, half, name_of_class, language)
            words = speech(language)
            for bench in counted(count, language, shelf, hand):
                mark, base = hand.pick(marks), bench.base()
                name, word = name_in(mark, hand, language), hand.draw(words.replica)
                title, description = bench.titled(base, name), base.listing.description
                values: dict[str, object] = {}
                about = hand.draw(words.about).format(m=name, r=word)
                rest = " ".join(hand.chance.sample(words.plain, 2))
                if place in ("title", "both"):
                    title = with_copy_word(bench, title, name, word)
                if place in ("description", "both"):
                    description = f"{about} {rest}" if hand.odds(0.5) else f"{rest} {about}"
                if place.startswith("opening"):
                    description = f"{hand.draw(words.openers).format(r=word)} {rest}"
                if place == "brand field":
                    title = with_copy_word(bench, base.listing.title, base.listing.title, word)
                    values["brand"] = name
                if place == "attributes":
                    title = with_copy_word(bench, base.listing.title, base.listing.title, word)
                    values["attributes"] = {hand.pick(("Brand", "Marca", "Merek", "品牌")): name}
                if place.startswith("mark and words"):
                    title = base.listing.title
                    description = f"{about} {rest}"
                yield Case(
                    "infringing", name_of_class, language,
                    bench.listing(base, mark, title=title, description=description, values=values),
                    seller(hand.pick(ANYONE), hand), REMOVE, mark, phrase=word,
                )  # fmt: skip


SUPPORTS: Final[dict[str, Promise]] = {
    "replica words": REMOVE,
    "cheap": REMOVE,
    "seller of bad standing": REMOVE,
    "nothing else": ACT,
}


def hidden(shelf: Shelf, half: Half, seed: int, count: int) -> Iterator[Case]:
    """Hidden mark, by technique and by what speaks against it beside that."""
    marks = half_marks(half, "plain")
    for technique in TECHNIQUES:
        hand = Hand.for_class(seed, half, "hidden", technique)
        for support in SUPPORTS:
            made, tries = 0, 0
            while made < count and tries < 40 * count:
                tries += 1
                language = hand.pick(LANGUAGES)
                mark = hand.pick(marks)
                case = _hidden(Bench(shelf, hand, language, made), mark, technique, support)
                if case:
                    made += 1
                    yield case


def _hidden(bench: Bench, mark: Mark, technique: str, support: str, name: str = "") -> Case | None:
    hand, language = bench.hand, bench.language
    cased = hand.pick((mark.name, mark.name, mark.name.upper(), mark.name.lower()))
    letters = sum(letter.isalnum() for letter in cased)
    if technique == "dotless i" and language == "tr":
        return None  # NİKE is how Turkish writes it in capitals
    if mark.kind != "short" and letters < 4:
        return None
    shown = disguise(cased, technique, hand)
    if shown is None:
        return None
    base = bench.base()
    title = bench.titled(base, shown)
    word = ""
    if support == "replica words":
        word = hand.draw(speech(language).replica)
        title = with_copy_word(bench, title, shown, word)
    return Case(
        "infringing",
        name or f"hidden mark, {support}",
        language,
        bench.listing(base, mark, title=title, price=CHEAP if support == "cheap" else None),
        seller(
            "bad" if support == "seller of bad standing" else hand.pick(("clean", "unknown")), hand
        ),
        SUPPORTS[support],
        mark,
        technique,
        word,
    )


def hidden_elsewhere(shelf: Shelf, half: Half, seed: int, count: int) -> Iterator[Case]:
    """Hidden marks in the description or the brand field; short ones; common words; aliases."""
    plain, short = half_marks(half, "plain"), half_marks(half, "short")
    strong = (
        "Cyrillic letters", "zero-width", "full-width", "mathematical styles", "combining stacks",
        "enclosed letters", "small capitals", "entities, decimal",
    )  # fmt: skip
    hand = Hand.for_class(seed, half, "hidden elsewhere")
    for place in ("description", "brand field"):
        made = 0
        while made < 4 * count:
            language, mark = hand.pick(LANGUAGES), hand.pick(plain)
            technique, support = hand.pick(TECHNIQUES), hand.pick(tuple(SUPPORTS))
            shown = disguise(mark.name, technique, hand)
            if shown is None or (place == "brand field" and "\n" in shown):
                continue
            made += 1
            bench = Bench(shelf, hand, language, made)
            base, words = bench.base(), speech(language)
            word = hand.draw(words.replica)
            title, values = base.listing.title, {}
            about = f"{shown} - {hand.pick(words.goods)}. {hand.pick(words.plain)}"
            if support == "replica words":
                about = hand.draw(words.about).format(m=shown, r=word)
            if place == "brand field":
                values = {"brand": shown}
                title = f"{title} {word}" if support == "replica words" else title
                about = base.listing.description
            bad = support == "seller of bad standing"
            yield Case(
                "infringing", f"hidden mark in the {place}", language,
                bench.listing(base, mark, title=title, description=about,
                              price=CHEAP if support == "cheap" else None, values=values),
                seller("bad" if bad else "clean", hand), SUPPORTS[support], mark, technique,
                word if support == "replica words" else "",
            )  # fmt: skip
    made = 0
    while made < 6 * count:
        bench = Bench(shelf, hand, hand.pick(LANGUAGES), made)
        case = _hidden(bench, hand.pick(short), hand.pick(strong), hand.pick(tuple(SUPPORTS)),
                       "hidden short mark (three letters)")  # fmt: skip
        if case:
            made += 1
            yield case
    yield from _hidden_alias(shelf, half, hand, 6 * count)
    yield from _common_words(shelf, half, hand, 6 * count)


def _hidden_alias(shelf: Shelf, half: Half, hand: Hand, count: int) -> Iterator[Case]:
    techniques = ("zero-width", "soft hyphen", "bidi controls", "dotted apart", "starred apart",
                  "dashed apart", "spaced apart", "emoji apart", "entities, decimal", "tags",
                  "variation selectors", "exotic spaces")  # fmt: skip
    pairs = [
        (language, mark, alias)
        for mark in half_marks(half, "plain")
        for alias in mark.right.aliases
        for language, script in _SCRIPT.items()
        if _script(alias) == script and len(alias) >= 2
    ]
    made = 0
    while made < count:
        language, mark, alias = hand.pick(pairs)
        technique = hand.pick(techniques)
        shown = disguise(alias, technique, hand)
        if shown is None:
            continue
        made += 1
        bench = Bench(shelf, hand, language, made)
        base, word = bench.base(), hand.draw(speech(language).replica)
        yield Case(
            "infringing", "hidden alias in another script, replica words", language,
            bench.listing(base, mark, title=f"{shown} {base.listing.title} {word}"),
            seller("clean", hand), REMOVE, mark, technique, word,
        )  # fmt: skip


def _common_words(shelf: Shelf, half: Half, hand: Hand, count: int) -> Iterator[Case]:
    marks = half_marks(half, "common")
    for made in range(count):
        mark, bench = hand.pick(marks), Bench(shelf, hand, "en", made)
        goods = hand.pick(mark.right.category_words)
        disguised = made % 2 == 1
        guise = "hidden, " if disguised else ""
        name = mark.name
        technique = ""
        if disguised:
            technique = hand.pick(
                ("Cyrillic letters", "zero-width", "mathematical styles", "leet digits")
            )
            name = disguise(mark.name, technique, hand) or ""
            if not name:
                continue
        word = hand.draw(speech("en").replica)
        base = bench.base()
        title = hand.pick(
            (f"{name} {goods} {word}", f"{word} {name} {goods}", f"{goods} {name} ({word})")
        )
        yield Case(
            "infringing", f"common word beside its goods, {guise}replica words", "en",
            bench.listing(base, mark, title=title, description=""),
            seller("clean", hand), REMOVE, mark, technique, word,
        )  # fmt: skip


def cheap(shelf: Shelf, half: Half, seed: int, count: int) -> Iterator[Case]:
    """Plain mark at a price under 0.35 of the reference, by who sells."""
    marks = half_marks(half, "plain", "short")
    who: tuple[tuple[Standing, Promise], ...] = (
        ("new", REMOVE), ("unverified", REMOVE), ("bad", REMOVE), ("clean", REVIEW),
    )  # fmt: skip
    for standing, promised in who:
        name_of_class = f"plain mark, cheap, seller {standing}"
        for language in LANGUAGES:
            hand = Hand.for_class(seed, half, name_of_class, language)
            for bench in counted(count, language, shelf, hand):
                mark, base = hand.pick(marks), bench.base()
                title = bench.titled(base, name_in(mark, hand, language))
                yield Case(
                    "infringing", name_of_class, language,
                    bench.listing(base, mark, title=title, price=CHEAP),
                    seller(standing, hand), promised, mark,
                )  # fmt: skip
