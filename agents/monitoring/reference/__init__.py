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

from agents.monitoring.data_files import MEND, DataFileError, line_of, read_yaml
from agents.monitoring.folding import folded_reading


class ReferenceDataError(DataFileError):
    """A reference file that can't be used: names file, line, what is wrong and what to do."""


_FOLDER: Final = Path(__file__).parent


def load(name: str, folder: Path = _FOLDER) -> dict[str, Any]:
    """Return the content of a reference file.

    Raises:
        ReferenceDataError: it is no mapping with a version.
    """
    data = read_yaml(folder / name, ReferenceDataError)
    if not isinstance(data, dict) or "version" not in data:
        raise ReferenceDataError(f"{name}:1: expected a mapping with a version; {MEND}")
    return data


def refusal(name: str, problem: str, *keys: str, folder: Path = _FOLDER) -> ReferenceDataError:
    """Return the error of a reference file, with the line of the entry under these keys."""
    return ReferenceDataError(f"{name}:{line_of(folder / name, *keys)}: {problem}; {MEND}")


def read_currencies(folder: Path = _FOLDER) -> dict[str, int]:
    """Return by ISO 4217 code how many decimal digits its minor unit has.

    Raises:
        ReferenceDataError: the file is broken.
    """
    name, group = "currencies.yaml", "minor_unit_digits"
    found: dict[str, int] = {}
    for digits, codes in _mapping(name, group, folder).items():
        if not isinstance(digits, int) or not 0 <= digits <= 4:
            raise refusal(name, f"'{digits}': expected digits, 0 to 4", group, folder=folder)
        for code in str(codes).split():
            if not re.fullmatch(r"[A-Z]{3}", code) or code in found:
                problem = f"'{code}': not three capital letters, or twice"
                raise refusal(name, problem, group, str(digits), folder=folder)
            found[code] = digits
    return found


def read_countries(folder: Path = _FOLDER) -> tuple[frozenset[str], dict[str, frozenset[str]]]:
    """Return the ISO 3166-1 alpha-2 codes, and by other codes those that they stand for.

    Raises:
        ReferenceDataError: the file is broken.
    """
    name = "countries.yaml"
    data = load(name, folder)
    codes = frozenset(str(data.get("codes", "")).split())
    for code in codes:
        if not re.fullmatch(r"[A-Z]{2}", code):
            raise refusal(name, f"'{code}': not two capital letters", "codes", folder=folder)
    also = {
        str(code): frozenset(str(meant).split())
        for code, meant in _mapping(name, "also", folder).items()
    }
    for code, meant in also.items():
        strangers = sorted(meant - codes)
        if strangers or not meant:
            problem = f"'{code}': {strangers[0] if strangers else 'nothing'} is none of the codes"
            raise refusal(name, problem, "also", code, folder=folder)
    return codes, also


def _mapping(name: str, group: str, folder: Path) -> dict[Any, Any]:
    found = load(name, folder).get(group)
    if not isinstance(found, dict):
        raise refusal(name, f"'{group}': expected a mapping", group, folder=folder)
    return found


MINOR_UNIT_EXPONENT: Final = read_currencies()
"""By ISO 4217 code, how many decimal digits the currency's minor unit has: 2 for USD, 0 for CLP."""

COUNTRIES, _ALSO = read_countries()


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
    """Return the words of categories; the file is read once, in some milliseconds."""
    return read_class_words()


def read_class_words(folder: Path = _FOLDER) -> _ClassWords:
    """Return the words of categories in a folder's file.

    Raises:
        ReferenceDataError: it is broken.
    """
    name, group = "nice_classes.yaml", "classes"
    found: dict[str, set[int]] = {}
    for number, words in _mapping(name, group, folder).items():
        where = (group, str(number))
        if not isinstance(number, int) or not 1 <= number <= 45:
            raise refusal(name, f"{number}: Nice classes are 1 to 45", *where, folder=folder)
        if not isinstance(words, list):
            raise refusal(name, f"{number}: expected a list of words", *where, folder=folder)
        for word in words:
            text = folded_reading(str(word))
            if not UNSPACED.search(text):
                text = " ".join(_WORD.findall(text))
            if not text or text.count(" ") >= _LONGEST:
                problem = f"{number}: '{word}': one to four words are needed"
                raise refusal(name, problem, *where, folder=folder)
            found.setdefault(text, set()).add(number)
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
