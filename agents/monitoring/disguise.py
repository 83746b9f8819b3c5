"""Says whether a mark is disguised at a place where its skeleton was found, how, and how surely.

A skeleton loses a lot, so finding one says little: 'Marla' has the skeleton of 'Maria', and so have
'no va' of 'Nova' and the part number 'B055' of 'Boss'. Here the original characters are set against
the mark's, letter by letter. Each difference has to be one a seller makes on purpose, and the fewer
letters a mark has, the less may be different. What could as well be an honest word is *weak*: it
counts only for a listing that calls its goods copies.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from agents.monitoring.confusables import load_table
from agents.monitoring.skeleton import BOUNDARY, SEQUENCES, Skeleton, merged, tables, unescaped

ACCENT: Final = "accent"
BACKWARDS: Final = "backwards"
CENSORED: Final = "censored"
COMBINING: Final = "combining"
COMPATIBILITY: Final = "compatibility"
CONFUSABLE: Final = "confusable"
DIGIT: Final = "digit"
DOUBLED: Final = "doubled"
DRAWING: Final = "drawing"
LOOK_ALIKE: Final = "look_alike"
MARKUP: Final = "markup"
SEQUENCE: Final = "sequence"
SPACED: Final = "spaced"
SYMBOL: Final = "symbol"
ZERO_WIDTH: Final = "zero_width"

_FOLD_OF_KIND: Final = {
    "accent": ACCENT,
    "compatibility": COMPATIBILITY,
    "small_capital": CONFUSABLE,
    "script": CONFUSABLE,
    "symbol": SYMBOL,
    "digit": DIGIT,
}

Strength = Literal["plain", "hidden", "weak"]

_PLAIN_GAP: Final = re.compile(r"[\s\-_.'’‐-―]{1,3}")
"""What stands between the words of a mark that is written plainly."""
_LISTING_GAP: Final = re.compile(r"[,;:!?/\\()\[\]{}&+|\"“”]")
"""What stands between two things rather than within one."""
_AMPERSANDS: Final = ("&", "＆", "﹠")
_ONE_LETTER_WORDS: Final = frozenset("aeiouyxs")
_TAG: Final = re.compile(r"<[^<>]*>")
_MAX_GAP: Final = 8
_AROUND: Final = 200
"""Characters on either side that show in which language and script a text is."""

_BOUNDLESS: Final = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "HALFWIDTH")
"""Scripts written without spaces between words: a mark may stand in the middle of a run."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """One way to write a mark, as its skeleton has it: an entry of `runs` a letter.

    A run has several characters where the skeleton has one letter for them ('cc', or 'ili').
    """

    mark: int
    runs: tuple[str, ...]
    word_starts: frozenset[int]
    """Numbers of the runs that begin a word, apart from the first."""
    length: int
    """Letters and digits of the mark."""
    written: tuple[str, ...] = ()
    """How the mark is written most often: its words with spaces between, and without."""
    ampersands: frozenset[int] = frozenset()
    """Numbers of the runs before which '&' stands; in a short mark it must: 'H&M' is not 'H M'."""
    own: frozenset[str] = frozenset()
    """Letters with marks of their own that the mark has: 'é' of 'Nestlé' is no disguise."""
    signed: str = ""
    """The last letter, none of `runs`, where a sign that ends words stands for it ("Gucc!")."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A mark at a place of a text: the span in `Skeleton.read`, the folds and how sure it is."""

    mark: int
    start: int
    end: int
    folds: tuple[str, ...]
    strength: Strength


def look_at(spelling: Spelling, skeleton: Skeleton, letter: int) -> Sighting | None:
    """Return the mark if it stands at letter number `letter` of the skeleton; None if not."""
    invisible = load_table().invisible
    if not skeleton.turned:
        first = int(skeleton.places[letter])
        for written in spelling.written:
            # Most marks are written plainly: 3 µs here against 30 below.
            last = first + len(written)
            if (
                skeleton.read[first:last].lower() == written
                and ord(skeleton.read[last : last + 1] or " ") not in invisible
                and on_boundaries(skeleton.read, first, last)
            ):
                return Sighting(spelling.mark, first, last, (), "plain")
    runs = skeleton.runs(letter, len(spelling.runs))
    if len(runs) == 1 and len(runs[0]) < len(spelling.runs[0]):
        return None
    start, end = runs[0][0], skeleton.end(runs[-1][-1])
    while end < len(skeleton.read) and invisible.get(ord(skeleton.read[end])) == COMBINING:
        end += 1
    if not on_boundaries(skeleton.read, start, end):
        return None
    folds: dict[str, int] = {}
    for places, wanted in zip(runs, spelling.runs, strict=True):
        if not _compare(skeleton, places, wanted, spelling.own, folds):
            return None
    _between(skeleton, start, end, spelling.own, folds)
    if (
        skeleton.turned
        and skeleton.origin is not None
        and (skeleton.origin[start] > skeleton.origin[end - 1])
    ):
        _note(folds, BACKWARDS)
    strength = _strength(spelling, skeleton, runs, folds)
    if strength is None:
        return None
    if spelling.signed:
        end += 1  # the sign that stands for the last letter
    return Sighting(spelling.mark, start, end, tuple(sorted(folds)), strength)


