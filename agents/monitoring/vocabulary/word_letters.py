"""How the characters of a word in disguise read."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple

from agents.monitoring.confusables import load_table

LONGEST: Final = 40
"""Characters of a word that is compared, and letters apart that are put together at once."""
SHORTEST: Final = 3
"""Letters of a word that may be read in disguise within a phrase: 'qualité 4aa'."""

_STRIKING: Final = "*#?•●■×✱＊∗"
"""Signs in a letter's place that stand for nothing else."""
_NO_ACCENT: Final = "ßþ"
"""Letters of a language that look like others without their accents."""


class Letter(NamedTuple):
    """What a character of a word reads as, likeliest first; nothing for a sign."""

    readings: tuple[str, ...]
    plain: bool
    sign: bool
    """It may also stand for a letter that is struck out, or for none."""
    strikes: bool
    low_line: bool = False
    digit: str = ""
    """The digit, where it is one."""


@cache
def letter_of(character: str) -> Letter | None:
    """Return how a character reads; None where no word of Latin letters has it."""
    lowered = character.lower()
    if lowered.isascii() and lowered.isalpha():
        return Letter((lowered,), plain=True, sign=False, strikes=False)
    table = load_table()
    code = ord(character)
    readings = tuple(r for r in table.readings.get(code, ()) if len(r) == 1 and r.isalpha())
    if lowered.isalpha():
        base = unicodedata.normalize("NFD", lowered)[:1]
        if not (base.isascii() and base.isalpha()) and table.kind.get(code) == "accent":
            base = "" if lowered in _NO_ACCENT or not readings else readings[0]
        if base.isascii() and base.isalpha():
            return Letter((base,), plain=True, sign=False, strikes=False)
    elif not lowered.isalnum():
        strikes = character in _STRIKING
        low_line = character == "_"
        return Letter(readings, plain=False, sign=True, strikes=strikes, low_line=low_line)
    if not readings:
        return None
    digit = lowered if lowered.isdigit() else ""
    return Letter(readings, plain=False, sign=False, strikes=False, digit=digit)


def fold_of(letters: Sequence[Letter]) -> str:
    """Return what disguises letters each of which is there."""
    if any(letter.digit for letter in letters):
        return "digit"
    if any(letter.sign for letter in letters):
        return "symbol"
    return "combining" if all(letter.plain for letter in letters) else "confusable"


def is_apart(letters: Sequence[Letter]) -> bool:
    """Return whether every letter has a sign between it and the next."""
    signs = [letter.sign for letter in letters]
    return (
        len(signs) >= SHORTEST
        and any(signs)
        and all(one or other for one, other in itertools.pairwise(signs))
    )


def apart_letters(token: str) -> list[tuple[int, Letter]]:
    """Return the letters of a token that has a sign between each and the next: 'f_a_k'."""
    if len(token) > LONGEST or token[0].isalnum() == token[1].isalnum():
        return []
    letters = [letter_of(character) for character in token]
    known = [letter for letter in letters if letter is not None]
    if len(known) < len(token) or not is_apart(known):
        return []
    return [(p, letter) for p, letter in enumerate(known) if letter.readings and not letter.sign]
