"""Finds the words that call goods copies, and leaves alone those that say something else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from agents.monitoring.vocabulary.expressions import Expressions, for_python

NEAR: Final = 80
"""Characters between a mark and a strong word that still speaks of it *(start value)*."""
AROUND: Final = 24
"""The same for a word that is strong only in a title ('KW', '1:1'), and for imitation."""
BESIDE: Final = 3
"""Characters between a mark and a word that counts only right beside it."""
BEFORE: Final = 70
"""Characters before a word in which a negation is looked for."""
CONTEXT: Final = 40
"""Characters around a word in which its innocent context is looked for."""
HEAD: Final = 12_000
"""Characters read from the start of a text, and as many from its end: the longest description in
1,800 real rows has 4,530. What lies between is read only near the mark."""
MENTIONS: Final = 50
"""Mentions of the mark around which the middle of an overlong text is read."""

_OF_COPYING: Final = ("strong", "title", "beside")

_ENDS: Final = ".!?;|。！？；"
FILLERS: Final = 6
"""Words that may stand between a negation and what it turns round."""

_OPENING: Final = " \"'“‘«(「『-*_"
"""What may stand between words there: not a "replica"."""

Kind = Literal["replica", "inspired"]

REPLICA_GROUPS: Final = ("strong", "title", "beside", "inspired", "style", "trade")
"""How far a word of copying reaches: see `en.yaml`."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A word of the vocabulary in a reading: its kind, its span there, what it says."""

    kind: Kind
    start: int
    end: int
    text: str


class Word(NamedTuple):
    """A word of copying that is neither negated nor innocent, by the group it stands in."""

    group: str
    start: int
    end: int


class ReplicaWords:
    """The words of copying of all languages, with what turns them round."""

    def __init__(
        self,
        words: Expressions,
        negations: Expressions,
        negated_after: Expressions,
        between: Expressions,
        innocent: Expressions,
    ) -> None:
        """Take the compiled groups of the vocabulary files."""
        self._words = words
        self._negations = negations
        self._fillers = [entry.group == "negation.filler" for entry in negations.entries]
        self._negated_after = negated_after
        self._between = between
        self._innocent = innocent
        self._groups = [entry.group.removeprefix("replica.") for entry in words.entries]
        self._excuses = [
            for_python(entry.excuses) if entry.excuses else None for entry in innocent.entries
        ]
        # A listing is asked about once for each right that it names: the words are the same.
        self._read = lru_cache(maxsize=16)(self._words_of)

    def find(
        self, text: str, marks: Sequence[tuple[int, int]], *, title: bool, whole: bool
    ) -> list[Finding]:
        """Return what calls the goods copies; see `Vocabulary.replica_words`."""
        reach = {
            "strong": None if title or whole else NEAR,
            "title": None if title else AROUND,
            "beside": BESIDE,
            "inspired": AROUND,
            "style": BESIDE,
            "trade": None if title or whole else NEAR,
        }
        near: list[Word] = []
        for offset, piece in _pieces(text, marks):
            for group, start, end in self._read(piece):
                word = Word(group, start + offset, end + offset)
                if any(word.start < last and first < word.end for first, last in marks):
                    continue  # the word is the mark's own
                distance = reach[group]
                if (
                    distance is None
                    or (distance > BESIDE and _within(word, marks, distance))
                    or (distance == BESIDE and _beside(text, word, marks))
                ):
                    near.append(word)
        # The longest says most: a 'replica jersey' is no 'replica'.
        near.sort(key=lambda word: (word.start - word.end, REPLICA_GROUPS.index(word.group)))
        kept: list[Word] = []
        for word in near:
            if not any(word.start < other.end and other.start < word.end for other in kept):
                kept.append(word)
        kept.sort(key=lambda word: word.start)
        return [
            Finding(
                "inspired" if word.group in ("inspired", "style", "trade") else "replica",
                word.start,
                word.end,
                text[word.start : word.end],
            )
            for word in kept
        ]

    def _words_of(self, text: str) -> tuple[Word, ...]:
        """Return the words of copying in a text that are neither negated nor innocent."""
        words: list[Word] = []
        negated: list[tuple[int, int]] = []
        for entry, start, end in self._words.hits(text):
            if self._is_negated(text, start, end, negated):
                negated.append((start, end))
            elif not self._is_innocent(text, start, end):
                words.append(Word(self._groups[entry], start, end))
        return tuple(words)

    def _is_negated(
        self, text: str, start: int, end: int, negated: Sequence[tuple[int, int]]
    ) -> bool:
        """Return whether a word is turned round ('not a replica'), itself or with the one before.

        `negated` are the spans of the words before it that are.
        """
        if negated:
            first, last = negated[-1]
            if start < last and first < end:
                return True  # part of a longer word: 'no [1:1 [copy]]'
            if last <= start <= last + 12:
                gap = text[last:start]
                if not gap.strip(" '\"") or self._between.hits(gap):
                    return True  # one of several: 'no fakes or copies'
        return self._follows_negation(text[max(0, start - BEFORE) : start]) or bool(
            self._negated_after.hits(text[end : end + CONTEXT])
        )

    def _follows_negation(self, head: str) -> bool:
        """Return whether `head` ends with a negation, over fillers: 'not [a]', 'beware [of]'."""
        hits = self._negations.hits(head)
        reached = {len(head.rstrip(_OPENING))}
        for _ in range(FILLERS + 1):
            ending = [hit for hit in hits if hit.end in reached]
            if any(not self._fillers[hit.entry] for hit in ending):
                return True
            reached = {len(head[: hit.start].rstrip(_OPENING)) for hit in ending}
        return False

    def _is_innocent(self, text: str, start: int, end: int) -> bool:
        """Return whether a word is part of an innocent phrase, or near what excuses it."""
        offset = max(0, start - CONTEXT)
        for entry, first, last in self._innocent.hits(text[offset : end + CONTEXT]):
            excuses = self._excuses[entry]
            if excuses is None:
                if first + offset < end and start < last + offset:
                    return True
            elif excuses.fullmatch(text, start, end):
                return True
        return False


def _within(word: Word, spans: Sequence[tuple[int, int]], reach: int) -> bool:
    return any(word.start <= last + reach and word.end >= first - reach for first, last in spans)


def _beside(text: str, word: Word, spans: Sequence[tuple[int, int]]) -> bool:
    """Return whether a word stands right beside a mark, in the same sentence."""
    for first, last in spans:
        gap = text[last : word.start] if last <= word.start else text[word.end : first]
        if len(gap) <= BESIDE and not any(character in _ENDS for character in gap):
            return True
    return False


def _pieces(text: str, marks: Sequence[tuple[int, int]]) -> Iterator[tuple[int, str]]:
    """Yield the parts of a text that are read, each with its offset: all of it, unless overlong."""
    if len(text) <= 2 * HEAD:
        yield 0, text
        return
    tail = len(text) - HEAD
    yield 0, text[:HEAD]
    read = HEAD
    for first, last in marks[:MENTIONS]:
        start, end = max(read, first - NEAR - BEFORE), min(tail, last + NEAR + BEFORE)
        if start < end:
            yield start, text[start:end]
            read = end
    yield tail, text[tail:]
