"""Rights, sellers and listings for the benchmarks: varied, and the same in every run.

Titles and descriptions are put together from halves of the demo's sample, language by language, so
that scripts, accents, emoji and lengths are those of a marketplace; or they are real rows.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from agents.demo import sample
from agents.monitoring.feed import load_mapping, read_listings
from agents.monitoring.judge import Judge
from agents.monitoring.policies import default_policy
from agents.monitoring.registry import compile_registry
from agents.records import Image, Listing, Right, Seller

RIGHTS: Final = 1_200
SELLERS: Final = 2_000
NAMING: Final = 0.10
"""Share of listings that name a registered mark."""
INFRINGING: Final = 0.01
"""Share of listings that the default policy takes down."""
ROGUES: Final = 50
"""One seller in so many sells what infringes; all of them are new and not verified."""
SHORT: Final = 70
"""Characters of a description that make a real row as long as an event with a short one."""
YEAR_MS: Final = 365 * 86_400_000
REFERENCE: Final = 20_000

_SYLLABLES: Final = (
    "zor", "vex", "quan", "drel", "mir", "tak", "bol", "fen", "gar", "hul", "jex", "kav", "lor",
    "nep", "osk", "pry", "rud", "sil", "tov", "ulm", "wex", "yar", "zim", "chal", "dro", "fis",
    "glen", "hax", "ivo", "jun", "krel", "lum", "nax", "plo", "quor",
)  # fmt: skip
LETTERS: Final = 9
_CONSONANTS: Final = (*"bcdfghjklmnprstvwxz", "br", "ch", "dr", "gl", "kr", "pl", "st", "tr")
_VOWELS: Final = ("a", "e", "i", "o", "u", "y", "ai", "ea", "io")
_ORDINARY: Final = ("home", "sport", "baby", "tech", "studio", "garden", "power", "life", "style")
_LOOKALIKES: Final = {"o": "о", "a": "а", "e": "е", "i": "і", "x": "х", "p": "р"}  # Cyrillic
_DETAILS: Final = (
    "2 pcs", "Size M", "Size 42", "XL", "38 mm", "A4", "500 ml", "Black", "Rosa", "Blau", "白色",
    "2026", "v2", "No. 7", "USB-C", "10x15 cm", "Set of 3", "Talla 40", "สีดำ", "Grün",
)  # fmt: skip


def rights(count: int = RIGHTS) -> list[Right]:
    """Return rights of invented marks, one in eight of two words."""
    chance = random.Random(1)
    marks: dict[str, None] = {}
    while len(marks) < count:
        words = [
            "".join(chance.sample(_SYLLABLES, chance.choice((2, 2, 3)))).capitalize()
            for _ in range(2 if chance.random() < 0.125 else 1)
        ]
        marks[" ".join(words)] = None
    return [right_of(f"tm-{index}", mark) for index, mark in enumerate(marks)]


def many_rights(count: int) -> Iterator[Right]:
    """Yield rights of invented marks of nine letters and more, which no honest title names.

    One in three has a second word, one in six an ordinary one. The first are the same however many
    there are.
    """
    chance = random.Random(3)
    marks: set[str] = set()
    while len(marks) < count:
        word = "".join(
            chance.choice(_CONSONANTS) + chance.choice(_VOWELS)
            for _ in range(chance.choice((4, 4, 5, 6)))
        )
        draw = chance.random()
        second = "".join(chance.sample(_SYLLABLES, 2)) if draw < 1 / 6 else ""
        second = chance.choice(_ORDINARY) if 1 / 6 <= draw < 1 / 3 else second
        mark = f"{word} {second}".strip().title()
        if len(word) >= LETTERS and mark not in marks:
            marks.add(mark)
            yield right_of(f"tm-{len(marks):07}", mark)


def right_of(right_id: str, mark: str) -> Right:
    """Return a right with the reference price that listings are measured against."""
    return Right(
        right_id,
        f"{mark} Ltd",
        brand=mark,
        mark=mark,
        reference_price_minor=REFERENCE,
        reference_currency="USD",
    )


def sellers(now: int, count: int = SELLERS) -> list[Seller]:
    """Return sellers; one in ten is new and not verified."""
    return [
        Seller(
            f"bench:seller-{index}",
            created_at=now - (YEAR_MS // 50 if index % 10 == 0 else 3 * YEAR_MS),
            verified=index % 10 != 0,
        )
        for index in range(count)
    ]


def sample_bases() -> list[Listing]:
    """Return the demo's listings that name none of the demo's own marks."""
    judge = Judge(compile_registry(sample.rights(), "0"), default_policy())
    listings = [step.listing for step in sample.steps()]
    return [item for item in listings if not judge.examine(item, item.occurred_at).matches]


def real_bases(folder: Path, *, short: bool = False) -> list[Listing]:
    """Return every row of the marketplaces' files in a folder that can be read as a listing.

    With `short` of the descriptions only the first `SHORT`, and one picture.
    """
    found = [
        row
        for marketplace in ("lazada", "shein", "shopee")
        for path in sorted(folder.glob(f"{marketplace}*.csv"))
        for row in read_listings(path, load_mapping(marketplace), 0)
        if isinstance(row, Listing)
    ]
    if not found:
        raise SystemExit(f"{folder}: no lazada*.csv, shein*.csv or shopee*.csv with rows")
    if not short:
        return found
    return [
        msgspec.structs.replace(row, description=row.description[:SHORT], images=row.images[:1])
        for row in found
    ]


class Catalogue:
    """An endless supply of listings over some marks."""

    def __init__(
        self, marks: Sequence[str], data: Path | None = None, *, short: bool = False
    ) -> None:
        """Mix from the sample, or take the rows of a folder as they are, or shortened."""
        self._marks = marks
        self._bases = real_bases(data, short=short) if data else sample_bases()
        self._mixed = data is None
        self._titles: defaultdict[str, list[list[str]]] = defaultdict(list)
        self._sentences: defaultdict[str, list[str]] = defaultdict(list)
        for base in self._bases:
            self._titles[base.language].append(base.title.split(" "))
            self._sentences[base.language] += [
                line for line in base.description.split("\n") if line
            ] or [base.title]

    def listings(
        self, count: int, now: int, *, naming: float = NAMING, infringing: float = INFRINGING
    ) -> Iterator[Listing]:
        """Yield listings that occurred at `now`; the same ones for the same count."""
        chance = random.Random(2)
        for number in range(count):
            base = self._base(chance)
            draw = chance.random()
            if draw < infringing:
                base = self._infringing(base, chance)
            elif draw < naming:
                base = self._honest(base, chance)
            yield msgspec.structs.replace(
                base,
                listing_id=f"bench:{number}",
                event_id="",
                seller_id=base.seller_id
                if base.seller_id.startswith("bench:")
                else f"bench:seller-{chance.randrange(SELLERS)}",
                occurred_at=now,
                revision=1 + number % 7,
            )

    def _base(self, chance: random.Random) -> Listing:
        base = chance.choice(self._bases)
        if not self._mixed:
            return base
        titles, sentences = self._titles[base.language], self._sentences[base.language]
        first, second = chance.choice(titles), chance.choice(titles)
        words = first[: (len(first) + 1) // 2] + second[len(second) // 2 :]
        name = f"{chance.randrange(16**8):08x}"
        return msgspec.structs.replace(
            base,
            title=" ".join([*words, chance.choice(_DETAILS)]),
            description="\n".join(chance.choice(sentences) for _ in range(chance.randint(1, 7))),
            images=tuple(
                Image(f"https://img.bazaar.example/{name[:2]}/{name}-{number}.jpg")
                for number in range(chance.randint(1, 3))
            ),
        )

    def _honest(self, base: Listing, chance: random.Random) -> Listing:
        mark = chance.choice(self._marks)
        accessory = chance.random() < 0.4
        title = f"{base.title} for {mark}" if accessory else f"{mark} {base.title}"
        return msgspec.structs.replace(
            base, title=title, price_minor=chance.randint(17_000, 25_000), currency="USD"
        )

    def _infringing(self, base: Listing, chance: random.Random) -> Listing:
        mark = chance.choice(self._marks)
        kind = chance.randrange(3)
        # Few infringe, again and again: what they list is looked at for relisting, as it would be.
        rogue = f"bench:seller-{chance.randrange(SELLERS // ROGUES) * ROGUES}"
        values = {
            "price_minor": 3_000, "currency": "USD", "condition": "NEW", "seller_id": rogue
        }  # fmt: skip
        if kind == 0:
            title = f"{mark} replica 1:1 AAA quality {base.title}"
        elif kind == 1:
            title = f"{_disguised(mark)} {base.title}"
        else:
            title = f"{mark} {base.title}"
        return msgspec.structs.replace(base, title=title, **values)


def _disguised(mark: str) -> str:
    """Return the mark with a letter in Cyrillic guise, or with a character that vanishes."""
    for plain, guise in _LOOKALIKES.items():
        if plain in mark[1:]:
            return mark[0] + mark[1:].replace(plain, guise, 1)
    return f"{mark[:2]}\u200b{mark[2:]}"
