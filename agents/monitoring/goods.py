"""What a listing says of its goods beside text: price, trade numbers, category.

Each signal is heard only where it can be: an amount in no known currency, a number with a wrong
check digit, a category nobody knows count for nothing, and the verdict says so.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import msgspec

from agents.gtin import (
    GtinPrefixes,
    digits_of,
    has_valid_check_digit,
    problem_of,
    rights_of,
)
from agents.monitoring.images.hashes import MAX_PICTURES
from agents.monitoring.quantities import says_several
from agents.monitoring.reference import MINOR_UNIT_EXPONENT, class_words, is_country, nice_classes
from agents.monitoring.signals import Facts
from agents.pdq import is_hash
from agents.records import Evidence, Listing, Right

RETAIL: Final = 35
"""The Nice class of retail services: a right that covers it is at home in every category."""
MAX_NOTES: Final = 5
"""Notes of one kind that a verdict shows."""
MAX_GTINS: Final = 50
MAX_CATEGORIES: Final = 20
MAX_CODES: Final = 300
MAX_CHARS: Final = 200
"""What is looked at of a listing's lists and names, so that none takes long."""


def prepare() -> None:
    """Read the reference data now, and not while the first listing waits."""
    class_words()
    says_several("2 pcs")


class PriceCheck(msgspec.Struct, frozen=True):
    """A price against a right's reference: their ratio, or why they can't be compared."""

    ratio: float | None = None
    abstains: str = ""


def compare_price(listing: Listing, right: Right) -> PriceCheck:
    """Return price over reference price, or a note where both are there and can't be compared.

    Amounts are compared in one currency only: an exchange rate is no fact about a listing.
    """
    price, reference = listing.price_minor, right.reference_price_minor
    if reference is None or reference <= 0 or price is None:
        return PriceCheck()
    currency, wanted = (
        listing.currency[:MAX_CHARS].strip().upper(),
        right.reference_currency.strip().upper(),
    )
    if price <= 0:
        return PriceCheck(abstains=f"A price of {price} can't be compared.")
    if not currency:
        return PriceCheck(abstains="The price has no currency, so it can't be compared.")
    if currency not in MINOR_UNIT_EXPONENT:
        return PriceCheck(
            abstains=f"'{listing.currency[:10]}' is no ISO 4217 currency: the price can't be "
            "compared."
        )
    if currency != wanted:
        return PriceCheck(
            abstains=f"Priced in {currency}, the usual price is known in {wanted or 'none'}: not "
            "compared."
        )
    return PriceCheck(round(price / reference, 6))


def money(minor: int, currency: str) -> str:
    """Return an amount as people write it: '1299.90 EUR'."""
    digits = MINOR_UNIT_EXPONENT.get(currency.upper(), 0)
    sign, whole = ("-", -minor) if minor < 0 else ("", minor)
    text = str(whole).rjust(digits + 1, "0")
    amount = f"{text[:-digits]}.{text[-digits:]}" if digits else text
    return f"{sign}{amount} {currency.upper()}"


class Goods(msgspec.Struct, frozen=True):
    """What a listing's numbers and category say, read once for all rights."""

    gtin_rights: tuple[tuple[str, tuple[int, ...]], ...] = ()
    """Valid GTINs, each with the positions of the rights whose prefix it carries."""
    gtin_invalid: bool = False
    classes: frozenset[int] = frozenset()
    """Nice classes the category may be in; empty where unknown."""
    notes: tuple[Evidence, ...] = ()
    """What the listing gives that can't be used."""


def read_goods(listing: Listing, prefixes: GtinPrefixes, *, classes: bool) -> Goods:
    """Return what the listing's numbers say, and its category where `classes` are asked for."""
    valid: list[tuple[str, tuple[int, ...]]] = []
    invalid = False
    notes: list[Evidence] = []
    for index, text in enumerate(listing.gtins[:MAX_GTINS]):
        problem = problem_of(text)
        if not problem:
            digits = digits_of(text)
            valid.append((digits, rights_of(digits, prefixes)))
        elif text.strip():
            digits = digits_of(text)
            invalid = invalid or bool(digits and not has_valid_check_digit(digits))
            notes.append(_note("gtin", f"gtins[{index}]", text, f"'{text[:20]}' {problem}"))
    bad_images = [
        _note(
            "image",
            f"images[{index}].pdq",
            image.pdq,
            "Not a PDQ hash (64 hexadecimal digits): the picture was not compared.",
        )
        for index, image in enumerate(listing.images[:MAX_PICTURES])
        if image.pdq and not is_hash(image.pdq)
    ]
    codes = [("ship_from", listing.ship_from)] if listing.ship_from else []
    codes += [
        (f"ships_to[{index}]", code) for index, code in enumerate(listing.ships_to[:MAX_CODES])
    ]
    bad_codes = [
        _note("in_force", field, code, f"'{code[:10]}' is no ISO 3166-1 country: left out.")
        for field, code in codes
        if not is_country(code)
    ]
    return Goods(
        tuple(valid),
        invalid,
        nice_classes(name[:MAX_CHARS] for name in listing.category_path[:MAX_CATEGORIES])
        if classes
        else frozenset(),
        (*notes[:MAX_NOTES], *bad_images[:MAX_NOTES], *bad_codes[:MAX_NOTES]),
    )


def add_goods(
    facts: Facts,
    goods: Goods,
    *,
    rights: Sequence[Right],
    position: int,
    matched: Collection[int],
) -> tuple[Evidence, ...]:
    """Fill in what the goods say about one right, and return it in words.

    `position` is the right's in `rights`; `matched` are those of all rights the listing concerns.
    """
    right = rights[position]
    notes: list[Evidence] = []

    def note(signal: str, field: str, text: str) -> None:
        notes.append(Evidence(signal=signal, field=field, right_id=right.right_id, note=text))

    if goods.gtin_rights:
        owners = {index for _, found in goods.gtin_rights for index in found}
        own = any(same_owner(rights[index], right) for index in owners)
        # Where two brands are named, each number may be the other's.
        others = [
            rights[index]
            for index in owners
            if not any(same_owner(rights[index], rights[other]) for other in matched)
        ]
        if owners:
            facts.gtin_own = own
            facts.gtin_foreign = bool(others) and not own
        if own:
            note("gtin_own", "gtins", f"The trade number is one of {right.owner}'s.")
        elif others:
            names = ", ".join(sorted({other.owner for other in others}))
            note("gtin_foreign", "gtins", f"The trade number is one of {names}'s.")
    facts.gtin_invalid = goods.gtin_invalid
    if right.nice_classes and goods.classes and RETAIL not in right.nice_classes:
        facts.category_outside = goods.classes.isdisjoint(right.nice_classes)
        if facts.category_outside:
            note(
                "category_outside",
                "category_path",
                "The category lies outside the classes the right is registered in; this lowers the "
                "score only.",
            )
    return tuple(notes)


def same_owner(one: Right, other: Right) -> bool:
    """Return whether two rights belong together: one right, one owner, or one brand."""
    return (
        one.right_id == other.right_id
        or one.owner.strip().casefold() == other.owner.strip().casefold()
        or bool(one.brand and one.brand.casefold() == other.brand.casefold())
    )


def _note(signal: str, field: str, text: str, note: str) -> Evidence:
    return Evidence(
        signal=signal, field=field, end=min(len(text), MAX_CHARS), text=text[:MAX_CHARS], note=note
    )
