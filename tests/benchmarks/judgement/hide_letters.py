"""Ways to hide a mark letter for letter: each stays in its place and looks almost the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from tests.benchmarks.judgement import lookalikes as look
from tests.benchmarks.judgement.halves import Hand, of_half

Trick = Callable[[str, Hand], str | None]
"""Returns the mark in disguise, or None where this mark can't be disguised so."""


def swap(
    mark: str, table: Mapping[str, tuple[str, ...]], hand: Hand, *, halves: bool = True
) -> str | None:
    """Return the mark with some of its letters (one at least, all at most) swapped by a table."""
    choices = {}
    for index, letter in enumerate(mark):
        others = table.get(letter, ())
        if halves:
            others = tuple(o for o in others if o in of_half(others, hand.half))
        if others:
            choices[index] = others
    if not choices:
        return None
    count = hand.pick((1, 1, 2, len(choices), hand.chance.randint(1, len(choices))))
    at = set(hand.chance.sample(sorted(choices), min(count, len(choices))))
    return "".join(
        hand.chance.choice(choices[index]) if index in at else letter
        for index, letter in enumerate(mark)
    )


def whole(mark: str, table: Mapping[str, tuple[str, ...]], hand: Hand) -> str | None:
    """Return the mark with every letter swapped, in the case in which that can be done."""
    for cased in hand.chance.sample([mark, mark.upper(), mark.lower()], 3):
        if all(letter in table for letter in cased if letter.isalpha()):
            return "".join(
                hand.chance.choice(table[letter]) if letter in table else letter for letter in cased
            )
    return None


def _swapping(table: look.Table) -> Trick:
    return lambda mark, hand: swap(mark, table, hand)


def _swapping_all(table: look.Table) -> Trick:
    return lambda mark, hand: whole(mark, table, hand)


def full_width(mark: str, hand: Hand) -> str | None:
    """ＮＩＫＥ, or some letters of it."""
    table = {key: (value,) for key, value in look.FULL_WIDTH.items()}
    return whole(mark, table, hand) if hand.odds(0.5) else swap(mark, table, hand, halves=False)


def mathematical(mark: str, hand: Hand) -> str | None:
    """𝐍𝐢𝐤𝐞 and its twelve sisters."""
    table = look.MATHEMATICAL[hand.draw(sorted(look.MATHEMATICAL))]
    return _whole_or_some(mark, table, hand)


def enclosed(mark: str, hand: Hand) -> str | None:
    """Ⓝⓘⓚⓔ, 🅝🅘🅚🅔, 🄽🄸🄺🄴 and the like."""
    return _whole_or_some(mark, look.ENCLOSED[hand.draw(sorted(look.ENCLOSED))], hand)


def regional(mark: str, hand: Hand) -> str | None:
    """🇳🇮🇰🇪: regional indicators, together or kept apart so that no flag is drawn."""
    if not all(letter in look.REGIONAL or letter == " " for letter in mark):
        return None
    between = hand.pick(("", "", " ", "\u200b"))
    return between.join(look.REGIONAL.get(letter, letter) for letter in mark)


def _whole_or_some(mark: str, table: Mapping[str, str], hand: Hand) -> str | None:
    """Style the whole mark two times in three, else some of its letters."""
    styled = {key: (value,) for key, value in table.items() if value != key}
    if hand.odds(0.33):
        return swap(mark, styled, hand, halves=False)
    found = "".join(table.get(letter, letter) for letter in mark)
    return found if found != mark else None


def superscript(mark: str, hand: Hand) -> str | None:
    """ᴺⁱᵏᵉ or ₙᵢₖₑ."""
    return swap(mark, hand.pick((look.SUPERSCRIPT, look.SUBSCRIPT)), hand, halves=False)


def dotless(mark: str, hand: Hand) -> str | None:
    """Nıke, NİKE: the dot that other languages give or take."""
    return swap(mark, {"i": ("ı",), "I": ("İ",), "j": ("ȷ",)}, hand, halves=False)


def leet(mark: str, hand: Hand) -> str | None:
    """N1k3."""
    return swap(mark, look.LEET, hand, halves=False)


def several(mark: str, hand: Hand) -> str | None:
    """\\/\\/, |\\|, rn, cl: several characters for one letter."""
    table = look.SEVERAL
    lowered = mark if hand.odds(0.5) else mark.lower()
    choices = [i for i, letter in enumerate(lowered) if letter.lower() in table]
    if not choices:
        return None
    at = set(hand.chance.sample(choices, hand.pick((1, min(2, len(choices))))))
    return "".join(
        hand.draw(table[letter.lower()]) if index in at else letter
        for index, letter in enumerate(lowered)
    )


def accented(mark: str, hand: Hand) -> str | None:
    """Ñïké: accents that the mark does not have."""
    return swap(mark, look.ACCENTED, hand)


TRICKS: Final[dict[str, Trick]] = {
    "Cyrillic letters": _swapping(look.CYRILLIC),
    "whole word in Cyrillic": _swapping_all(look.CYRILLIC),
    "Greek letters": _swapping(look.GREEK),
    "whole word in Greek": _swapping_all(look.GREEK),
    "faux Cyrillic (И for N)": _swapping(look.FAUX_CYRILLIC),
    "Armenian letters": _swapping(look.ARMENIAN),
    "Cherokee letters": _swapping(look.CHEROKEE),
    "whole word in Cherokee": lambda mark, hand: whole(mark.upper(), look.CHEROKEE, hand),
    "Lisu letters": _swapping(look.LISU),
    "whole word in Lisu": lambda mark, hand: whole(mark.upper(), look.LISU, hand),
    "Coptic letters": _swapping(look.COPTIC),
    "syllabics as letters": _swapping(look.SYLLABICS),
    "Chinese strokes as letters": _swapping(look.CJK_FONT),
    "other Latin letters": _swapping(look.LATIN),
    "Roman numerals": _swapping(look.NUMERALS),
    "Hebrew and Arabic shapes": _swapping(look.RIGHT_TO_LEFT),
    "small capitals": _swapping(look.SMALL_CAPITALS),
    "whole word in small capitals": _swapping_all(look.SMALL_CAPITALS),
    "full-width": full_width,
    "mathematical styles": mathematical,
    "enclosed letters": enclosed,
    "regional indicators": regional,
    "super- and subscript": superscript,
    "dotless i": dotless,
    "accents": accented,
    "leet digits": leet,
    "symbols": _swapping(look.SYMBOLS),
    "emoji for a letter": _swapping(look.EMOJI),
    "several for one": several,
}
