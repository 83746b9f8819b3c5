"""Says of many listings, in a fraction of the time of reading them, which may name a mark.

Reading a listing keeps of every letter where it stood, and reads the text in several ways, one
after the other. Most listings name no mark, whichever way they are read, and to know that, the
letters alone are enough. So the letters of each text are written here as bytes, in the two ways in
which nearly every text can be read, and those of the marks are looked for in them. A text that may
be read in other ways is let through. What is let through is read. Of a text that can't, and that
names a mark, the places are told where the letters of marks and words begin: where all of that is
written plainly, as it is nearly always, nothing has to be read.

That is done by `sieve.c`: a walk along the text, for which numpy needs forty passes.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from agents.monitoring.marks.blanked import LATIN, Contexts
from agents.monitoring.marks.characters import drawings, half_drawn, markup_begins, strays, tables
from agents.monitoring.marks.patterns import Patterns
from agents.monitoring.marks.struck import SIGNS
from streams.native import Arrays, address, load
from streams.texts import Texts

_SPARE: Final = 64 + 2
"""Letters that a text may have more than bytes, as 'ﷺ' reads as 18; and one on either side."""
# As `sieve.c` has them.
_READ: Final = 1
_UNREADABLE: Final = 2
_LISTED: Final = 3

_NAMED: Final = 8
"""Sightings that there is room for, for each listing of a batch."""


class Named(NamedTuple):
    """Letters of a mark, or word, in the texts that were sifted."""

    text: int
    place: int
    """The character of the text at which they begin."""
    part: int
    """Which of the indexes has them; the last is that of the words."""
    pattern: int


@dataclass(frozen=True)
class Sifted:
    """What is let through of some listings."""

    through: set[int]
    """Those that have to be read: all that may name a mark and are not listed, but for those in
    which only struck letters do."""
    unreadable: set[int]
    """Those that are no UTF-8, or hold a character that no text can carry."""
    struck: dict[int, list[tuple[int, list[int]]]]
    """By listing: numbers of texts, with the places of signs that may stand for a letter."""
    listed: dict[int, list[Named]]
    """By listing, of those that can be read in no other ways than here: all that stands in them."""


class Sieve:
    """The letters of marks, looked for in texts of which nothing else is read."""

    def __init__(
        self, marks: Sequence[tuple[Patterns, Contexts]], words: tuple[Patterns, Contexts]
    ) -> None:
        """Take the letters of marks, with what stands around their letters where one is struck.

        And those of words, which are looked for where a mark is named.
        """
        self._library = _library()  # where it was not built, that is told now
        self._tables = _Tables.made()
        self._marks = (*marks, words)
        self._parts = (_Marks * len(self._marks))(*(_Marks.of(*each) for each in self._marks))

    def sift(self, listings: Texts) -> Sifted:
        """Sift listings, given the texts of each."""
        lengths = listings.lengths
        scratch = _Scratch.of(int(lengths.max(initial=0)) + _SPARE)
        struck = _Struck.of(len(listings) * _SPARE)
        named = _NamedRoom.of(len(listings) * _NAMED)
        status = np.zeros(len(listings), np.uint8)
        self._library.assayer_sieve(
            ctypes.byref(self._tables),
            ctypes.byref(self._parts),
            len(self._parts) - 1,
            listings.data,
            address(listings.starts),
            address(lengths),
            address(listings.counts),
            len(listings),
            ctypes.byref(scratch),
            ctypes.byref(struck),
            ctypes.byref(named),
            address(status),
        )
        through = set(np.flatnonzero(status == _READ).tolist())
        unreadable = set(np.flatnonzero(status == _UNREADABLE).tolist())
        listed: dict[int, list[Named]] = {n: [] for n in np.flatnonzero(status == _LISTED).tolist()}
        for each in named.found():
            listed[int(listings.record_of[each.text])].append(each)
        return Sifted(through, unreadable, struck.by_text(listings), listed)


class _Tables(Arrays):
    """What each character is; the fields are explained in `sieve.c`."""

    _fields_ = (
        ("classes", ctypes.c_void_p),
        ("flags", ctypes.c_void_p),
        ("spelled", ctypes.c_void_p),
        ("spelled_at", ctypes.c_void_p),
        ("spelled_letters", ctypes.c_void_p),
        ("spelled_count", ctypes.c_int64),
        ("pairs", ctypes.c_void_p),
        ("pair_count", ctypes.c_int64),
        ("drawings", ctypes.c_void_p),
        ("drawings_at", ctypes.c_void_p),
        ("drawing_count", ctypes.c_int64),
        ("halves", ctypes.c_void_p),
        ("halves_at", ctypes.c_void_p),
        ("anchors", ctypes.c_void_p),
        ("half_count", ctypes.c_int64),
        ("signs", ctypes.c_void_p),
        ("latin", ctypes.c_void_p),
        ("strays", ctypes.c_void_p),
    )

    @staticmethod
    @cache
    def made() -> _Tables:
        """Return the tables, the same for all sieves."""
        table = tables()
        spelled = sorted(table.spelled.items())
        spelled_letters, spelled_at = _joined([reading for _, reading in spelled])
        drawn = [*drawings()[1], *markup_begins()]
        drawings_, drawings_at = _joined(drawn)
        halves, halves_at = _joined(list(half_drawn()))
        return _Tables.holding(
            numbers={
                "spelled_count": len(spelled),
                "pair_count": len(table.pairs),
                "drawing_count": len(drawn),
                "half_count": len(half_drawn()),
            },
            classes=table.classes[0],
            flags=table.flags,
            spelled=np.array([code for code, _ in spelled], np.uint32),
            spelled_at=spelled_at,
            spelled_letters=spelled_letters,
            pairs=table.pairs,
            drawings=drawings_,
            drawings_at=drawings_at,
            halves=halves,
            halves_at=halves_at,
            anchors=np.array(list(half_drawn().values()), np.uint32),
            signs=SIGNS,
            latin=LATIN,
            strays=strays(),
        )


def _joined(texts: Sequence[str]) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """Return the code points of texts, and where each begins; one more for the end."""
    codes = np.array([ord(character) for text in texts for character in text], np.uint32)
    return codes, np.cumsum([0, *map(len, texts)], dtype=np.uint32)


class _Marks(ctypes.Structure):
    _fields_ = (
        ("patterns", ctypes.c_void_p), ("contexts", ctypes.c_void_p),
        ("context_bits", ctypes.c_int64),
    )  # fmt: skip

    @classmethod
    def of(cls, patterns: Patterns, contexts: Contexts) -> _Marks:
        """Return where these lie; they have to be kept as long as that is used."""
        return cls(ctypes.addressof(patterns), address(contexts.bits), contexts.count)


class _Scratch(Arrays):
    _TYPES: ClassVar = {
        "codes": np.uint32, "origin": np.uint32, "shown": np.uint32, "classes": np.uint16,
        "letters": np.uint16, "apart": np.uint8, "signs": np.uint32, "pairs": np.uint32,
        "bytes": np.uint8, "opens": np.uint64, "character": np.uint32, "place": np.uint32,
    }  # fmt: skip
    _fields_ = tuple((name, ctypes.c_void_p) for name in _TYPES)

    @classmethod
    def of(cls, room: int) -> _Scratch:
        """Return room for the code points of a text."""
        arrays = {name: np.empty(room, type_) for name, type_ in cls._TYPES.items()}
        return cls.holding(numbers=None, **arrays)


class _Struck(Arrays):
    _fields_ = (
        ("text", ctypes.c_void_p), ("place", ctypes.c_void_p),
        ("count", ctypes.c_int64), ("room", ctypes.c_int64),
    )  # fmt: skip

    @classmethod
    def of(cls, room: int) -> _Struck:
        """Return room for so many signs."""
        return cls.holding(
            numbers={"count": 0, "room": room},
            text=np.empty(room, np.int64),
            place=np.empty(room, np.int64),
        )

    def by_text(self, listings: Texts) -> dict[int, list[tuple[int, list[int]]]]:
        """Return the texts in which they are, by listing, each with the places of the signs."""
        texts, places = (self.arrays[name][: self.count] for name in ("text", "place"))
        of_text: dict[int, list[int]] = {}
        for text, place in zip(texts.tolist(), places.tolist(), strict=True):
            of_text.setdefault(text, []).append(place)
        found: dict[int, list[tuple[int, list[int]]]] = {}
        for text, there in of_text.items():
            found.setdefault(int(listings.record_of[text]), []).append((text, there))
        return found


class _NamedRoom(Arrays):
    _COLUMNS: ClassVar = Named._fields
    _fields_ = (
        *((name, ctypes.c_void_p) for name in _COLUMNS),
        ("count", ctypes.c_int64), ("room", ctypes.c_int64),
    )  # fmt: skip

    @classmethod
    def of(cls, room: int) -> _NamedRoom:
        """Return room for so many."""
        columns = {name: np.empty(room, np.int64) for name in cls._COLUMNS}
        return cls.holding(numbers={"count": 0, "room": room}, **columns)

    def found(self) -> Iterator[Named]:
        """Yield them in order, each once: most stand there in both ways to read."""
        columns = (self.arrays[name][: self.count].tolist() for name in self._COLUMNS)
        yield from map(Named._make, dict.fromkeys(zip(*columns, strict=True)))


@cache
def _library() -> ctypes.CDLL:
    library = load(Path(__file__).with_suffix(".c"))
    pointer, number = ctypes.c_void_p, ctypes.c_int64
    library.assayer_sieve.argtypes = (
        pointer, pointer, number, ctypes.c_char_p, pointer, pointer, pointer, number, pointer,
        pointer, pointer, pointer,
    )  # fmt: skip
    library.assayer_sieve.restype = None
    return library
