"""Global Trade Item Numbers: their check digit, their forms, whose company prefix they carry.

GS1 General Specifications, sections 3 and 7.9. A GTIN-12 is a GTIN-13 with a zero in front; a
GTIN-14 is one with a packaging level in front and a check digit of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from agents.records import Right

LENGTHS: Final = (8, 12, 13, 14)
_MIN_PREFIX: Final = 4
_UNOWNED: Final = ("02", "04", "2", "977", "978", "979", "98", "99")
"""GS1 prefixes that no company owns: numbers within a shop, periodicals, books, coupons."""

GtinPrefixes = Mapping[str, tuple[int, ...]]
"""By company prefix, the positions of the rights registered for it."""


def digits_of(text: str) -> str:
    """Return the digits of a GTIN as typed, spaces and hyphens apart; '' if it is no such thing."""
    digits = "".join(text.split()).replace("-", "")
    return digits if digits.isascii() and digits.isdigit() and len(digits) in LENGTHS else ""


def has_valid_check_digit(digits: str) -> bool:
    """Return whether the last digit is right: weights 3 and 1 from the right, modulo 10."""
    weighted = sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(reversed(digits)))
    return weighted % 10 == 0 and digits.strip("0") != ""


def gtin_14(text: str) -> str:
    """Return a GTIN as typed as fourteen digits; '' where it is none or has a wrong check digit."""
    digits = digits_of(text)
    return digits.zfill(14) if has_valid_check_digit(digits) else ""


def problem_of(text: str) -> str:
    """Return why a GTIN says nothing, in words for the seller; '' for a valid one."""
    digits = digits_of(text)
    if not digits:
        return "is no GTIN: 8, 12, 13 or 14 digits are"
    if not has_valid_check_digit(digits):
        return "has a wrong check digit: was it mistyped?"
    return ""


def prefix_table(rights: Iterable[tuple[int, Right]]) -> dict[str, tuple[int, ...]]:
    """Return which rights, given with their positions, are registered for which prefix."""
    found: defaultdict[str, set[int]] = defaultdict(set)
    for position, right in rights:
        for prefix in right.gtin_prefixes:
            if len(prefix) >= _MIN_PREFIX and prefix.isascii() and prefix.isdigit():
                found[prefix].add(position)
    return {prefix: tuple(sorted(owners)) for prefix, owners in found.items()}


def rights_of(digits: str, prefixes: GtinPrefixes) -> tuple[int, ...]:
    """Return the rights whose company prefix a valid GTIN carries; the longest prefix wins.

    Prefixes may be registered as they stand in a GTIN-13 or, of an American company, in a GTIN-12.
    A GTIN-8 carries no company prefix.
    """
    if len(digits) == 8 or not prefixes:
        return ()
    number = digits[1:] if len(digits) == 14 else digits.rjust(13, "0")
    if number.startswith(_UNOWNED):
        return ()
    forms = [number, number[1:]] if number[0] == "0" else [number]
    for length in range(12, _MIN_PREFIX - 1, -1):
        for form in forms:
            owners = prefixes.get(form[: min(length, len(form) - 1)])
            if owners:
                return owners
    return ()
