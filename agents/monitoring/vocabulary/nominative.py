"""Tells whether a mark names what the goods are for ('case for MARK'), not what they are.

The ways to say so, all of them in stuffed titles, in any language:

    strap compatible with MARK          a word that says so before the mark
    case for iPhone 15 / Galaxy / MARK  the same with other names between
    laces for shoes MARK                the same with the kind of its goods between
    MARK-compatible charger, MARK 适用   a word that says so behind the mark
    MARK watch strap, casing MARK       the name of an accessory beside the mark

The last is weaker: it may be the mark owner's accessory, or a copy of it. A word of audience or
purpose ends what a 'for' reaches: in 'shoes for men MARK' the mark is the maker. So does a word of
whole goods, unless the title begins with something for such goods.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from agents.monitoring.vocabulary.neighbours import (
    BEHIND,
    BREAK,
    ENUMERATION,
    NEUTRAL,
    OR_GOODS,
    OR_WHAT_GOES_WITH_THEM,
    WORD,
    Neighbourhood,
    Span,
    goods_first,
    other_words,
    stopped,
)

_LEADING: Final = frozenset(("accessory", "part", "bridge", "aid", "piece", "behind"))
"""Classes of words that goods which go with others are called by, before a 'for'."""
_AIMING: Final = frozenset(("compatible", "for"))
"""Classes of words that say what goods are for, with it behind them."""
_WHOLE: Final = frozenset(("stop", "goods"))
"""Classes of words that say what whole goods are, or for whom."""
_ACCESSORY: Final = frozenset(("accessory", "part", "bridge", "behind"))
"""Those that let a 'for' reach over a list of models."""

_BESIDE: Final = frozenset(("accessory", "part", "bridge"))
"""Those that say so beside the mark, before it."""
_FIRST: Final = _BESIDE | {"aid"}
"""What a title may begin with that its mark's goods need."""

NEAR: Final = 40
"""Characters behind a mark in which 'for' names another, when an accessory stands before the mark:
'case MARK for X'."""
LIST: Final = 14
"""Other words between 'compatible with' and the mark, at most: names of models."""
FEW: Final = 2
"""Other words between a mark and the accessory beside it, at most: the name of a model."""
_SEPARATOR: Final = re.compile(r"[/&+|、]")


class NominativeUse:
    """The words that say what goods are for, in all languages."""

    def __init__(self, neighbourhood: Neighbourhood) -> None:
        """Take what reads the words around marks."""
        self._around = neighbourhood.of

    def holds(self, text: str, start: int, end: int, *, said: bool, alone: bool = False) -> bool:
        """Return whether the mark at `text[start:end]` names what the goods are for.

        With `said` only where words say so of an accessory, with `alone` of no other name first;
        see `Vocabulary.nominative`.
        """
        head, before, tail, behind = self._around(text, start, end)
        if _said_before(head, before, said=said, alone=alone) and not _admired(tail, behind):
            return True
        kinds = {span.kind for span in behind}
        # What stands behind the kind of goods counts where the title names something for them.
        over_goods = "after" in kinds and any(span.kind in _LEADING for span in (*before, *behind))
        answers = over_goods or "behind" in kinds
        if answers and _said_behind(tail, behind, few=0, over_goods=over_goods):
            return True
        mark = text[start:end]
        aimed = not kinds.isdisjoint(_AIMING)
        if not said and (_accessory_before(head, before) or _aid_before(head, before)):
            # 'adapter MARK for X' is neither's
            joins = any(span.kind == "bridge" for span in before)
            return joins or not (aimed and _names_maker(tail, behind, mark, NEAR))
        if aimed and _names_maker(tail, behind, mark, BEHIND):
            return False
        if answers and _said_behind(tail, behind, few=FEW, over_goods=over_goods):
            return True
        if said or "accessory" not in kinds or not _accessory_behind(tail, behind):
            return False
        return not _goods_before(*self._around(text, start, end, whole=True)[:2])


