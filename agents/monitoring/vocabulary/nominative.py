"""Tells whether a mark names what the goods are for ('case for MARK'), not what they are.

Four ways to say so, all of them in stuffed titles, in any language:

    strap compatible with MARK          a word that says so before the mark
    case for iPhone 15 / Galaxy / MARK  the same with other names between
    MARK-compatible charger, MARK 适用   a word that says so behind the mark
    MARK watch strap, casing MARK       the name of an accessory beside the mark

The last is weaker: it may be the mark owner's accessory, or a copy of it. A word of audience or
purpose ends what a 'for' reaches: in 'shoes for men MARK' the mark is the maker.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from agents.monitoring.vocabulary.expressions import Expressions, Hit

CLASSES: Final = (
    "compatible",
    "for",
    "behind",
    "accessory",
    "part",
    "stop",
    "filler",
    "name",
    "device",
)
"""What a word around the mark can be: see `en.yaml`."""

_NEUTRAL: Final = ("filler", "name", "device", "accessory", "part")
"""Classes of words that say nothing of whose goods they are."""

_SAYING: Final = frozenset({"compatible", "for", "behind", "accessory", "part"})
"""Classes of words that say what the goods are for."""

BEFORE: Final = 120
"""Characters read before a mark."""
BEHIND: Final = 140
"""Characters read behind a mark."""
NEAR: Final = 40
"""The same for 'for', when the name of an accessory stands before the mark: 'case MARK for X'."""
LIST: Final = 14
"""Other words between 'compatible with' and the mark, at most: names of models."""
FEW: Final = 2
"""Other words between a mark and the accessory beside it, at most: the name of a model."""

_WORD: Final = re.compile(r"[^\s_/,&+|、，()\[\]【】-]+")
_SEPARATOR: Final = re.compile(r"[/&+|、]")
_ENUMERATION: Final = re.compile(r"[/&+|、,，]")
_BREAK: Final = re.compile(r"[.!?](?:\s|$)|[。！？;；]|\s[-–—]\s")
"""Ends a phrase: what stands on the other side speaks of something else."""


class Span(NamedTuple):
    """A word of one of the classes, in a window of text."""

    kind: str
    start: int
    end: int


class NominativeUse:
    """The words that say what goods are for, in all languages."""

    def __init__(self, expressions: Expressions) -> None:
        """Take the compiled entries of the vocabulary files."""
        self._kinds = [entry.group.removeprefix("nominative.") for entry in expressions.entries]
        self._hits = lru_cache(maxsize=16)(expressions.hits)

    def holds(self, text: str, start: int, end: int, *, said: bool) -> bool:
        """Return whether the mark at `text[start:end]` names what the goods are for.

        With `said` only where words say so of an accessory; see `Vocabulary.nominative`.
        """
        first, last = max(0, start - BEFORE), min(len(text), end + BEHIND)
        head, tail = text[first:start], text[end:last]
        whole = len(text) <= BEFORE + BEHIND  # a title: read once for all the marks it names
        hits = self._hits(text if whole else head)
        before = self._spans(hits, *((first, start) if whole else (0, len(head))))
        if _said_before(head, before, said=said):
            return True
        if not whole:
            hits = self._hits(tail)
        behind = self._spans(hits, *((end, last) if whole else (0, len(tail))))
        if _said_behind(tail, behind, few=0):
            return True
        mark = text[start:end]
        if not said and _accessory_before(head, before):
            return not _names_maker(tail, behind, mark, NEAR)
        if _names_maker(tail, behind, mark, BEHIND):
            return False
        return _said_behind(tail, behind, few=FEW) or (not said and _accessory_behind(tail, behind))

    def _spans(self, hits: Sequence[Hit], first: int, last: int) -> list[Span]:
        """Return the words between `first` and `last`, counted from there, in order.

        Those within a longer one are left out.
        """
        kinds = self._kinds
        within = [hit for hit in hits if hit[1] >= first and hit[2] <= last]
        if _SAYING.isdisjoint([kinds[hit[0]] for hit in within]):
            return []  # the other classes only say how far these reach
        spans: list[Span] = []
        longest = Span("", -1, -1)
        for entry, begin, close in within:  # the longest from a start first
            span = Span(kinds[entry], begin - first, close - first)
            if span.end > longest.end:
                longest = span
            elif span.start != longest.start or span.end != longest.end or span in spans[-4:]:
                continue
            spans.append(span)
        return spans


def _said_before(head: str, spans: Sequence[Span], *, said: bool) -> bool:
    """Return whether 'compatible with' or 'for' before the mark reaches it.

    'compatible with', and 'for' behind the name of an accessory, reach over a list of models; any
    other 'for' reaches over words like 'the' and over names in a list with strokes.
    """
    last = next((span for span in reversed(spans) if span.kind in ("compatible", "for")), None)
    if last is None:
        return False
    gap = head[last.end :]
    if _stopped(gap, spans, last.end, len(head)):
        return False
    others = _other_words(head, spans, last.end, len(head))
    of_accessory = any(
        span.kind in ("accessory", "part", "behind") and span.start < last.start for span in spans
    )
    if last.kind == "compatible" or of_accessory:
        return others <= LIST
    if said:
        return False
    return others == 0 or (
        gap.rstrip()[-1:] in "/&+|、"
        and all(len(_WORD.findall(item)) <= 2 for item in _SEPARATOR.split(gap))
    )


def _said_behind(tail: str, spans: Sequence[Span], *, few: int) -> bool:
    """Return whether a word like 'compatible' follows the mark, over at most `few` others."""
    first = next((span for span in spans if span.kind == "behind"), None)
    return (
        first is not None
        and not _stopped(tail[: first.start], spans, 0, first.start)
        and _other_words(tail, spans, 0, first.start) <= few
    )


def _names_maker(tail: str, spans: Sequence[Span], mark: str, reach: int) -> bool:
    """Return whether the goods of the mark are for something else: 'MARK case for iPhone'."""
    first = next((span for span in spans if span.kind in ("compatible", "for")), None)
    if first is None or first.start > reach or _BREAK.search(tail[: first.start]):
        return False
    target = _WORD.search(tail, first.end)
    if target is None or any(character.isdigit() for character in target[0]):
        return False
    if target[0].startswith(mark.split(maxsplit=1)[0]):
        return False  # 'MARK strap for MARK watch'
    return not any(
        span.kind in ("stop", "filler", "device") and span.start <= target.start() < span.end
        for span in spans
    )


def _accessory_behind(tail: str, spans: Sequence[Span]) -> bool:
    """Return whether the mark is followed by the name of an accessory: 'MARK watch strap'."""
    first = next((span for span in spans if span.kind == "accessory"), None)
    if first is None:
        return False
    gap = tail[: first.start]
    device = max((span.end for span in spans if span.kind == "device"), default=0)
    return (
        not _stopped(gap, spans, 0, first.start)
        and not _ENUMERATION.search(gap)
        and _other_words(tail, spans, 0, first.start) <= FEW
        # 'MARK phone back cover', not 'MARK earbuds noise cancelling white case'
        and (device == 0 or len(_WORD.findall(tail, device, first.start)) <= 1)
    )


def _accessory_before(head: str, spans: Sequence[Span]) -> bool:
    """Return whether the name of an accessory leads to the mark: 'casing hp MARK'."""
    last = next((span for span in reversed(spans) if span.kind in ("accessory", "part")), None)
    if last is None:
        return False
    gap = head[last.end :]
    return (
        not _stopped(gap, spans, last.end, len(head))
        and not _ENUMERATION.search(gap)
        and _other_words(head, spans, last.end, len(head)) <= FEW
    )


def _stopped(gap: str, spans: Sequence[Span], start: int, end: int) -> bool:
    """Return whether a word or a sentence's end in `gap`, from `start` to `end`, ends the reach."""
    return bool(_BREAK.search(gap)) or any(
        span.kind == "stop" and start <= span.start and span.end <= end for span in spans
    )


def _other_words(window: str, spans: Sequence[Span], start: int, end: int) -> int:
    """Return how many words between `start` and `end` are neither fillers nor have a digit."""
    return sum(
        1
        for word in _WORD.finditer(window, start, end)
        if not any(character.isdigit() for character in word[0])
        and any(character.isalpha() for character in word[0])
        and not any(
            span.kind in _NEUTRAL and span.start <= word.start() and word.end() <= span.end
            for span in spans
        )
    )
