"""Judges what stands between the letters of a mark: 'N I K E', 'ad.idas', 'Ni ke'."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Final, Literal, NamedTuple

from agents.monitoring.confusables import load_table
from agents.monitoring.marks.boundaries import BOUNDLESS, script_of
from agents.monitoring.marks.markup import unescaped, without_tags
from agents.monitoring.marks.ordinary import are_ordinary
from agents.monitoring.marks.skeleton import Skeleton
from agents.monitoring.marks.spellings import Spelling

Strength = Literal["plain", "hidden", "weak"]

_PLAIN_GAP: Final = re.compile(r"[\s\-_.'’‐-―]{1,3}")
"""What stands between the words of a mark that is written plainly."""
_LISTING_GAP: Final = re.compile(r"[,;:!?/\\()\[\]{}&+|\"“”]")
"""What stands between two things rather than within one."""
_WORD_GAPS: Final = ("-", "/", "&", "(", "[")
"""What stands between two words without spaces: 'van(s)'."""
_APOSTROPHES: Final = ("'", "’", "‘", "´", "`")
_CLITICS: Final = frozenset(("s", "t", "d", "m", "re", "ve", "ll"))
"""What stands behind an apostrophe in English."""
_ELIDED: Final = frozenset(("l", "d", "j", "m", "n", "s", "t", "c", "qu"))
"""What stands before one in French and Italian."""
_LONG: Final = 6
"""Letters set apart that spell a mark whatever stands beside them."""
_RARE: Final = 8
"""Letters that two words side by side hardly have by chance."""
_AMPERSANDS: Final = ("&", "＆", "﹠")
_MAX_GAP: Final = 8


class Gap(NamedTuple):
    """What shows between two letters of a mark."""

    run: int
    """Number of the run behind it."""
    shown: str
    begins_word: bool
    """Whether a word of the mark begins behind it."""

    @property
    def odd(self) -> bool:
        """Whether it does not stand there in the plain mark."""
        return not (self.begins_word and _PLAIN_GAP.fullmatch(self.shown))


def gaps_of(
    spelling: Spelling, skeleton: Skeleton, runs: Sequence[Sequence[int]]
) -> list[Gap] | None:
    """Return the gaps between the letters at `runs`; None where one keeps two things apart."""
    found = []
    for number in range(1, len(runs)):
        between = skeleton.read[skeleton.end(runs[number - 1][-1]) : runs[number][0]]
        shown = between and visible(without_tags(unescaped(without_tags(between))))
        shown = "".join(map(_plain_sign, shown))
        if number in spelling.ampersands:
            if any(sign in shown for sign in _AMPERSANDS):
                continue
            if spelling.length < 6:
                return None
        if not shown:
            continue
        if len(shown) > _MAX_GAP:
            return None
        found.append(Gap(number, shown, number in spelling.word_starts))
    within = {gap.shown for gap in found if not gap.begins_word}
    if len(found) < len(runs) - 1 and any(
        gap.begins_word and gap.shown not in within and _LISTING_GAP.search(gap.shown)
        for gap in found
    ):
        return None
    return found


@cache
def _plain_sign(character: str) -> str:
    """Return what a sign is without its form; an accent by itself ('´') is no space."""
    plain = unicodedata.normalize("NFKC", character)
    return character if plain[0].isspace() and not character.isspace() else plain


def visible(text: str) -> str:
    """Return what shows of a text."""
    invisible = load_table().invisible
    return "".join(c for c in text if ord(c) not in invisible)


def between_two_things(gaps: Sequence[Gap]) -> bool:
    """Return whether the odd gaps may keep two words, or two things of a list, apart."""
    signs = "".join(gap.shown for gap in gaps if gap.odd)
    return not signs.strip() or _LISTING_GAP.search(signs) is not None


def are_tight(gaps: Sequence[Gap]) -> bool:
    """Return whether no odd gap has a space in it: nobody writes two things so."""
    return not any(c.isspace() for gap in gaps if gap.odd for c in gap.shown)


def apart_strength(
    spelling: Spelling,
    skeleton: Skeleton,
    runs: Sequence[Sequence[int]],
    gaps: Sequence[Gap],
    *,
    foreign: bool = False,
) -> Strength | None:
    """Return how surely letters set apart are the mark; None where they are not.

    `foreign` are letters that can be no words of a language.
    """
    starts = [0, *(gap.run for gap in gaps), len(runs)]
    pieces = tuple("".join(spelling.runs[first:last]) for first, last in itertools.pairwise(starts))
    signs = "".join(gap.shown for gap in gaps)
    spaces_only = not signs.strip()
    length = spelling.length
    if all(len(piece) == 1 for piece in pieces):
        if length < _LONG and _within_spaced_word(skeleton, runs, gaps, one_style=length > 3):
            return "weak"
        if length >= 4:
            return "hidden"
        shout = not any(skeleton.read[run[0]].islower() for run in runs)
        return "hidden" if shout or not spaces_only else "weak"
    spaced = any(c.isspace() for c in signs)
    listed = _LISTING_GAP.search(signs) is not None
    if length < 4:
        return None if length < 3 else _of_three(pieces, foreign=foreign, apart=spaced or listed)
    ones = [number for number, piece in enumerate(pieces) if len(piece) == 1]
    words = {0, *spelling.word_starts, len(runs)}
    if spaced and any(
        not _is_letter(skeleton.read[runs[starts[number]][0]], pieces[number])
        and not {starts[number], starts[number + 1]} <= words  # '7 For All Mank ind'
        for number in ones
    ):
        return None  # '| phone', '6 o Pro': a sign or a digit that stands alone is no letter
    if len(pieces) >= 3 and (not spaces_only or length >= 5 or len(ones) >= 3):
        return "hidden"
    if listed and spaced and not foreign:
        # 'kr& ekbiock': two things side by side have the letters of a long mark by rare chance.
        return "weak" if length >= _RARE and not are_ordinary(pieces) else None
    if signs in _APOSTROPHES and (pieces[-1] in _CLITICS or pieces[0] in _ELIDED):
        return "weak"  # "Valentine's" is how Valentines is spelt
    # 'a sus', 'play station', 'black/berry' may be two words, 'Gu cci' and 'Prad,a' not.
    honest = spaced or signs in _WORD_GAPS
    return "weak" if honest and are_ordinary(pieces) else "hidden"


def _of_three(pieces: Sequence[str], *, foreign: bool, apart: bool) -> Strength | None:
    """Return how surely three letters with one gap are the mark: 'YS—L', '資∙生堂'.

    With spaces, or what stands between two things, only where they can be no words.
    """
    if foreign:
        return "hidden"
    if apart:
        return None
    return "hidden" if script_of(pieces[0][0]) in (*BOUNDLESS, "HANGUL") else "weak"


def _is_letter(character: str, wanted: str) -> bool:
    """Return whether a character by itself is a letter, styled or not, or the mark's own digit."""
    kind = load_table().kind.get(ord(character))
    return character.isalpha() or character == wanted or kind == "compatibility"


def _within_spaced_word(
    skeleton: Skeleton, runs: Sequence[Sequence[int]], gaps: Sequence[Gap], *, one_style: bool
) -> bool:
    """Return whether spaced letters go on before or behind: 'J U N I K E R' names no Nike.

    With `one_style`, plain letters do not go on with styled ones.
    """
    gap = gaps[0].shown
    text, start, end = skeleton.read, runs[0][0], skeleton.end(runs[-1][-1])
    behind = text[end : end + _MAX_GAP + 2]
    before = text[max(0, start - _MAX_GAP - 2) : start]
    rest, front = behind[len(gap) :], before[: -len(gap)]
    nearest = []
    if behind.startswith(gap) and not rest[1:2].isalnum():
        nearest.append(rest[:1])
    if before.endswith(gap) and not front[-2:-1].isalnum():
        nearest.append(front[-1:])
    return any(
        letter.isalpha() and (not one_style or letter.isascii() == text[start].isascii())
        for letter in nearest
    )
