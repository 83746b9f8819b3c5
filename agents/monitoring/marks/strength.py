"""Says how surely a disguise is one: what honest words, names and part numbers do too is weak.

Each judge looks at one kind of difference between a mark and what stands in the text. It answers
'hidden' where only a seller who hides a mark writes so, 'weak' where others do too, 'plain' where a
language spells so, and None where the mark does not stand there at all.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Sequence
from typing import Final, Literal

from agents.monitoring.confusables import load_table
from agents.monitoring.marks.boundaries import BOUNDLESS, script_of
from agents.monitoring.marks.characters import BOUNDARY
from agents.monitoring.marks.decoding import unescaped
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
    reads_as,
)
from agents.monitoring.marks.skeleton import Skeleton
from agents.monitoring.marks.spellings import Spelling

Strength = Literal["plain", "hidden", "weak"]

_PLAIN_GAP: Final = re.compile(r"[\s\-_.'’‐-―]{1,3}")
"""What stands between the words of a mark that is written plainly."""
_LISTING_GAP: Final = re.compile(r"[,;:!?/\\()\[\]{}&+|\"“”]")
"""What stands between two things rather than within one."""
_TIGHT: Final = frozenset("*.·•・_-~^+|")
"""Signs that no text sets between two ideographs of one word."""
_AMPERSANDS: Final = ("&", "＆", "﹠")
_ONE_LETTER_WORDS: Final = frozenset("aeiouyxs")
_TAG: Final = re.compile(r"<[^<>]*>")
_MAX_GAP: Final = 8
_AROUND: Final = 200
"""Characters on either side that show in which language and script a text is."""


def strength_of(
    spelling: Spelling,
    skeleton: Skeleton,
    runs: Sequence[Sequence[int]],
    folds: dict[str, int],
) -> Strength | None:
    """Return how surely the characters at `runs` are the mark, hidden by `folds`; None if not.

    Adds the folds of what stands between the letters and behind them.
    """
    gaps = _gaps(spelling, skeleton, runs)
    if gaps is None:
        return None
    verdicts: list[Strength] = []
    odd = [gap for gap in gaps if not (gap[2] and _PLAIN_GAP.fullmatch(gap[1]))]
    if spelling.signed:
        sign = skeleton.read[skeleton.end(runs[-1][-1]) :][:1]
        if not sign or sign.isalnum() or reads_as(sign, spelling.signed) != SYMBOL:
            return None
        folds[SYMBOL] = folds.get(SYMBOL, 0) + 1
    if odd:
        apart = _apart(spelling, skeleton, runs, gaps)
        if apart is None:
            return None
        signs = "".join(shown for _, shown, _ in odd)
        two_things = not signs.strip() or _LISTING_GAP.search(signs)
        if two_things and not _all_apart(spelling, gaps) and not _UNSURE.isdisjoint(folds):
            return None  # 'Milk as a' is no Mikasa, and '100% (real' no L'Oréal
        folds[SPACED] = len(odd)
        verdicts.append(apart)
    if not folds:
        return "plain"
    for judge in (_digits, _symbols, _look_alikes, _doubled, _accents, _foreign):
        verdict = judge(spelling, skeleton, runs, folds)
        if verdict is None or verdict == "plain":
            return verdict
        verdicts.append(verdict)
    if spelling.length < 3:
        # Two letters are found by chance everywhere; two ideographs broken by nothing are not.
        tight = all(shown in _TIGHT for _, shown, _ in odd)
        broken = folds.keys() - ({SPACED} if tight else set()) <= {ZERO_WIDTH, COMBINING, MARKUP}
        if broken and script_of(spelling.runs[0][0]) in BOUNDLESS:
            return "hidden"
        return "weak" if broken and tight and odd else None
    if "weak" not in verdicts:
        return "hidden"
    sure = {ZERO_WIDTH, COMBINING, COMPATIBILITY, MARKUP, SYMBOL} & folds.keys()
    return "hidden" if sure and spelling.length >= 4 else "weak"


_UNSURE: Final = frozenset({LOOK_ALIKE, DOUBLED, DIGIT, SEQUENCE, ACCENT})
"""Folds that honest words take too."""


def _all_apart(spelling: Spelling, gaps: Sequence[tuple[int, str, bool]]) -> bool:
    """Return whether every letter is set apart from the next."""
    return len(gaps) == len(spelling.runs) - 1


def _apart(
    spelling: Spelling,
    skeleton: Skeleton,
    runs: Sequence[Sequence[int]],
    gaps: Sequence[tuple[int, str, bool]],
) -> Strength | None:
    """Judge letters that are set apart: 'N I K E', 'ad.idas', 'Ni ke'."""
    starts = [0, *(number for number, _, _ in gaps), len(runs)]
    pieces = [
        sum(len(run) for run in spelling.runs[first:last])
        for first, last in itertools.pairwise(starts)
    ]
    signs = "".join(shown for _, shown, _ in gaps)
    spaces_only = not signs.strip()
    length = spelling.length
    if set(pieces) == {1}:
        if _within_spaced_word(skeleton, runs, gaps):
            return "weak"
        if length >= 4:
            return "hidden"
        shout = all(skeleton.read[run[0]].isupper() for run in runs)
        return "hidden" if shout or not spaces_only else "weak"
    if length < 4:
        return None
    ones = [number for number, piece in enumerate(pieces) if piece == 1]
    if any(c.isspace() for c in signs) and any(
        not skeleton.read[runs[starts[number]][0]].isalpha() for number in ones
    ):
        return None  # '| phone', '6 o Pro': a sign or a digit that stands alone is no letter
    if spaces_only:
        return _split(pieces, ones, spelling)
    if len(pieces) >= 3:
        return "hidden"
    if _LISTING_GAP.search(signs):
        if any(c.isspace() for c in signs) or (min(pieces) >= 2 and length < 5):
            return None
        # 'Ferrag/amo' is no list of two things, 'black/berry' may be one.
        return "hidden" if min(pieces) == 1 or (min(pieces) <= 3 and length >= 6) else "weak"
    if signs.strip() == "-" and min(pieces) >= 3:
        return "weak"
    if any(c.isspace() for c in signs) and min(pieces) >= 3:
        return "weak"
    return "hidden"


def _split(pieces: Sequence[int], ones: Sequence[int], spelling: Spelling) -> Strength | None:
    """Judge a mark that spaces cut into pieces."""
    if len(pieces) >= 3:
        return "hidden" if spelling.length >= 5 or len(ones) >= 3 else "weak"
    if min(pieces) >= 4:
        return "weak"  # 'play station', 'micro soft': two honest words
    if ones:
        letter = spelling.runs[0 if ones[0] == 0 else -1][0]
        return "weak" if letter in _ONE_LETTER_WORDS and spelling.length < 7 else "hidden"
    return "hidden" if spelling.length >= 7 and min(pieces) <= 3 else "weak"


def _within_spaced_word(
    skeleton: Skeleton, runs: Sequence[Sequence[int]], gaps: Sequence[tuple[int, str, bool]]
) -> bool:
    """Return whether spaced letters go on before or behind: 'J U N I K E R' names no Nike."""
    gap = gaps[0][1]
    text, start, end = skeleton.read, runs[0][0], skeleton.end(runs[-1][-1])
    behind = text[end : end + _MAX_GAP + 2]
    if behind.startswith(gap):
        rest = behind[len(gap) :]
        if rest[:1].isalpha() and not rest[1:2].isalnum():
            return True
    before = text[max(0, start - _MAX_GAP - 2) : start]
    if before.endswith(gap):
        rest = before[: -len(gap)]
        return rest[-1:].isalpha() and not rest[-2:-1].isalnum()
    return False


def _digits(
    spelling: Spelling, _: Skeleton, __: Sequence[Sequence[int]], folds: dict[str, int]
) -> Strength | None:
    count = folds.get(DIGIT, 0)
    if not count:
        return "hidden"
    if spelling.length == 3:
        return "weak" if count == 1 else None
    # 'B055' is a part number, '4did4s' is not.
    return "hidden" if count <= spelling.length - 2 and spelling.length >= 4 else None


def _symbols(
    spelling: Spelling,
    skeleton: Skeleton,
    runs: Sequence[Sequence[int]],
    folds: dict[str, int],
) -> Strength | None:
    count = folds.get(SYMBOL, 0) + folds.get(DRAWING, 0)
    if not count:
        return "hidden"
    if spelling.length <= 3 and any(
        unicodedata.category(skeleton.read[run[0]]) == "Ps" for run in runs
    ):
        return None  # '(if' is no Cif
    return "hidden" if count < spelling.length or spelling.length >= 5 else None


def _look_alikes(
    spelling: Spelling,
    skeleton: Skeleton,
    runs: Sequence[Sequence[int]],
    folds: dict[str, int],
) -> Strength | None:
    """Judge ordinary letters in place of others: 'NlKE', 'Arnazon', 'GVCCI'; not 'Marla'."""
    if SEQUENCE in folds:
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


_ALPHABETS: Final = tuple(
    frozenset(letters)
    for letters in (
        "áéíóúñü", "áâãàçéêíóôõúü", "àâæçéèêëîïôœùûüÿ", "äöüß", "àèéìòóùî", "çğıİiöşüâîû",
        "ąćęłńóśźż", "áčďéěíňóřšťúůýžľĺŕäô", "åäöæøé", "ăâîșțşţ", "áéíóöőúüű", "đžćčš",
        "àáâãèéêìíòóôõùúýăđĩũơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ",
    )
)  # fmt: skip
"""Letters with marks of their own that languages of marketplaces write with."""
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
    around = unicodedata.normalize("NFC", _around(skeleton.read, start, end))
    accented = {c if c in _DOTS else c.lower() for c in own if not c.isascii() and c.isalpha()}
    if {c for c in own if not c.isascii()} <= _DOTS and not _TURKISH.isdisjoint(around):
        return "plain"  # how Turkish writes i, and how a computer set to it writes CASIO
    if spelling.length < 4:
        return None
    if spelling.length >= 10 or (spelling.length >= 7 and count >= 2):
        return "hidden"  # no language has a word as long with other marks
    used = {c for c in around.lower() if not c.isascii() and _is_accented(c)}
    written = [alphabet for alphabet in _ALPHABETS if used and used <= alphabet]
    ordinary = frozenset[str]().union(*(written or _ALPHABETS[:5]))
    if accented - ordinary - used:
        return "hidden"
    if used:
        return "weak"  # a text in a language that writes so
    return "hidden" if count >= 2 or spelling.length >= 6 else "weak"


def _is_accented(character: str) -> bool:
    return load_table().kind.get(ord(character)) == "accent"


def _around(text: str, start: int, end: int) -> str:
    """Return what stands around a span, within the same field of the same listing."""
    before = text[max(0, start - _AROUND) : start].rpartition(BOUNDARY)[2]
    return before + text[end : end + _AROUND].partition(BOUNDARY)[0]


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
    start, end = runs[0][0], skeleton.end(runs[-1][-1])
    script = next(iter(scripts))
    around = _around(skeleton.read, start, end)
    if sum(1 for c in around if c.isalpha() and script_of(c) == script) >= 3:
        # Letters that no text in that script is written with give a disguise away.
        alphabet = _EVERYDAY.get(script)
        odd = alphabet is not None and any(c.lower() not in alphabet for c in letters)
        return "hidden" if odd and spelling.length >= 4 else "weak"
    return "hidden" if spelling.length >= 3 else None


def _visible(text: str) -> str:
    invisible = load_table().invisible
    return "".join(c for c in text if ord(c) not in invisible)


def _gaps(
    spelling: Spelling, skeleton: Skeleton, runs: Sequence[Sequence[int]]
) -> list[tuple[int, str, bool]] | None:
    """Return the gaps between letters: before which run, what stands there, whether a word begins.

    None where what stands there keeps two things apart.
    """
    found = []
    for number in range(1, len(runs)):
        between = skeleton.read[skeleton.end(runs[number - 1][-1]) : runs[number][0]]
        shown = between and _visible(unescaped(_TAG.sub("", between)))
        shown = unicodedata.normalize("NFKC", shown)
        if number in spelling.ampersands:
            if any(sign in shown for sign in _AMPERSANDS):
                continue
            if spelling.length < 6:
                return None
        if not shown:
            continue
        if len(shown) > _MAX_GAP:
            return None
        found.append((number, shown, number in spelling.word_starts))
    if len(found) < len(runs) - 1 and any(
        expected and _LISTING_GAP.search(shown) for _, shown, expected in found
    ):
        return None
    return found
