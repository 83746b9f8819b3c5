"""The ways in which a mark may be written, each with the skeleton it then has."""

from __future__ import annotations

import itertools
import re
import string
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec
import numpy as np

from agents.monitoring.confusables import load_table
from agents.monitoring.folding import folded_reading
from agents.monitoring.marks.characters import merged
from agents.monitoring.marks.skeleton import SEQUENCES, Skeleton, skeletons_of_mark

_CASED: Final = re.compile("[\u0370-\u052f\u0531-\u0587\u1f00-\u1fff]")
"""Letters of Greek, Cyrillic and Armenian."""
_SEPARATORS: Final = re.compile(r"[\s\-_.'’‐-―]+")
MOST_WAYS: Final = 32
"""Ways in which the runs of one mark may be split; of a mark with more, only the two extremes."""

_NONE: Final = frozenset[int]()
_NO_LETTERS: Final = frozenset[str]()


class Spelling(msgspec.Struct, frozen=True, gc=False):
    """One way to write a mark, as its skeleton has it: an entry of `runs` a letter.

    A run has several characters where the skeleton has one letter for them ('cc', or 'ili').

    A registry has thousands of them, none of which is ever part of a cycle: Python's garbage
    collector is not to look at them, nor at sets of their own. It took 16 ms with 1,200 rights.
    """

    mark: int
    runs: tuple[str, ...]
    word_starts: frozenset[int]
    """Numbers of the runs that begin a word, apart from the first."""
    length: int
    """Letters and digits of the mark."""
    written: tuple[str, ...] = ()
    """How the mark is written most often: its words with spaces between, and without."""
    ampersands: frozenset[int] = _NONE
    """Numbers of the runs before which '&' stands; in a short mark it must: 'H&M' is not 'H M'."""
    own: frozenset[str] = _NO_LETTERS
    """Letters with marks of their own that the mark has: 'é' of 'Nestlé' is no disguise."""
    signed: str = ""
    """The last letter, none of `runs`, where a sign that ends words stands for it ("Gucc!")."""


def packed(spelling: Spelling) -> bytes:
    """Return a spelling in as few bytes as `unpacked` needs: 30, where an object takes 500."""
    runs = "".join(spelling.runs)
    if len(runs) > len(spelling.runs):
        runs = "".join(f"{run}{_BEHIND_RUN}" for run in spelling.runs)
    fields: list[object] = [spelling.mark, _encoded(runs), spelling.length]
    fields.append(sorted(spelling.word_starts))
    rest = (
        sorted(spelling.ampersands),
        _encoded("".join(sorted(spelling.own))),
        _encoded(spelling.signed),
        _encoded(spelling.written[0] if spelling.signed and spelling.written else ""),
    )
    return msgspec.msgpack.encode((*fields, *rest) if any(rest) else fields)


def unpacked(packed_: bytes, first_mark: int = 0) -> Spelling:
    """Return the spelling that was packed, `first_mark` added to the number of its mark."""
    mark, runs_, length, starts, *rest = _UNPACK.decode(packed_)
    ampersands, own, signed, spaced = rest or ((), b"", b"", b"")
    text = _decoded(runs_)
    runs = tuple(text[:-1].split(_BEHIND_RUN) if text.endswith(_BEHIND_RUN) else text)
    written: tuple[str, ...] = ()
    if spaced:
        written = tuple(dict.fromkeys((_decoded(spaced), "".join(runs) + _decoded(signed))))
    elif not ampersands:
        written = _written(runs, set(starts))
    return Spelling(
        first_mark + mark,
        runs,
        _shared(frozenset(starts)),
        length,
        written,
        _shared(frozenset(ampersands)),
        frozenset(_decoded(own)) or _NO_LETTERS,
        _decoded(signed),
    )


_BEHIND_RUN: Final = "\0"
_UNPACK: Final = msgspec.msgpack.Decoder(list)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "surrogatepass")


def words_of(mark: str) -> tuple[str, ...]:
    """Return the words of a mark as they read: `Coca-Cola` gives ('coca', 'cola')."""
    return tuple(word for word in _SEPARATORS.split(folded_reading(mark).strip()) if word)


