"""Says how surely a disguise is one: what honest words, names and part numbers do too is weak.

Each judge looks at one kind of difference between a mark and what stands in the text. It answers
'hidden' where only a seller who hides a mark writes so, 'weak' where others do too, 'plain' where a
language spells so, and None where the mark does not stand there at all.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Final

from agents.monitoring.confusables import load_table
from agents.monitoring.marks.alphabets import (
    ALPHABETS,
    ANYWHERE,
    are_of_no_language,
    is_never_honest,
)
from agents.monitoring.marks.boundaries import script_of
from agents.monitoring.marks.gaps import (
    Gap,
    Strength,
    apart_strength,
    are_tight,
    between_two_things,
    gaps_of,
    visible,
)
from agents.monitoring.marks.letters import (
    ACCENT,
    COMBINING,
    COMPATIBILITY,
    CONFUSABLE,
    DIGIT,
    DOUBLED,
    DRAWING,
    LOOK_ALIKE,
    MARKUP,
    SEQUENCE,
    SPACED,
    SYMBOL,
    ZERO_WIDTH,
    around,
    is_of_text,
    reads_as,
)
from agents.monitoring.marks.ordinary import are_ordinary
from agents.monitoring.marks.skeleton import Skeleton
from agents.monitoring.marks.spellings import Spelling
from agents.monitoring.marks.two_letters import two_letters

_STACKED: Final = 20
"""Characters in which a sign stands behind the last letter, with the marks stacked on it."""


def strength_of(
    spelling: Spelling,
    skeleton: Skeleton,
    runs: Sequence[Sequence[int]],
    folds: dict[str, int],
) -> Strength | None:
    """Return how surely the characters at `runs` are the mark, hidden by `folds`; None if not.

    Adds the folds of what stands between the letters and behind them.
    """
    gaps = gaps_of(spelling, skeleton, runs)
    if gaps is None:
        return None
    verdicts: list[Strength] = []
    odd = [gap.shown for gap in gaps if gap.odd]
    if spelling.signed:
        behind = visible(skeleton.read[skeleton.end(runs[-1][-1]) :][:_STACKED])
        sign = behind[:1]
        if not sign or sign.isalnum() or reads_as(sign, spelling.signed) != SYMBOL:
            return None
        folds[SYMBOL] = folds.get(SYMBOL, 0) + 1
        if are_ordinary(("".join(spelling.runs),)):
            return "weak" if behind[1:2] != sign else None  # 'Día!' calls
    if odd:
        foreign = are_of_no_language(skeleton, runs, gaps)
        apart = apart_strength(spelling, skeleton, runs, gaps, foreign=foreign)
        if apart is None:
            return None
        all_apart = len(gaps) + len(spelling.ampersands) >= len(runs) - 1
        if (
            between_two_things(gaps)
            and not (all_apart or foreign)
            and not _is_one(spelling, gaps, folds)
        ):
            return None  # 'Milk as a' is no Mikasa, and '100% (real' no L'Oréal
        folds[SPACED] = len(odd)
        verdicts.append(apart)
    if not folds:
        return "plain"
    verdict: Strength | None = None
    surely = {ZERO_WIDTH, COMBINING, COMPATIBILITY, MARKUP, SYMBOL}
    for judge in (_digits, _symbols, _look_alikes, _doubled, _accents, _foreign):
        verdict = judge(spelling, skeleton, runs, folds)
        if verdict is None or verdict == "plain":
            return verdict
        verdicts.append(verdict)
        if judge is _symbols and verdict == "weak":
            surely.discard(SYMBOL)
    mixed = verdict == "hidden" and CONFUSABLE in folds
    if spelling.length < 3:
        return two_letters(spelling, skeleton, runs, folds, odd)
    if "weak" not in verdicts:
        return "hidden"
    sure = mixed or surely & folds.keys()
    return "hidden" if sure and spelling.length >= 4 else "weak"


_MANY: Final = 3
"""Gaps within a mark of `_LONG` letters or more that words side by side don't have by chance."""
_LONG: Final = 6
_UNSURE: Final = frozenset({LOOK_ALIKE, DOUBLED, DIGIT, SEQUENCE, ACCENT})
"""Folds that honest words take too."""