class _Aim(NamedTuple):
    """The last word before a mark that says what goods are for, and what stands before it."""

    span: Span
    listed: bool
    """The goods are called by the name of an accessory, so that models may follow: 'case for A, B'.
    """
    led: bool
    """They are called by something that goes with other goods: 'laces for shoes'."""
    over_goods: bool
    """They are not called whole goods: 'noski do butów' is for shoes, 'shoes for suits' are shoes.
    """


def _aims(head: str, spans: Sequence[Span]) -> tuple[_Aim | None, Span | None]:
    """Return the last 'for' or 'compatible with', and the last 'on' behind what may go on goods."""
    aim = onto = None
    listed = led = whole = dressed = False
    for span in spans:
        if span.kind in _LEADING:
            led = led or not whole
            listed = listed or (span.kind in _ACCESSORY and not dressed)
        elif span.kind in _AIMING:
            unnamed = not whole and any(map(str.isalpha, head[: span.start]))
            aim = _Aim(span, listed, led, led or unnamed)
        elif span.kind == "onto":
            onto = span if led else None
        elif span.kind in _WHOLE:
            # 'Shoes with laces' are shoes.
            dressed = dressed or (whole and span.kind == "stop")
            whole = True
    return aim, onto


def _said_before(head: str, spans: Sequence[Span], *, said: bool, alone: bool) -> bool:
    """Return whether 'compatible with' or 'for' before the mark reaches it.

    'compatible with', and 'for' behind the name of an accessory, reach over a list of models; any
    other 'for' reaches over words like 'the' and over names in a list with strokes. With `alone`
    none reaches over names without one.
    """
    aim, onto = _aims(head, spans)
    if onto is not None and _bare(head, spans, onto):
        return True
    if aim is None:
        return False
    end = aim.span.end
    gap = head[end:]
    if stopped(gap, spans, end, len(head), over_goods=aim.over_goods):
        return False
    neutral = OR_WHAT_GOES_WITH_THEM if aim.led else OR_GOODS if aim.over_goods else NEUTRAL
    others = other_words(head, spans, end, len(head), neutral)
    if alone and not (
        gap.rstrip()[-1:] in "/&+|、,，"
        or (
            not any(map(str.isdigit, gap))
            and other_words(head, spans, end, len(head), neutral - {"name"}) == 0
        )
    ):
        return False
    if aim.span.kind == "compatible" or aim.listed:
        return others <= LIST
    if said:
        return aim.led and others == 0
    return others == 0 or (
        gap.rstrip()[-1:] in "/&+|、"
        and all(len(WORD.findall(item)) <= 2 for item in _SEPARATOR.split(gap))
    )


def _bare(head: str, spans: Sequence[Span], onto: Span) -> bool:
    """Return whether nothing but kinds of goods stands between 'on' and the mark.

    A number is none: '30 x 20 cm MARK'.
    """
    gap = head[onto.end :]
    return (
        not any(map(str.isdigit, gap))
        and not stopped(gap, spans, onto.end, len(head), over_goods=True)
        and not other_words(head, spans, onto.end, len(head), OR_WHAT_GOES_WITH_THEM)
    )


def _admired(tail: str, spans: Sequence[Span]) -> bool:
    """Return whether the goods are for people who like the mark: 'bag for MARK lovers'."""
    first = next((span for span in spans if span.kind == "admirer"), None)
    return first is not None and not any(map(str.isalnum, tail[: first.start]))


def _said_behind(tail: str, spans: Sequence[Span], *, few: int, over_goods: bool) -> bool:
    """Return whether a word like 'compatible' follows the mark, over at most `few` others.

    With `over_goods` also one that stands behind the kind of goods: 'laces MARK sneakers etc'.
    """
    for kind in ("behind", "after") if over_goods else ("behind",):
        first = next((span for span in spans if span.kind == kind), None)
        goods = kind == "after"
        neutral = OR_WHAT_GOES_WITH_THEM if goods else NEUTRAL
        if (
            first is not None
            and not stopped(tail[: first.start], spans, 0, first.start, over_goods=goods)
            and other_words(tail, spans, 0, first.start, neutral) <= few
        ):
            return True
    return False


