"""Says whether a word has letters that no language writes it with, and no honest seller."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Final

from agents.monitoring.confusables import load_table
from agents.monitoring.marks.boundaries import script_of
from agents.monitoring.marks.gaps import Gap
from agents.monitoring.marks.skeleton import Skeleton

ALPHABETS: Final = tuple(
    (frozenset(accented), frozenset(foreign))
    for accented, foreign in (
        ("áéíóúñü", "kw"), ("áâãàçéêíóôõúü", "kwy"), ("àâæçéèêëîïôœùûüÿ", "kw"), ("äöüß", ""),
        ("àèéìòóùî", "jkwxy"), ("çğıİiöşüâîû", "qwx"), ("ąćęłńóśźż", "qvx"),
        ("áčďéěíňóřšťúůýžľĺŕäô", "qwx"), ("åäöæøé", "qwxz"), ("ăâîșțşţ", "kqwy"),
        ("áéíóöőúüű", "qwxy"), ("đžćčš", "qwxy"),
        ("àáâãèéêìíòóôõùúýăđĩũơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ", "fjwz"),
    )
)  # fmt: skip
"""Letters with marks of their own that languages of marketplaces write with, and letters that their
own words don't have."""
ANYWHERE: Final = frozenset[str]().union(*(letters for letters, _ in ALPHABETS))
_EVERYDAY: Final = frozenset("ªº²³ⅡⅢⅣ™®")
"""Other forms of letters that stand within honest words."""
_STYLED: Final = frozenset(("compatibility", "small_capital", "script"))
_OF_LANGUAGES: Final = frozenset(
    "\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u0309\u030a\u030b\u030c\u031b\u0323\u0326\u0327\u0328"
)
"""Marks over and under letters that languages write with, in texts that keep them apart."""

_DEAD: Final = frozenset(("LISU", "CHEROKEE", "COPTIC", "DESERET", "OSAGE", "WARANG", "GOTHIC"))
"""Scripts whose letters look Latin, and in which no goods are described."""
_STYLES: Final = (
    range(0x1D400, 0x1D7CC),  # mathematical
    range(0x1F110, 0x1F18A),  # in parentheses, squares and circles
    range(0x249C, 0x24EA),
    range(0x0250, 0x02B0),  # phonetic
    range(0x1D62, 0x1D6B),  # below the line
    range(0x2090, 0x209D),
)
_LETTERLIKE: Final = frozenset("ℂℊℋℌℍℎℐℑℒℕℙℚℛℜℝℤℨℬℭℯℰℱℳℴ")
_SIGNS: Final = frozenset("ⒸⓅⓇⓂⓊ🄫🄬")
"""Enclosed letters that say something by themselves: ®, a metro, kosher food."""
_RARE: Final = frozenset(map(chr, range(0x1E00, 0x1EA0))) - frozenset("ẀẁẂẃẄẅẞ")
"""Latin letters with marks that no language of a marketplace has."""


def is_never_honest(character: str) -> bool:
    """Return whether a character among plain letters is there to hide what they are.

    A letter of a mathematical, enclosed or phonetic alphabet, of a script that nobody writes in, or
    with a mark that no language has.
    """
    code = ord(character)
    if character in _SIGNS:
        return False
    return (
        any(code in style for style in _STYLES)
        or character in _LETTERLIKE
        or character in _RARE
        or (code > 0x1000 and script_of(character) in _DEAD)
    )


def has_odd_letters(text: str) -> bool:
    """Return whether a text has letters that no language has, or no single one: 'Ȼyḅex'."""
    kinds = load_table().kind
    accented = {c.lower() for c in text if kinds.get(ord(c)) == "accent"}
    return any(map(is_never_honest, text)) or (
        bool(accented) and not any(accented <= letters for letters, _ in ALPHABETS)
    )


def _shows_nothing(between: str) -> bool:
    """Return whether something stands between two letters that only breaks them up."""
    invisible = load_table().invisible
    return any(invisible.get(ord(c)) == "zero_width" and c != _HYPHEN for c in between)


_HYPHEN: Final = "\u00ad"
"""Where a long word may be divided at the end of a line."""


def are_of_no_language(
    skeleton: Skeleton, runs: Sequence[Sequence[int]], gaps: Sequence[Gap]
) -> bool:
    """Return whether the letters at `runs` can be no words of a language, in whatever pieces.

    They have marks of their own that no language has, or no single one ('Ṕe rsoḹ'), styled letters
    or those of another script in one piece with plain ones ('Ⲣo lar'), or what shows nothing
    between two of them.
    """
    read = skeleton.read
    marks = {c for c in read[runs[0][0] : runs[-1][-1] + 1] if "\u0300" <= c <= "\u20f0"}
    invisible = load_table().invisible
    if any(invisible.get(ord(c)) == "combining" for c in marks - _OF_LANGUAGES):
        return True
    kinds = load_table().kind
    starts = [0, *(gap.run for gap in gaps), len(runs)]
    accented: set[str] = set()
    for first, last in itertools.pairwise(starts):
        letters = [read[place] for run in runs[first:last] for place in run]
        accented |= {c.lower() for c in letters if kinds.get(ord(c)) == "accent"}
        if any(c.isascii() and c.isalpha() for c in letters) and any(
            not c.isascii() and kinds.get(ord(c)) in _STYLED and c not in _EVERYDAY for c in letters
        ):
            return True
        if any(
            _shows_nothing(read[one[-1] + 1 : other[0]])
            for one, other in itertools.pairwise(runs[first:last])
        ):
            return True
    return bool(accented) and not any(accented <= letters for letters, _ in ALPHABETS)