def _is_one(spelling: Spelling, gaps: Sequence[Gap], folds: dict[str, int]) -> bool:
    """Return whether pieces that may be two things are one word, by the letters they have."""
    unsure = sum(folds.get(fold, 0) for fold in _UNSURE)
    if not unsure or (len(gaps) >= _MANY and spelling.length >= _LONG):
        return True
    return are_tight(gaps) and spelling.length >= 5 and unsure * 3 <= spelling.length


_BROKEN: Final = frozenset({ZERO_WIDTH, COMBINING, COMPATIBILITY})
"""Folds that no number or price has."""


def _digits(
    spelling: Spelling, _: Skeleton, __: Sequence[Sequence[int]], folds: dict[str, int]
) -> Strength | None:
    count, symbols = folds.get(DIGIT, 0), folds.get(SYMBOL, 0)
    if not count:
        return "hidden"
    if spelling.length == 3:
        return "weak" if count == 1 else None
    if not _BROKEN.isdisjoint(folds):
        return "hidden"  # nothing breaks up a number
    if count + symbols >= spelling.length:
        # '715507' is a number, '$1450' a price, '(@5|0' neither.
        odd = symbols >= max(2, count) and spelling.length >= 5
        return "hidden" if odd else "weak" if spelling.length >= 6 else None
    # 'B055' is a part number, 'C4510' hardly, '4did4s' is not.
    return "hidden" if count <= spelling.length - 2 or spelling.length >= 5 else None


def _symbols(
    spelling: Spelling,
    skeleton: Skeleton,
    runs: Sequence[Sequence[int]],
    folds: dict[str, int],
) -> Strength | None:
    count = folds.get(SYMBOL, 0) + folds.get(DRAWING, 0)
    if not count:
        return "hidden"
    last = {skeleton.read[place] for place in runs[-1]}
    if len(runs[-1]) > len(spelling.runs[-1]) and last == {"!"}:
        return None  # 'Día!!!' calls
    opens = [skeleton.read[run[0]] for run in runs if _opens_phrase(skeleton.read[run[0]])]
    if opens and spelling.length <= 3:
        return None  # '(if' is no Cif, and '¡El' no Lel
    if opens == [skeleton.read[runs[0][0]]] and spelling.length == 4 and len(folds) == 1:
        return "weak"  # '(let'
    if spelling.length <= 3 and unicodedata.category(max(last)) == "So":
        return "weak"  # 'kg❤'
    return "hidden" if count < spelling.length or spelling.length >= 5 else None


def _opens_phrase(character: str) -> bool:
    return character == "¡" or unicodedata.category(character) == "Ps"


def _look_alikes(
    spelling: Spelling,
    skeleton: Skeleton,
    runs: Sequence[Sequence[int]],
    folds: dict[str, int],
) -> Strength | None:
    """Judge ordinary letters in place of others: 'NlKE', 'Arnazon', 'GVCCI'; not 'Marla'."""
    if SEQUENCE in folds:
        if _is_ordinary_word(skeleton, runs):
            return "weak"  # 'unicorn' is no Unicom
        # No word begins so.
        opens = "".join(skeleton.read[place] for place in runs[0]).lower() in ("rn", "nn", "vv")
        return "hidden" if spelling.length >= 5 or (opens and spelling.length >= 4) else "weak"
    if LOOK_ALIKE not in folds:
        return "hidden"
    letters = [skeleton.read[place] for run in runs for place in run]
    ordinary = [c for c in letters if c.isascii() and c.isalpha()]
    shouted = sum(c.isupper() for c in ordinary) > len(ordinary) / 2
    odd_case = (
        ("l" in ordinary and shouted)
        or ("I" in ordinary[1:] and not shouted)
        or (shouted and "V" in ordinary and spelling.length >= 5)  # as the Romans wrote: GVCCI
    )
    if odd_case:
        return "hidden" if spelling.length >= 4 else "weak"
    return "hidden" if spelling.length >= 6 else "weak"


