"""Says where words begin and end, also in scripts without spaces between them."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Final

from agents.monitoring.confusables import load_table

BOUNDLESS: Final = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "HALFWIDTH")
"""Scripts written without spaces between words: a mark may stand in the middle of a run."""

OF_MARKETPLACES: Final = frozenset(
    [
        "CYRILLIC", "GREEK", "ARMENIAN", "GEORGIAN", "HEBREW", "ARABIC", "DEVANAGARI", "BENGALI",
        "TAMIL", "TELUGU", "GUJARATI", "SINHALA", "ETHIOPIC", "HANGUL", *BOUNDLESS,
    ]
)  # fmt: skip
"""Scripts in which whole texts of honest sellers are written: nobody describes goods in Lisu."""


@cache
def script_of(character: str) -> str:
    """Return the script of a character, by the first word of its name: 'LATIN', 'CJK'."""
    return unicodedata.name(character, "?").split(" ", 1)[0].split("-", 1)[0]


def _joined(outside: str, inside: str) -> bool:
    """Return whether two neighbouring characters belong to one word."""
    if not inside.isalnum():
        return False
    if unicodedata.category(outside) == "Mn":
        return True  # a mark over the letter before: it is another letter
    if not outside.isalnum():
        return False
    if script_of(inside) in BOUNDLESS or script_of(outside) in BOUNDLESS:
        return False
    return outside.isdigit() or inside.isdigit() or script_of(outside) == script_of(inside)


def on_boundaries(text: str, start: int, end: int) -> bool:
    """Return whether `text[start:end]` is not part of a longer word.

    Letters of another script and of scripts without spaces end a word: in `รองเท้าNIKE` the mark
    stands alone. Python's `\\b` misses that in five of five Thai and Chinese titles.
    """
    invisible = load_table().invisible
    before, behind = start - 1, end
    while before >= 0 and invisible.get(ord(text[before])):
        before -= 1
    while behind < len(text) and invisible.get(ord(text[behind])):
        behind += 1
    if before >= 0 and _joined(text[before], text[start]):
        return False
    if behind < len(text):
        following, last = text[behind], text[end - 1]
        if unicodedata.category(following) == "Mn":
            return script_of(last) in BOUNDLESS
        return not _joined(following, last)
    return True