def _names_maker(tail: str, spans: Sequence[Span], mark: str, reach: int) -> bool:
    """Return whether the goods of the mark are for something else: 'MARK case for iPhone'."""
    first = next((span for span in spans if span.kind in _AIMING), None)
    if first is None or first.start > reach or BREAK.search(tail[: first.start]):
        return False
    for target in WORD.finditer(tail, first.end):
        if any(map(str.isdigit, target[0])):
            return False
        if target[0].startswith(mark.split(maxsplit=1)[0]):
            return False  # 'MARK strap for MARK watch'
        kinds = {span.kind for span in spans if span.start <= target.start() < span.end}
        if kinds & {"stop", "admirer", "goods", "device"}:
            return False
        if "filler" not in kinds:
            return True
    return False


def _accessory_behind(tail: str, spans: Sequence[Span]) -> bool:
    """Return whether the mark is followed by the name of an accessory: 'MARK watch strap'."""
    first = next((span for span in spans if span.kind == "accessory"), None)
    if first is None:
        return False
    gap = tail[: first.start]
    device = max((span.end for span in spans if span.kind == "device"), default=0)
    return (
        not stopped(gap, spans, 0, first.start)
        and not ENUMERATION.search(gap)
        and other_words(tail, spans, 0, first.start) <= FEW
        and not any(  # 'MARK strap sandals' are sandals
            span.kind == "goods" and span.head_last and not tail[first.end : span.start].strip(" -")
            for span in spans
        )
        # 'MARK phone back cover', not 'MARK earbuds noise cancelling white case'
        and (
            device == 0
            or sum(
                not any(map(str.isdigit, word)) for word in WORD.findall(tail, device, first.start)
            )
            <= 1
        )
    )


def _accessory_before(head: str, spans: Sequence[Span]) -> bool:
    """Return whether the name of an accessory leads to the mark: 'casing hp MARK'."""
    last = next((span for span in reversed(spans) if span.kind in _BESIDE), None)
    if last is None:
        return False
    gap = head[last.end :]
    return (
        not stopped(gap, spans, last.end, len(head))
        and _is_short_list(gap)
        and other_words(head, spans, last.end, len(head)) <= FEW
        and not goods_first(spans, last.start)
    )


def _is_short_list(gap: str) -> bool:
    """Return whether `gap` lists nothing, or names with strokes between: 'mats Honda / MARK'."""
    return not ENUMERATION.search(gap.replace("/", " ")) and all(
        len(WORD.findall(item)) <= FEW for item in gap.split("/")[:-1]
    )


def _goods_before(head: str, spans: Sequence[Span]) -> bool:
    """Return whether a title says first which goods it offers: 'reloj MARK correa de cuero'."""
    return (
        goods_first(spans, len(head))
        and not other_words(head, spans, 0, len(head), OR_GOODS)
        and not any(span.kind in ("accessory", "part", "compatible", "for") for span in spans)
    )


def _aid_before(head: str, spans: Sequence[Span]) -> bool:
    """Return whether a title begins with what the mark's goods need: 'nettoyant baskets MARK'.

    So it is read in languages that say first what the goods are, and only with the kind of those
    goods between.
    """
    first = next((span for span in spans if span.kind in _FIRST), None)
    if first is None or all(
        span.head_last
        for span in spans
        if span.kind in _FIRST and (span.start, span.end) == (first.start, first.end)
    ):
        return False
    rest = [span for span in spans if span.start >= first.end]
    return (
        any(span.kind == "device" or (span.kind == "goods" and not span.head_last) for span in rest)
        and not any(span.kind == "goods" for span in spans if span.start <= first.start)
        and not stopped(head, spans, 0, first.start)
        and not stopped(head[first.end :], rest, first.end, len(head), over_goods=True)
        and not ENUMERATION.search(head)
        and other_words(head, spans, 0, len(head), OR_WHAT_GOES_WITH_THEM) <= FEW
    )