def spellings_of(number: int, mark: str) -> Iterator[tuple[bytes, Spelling]]:
    """Yield each way a mark may be written, with the skeleton it then has as bytes."""
    for written in (mark, mark.replace("&", " and ")) if "&" in mark else (mark,):
        found: set[bytes] = set()
        known: set[bytes] = set()
        for way in dict.fromkeys((written, *_other_cases(written))):
            own = frozenset(c for c in way.lower() if not c.isascii()) or _NO_LETTERS
            for letters in _letters_of(way):
                # Small letters and capitals of other scripts may look like different Latin ones.
                skeleton = _pattern(letters.classes)
                if skeleton not in found:
                    found.add(skeleton)
                    for pattern, spelling in _spellings(number, letters, own):
                        known.add(pattern)
                        yield pattern, spelling
        for letters in _closed_up(written):
            for pattern, spelling in _spellings(number, letters, own):
                if pattern not in known:
                    yield pattern, spelling


def _closed_up(mark: str) -> Iterator[_Letters]:
    """Yield the letters of a mark whose words run into one another where nothing is between.

    'RomanticCrown' has one letter for the 'cC', and the 'rn' of 'HunterNova' looks like m.
    """
    words = _SEPARATORS.split(mark.strip())
    for one, other in itertools.pairwise(words):
        pair = (one[-1:] + other[:1]).lower()
        if len(pair) == 2 and (merged(pair[0]) == merged(pair[1]) or pair in SEQUENCES):
            yield from _letters_of("".join(words))
            return


def _other_cases(mark: str) -> tuple[str, ...]:
    """Return a mark with letters beyond Latin in capitals and in small letters, accents dropped."""
    if mark.isascii() or not any(_CASED.match(c) for c in mark):
        return ()
    bare = "".join(c for c in unicodedata.normalize("NFD", mark) if not unicodedata.combining(c))
    return (mark.upper(), mark.lower(), bare.upper(), bare.lower())


class _Letters(NamedTuple):
    """The skeleton of a mark, letter by letter."""

    groups: list[str]
    """The characters of each, without marks of their own."""
    classes: list[int]
    starts: set[int]
    """Which begin a word, apart from the first."""
    joined: set[int]
    """Before which '&' stands."""


def _letters_of(mark: str) -> Iterator[_Letters]:
    """Yield the letters of each skeleton of a mark that has any."""
    if _PLAIN.match(mark) and not _SEQUENCE.search(mark):
        letters = _plain_letters(mark)
        if letters.groups:
            yield letters
        return
    for skeleton in skeletons_of_mark(mark):
        if len(skeleton):
            yield _Letters(
                [
                    "".join(_base(skeleton.read[place]) for place in run)
                    for run in skeleton.runs(0, len(skeleton))
                ],
                skeleton.classes.tolist(),
                set(np.flatnonzero(skeleton.apart[1:]) + 1),
                _joined_by_ampersand(skeleton),
            )


_PLAIN: Final = re.compile(r"[A-Za-z0-9 ]*\Z")
_SEQUENCE: Final = re.compile("|".join(SEQUENCES), re.IGNORECASE)
_CLASSES: Final = {c: ord(merged(c)) for c in string.ascii_lowercase + string.digits}


def _plain_letters(mark: str) -> _Letters:
    """Return the letters of a mark of letters, digits and spaces, none of which look like one.

    As they are folded, which takes 80 µs and this 5: nine of ten marks in a registry are such.
    """
    groups: list[str] = []
    classes: list[int] = []
    starts: set[int] = set()
    before: int | None = None
    for character in mark.lower():
        class_ = _CLASSES.get(character)
        if class_ is not None and class_ == before:
            groups[-1] += character
        elif class_ is not None:
            if before is None and groups:
                starts.add(len(groups))
            groups.append(character)
            classes.append(class_)
        before = class_
    return _Letters(groups, classes, starts, set())


