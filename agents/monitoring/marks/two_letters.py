"""Judges marks of two letters, which are found by chance everywhere."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Final

from agents.monitoring.marks.alphabets import is_never_honest
from agents.monitoring.marks.boundaries import BOUNDLESS, script_of
from agents.monitoring.marks.characters import REGIONAL
from agents.monitoring.marks.gaps import Strength
from agents.monitoring.marks.letters import (
    COMBINING,
    COMPATIBILITY,
    CONFUSABLE,
    MARKUP,
    SPACED,
    ZERO_WIDTH,
    around,
    is_of_text,
)
from agents.monitoring.marks.skeleton import Skeleton
from agents.monitoring.marks.spellings import Spelling

_TIGHT: Final = frozenset("*.·•・_-~^+|")
"""Signs that no text sets between two letters that are not one word."""
_SIZES: Final = frozenset("-~")
"""Signs that stand between sizes, styled or not."""
_LISTING: Final = frozenset(" \t\r\n,;:/\\&+()、，；：／（）")
"""Characters that keep two ideographs apart which are words by themselves."""
_BROKEN: Final = frozenset({ZERO_WIDTH, COMBINING, MARKUP})
_MEASURES: Final = frozenset("µμΩΩªº")
"""Letters that stand beside others in units and ordinals: 'µA', '1ª'."""


def two_letters(
    spelling: Spelling,
    skeleton: Skeleton,
    runs: Sequence[Sequence[int]],
    folds: dict[str, int],
    odd: Sequence[str],
) -> Strength | None:
    """Return how surely two letters are the mark, with `odd` signs between; None if not.

    Not by chance are two ideographs broken by nothing, two letters of which both are styled, and a
    letter of another script in a word that is not of that script.
    """
    letters = [skeleton.read[place] for run in runs for place in run]
    ideographs = script_of(spelling.runs[0][0]) in BOUNDLESS
    signs = "".join(odd)
    tight = _LISTING.isdisjoint(signs) if ideographs else all(sign in _TIGHT for sign in odd)
    rare = signs != "" and all(unicodedata.category(c) in ("So", "Sk") for c in signs)
    broken = folds.keys() - ({SPACED} if tight or rare else set()) <= _BROKEN
    if broken and (ideographs or (rare and "".join(letters).isupper())):
        return "hidden"
    if COMPATIBILITY in folds and COMBINING in folds and not any(map(str.isascii, letters)):
        return None  # 𝐫𝐞̉ in Vietnamese
    disguised = sum(map(is_never_honest, letters))
    if len(letters) == 2 and disguised and _SIZES.isdisjoint(signs) and (tight or rare or not odd):
        beside = around(skeleton.read, runs[0][0], skeleton.end(runs[-1][-1]))
        if not any(map(is_never_honest, beside)) or (disguised == 1 and not odd):
            return "hidden"  # no text that is styled throughout
    if odd:
        return "weak" if broken else None
    if not folds.keys() <= _BROKEN | {COMPATIBILITY, CONFUSABLE} or len(letters) != 2:
        return None
    if not _MEASURES.isdisjoint(letters) or any(ord(c) in REGIONAL for c in letters):
        return None  # two regional indicators are a flag
    if COMPATIBILITY in folds and any(map(str.isascii, letters)):
        return None  # 'm²'
    if CONFUSABLE in folds and is_of_text(skeleton, runs, letters):
        return None
    return "hidden"
