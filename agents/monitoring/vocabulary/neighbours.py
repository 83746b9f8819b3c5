"""The words of the vocabulary around a mark, and what stands between them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from agents.monitoring.vocabulary.expressions import Expressions
from agents.monitoring.vocabulary.phrases import Hit

CLASSES: Final = (
    "compatible",
    "for",
    "onto",
    "behind",
    "after",
    "accessory",
    "part",
    "aid",
    "piece",
    "container",
    "empty",
    "goods",
    "stop",
    "admirer",
    "filler",
    "name",
    "device",
    "machine",
    "appliance",
    "machine_of",
    "held",
    "praise",
    "bridge",
)
"""What a word around the mark can be: see `en.yaml`."""

NEUTRAL: Final = frozenset(("filler", "name", "device", "accessory", "part", "bridge"))
"""Classes of words that say nothing of whose goods they are."""
OR_GOODS: Final = NEUTRAL | {"goods", "machine", "appliance", "machine_of"}
"""The same, and the kinds of goods."""
OR_WHAT_GOES_WITH_THEM: Final = OR_GOODS | {"aid", "piece", "container", "empty"}
"""The same, and what goes with them."""
_SAYING: Final = frozenset(CLASSES) - {
    "stop",
    "goods",
    "filler",
    "name",
    "device",
    "empty",
    "machine",
    "appliance",
    "machine_of",
    "held",
    "praise",
}
"""Classes of words that may say what the goods are for."""
ENDING: Final = frozenset(("stop", "admirer", "goods"))
"""Classes of words that end the reach of a 'for'."""
_WHOLE: Final = frozenset(("goods", "device"))
"""Classes of words that whole goods are called by."""
_HEAD_LAST: Final = frozenset(("de", "en", "tr", "zh"))
"""Languages in which the last noun says what the goods are: a 'chain bag' is a bag."""

BEFORE: Final = 120
"""Characters read before a mark."""
BEHIND: Final = 140
"""Characters read behind a mark."""
SHORT: Final = BEFORE + BEHIND
"""Characters of a text, at most, that is read as a whole."""

WORD: Final = re.compile(r"[^\s_/,&+|、，()\[\]【】-]+")
ENUMERATION: Final = re.compile(r"[/&+|、,，]")
BREAK: Final = re.compile(r"[.!?](?:\s|$)|[。！？;；]|\s[-–—]\s")
"""Ends a phrase: what stands on the other side speaks of something else."""


class Span(NamedTuple):
    """A word of one of the classes, in a window of text."""

    kind: str
    start: int
    end: int
    head_last: bool
    """Whether its language says last what the goods are."""


class Neighbours(NamedTuple):
    """The text on both sides of a mark, with the words of the classes in it, in order."""

    head: str
    before: list[Span]
    tail: str
    behind: list[Span]


class Neighbourhood:
    """Reads what stands around marks, in all languages."""

    def __init__(self, expressions: Expressions) -> None:
        """Take the compiled entries of the vocabulary files."""
        self._kinds = [
            (entry.group.removeprefix("nominative."), entry.language in _HEAD_LAST)
            for entry in expressions.entries
        ]
        self._expressions = expressions
        self._hits = lru_cache(maxsize=16)(expressions.hits)

    def of(self, text: str, start: int, end: int, *, whole: bool = False) -> Neighbours:
        """Return what stands around the mark at `text[start:end]`.

        On a side with no word that may say what the goods are for, the other words only say how far
        those reach: they are left out, unless `whole` wants them.
        """
        first, last = max(0, start - BEFORE), min(len(text), end + BEHIND)
        head, tail = text[first:start], text[end:last]
        if len(text) <= SHORT:  # a title: read once for all the marks it names
            hits = self._hits(text)
            before = [hit for hit in hits if first <= hit.start and hit.end <= start]
            behind = [hit for hit in hits if end <= hit.start and hit.end <= last]
            origin, other = first, end
        else:
            before, behind, origin, other = self._hits(head), self._hits(tail), 0, 0
        return Neighbours(
            head,
            self._spans(before, origin) if whole or self._says(before) else [],
            tail,
            self._spans(behind, other) if whole or self._says(behind) else [],
        )

    def _says(self, hits: Sequence[Hit]) -> bool:
        """Return whether one of the hits may say what the goods are for."""
        return not _SAYING.isdisjoint([self._kinds[hit[0]][0] for hit in hits])

    def _spans(self, hits: Sequence[Hit], origin: int) -> list[Span]:
        """Return the words of the hits, counted from `origin`, in order.

        Those within a longer one are left out.
        """
        spans: list[Span] = []
        begun = reached = -1
        for entry, begin, close in hits:  # the longest from a start first
            again = close == reached and begin == begun
            if close <= reached and not again:
                continue
            begun, reached = begin, close
            kind, head_last = self._kinds[entry]
            span = Span(kind, begin - origin, close - origin, head_last)
            if not again or span not in spans[-4:]:
                spans.append(span)
        return spans


def stopped(
    gap: str, spans: Sequence[Span], start: int, end: int, *, over_goods: bool = False
) -> bool:
    """Return whether a word or a sentence's end in `gap`, from `start` to `end`, ends the reach.

    With `over_goods` the kinds of goods do not.
    """
    ends = [span for span in spans if span.kind in ENDING and start <= span.start]
    if over_goods and ends:
        # 'Sac' is a bag in French, and hair in Turkish written without its cedilla.
        goods = {(span.start, span.end) for span in ends if span.kind == "goods"}
        ends = [span for span in ends if (span.start, span.end) not in goods]
    for span in ends:
        if span.end <= end:
            return True
    return BREAK.search(gap) is not None


def goods_first(spans: Sequence[Span], end: int) -> bool:
    """Return whether whole goods are called by their name before `end`, by what says it first.

    So most languages do ('reloj correa de cuero' is a watch); a word that they share with one that
    says it last is left out ('TV remote').
    """
    named = {
        (span.start, span.end): False for span in spans if span.kind in _WHOLE and span.end <= end
    }
    for span in spans:
        if span.head_last and span.kind in _WHOLE and (span.start, span.end) in named:
            named[span.start, span.end] = True
    return not all(named.values())


def other_words(
    window: str,
    spans: Sequence[Span],
    start: int,
    end: int,
    neutral: frozenset[str] = NEUTRAL,
) -> int:
    """Return how many words between `start` and `end` are of no `neutral` class and no number."""
    known = [(first, last) for kind, first, last, _ in spans if kind in neutral]
    count = 0
    for word in WORD.finditer(window, start, end):
        letters = word[0]
        if not letters.isalpha() and (
            any(map(str.isdigit, letters)) or not any(map(str.isalpha, letters))
        ):
            continue
        begin, close = word.span()
        for first, last in known:
            if first <= begin and close <= last:
                break
        else:
            count += 1
    return count
