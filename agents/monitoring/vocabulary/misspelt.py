"""Words of copying that are written wrongly, which a reader overlooks: 'repilca', 'klonnn'."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Container, Iterable, Mapping
from typing import Final

from agents.monitoring.marks.ordinary import ordinary_words

LONG: Final = 6
"""Letters of a word of which two may change places."""
LONGER: Final = 7
"""Letters of a word of which one may be missing."""
DRAWN_OUT: Final = 4
"""Letters of a word that is read where one of them is drawn out."""


def slips_of(words: Iterable[str]) -> Mapping[str, str]:
    """Return the slips of words, each with what it is written for.

    Two neighbours change places, or one letter is missing; the first stays, by which people read.
    What is a word itself is none.
    """
    whole = {without_accents(word) for word in words if word.isalpha()}
    ordinary = whole.union(*ordinary_words())
    return {
        slip: word
        for word in sorted(whole)
        if len(word) >= LONG
        for slip in _slips(word)
        if slip not in ordinary
    }


def without_accents(word: str) -> str:
    """Return a word of Latin letters without its accents; any other as it is."""
    plain = "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))
    return plain if plain.isascii() else word


def _slips(word: str) -> Iterable[str]:
    for place in range(1, len(word) - 1):
        yield f"{word[:place]}{word[place + 1]}{word[place]}{word[place + 2 :]}"
        if len(word) >= LONGER:
            yield f"{word[:place]}{word[place + 1 :]}"


def drawn_out(text: str, words: Container[str]) -> str:
    """Return the word of which a letter is drawn out: three times, or twice at an end; '' if none.

    Within a word two may be how another is spelt: Italian 'coppia' is no 'copia'.
    """
    runs = ["".join(run) for _, run in itertools.groupby(text)]
    if len(runs) == len(text) or len(runs) < DRAWN_OUT or text in words:
        return ""
    word = "".join(
        run[0] if len(run) > 2 or number in (0, len(runs) - 1) else run
        for number, run in enumerate(runs)
    )
    return word if len(word) >= DRAWN_OUT and word in words else ""
