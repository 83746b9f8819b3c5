"""Checks rights before they are published: what a registry can't use.

What could be used and would be a disaster is told apart, since it can be confirmed:
`agents/monitoring/dangers.py`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from agents.pdq import is_hash
from agents.records import Right

_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_DIGITS: Final = re.compile(r"[0-9]{4,13}")

MOST_CHARACTERS: Final = 200
"""Characters an id or a name may have."""
MOST_OF_MARK: Final = 100
"""Characters a mark, an alias or a category word may have: even registered slogans are shorter."""
MOST_OF: Final = {
    "aliases": 200,
    "category_words": 200,
    "territories": 300,
    "nice_classes": 45,
    "gtin_prefixes": 1_000,
    "image_hashes": 10_000,
    "official_image_hashes": 10_000,
    "authorised_sellers": 10_000,
}
"""Entries a list of a right may have, so that no right takes long to check, compile or send."""
MOST_BYTES: Final = 1_000_000
"""What a right may take in all: its topic takes no larger record."""
MOST_TOLD: Final = 5
"""Problems of one kind that are told of a right."""

_JOINERS: Final = "\u200c\u200d"
"""Zero-width characters that Persian, Hindi and emoji are spelled with."""
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories of what shows nothing: controls, formats, halves of pairs, line breaks."""
_SHOWN: Final = 40


def shown(text: str) -> str:
    """Return a text in quotes for a message: its beginning, and what shows nothing as code points.

    Whatever stands in a file of rights, the terminal that shows the message stays as it is.
    """
    cut = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
    return "'" + "".join(c if c.isprintable() else f"{{U+{ord(c):04X}}}" for c in cut) + "'"


def problems_of(right: Right) -> list[str]:
    """Return why a right can't be published, each with its field; empty when it can.

    Takes no longer than the right is large.
    """
    long = [
        f"field '{name}': {len(getattr(right, name)):,} entries, and {most:,} are the most; "
        "register several rights"
        for name, most in MOST_OF.items()
        if len(getattr(right, name)) > most
    ]
    if long:
        return long
    problems = _unreadable(right)
    size = len(msgspec.json.encode(right))
    if size > MOST_BYTES and not problems:
        return [f"{size:,} bytes, and {MOST_BYTES:,} are the most; register several rights"]
    if not right.right_id.strip():
        problems.append("field 'right_id': empty")
    if not right.owner.strip():
        problems.append("field 'owner': empty")
    if not (right.mark.strip() or right.image_hashes or right.gtin_prefixes):
        problems.append(
            "field 'mark': empty, and no image_hashes or gtin_prefixes: nothing to recognise"
        )
    if right.common_word and not right.category_words:
        problems.append(
            "field 'category_words': empty, and a common word counts only beside one of them: name "
            "the goods"
        )
    problems += _first(
        f"field '{name}': {shown(code)} is no ISO 3166-1 alpha-2 code (two capital letters)"
        for name, code in (
            *(("territories", code) for code in right.territories),
            *(
                ("authorised_sellers.territories", code)
                for seller in right.authorised_sellers
                for code in seller.territories
            ),
        )
        if not _COUNTRY.fullmatch(code)
    )
    problems += _first(
        f"field 'nice_classes': {number} is not within 1 to 45"
        for number in right.nice_classes
        if not 1 <= number <= 45
    )
    problems += _first(
        f"field '{name}': {shown(text[:20])} is no PDQ hash (64 hexadecimal digits)"
        for name, hashes in (
            ("image_hashes", right.image_hashes),
            ("official_image_hashes", right.official_image_hashes),
        )
        for text in hashes
        if not is_hash(text)
    )
    problems += _first(
        f"field 'gtin_prefixes': {shown(prefix)} is no GS1 prefix (4 to 13 digits)"
        for prefix in right.gtin_prefixes
        if not _DIGITS.fullmatch(prefix)
    )
    if right.reference_price_minor is not None:
        if right.reference_price_minor <= 0:
            problems.append("field 'reference_price_minor': must be above 0")
        if not _CURRENCY.fullmatch(right.reference_currency):
            problems.append(
                "field 'reference_currency': a reference price needs an ISO 4217 code "
                "(three capital letters)"
            )
    if (
        right.valid_from is not None
        and right.valid_until is not None
        and right.valid_until <= right.valid_from
    ):
        problems.append("field 'valid_until': not after valid_from")
    return problems


def _first(problems: Iterator[str]) -> list[str]:
    """Return the first few problems, and how many more there are."""
    every = list(problems)
    more = len(every) - MOST_TOLD
    return every if more <= 1 else [*every[:MOST_TOLD], f"{every[MOST_TOLD]}, and {more - 1} more"]


def _unreadable(right: Right) -> list[str]:
    """Return what of a right's texts nobody could read, or would want to."""
    texts: tuple[tuple[str, Sequence[str]], ...] = (
        ("right_id", (right.right_id,)),
        ("owner", (right.owner,)),
        ("brand", (right.brand,)),
        ("member_id", (right.member_id,)),
        ("office", (right.office,)),
        ("registration_number", (right.registration_number,)),
        ("mark", (right.mark,)),
        ("aliases", right.aliases),
        ("category_words", right.category_words),
        ("authorised_sellers.seller_id", [s.seller_id for s in right.authorised_sellers]),
    )
    return [
        problem
        for name, entries in texts
        for problem in _first(
            f"field '{name}': {why}"
            for why in (_why_unreadable(entry, most=_most(name)) for entry in entries)
            if why
        )
    ]


def _most(name: str) -> int:
    """Return how many characters a text of this field may have."""
    return MOST_OF_MARK if name in ("mark", "aliases", "category_words") else MOST_CHARACTERS


def _why_unreadable(text: str, most: int) -> str:
    if len(text) > most:
        return f"{shown(text)} has {len(text):,} characters, and {most} are the most; shorten it"
    for character in text:
        code = ord(character)
        noncharacter = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
        if (unicodedata.category(character) in _UNSEEN or noncharacter) and (
            character not in _JOINERS
        ):
            return f"{shown(text)} has U+{code:04X}, which shows nothing; leave it out"
    return ""