def _spellings(
    number: int, letters: _Letters, own: frozenset[str]
) -> Iterator[tuple[bytes, Spelling]]:
    groups, starts, joined = letters.groups, letters.starts, letters.joined
    length = sum(len(group) for group in groups) + len(joined)
    options = [
        _splits(group, class_) for group, class_ in zip(groups, letters.classes, strict=True)
    ]
    count = 1
    for option in options:
        count *= len(option)
    if count > MOST_WAYS:
        options = [sorted({option[0], option[-1]}) for option in options]
    for chosen in itertools.islice(itertools.product(*options), MOST_WAYS):
        runs: list[str] = []
        classes: list[int] = []
        word_starts: set[int] = set()
        ampersands: set[int] = set()
        for i, parts in enumerate(chosen):
            if i in starts:
                word_starts.add(len(runs))
            if i in joined:
                ampersands.add(len(runs))
            runs += (part for part, _ in parts)
            classes += (class_ for _, class_ in parts)
        spelling = Spelling(
            number,
            tuple(runs),
            _shared(frozenset(word_starts)),
            length,
            () if ampersands else _written(runs, word_starts),
            _shared(frozenset(ampersands)),
            own,
        )
        yield _pattern(classes), spelling
        yield from _signed(classes, spelling)


@lru_cache(maxsize=4_096)
def _shared(numbers: frozenset[int]) -> frozenset[int]:
    """Return the same one for all that are equal."""
    return numbers


def _written(runs: Sequence[str], word_starts: set[int]) -> tuple[str, ...]:
    spaced = "".join(f" {run}" if number in word_starts else run for number, run in enumerate(runs))
    return tuple(dict.fromkeys((spaced, "".join(runs))))


def _joined_by_ampersand(skeleton: Skeleton) -> set[int]:
    """Return the letters before which '&' stands in the mark."""
    return {
        i
        for i in range(1, len(skeleton))
        if "&" in skeleton.read[int(skeleton.places[i - 1]) : int(skeleton.places[i])]
    }


def _base(character: str) -> str:
    """Return the letter that a character of a mark is, without marks of its own."""
    table = load_table()
    code = ord(character)
    if table.kind.get(code) in ("accent", "compatibility"):
        return table.readings[code][0]
    return character.lower()


Parts = tuple[tuple[str, int], ...]


_SECOND_CLASS: Final = {"b": "g", "v": "w", "w": "u", "m": "n"}
"""Letters that may be written so as to have the class of another: '6' for b is that of g, 'vv' for
a doubled v that of w, 'uu' for w that of u, 'nn' for m that of n."""


@lru_cache(maxsize=4_096)
def _splits(group: str, class_: int) -> list[Parts]:
    """Return the ways to split a run: whole first, letter by letter last.

    Letters set apart make no run: 'GUCCI' has one letter for its 'CC', 'G U C C I' has two. Some
    letters have a second class: see `_SECOND_CLASS`.
    """
    if group in _SECOND_CLASS:
        return [((group, class_),), ((group, ord(merged(_SECOND_CLASS[group]))),)]
    if len(group) == 1:
        return [((group, class_),)]
    ways = []
    for cuts in itertools.product((False, True), repeat=min(len(group), 5) - 1):
        parts, behind = [], 0
        for place, cut in enumerate(cuts, start=1):
            if cut:
                parts.append(group[behind:place])
                behind = place
        parts.append(group[behind:])
        ways.append(
            tuple(
                (part, ord(merged(part)) if len(part) == 1 and part.isascii() else class_)
                for part in parts
            )
        )
    return sorted(ways, key=len)


_SIGNED: Final = frozenset("ilcrtoah")
"""Letters that signs stand for which often end a word: ! | ¡ © ® + ° ^ #."""


def _signed(classes: Sequence[int], spelling: Spelling) -> Iterator[tuple[bytes, Spelling]]:
    """Yield the spelling with a sign for its last letter that elsewhere ends a word: 'Gucc!'."""
    if spelling.length < 4 or spelling.runs[-1] not in _SIGNED:
        return
    last = len(classes) - 1
    word_starts = _shared(frozenset(start for start in spelling.word_starts if start < last))
    yield (
        _pattern(classes[:-1]),
        msgspec.structs.replace(
            spelling, runs=spelling.runs[:-1], word_starts=word_starts, signed=spelling.runs[-1]
        ),
    )


def _pattern(classes: Sequence[int]) -> bytes:
    """Return the classes as `Skeleton.run_on` has them."""
    return bytes(class_ & 0xFF for class_ in classes)
