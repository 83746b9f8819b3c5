"""Tells whether a text denies a word of copying: who says it, and of what.

Five ways to do so, in any language:

    not a [replica]                     a negation, which reaches the word over fillers
    beware of cheap MARK [fakes]        a warning, or others who sell them, over a few words
    [fakes] will be reported            the same said right behind the word
    [fake] chargers catch fire          blame for what bears the word, over a few words
    looking for [copies]? not here      who seeks them is turned away

A phrase ends what each of them reaches, and none of them reaches a second word of copying, unless
both stand in one list: 'not a fake, 1:1 clone' denies one word and claims the other. What only
looks like a denial ('not just a copy', 'nobody can tell') counts for none. Negations are not
counted out against one another: many languages repeat them ('no vendemos ninguna copia').
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Container, Iterable, Sequence
from functools import lru_cache
from typing import Final

from agents.monitoring.vocabulary.expressions import Expressions
from agents.monitoring.vocabulary.phrases import Hit

OPENING: Final = ("before", "filler", "warning", "sought", "turned_away", "unless")
"""Groups that are looked for before a word: see `en.yaml`."""
CLOSING: Final = ("after", "blame", "sought", "turned_away", "unless")
"""The same behind it."""

_TURNED_ROUND: Final = ("before", "filler", "warning")

BEFORE: Final = 70
"""Characters before a word that are read."""
BEHIND: Final = 56
"""The same behind it."""
FILLERS: Final = 6
"""Words that may stand between a negation and what it turns round."""
REACH: Final = 32
"""Characters that a warning or blame reaches over: 'beware of MARK brand' fakes."""
WORDS: Final = 4
"""Words there; in scripts without spaces all of it is one."""

ENDS: Final = ".!?;|。！？；"
PHRASE_ENDS: Final = f"{ENDS},:，、："
_QUOTES: Final = " \"'“‘«(「『-*_"
"""What may stand between words before it: not a "replica"."""
_CLOSED: Final = " \"'”’»)」』-*_"
"""The same behind it."""
_ASIDE: Final = re.compile(f"[{re.escape(PHRASE_ENDS)}…—–-][^{re.escape(PHRASE_ENDS)}]{{0,16}}$")
"""What may stand before the words that turn away who seeks copies: ', then please' go elsewhere."""


class Denials:
    """The phrases of all languages that turn a word of copying round."""

    def __init__(self, opening: Expressions, closing: Expressions) -> None:
        """Take the compiled groups of the vocabulary files."""
        # Words that begin or end together are looked at with the same text around them.
        self._opening = lru_cache(maxsize=16)(opening.hits)
        self._closing = lru_cache(maxsize=16)(closing.hits)
        self._opens = [entry.group.removeprefix("negation.") for entry in opening.entries]
        self._closes = [entry.group.removeprefix("negation.") for entry in closing.entries]

    def hold(self, text: str, start: int, end: int) -> bool:
        """Return whether the word of copying at `text[start:end]` is denied there."""
        head = text[max(0, start - BEFORE) : start]
        opening = _valid(self._opening(head), self._opens, _TURNED_ROUND)
        if self._is_negated(head, opening) or self._is_warned_of(head, opening):
            return True
        tail = text[end : end + BEHIND]
        closing = _valid(self._closing(tail), self._closes, CLOSING)
        return (
            self._is_refused(tail, closing)
            or self._is_blamed(tail, closing)
            or self._is_turned_away(head, opening, tail, closing)
        )

    def negated_over(self, text: str, start: int, marks: Sequence[tuple[int, int]]) -> bool:
        """Return whether a negation reaches the word at `start` over a mark: 'no MARK [fakes]'.

        `marks` are spans in `text`, in order; only the last of them before the word is read over.
        A negation has to begin a word: Thai writes 'กัน' ('against') within others.
        """
        first = max(0, start - BEFORE)
        place = bisect_left(marks, (start, start)) - 1
        if place < 0 or marks[place][0] < first or marks[place][1] > start:
            return False
        before = marks[place]
        head = text[first:start]
        hits = [
            hit
            for hit in _valid(self._opening(head), self._opens, _TURNED_ROUND)
            if not head[: hit.start][-1:].isalnum()
        ]
        hits.append(Hit(-1, before[0] - first, before[1] - first))
        return self._is_negated(head, hits)

    def refused(self, text: str, end: int) -> bool:
        """Return whether what stands right behind a word of copying, at `end`, turns it round."""
        tail = text[end : end + BEHIND]
        return self._is_refused(tail, _valid(self._closing(tail), self._closes, CLOSING))

    def _is_negated(self, head: str, hits: Sequence[Hit]) -> bool:
        """Return whether `head` ends with a negation, over fillers: 'not [a]', 'beware [of]'.

        A hit of no entry is a mark, which is one more filler.
        """
        reached = {len(head.rstrip(_QUOTES))}
        for _ in range(FILLERS + 1):
            ending = [(self._kind(hit), hit.start) for hit in hits if hit.end in reached]
            if any(kind in ("before", "warning") for kind, _ in ending):
                return True
            reached = {
                len(head[:begin].rstrip(_QUOTES)) for kind, begin in ending if kind == "filler"
            }
        return False

    def _kind(self, hit: Hit) -> str:
        return self._opens[hit.entry] if hit.entry >= 0 else "filler"

    def _is_warned_of(self, head: str, hits: Iterable[Hit]) -> bool:
        """Return whether a warning stands before the word, in its phrase."""
        return any(
            # 'caution: fakes'
            self._opens[hit.entry] == "warning" and _few(head[hit.end :].lstrip(" ,:!-"))
            for hit in hits
        )

    def _is_refused(self, tail: str, hits: Iterable[Hit]) -> bool:
        """Return whether what stands right behind the word turns it round."""
        return any(
            self._closes[hit.entry] in ("after", "turned_away")
            and not tail[: hit.start].strip(_CLOSED)
            for hit in hits
        )

    def _is_blamed(self, tail: str, hits: Iterable[Hit]) -> bool:
        """Return whether what bears the word is called bad, or brought to book, in its phrase."""
        return any(
            self._closes[hit.entry] == "blame"
            and _few(gap := tail[: hit.start])
            and not self._negates(gap)
            for hit in hits
        )

    def _is_turned_away(
        self, head: str, opening: Sequence[Hit], tail: str, closing: Sequence[Hit]
    ) -> bool:
        """Return whether who seeks what bears the word is sent elsewhere, before or behind it."""
        seeks = [
            hit for hit in opening if self._opens[hit.entry] == "sought" and _few(head[hit.end :])
        ]
        # 'who [copies] seeks', as German and Turkish have it
        sought = bool(seeks) or any(
            self._closes[hit.entry] == "sought" and _few(tail[: hit.start]) for hit in closing
        )
        if sought and any(
            self._closes[hit.entry] == "turned_away" and _few(_ASIDE.sub("", tail[: hit.start]))
            for hit in closing
        ):
            return True
        return any(
            self._opens[hit.entry] == "turned_away"
            and any(hit.end <= seek.start and _few(head[hit.end : seek.start]) for seek in seeks)
            for hit in opening
        )

    def _negates(self, gap: str) -> bool:
        """Return whether a negation stands in `gap`: 'fakes do not' burn."""
        return bool(gap.strip()) and any(
            self._opens[hit.entry] == "before" for hit in self._opening(gap)
        )


def _valid(hits: Sequence[Hit], kinds: Sequence[str], doubted: Container[str]) -> Sequence[Hit]:
    """Return the hits without those that are part of what only looks like a denial.

    `doubted` are the kinds that it makes nothing of: in 'skip if you seek [copies]', not 'skip'.
    """
    claims = [hit for hit in hits if kinds[hit.entry] == "unless"]
    if not claims:
        return hits
    return [
        hit
        for hit in hits
        if kinds[hit.entry] not in doubted
        or not any(claim.start <= hit.start and hit.end <= claim.end for claim in claims)
    ]


def _few(gap: str) -> bool:
    """Return whether a gap is a few words of one phrase."""
    return (
        len(gap) <= REACH
        and len(gap.split()) <= WORDS
        and not any(mark in PHRASE_ENDS for mark in gap)
    )
