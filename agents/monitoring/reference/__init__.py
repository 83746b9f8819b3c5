"""Reference data, as files with their versions: currencies, countries, classes, quantity words.

Codes are ISO 4217 and ISO 3166-1. Files are read when they are first needed and checked then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from agents.monitoring.folding import folded_reading


class ReferenceDataError(ValueError):
    """A reference file that can't be used: names the file, the entry and what is wrong."""


_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's where it is there: a tenth of the time."""


def load(name: str) -> dict[str, Any]:
    """Return the content of a reference file. Raises ReferenceDataError."""
    raw = Path(__file__).with_name(name).read_bytes()
    data = yaml.load(raw, Loader=_LOADER)  # noqa: S506 - both are safe loaders
    if not isinstance(data, dict) or "version" not in data:
        raise ReferenceDataError(f"{name}: expected a mapping with a version")
    return data


def _minor_unit_digits() -> dict[str, int]:
    name = "currencies.yaml"
    found: dict[str, int] = {}
    for digits, codes in load(name)["minor_unit_digits"].items():
        for code in str(codes).split():
            if not re.fullmatch(r"[A-Z]{3}", code) or code in found:
                raise ReferenceDataError(f"{name}: '{code}': not three capital letters, or twice")
            found[code] = int(digits)
    return found


MINOR_UNIT_EXPONENT: Final = _minor_unit_digits()
"""By ISO 4217 code, how many decimal digits the currency's minor unit has: 2 for USD, 0 for CLP."""

_COUNTRIES: Final = load("countries.yaml")

COUNTRIES: Final = frozenset(str(_COUNTRIES["codes"]).split())
"""ISO 3166-1 alpha-2 codes."""

_ALSO: Final[dict[str, frozenset[str]]] = {
    str(code): frozenset(str(meant).split()) for code, meant in _COUNTRIES["also"].items()
}


def countries(codes: Iterable[str]) -> frozenset[str]:
    """Return the countries that codes stand for, in any case; 'EU' is its members.

    What is no code of a country is left out.
    """
    found: set[str] = set()
    for code in codes:
        known = code.strip().upper()
        if known in COUNTRIES:
            found.add(known)
        else:
            found |= _ALSO.get(known, frozenset())
    return frozenset(found)


def is_country(code: str) -> bool:
    """Return whether a code stands for a country, or for several."""
    known = code.strip().upper()
    return known in COUNTRIES or known in _ALSO


UNSPACED_RANGES: Final = r"\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff"
"""Letters of scripts written without spaces between words, for the inside of a character class."""
UNSPACED: Final = re.compile(f"[{UNSPACED_RANGES}]")


_WORD: Final = re.compile(r"\w+")
_LONGEST: Final = 4
"""Words of the longest entry."""
_KEPT: Final = 20_000


@dataclass(frozen=True, slots=True)
class _ClassWords:
    """Words of categories, each with its classes."""

    spaced: dict[str, frozenset[int]]
    unspaced: dict[str, frozenset[int]]
    seen: dict[str, frozenset[int]]
    """By the name of a category: a marketplace has some thousand of them."""


@cache
def class_words() -> _ClassWords:
    """Return the words of categories; reading the file takes 15 ms."""
    name = "nice_classes.yaml"
    found: dict[str, set[int]] = {}
    for number, words in load(name)["classes"].items():
        if not 1 <= int(number) <= 45:
            raise ReferenceDataError(f"{name}: {number}: Nice classes are 1 to 45")
        for word in words:
            text = folded_reading(str(word))
            if not UNSPACED.search(text):
                text = " ".join(_WORD.findall(text))
            if not text or text.count(" ") >= _LONGEST:
                raise ReferenceDataError(f"{name}: {number}: '{word}': one to four words, please")
            found.setdefault(text, set()).add(int(number))
    classes = {word: frozenset(numbers) for word, numbers in found.items()}
    return _ClassWords(
        {word: numbers for word, numbers in classes.items() if not UNSPACED.search(word)},
        {word: numbers for word, numbers in classes.items() if UNSPACED.search(word)},
        {},
    )


def nice_classes(category_path: Iterable[str]) -> frozenset[int]:
    """Return the Nice classes in which goods of a category may be; empty where nothing is known."""
    words = class_words()
    found: frozenset[int] = frozenset()
    for name in category_path:
        known = words.seen.get(name)
        if known is None:
            if len(words.seen) >= _KEPT:
                words.seen.clear()
            known = words.seen[name] = _classes_of(folded_reading(name), words)
        found |= known
    return found


def _classes_of(name: str, words: _ClassWords) -> frozenset[int]:
    found: set[int] = set()
    if UNSPACED.search(name):
        for word, numbers in words.unspaced.items():
            if word in name:
                found |= numbers
    tokens = _WORD.findall(name)
    place = 0
    while place < len(tokens):
        # The longest first, so that 'food supplement' is no food.
        for length in range(min(_LONGEST, len(tokens) - place), 0, -1):
            classes = _of_word(" ".join(tokens[place : place + length]), words)
            if classes:
                found |= classes
                place += length
                break
        else:
            place += 1
    return frozenset(found)


def _of_word(word: str, words: _ClassWords) -> frozenset[int] | None:
    """Return the classes of a word, as it stands or without an English plural."""
    for ending in ("", "s", "es"):
        if word.endswith(ending):
            classes = words.spaced.get(word.removesuffix(ending))
            if classes:
                return classes
    return None
