"""Checks rights before they are published: what a registry can't use, and what would harm."""

from __future__ import annotations

import re
from typing import Final

from agents.records import Right

_COUNTRY: Final = re.compile(r"^[A-Z]{2}$")
_CURRENCY: Final = re.compile(r"^[A-Z]{3}$")
_HASH: Final = re.compile(r"^[0-9a-fA-F]{64}$")
_DIGITS: Final = re.compile(r"^\d{4,13}$")

MIN_LETTERS: Final = 2


def problems_of(right: Right) -> list[str]:
    """Return what is wrong with a right, each with its field; empty when it can be published."""
    problems = []
    if not right.right_id.strip():
        problems.append("field 'right_id': empty")
    if not right.owner.strip():
        problems.append("field 'owner': empty")
    if not (right.mark.strip() or right.image_hashes or right.gtin_prefixes):
        problems.append(
            "field 'mark': empty, and no image_hashes or gtin_prefixes: nothing to recognise"
        )
    for name, mark in (("mark", right.mark), *(("aliases", alias) for alias in right.aliases)):
        if name == "aliases" and not mark.strip():
            problems.append("field 'aliases': an empty alias would match everything")
        elif mark.strip() and sum(c.isalnum() for c in mark) < MIN_LETTERS:
            problems.append(f"field '{name}': '{mark}' has fewer than two letters or digits")
    if right.common_word and not right.category_words:
        problems.append(
            "field 'category_words': empty, and a common word counts only beside one of them"
        )
    problems += [
        f"field '{name}': '{code}' is no ISO 3166-1 alpha-2 code (two capital letters)"
        for name, code in (
            *(("territories", code) for code in right.territories),
            *(
                ("authorised_sellers.territories", code)
                for seller in right.authorised_sellers
                for code in seller.territories
            ),
        )
        if not _COUNTRY.match(code)
    ]
    problems += [
        f"field 'nice_classes': {number} is not within 1 to 45"
        for number in right.nice_classes
        if not 1 <= number <= 45
    ]
    problems += [
        f"field '{name}': '{text[:20]}' is no PDQ hash (64 hexadecimal digits)"
        for name, hashes in (
            ("image_hashes", right.image_hashes),
            ("official_image_hashes", right.official_image_hashes),
        )
        for text in hashes
        if not _HASH.match(text)
    ]
    problems += [
        f"field 'gtin_prefixes': '{prefix}' is no GS1 prefix (4 to 13 digits)"
        for prefix in right.gtin_prefixes
        if not _DIGITS.match(prefix)
    ]
    if right.reference_price_minor is not None:
        if right.reference_price_minor <= 0:
            problems.append("field 'reference_price_minor': must be above 0")
        if not _CURRENCY.match(right.reference_currency):
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
