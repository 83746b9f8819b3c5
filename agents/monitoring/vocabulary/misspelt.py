"""Words of copying that are written wrongly, which a reader overlooks: 'relpica', 'klonnn'."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from agents.monitoring.marks.ordinary import ordinary_words

LONG: Final = 6
"""Letters of a word of which two may change places, or one be struck out with an x."""
LONGER: Final = 7
"""Letters of a word of which one may be missing."""
DRAWN_OUT: Final = 4
"""Letters of a word that is read where one of them is drawn out."""

_WORD: Final = re.compile(r"[^\W\d_]{4,40}")
_TRIPLE: Final = re.compile(r"([^\W\d_])\1\1")


class MisspeltWords:
    """Slips of words of copying, to be looked for in titles."""

    def __init__(self, long: Iterable[str], alone: Collection[str]) -> None:
        """Take words that slips are made of, and those that say all by themselves.

        Of the first two neighbours change places, a letter is missing, or an x stands for it; the
        first letter stays, by which people read. Of the others a letter is drawn out: three times,
        or twice at an end, since within a word two may be how another is spelt (Italian 'coppia' is
        no 'copia'). What is a word itself is no slip.
        """
        self._alone = frozenset(alone)
        whole = {without_accents(word) for word in long if word.isalpha()}
        ordinary = whole.union(self._alone, *ordinary_words())
        self._slips = {
            slip: word
            for word in sorted(whole)
            if len(word) >= LONG
            for slip in _slips(word)
            if slip not in ordinary
        }
        for word in sorted(self._alone):
            if word.isalpha() and len(word) >= DRAWN_OUT:
                for slip in (word[0] + word, word + word[-1]):
                    if slip not in ordinary:
                        self._slips.setdefault(slip, word)

    def found(self, title: str) -> Iterator[tuple[int, int, str]]:
        """Yield the words of a title that are slips, with their spans and what they stand for."""
        text = title.lower() if title.isascii() else title.translate(_PLAIN)
        words = _WORD.findall(text)
        triple = _TRIPLE.search(text) is not None
        if not triple and self._slips.keys().isdisjoint(words):
            return
        for match in _WORD.finditer(text):
            word = self._slips.get(match[0], "") or (triple and self._drawn_out(match[0]))
            if word:
                yield match.start(), match.end(), word

    def _drawn_out(self, text: str) -> str:
        """Return the word of which a letter stands there three times or more; '' if none."""
        runs = ["".join(run) for _, run in itertools.groupby(text)]
        if text in self._alone or max(map(len, runs)) < 3:
            return ""
        word = "".join(run if len(run) == 2 else run[0] for run in runs)
        return word if len(word) >= DRAWN_OUT and word in self._alone else ""


def without_accents(word: str) -> str:
    """Return a word with Latin letters for those with accents."""
    return word.translate(_PLAIN)


class _PlainTable(dict[int, str]):
    """`str.translate` table to small letters without accents, one for each character."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        base = unicodedata.normalize("NFD", character.lower())[:1]
        plain = base if base.isascii() and base.isalpha() else character.lower()
        self[code] = plain if len(plain) == 1 else character
        return self[code]


_PLAIN: Final = _PlainTable()


def _slips(word: str) -> Iterator[str]:
    for place in range(1, len(word) - 1):
        yield f"{word[:place]}{word[place + 1]}{word[place]}{word[place + 2 :]}"
        yield f"{word[:place]}x{word[place + 1 :]}"
        if len(word) >= LONGER:
            yield f"{word[:place]}{word[place + 1 :]}"
