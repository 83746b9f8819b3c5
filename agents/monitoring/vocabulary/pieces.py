"""Tells whether a short title offers a piece of the mark's goods, or what they came in.

    MARK watch crown       the piece behind the mark, and behind what it belongs to
    boucle sac MARK        the piece before the mark, first in the title
    empty box MARK         what it came in, in any order

What is sold is not the whole goods, so their price says nothing of it, whoever made it. Long titles
describe whole goods: they name crowns, buckles and boxes too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from agents.monitoring.vocabulary.neighbours import (
    BREAK,
    ENDING,
    ENUMERATION,
    OR_WHAT_GOES_WITH_THEM,
    WORD,
    Neighbourhood,
    Span,
    goods_first,
    other_words,
    stopped,
)

SHORT: Final = 9
"""Words of a title that offers a piece, at most."""
FEW: Final = 2
"""Other words between a piece and the mark, at most."""
FIRST: Final = 1
"""Other words before what begins a title, at most: 'original'."""
MOST: Final = 4
"""Words before a machine that name its piece, at most."""
_PIECES: Final = frozenset(("piece", "aid", "accessory", "part", "held"))
"""Classes of words that may be a piece of the machine before them."""
_NO_PIECE: Final = frozenset(
    ("praise", "goods", "stop", "admirer", "device", "machine", "appliance", "for", "compatible")
)
"""Classes of words that are none, beside a machine."""
_SAYS_NOTHING: Final = frozenset(("filler", "name"))
_TRAILING: Final = re.compile(r"(?:[ -]+\w*\d[\w.]*(?: (?:mm|cm|inch|in|pcs?|pack|v|w))?)*[ .!)]*$")
"""Numbers that may end a title behind what it offers: 'wheels x8'."""
_NUMBERS: Final = re.compile(r"[ -]*(?:\w*\d\w*[ -]*)*")
"""What may stand between the goods and their piece: 'battery 18V terminal'."""


class Pieces:
    """The names of pieces of goods and of what they come in, in all languages."""

    def __init__(self, neighbourhood: Neighbourhood) -> None:
        """Take what reads the words around marks."""
        self._around = neighbourhood.of

    def find(self, title: str, start: int, end: int) -> tuple[int, int] | None:
        """Return where `title` says that it offers a piece of the mark at `title[start:end]`.

        None where it may offer the whole goods.
        """
        if len(WORD.findall(title)) > SHORT:
            return None
        head, before, tail, behind = self._around(title, start, end, whole=True)
        offset = start - len(head)
        found = _before(head, before) or _before_machine(head, before)
        if found is None or (found.head_last and _goods_follow(behind, 0, found)):
            found = _container(before, behind)
        if found is None:
            if stopped(head, before, 0, len(head)) or other_words(head, before, 0, len(head)) > 1:
                return None
            offset = end
            found = (
                _behind(tail, behind) or _behind_machine(tail, behind) or _container(behind, before)
            )
            if (
                found is None
                or _goods_follow(behind, found.end, found)
                or (not found.head_last and goods_first(before, len(head)))
            ):
                return None
        return found.start + offset, found.end + offset


def _before(head: str, spans: Sequence[Span]) -> Span | None:
    """Return the piece that begins a title, before the mark: 'boucle MARK'."""
    first = next((span for span in spans if span.kind == "piece"), None)
    if first is None or BREAK.search(head) or ENUMERATION.search(head[first.end :]):
        return None
    if not first.head_last and goods_first(spans, first.start):
        return None
    # In 'buckle shoes MARK' the last word says what the goods are, in 'boucle sac MARK' the first.
    over_goods = not first.head_last
    if (
        stopped(head, spans, 0, first.start)
        or other_words(head, spans, 0, first.start) > FIRST
        or stopped(head, spans, first.end, len(head), over_goods=over_goods)
        or other_words(head, spans, first.end, len(head), OR_WHAT_GOES_WITH_THEM) > FEW
    ):
        return None
    return first


def _behind(tail: str, spans: Sequence[Span]) -> Span | None:
    """Return the piece that follows the mark in a title: 'MARK watch crown'."""
    for span in spans:
        if span.kind in ("stop", "admirer"):
            return None
        if span.kind not in ("piece", "accessory"):
            continue
        gap = tail[: span.start]
        if (
            stopped(gap, spans, 0, span.start, over_goods=span.head_last)
            or ENUMERATION.search(gap)
            or other_words(tail, spans, 0, span.start, OR_WHAT_GOES_WITH_THEM) > FEW
        ):
            return None
        # 'MARK watch crown', not 'MARK watch golden crown': that may be the watch.
        goods = [s.end for s in spans if s.kind in ("goods", "device") and s.end <= span.start]
        if span.kind == "accessory" and not goods:
            continue  # 'MARK strap' may be a copy of the mark owner's
        if goods and not (span.head_last and _NUMBERS.fullmatch(tail, max(goods), span.start)):
            continue
        return span
    return None


def _before_machine(head: str, spans: Sequence[Span]) -> Span | None:
    """Return what a title names before the machine that it is of: 'rejilla horno MARK'.

    Whatever it is called: where the machine itself is sold, the title begins with its name, or
    praises it. Of an appliance it has to be known as a piece, or two words: languages that praise
    before the name may do so in any word.
    """
    machine = next((s for s in reversed(spans) if s.kind in ("machine", "appliance")), None)
    if machine is None or BREAK.search(head) or ENUMERATION.search(head):
        return None
    named = [span for span in spans if span.end <= machine.start]
    unknown = other_words(head, named, 0, machine.start, _SAYS_NOTHING)
    pieces = {
        (span.start, span.end)
        for span in named
        if span.kind in _PIECES and span.head_last == machine.head_last
    }
    # What several languages share is an appliance: 'drone'.
    linked = not any(
        span.kind == "appliance" and (span.start, span.end) == (machine.start, machine.end)
        for span in spans
    )
    if (
        len(WORD.findall(head[: machine.start])) > MOST
        or unknown < (1 if linked or pieces else 2)
        or any(s.kind in _NO_PIECE and (s.start, s.end) not in pieces for s in named)
        or other_words(head, spans, machine.end, len(head))
    ):
        return None
    return Span("piece", 0, machine.start, machine.head_last)


def _behind_machine(tail: str, spans: Sequence[Span]) -> Span | None:
    """Return the piece that ends a title, behind the machine it is of: 'MARK dishwasher wheel'."""
    machine = next((span for span in spans if span.kind == "machine_of"), None)
    if machine is None or BREAK.search(tail) or ENUMERATION.search(tail):
        return None
    end = len(_TRAILING.sub("", tail))
    offered = {(s.start, s.end) for s in spans if s.kind in _PIECES and s.head_last}
    last = next((span for span in spans if span.end == end and (span.start, end) in offered), None)
    if (
        last is None
        or last.start < machine.end
        or other_words(tail, spans, machine.end, last.start, _PIECES)
        or any(map(str.isdigit, tail[machine.end : last.start]))
        or other_words(tail, spans, 0, machine.start) > FEW
        or any(span.kind == "praise" and span.end == end for span in spans)
        or any(
            span.kind in _NO_PIECE and span.start >= machine.end
            for span in spans
            if (span.start, span.end) not in offered
        )
        or stopped(tail, spans, 0, machine.start)
    ):
        return None
    return last


def _container(spans: Sequence[Span], others: Sequence[Span]) -> Span | None:
    """Return what is empty: 'empty MARK box', 'caja MARK vacía'."""
    if any(span.kind == "stop" for span in (*spans, *others)) or not any(
        span.kind == "empty" for span in (*spans, *others)
    ):
        return None
    return next((span for span in spans if span.kind == "container"), None)


def _goods_follow(spans: Sequence[Span], start: int, piece: Span) -> bool:
    """Return whether a kind of goods stands behind `start` that the piece is of, not they of it.

    What comes with them does not count: 'MARK crown with dial'.
    """
    for span in spans:
        if span.start >= start and span.kind in ENDING:
            return span.kind == "goods" and (span.head_last or piece.head_last)
    return False