# -- letters

_WIDE: Final = {"nn": "m", "uu": "w"}
"""Pairs that the skeleton has as one letter, and which look like another."""


def _compare(
    skeleton: Skeleton,
    places: Sequence[int],
    wanted: str,
    own: frozenset[str],
    folds: dict[str, int],
) -> bool:
    """Note the folds that make the characters at `places` read as `wanted`; False if none do."""
    if len(places) < len(wanted):
        return False
    text = "".join(skeleton.read[place] for place in places).lower()
    if text == wanted:
        return True
    if (SEQUENCES | _WIDE).get(text) == wanted:
        _note(folds, SEQUENCE)
        return True
    if len(places) > len(wanted):
        _note(folds, DOUBLED, len(places) - len(wanted))
    for number, place in enumerate(places):
        letter = wanted[min(number, len(wanted) - 1)]
        fold = _fold_of(skeleton, place, letter, own)
        if fold is None:
            return False
        if fold and not (fold == ACCENT and skeleton.read[place].lower() in own):
            _note(folds, fold)
    return True


def _note(folds: dict[str, int], fold: str, count: int = 1) -> None:
    folds[fold] = folds.get(fold, 0) + count


def _fold_of(skeleton: Skeleton, place: int, letter: str, own: frozenset[str]) -> str | None:
    """Return the fold by which a character reads as a letter: '' for none, None if it doesn't."""
    if place in skeleton.drawn:
        reading = skeleton.drawn[place][1]
        if reading.lower() in own:
            return ""  # 'Nestl&eacute;': escaped by an export
        drawn_by = MARKUP if skeleton.read[place] == "&" else DRAWING
        return drawn_by if reading and _reads_as(reading, letter) is not None else None
    return _reads_as(skeleton.read[place], letter)


@cache
def _reads_as(character: str, letter: str) -> str | None:
    plain = character.lower()
    if plain == letter or character.casefold() == letter:
        return ""
    if character.isascii() and character.isalnum():
        if (letter.isascii() and merged(plain) == merged(letter)) or (plain, letter) == ("6", "b"):
            if letter.isdigit():
                return None  # '361' is not disguised as 'e6l'
            return DIGIT if plain.isdigit() else LOOK_ALIKE
        return None
    table = load_table()
    readings = table.readings.get(ord(character))
    if readings is not None:
        ours = {letter, *table.readings.get(ord(letter), ())} if len(letter) == 1 else {letter}
        if not ours.isdisjoint(readings):
            return _FOLD_OF_KIND[table.kind[ord(character)]]
        if letter.isascii() and any(len(r) == 1 and merged(r) == merged(letter) for r in readings):
            return _FOLD_OF_KIND[table.kind[ord(character)]] if not letter.isdigit() else None
        return None
    same = unicodedata.normalize("NFKC", character).casefold() == letter
    if same:
        return COMPATIBILITY
    # Letters of other scripts that are written with or without their marks.
    classes = tables().classes[0]
    return "" if len(letter) == 1 and classes[ord(character)] == classes[ord(letter)] else None


# -- what stands between the letters


def _between(
    skeleton: Skeleton,
    start: int,
    end: int,
    own: frozenset[str],
    folds: dict[str, int],
) -> None:
    """Note what takes no room within the mark: zero-width, combining, markup."""
    text, invisible = skeleton.read, load_table().invisible
    place = start
    while place < end:
        if place in skeleton.drawn:
            behind, reading = skeleton.drawn[place]
            if not reading or ord(reading) in invisible:
                _note(folds, MARKUP)
            place = behind
            continue
        kind = invisible.get(ord(text[place]))
        if kind == COMBINING:
            composed = unicodedata.normalize("NFC", text[place - 1 : place + 1])
            if composed.lower() not in own:
                _note(folds, ACCENT if len(composed) == 1 else COMBINING)
        elif kind is not None:
            _note(folds, ZERO_WIDTH)
        place += 1


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


