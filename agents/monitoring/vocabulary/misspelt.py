"""Words of copying as they are written wrongly, which a reader overlooks: 'relpica', 'klonnn'."""

from __future__ import annotations

import unicodedata
from collections.abc import Container, Iterable, Iterator
from typing import Final

from agents.monitoring.marks.ordinary import ordinary_words

LONG: Final = 6
"""Letters of a word of which two may change places, or one be struck out with an x."""
DRAWN_OUT: Final = 4
"""Letters of a word that is read where one of them is drawn out."""


def misspelt(phrases: Iterable[str], alone: Container[str]) -> list[str]:
    """Return the slips of phrases that are one word, and of their words that say all alone.

    Of the first two neighbours change places, or an x stands for a letter; the first letter stays,
    by which people read. A letter that is missing makes another word too often: 'подделка' is a
    copy, 'поделка' handicraft. Of the others a letter at an end is drawn out: within a word two may
    be how another is spelt (Italian 'coppia' is no 'copia'). What is a word itself is no slip.
    """
    phrases = list(phrases)
    words = {word for phrase in phrases for word in phrase.split() if word.isalpha()}
    known = words.union(*ordinary_words())
    slips = {slip for word in words & set(phrases) if len(word) >= LONG for slip in _slips(word)}
    slips |= {
        slip
        for word in words
        if len(word) >= DRAWN_OUT and word in alone
        for slip in _drawn_out(word)
    }
    return sorted(slip for slip in slips if slip not in known and _bare(slip) not in known)


def _slips(word: str) -> Iterator[str]:
    for place in range(1, len(word) - 1):
        yield f"{word[:place]}{word[place + 1]}{word[place]}{word[place + 2 :]}"
        yield f"{word[:place]}x{word[place + 1 :]}"


def _drawn_out(word: str) -> Iterator[str]:
    for times in (1, 2):
        yield word[0] * times + word
        yield word + word[-1] * times


def _bare(word: str) -> str:
    """Return a word without accents."""
    return "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))