def _doubled(
    spelling: Spelling,
    skeleton: Skeleton,
    runs: Sequence[Sequence[int]],
    folds: dict[str, int],
) -> Strength | None:
    if DOUBLED not in folds:
        return "hidden"
    if spelling.length < 4:
        return None
    if _is_ordinary_word(skeleton, runs):
        return "weak"  # 'dress' is no Dres
    spread = folds.get(SPACED, 0) >= max(3, len(spelling.runs) - 1)
    if spelling.length > 4 or folds[DOUBLED] >= 2 or spread:
        return "hidden"
    if ACCENT in folds:
        return "weak"  # 'llegó' is no Lego
    # Within a short word a letter is doubled by chance ('pollo' is no Polo), at an end it is not.
    at_an_end = len(runs[0]) > len(spelling.runs[0]) or len(runs[-1]) > len(spelling.runs[-1])
    odd = any(
        "".join(skeleton.read[place] for place in run).lower() in ("aa", "ii", "uu") for run in runs
    )
    return "hidden" if at_an_end or odd else "weak"


def _is_ordinary_word(skeleton: Skeleton, runs: Sequence[Sequence[int]]) -> bool:
    """Return whether what stands there is an ordinary word as it is written."""
    start, end = runs[0][0], skeleton.end(runs[-1][-1])
    return are_ordinary((skeleton.read[start:end].lower(),))


_DOTS: Final = frozenset("ıİ")
_TURKISH: Final = frozenset("şğıİŞĞ")


def _accents(
    spelling: Spelling,
    skeleton: Skeleton,
    runs: Sequence[Sequence[int]],
    folds: dict[str, int],
) -> Strength | None:
    """Judge letters with marks of their own: 'Nïķē', but not Spanish 'cañón' or Vietnamese."""
    count = folds.get(ACCENT, 0)
    if not count or folds.keys() - {ACCENT}:
        return "hidden"
    start, end = runs[0][0], skeleton.end(runs[-1][-1])
    own = unicodedata.normalize("NFC", skeleton.read[start:end])
    beside = unicodedata.normalize("NFC", around(skeleton.read, start, end))
    accented = {c if c in _DOTS else c.lower() for c in own if not c.isascii() and c.isalpha()}
    if {c for c in own if not c.isascii()} <= _DOTS and not _TURKISH.isdisjoint(beside):
        return "plain"  # how Turkish writes i, and how a computer set to it writes CASIO
    used = {c for c in beside.lower() if not c.isascii() and _is_accented(c)}
    written = [alphabet for alphabet in ALPHABETS if used and used <= alphabet[0]]
    ordinary = frozenset[str]().union(*(letters for letters, _ in written or ALPHABETS[:5]))
    if spelling.length < 4:
        rare = accented - used
        odd = rare - ANYWHERE if spelling.length == 3 else set(filter(is_never_honest, rare))
        return "hidden" if odd else None
    if spelling.length >= 10 or (spelling.length >= 7 and count >= 2):
        return "hidden"  # no language has a word as long with other marks
    if accented - ordinary - used:
        return "hidden"
    bare = "".join(spelling.runs)
    words = [
        letters
        for letters, foreign in written or ALPHABETS[:5]
        if accented - used <= letters and foreign.isdisjoint(bare)
    ]
    # 'Níkon' is no word of a language that writes so, nor is 'Crócs' one that is often used.
    return "weak" if words and are_ordinary((bare,)) else "hidden"


def _is_accented(character: str) -> bool:
    return load_table().kind.get(ord(character)) == "accent"


_EVERYDAY: Final = {
    "CYRILLIC": frozenset("абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґў"),
    "GREEK": frozenset("αβγδεζηθικλμνξοπρστυφχψωςάέήίόύώϊϋΐΰ"),
}


def _foreign(
    spelling: Spelling,
    skeleton: Skeleton,
    runs: Sequence[Sequence[int]],
    folds: dict[str, int],
) -> Strength | None:
    """Judge a word written wholly in another script: honest where the text is in that script."""
    if CONFUSABLE not in folds:
        return "hidden"
    letters = [skeleton.read[place] for run in runs for place in run]
    scripts = {script_of(c) for c in letters if c.isalpha()}
    if len(scripts) != 1 or "LATIN" in scripts or folds.keys() - {CONFUSABLE, SPACED}:
        return "hidden"
    if is_of_text(skeleton, runs, letters):
        # Letters that no text in that script is written with give a disguise away.
        alphabet = _EVERYDAY.get(next(iter(scripts)))
        odd = alphabet is not None and any(c.lower() not in alphabet for c in letters)
        return "hidden" if odd and spelling.length >= 4 else "weak"
    return "hidden"