# -- how sure it is


def _strength(
    spelling: Spelling,
    skeleton: Skeleton,
    runs: Sequence[Sequence[int]],
    folds: dict[str, int],
) -> Strength | None:
    gaps = _gaps(spelling, skeleton, runs)
    if gaps is None:
        return None
    verdicts: list[Strength] = []
    odd = [gap for gap in gaps if not (gap[2] and _PLAIN_GAP.fullmatch(gap[1]))]
    if spelling.signed:
        sign = skeleton.read[skeleton.end(runs[-1][-1]) :][:1]
        if not sign or sign.isalnum() or _reads_as(sign, spelling.signed) != SYMBOL:
            return None
        folds[SYMBOL] = folds.get(SYMBOL, 0) + 1
    if odd:
        apart = _apart(spelling, skeleton, runs, gaps)
        if apart is None:
            return None
        by_spaces = not "".join(shown for _, shown, _ in odd).strip()
        if by_spaces and not _all_apart(spelling, gaps) and not _UNSURE.isdisjoint(folds):
            return None  # 'Milk as a' is no Mikasa
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
        broken = folds.keys() <= {ZERO_WIDTH, COMBINING, MARKUP}
        return "hidden" if broken and _script(spelling.runs[0][0]) in _BOUNDLESS else None
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
        return None if min(pieces) >= 2 else "hidden"
    if signs.strip() == "-" and min(pieces) >= 3:
        return "weak"
    if any(c.isspace() for c in signs) and min(pieces) >= 3:
        return "weak"
    return "hidden"


def _split(pieces: Sequence[int], ones: Sequence[int], spelling: Spelling) -> Strength | None:
    """Judge a mark that spaces cut into pieces."""
    if len(pieces) >= 3:
        return "hidden" if spelling.length >= 5 or len(ones) >= 2 else "weak"
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
    if spelling.length > 4 or folds[DOUBLED] >= 2:
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
    scripts = {_script(c) for c in letters if c.isalpha()}
    if len(scripts) != 1 or "LATIN" in scripts or folds.keys() - {CONFUSABLE, SPACED}:
        return "hidden"
    start, end = runs[0][0], skeleton.end(runs[-1][-1])
    script = next(iter(scripts))
    around = _around(skeleton.read, start, end)
    if sum(1 for c in around if c.isalpha() and _script(c) == script) >= 3:
        # Letters that no text in that script is written with give a disguise away.
        alphabet = _EVERYDAY.get(script)
        odd = alphabet is not None and any(c.lower() not in alphabet for c in letters)
        return "hidden" if odd and spelling.length >= 4 else "weak"
    return "hidden" if spelling.length >= 3 else None


# -- boundaries


@cache
def _script(character: str) -> str:
    return unicodedata.name(character, "?").split(" ", 1)[0].split("-", 1)[0]


def _joined(outside: str, inside: str) -> bool:
    """Return whether two neighbouring characters belong to one word."""
    if not inside.isalnum():
        return False
    if unicodedata.category(outside) == "Mn":
        return True  # a mark over the letter before: it is another letter
    if not outside.isalnum():
        return False
    if _script(inside) in _BOUNDLESS or _script(outside) in _BOUNDLESS:
        return False
    return outside.isdigit() or inside.isdigit() or _script(outside) == _script(inside)


def on_boundaries(text: str, start: int, end: int) -> bool:
    """Return whether `text[start:end]` is not part of a longer word.

    Letters of another script and of scripts without spaces end a word: in `รองเท้าNIKE` the mark
    stands alone. Python's `\\b` misses that in five of five Thai and Chinese titles.
    """
    invisible = load_table().invisible
    before, behind = start - 1, end
    while before >= 0 and invisible.get(ord(text[before])):
        before -= 1
    while behind < len(text) and invisible.get(ord(text[behind])):
        behind += 1
    if before >= 0 and _joined(text[before], text[start]):
        return False
    if behind < len(text):
        following, last = text[behind], text[end - 1]
        if unicodedata.category(following) == "Mn":
            return _script(last) in _BOUNDLESS
        return not _joined(following, last)
    return True
