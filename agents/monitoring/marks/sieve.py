"""Says of many listings, in a fraction of the time of reading them, which may name a mark.

Reading a listing keeps of every letter where it stood, and reads the text in several ways, one
after the other. Most listings name no mark, whichever way they are read, and to know that, the
letters alone are enough. So the letters of a whole batch are written here as bytes, in the two ways
in which nearly every text can be read, and Hyperscan looks for those of the marks. A text that may
be read in other ways is let through. What is let through is read.

The letters are written by `sieve.c`: a walk along the text, for which numpy needs forty passes.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from agents.monitoring.marks.characters import (
    Bools,
    Ints,
    drawings,
    half_drawn,
    markup_begins,
    tables,
)
from agents.monitoring.marks.literals import Literals
from agents.monitoring.marks.struck import LATIN, SIGNS
from streams.native import Arrays, address, load
from streams.texts import Texts

U8 = npt.NDArray[np.uint8]

_FIRST_LETTER: Final = ord("a")
_BEYOND: Final = 0x80
"""From here on lie the low bytes of letters that read as no Latin one."""
_SPARE: Final = 64
"""Letters that a text may have more than bytes, as 'ﷺ' reads as 18."""
_READ: Final = 1
_UNREADABLE: Final = 2


@dataclass(frozen=True)
class Sifted:
    """What is let through of some listings."""

    through: set[int]
    """Those that may name a mark: all that do, except by struck letters alone, and a few others."""
    unreadable: set[int]
    """Those that are no UTF-8, or hold a character that no text can carry."""
    struck: dict[int, list[tuple[int, list[int]]]]
    """By listing: numbers of texts, with the places of signs that may stand for a letter."""


class Sieve:
    """The letters of marks, compiled for bytes in which a capital begins a word.

    Not for use from two threads at once: see `Literals`.
    """

    def __init__(
        self, anywhere: Sequence[bytes], between_words: Sequence[bytes], contexts: Bools
    ) -> None:
        """Compile the letters of marks as skeletons have them, and take `StruckMarks.contexts`.

        Those `between_words` have `BEGINS` turned over in letters that begin one.
        """
        self._library = _library()  # where it was not built, that is told now
        long, short = sorted(set(anywhere)), sorted(set(between_words))
        self._lengths: Ints = np.array([len(pattern) for pattern in (*long, *short)], np.intp)
        self._literals = Literals(
            [(pattern, number) for number, pattern in enumerate(short, start=len(long))],
            caseless=[(pattern, number) for number, pattern in enumerate(long)],
        )
        self._tables = _Tables.of(contexts)

    def sift(self, listings: Texts) -> Sifted:
        """Sift listings, given the texts of each."""
        lengths = listings.lengths
        # Each text is written behind the one before, with what separates them.
        room = int(lengths.sum()) + (_SPARE + 1) * len(lengths)
        scratch = _Scratch.of(int(lengths.max(initial=0)) + _SPARE)
        ways = (_Letters.of(room, len(lengths)), _Letters.of(room, len(lengths)))
        struck = _Struck.of(len(listings) * _SPARE)
        status = np.zeros(len(listings), np.uint8)
        self._library.assayer_sieve(
            ctypes.byref(self._tables),
            listings.data,
            address(listings.starts),
            address(lengths),
            address(listings.counts),
            len(listings),
            ctypes.byref(scratch),
            *map(ctypes.byref, ways),
            ctypes.byref(struck),
            address(status),
        )
        through = set(np.flatnonzero(status == _READ).tolist())
        for way in ways:
            through.update(listings.record_of[self._named(way)].tolist())
        unreadable = set(np.flatnonzero(status == _UNREADABLE).tolist())
        return Sifted(through - unreadable, unreadable, struck.by_text(listings))

    def _named(self, letters: _Letters) -> Ints:
        """Return the texts in which a mark may stand."""
        begun = letters.begun
        numbers, behind = self._literals.find(begun.tobytes())
        if not len(numbers):
            return behind
        firsts = behind - self._lengths[numbers]
        named = firsts[_opens(begun, firsts) & _opens(begun, behind)]
        texts: Ints = np.searchsorted(letters.begins, named, side="right") - 1
        return texts


def _opens(begun: U8, letters: Ints) -> Bools:
    """Return whether a word may begin at each letter, or one end before it."""
    last = len(begun)
    own = begun[np.minimum(letters, last - 1)]
    found: Bools = (letters == last) | (own < _FIRST_LETTER) | (own >= _BEYOND)
    return found | (begun[letters - 1] >= _BEYOND)


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
        ("contexts", ctypes.c_void_p),
        ("context_count", ctypes.c_int64),
    )

    @classmethod
    def of(cls, contexts: Bools) -> _Tables:
        """Return the tables, with what stands around struck letters of marks."""
        table = tables()
        spelled = sorted(table.spelled.items())
        spelled_letters, spelled_at = _joined([reading for _, reading in spelled])
        drawn = [*drawings()[1], *markup_begins()]
        drawings_, drawings_at = _joined(drawn)
        halves, halves_at = _joined(list(half_drawn()))
        return cls.holding(
            numbers={
                "spelled_count": len(spelled),
                "pair_count": len(table.pairs),
                "drawing_count": len(drawn),
                "half_count": len(half_drawn()),
                "context_count": len(contexts),
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
            contexts=contexts,
        )


def _joined(texts: Sequence[str]) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """Return the code points of texts, and where each begins; one more for the end."""
    codes = np.array([ord(character) for text in texts for character in text], np.uint32)
    return codes, np.cumsum([0, *map(len, texts)], dtype=np.uint32)


class _Scratch(Arrays):
    _TYPES: ClassVar = {
        "codes": np.uint32, "origin": np.uint32, "shown": np.uint32, "classes": np.uint16,
        "letters": np.uint16, "apart": np.uint8, "signs": np.uint32, "pairs": np.uint32,
    }  # fmt: skip
    _fields_ = tuple((name, ctypes.c_void_p) for name in _TYPES)

    @classmethod
    def of(cls, room: int) -> _Scratch:
        """Return room for the code points of a text."""
        arrays = {name: np.empty(room, type_) for name, type_ in cls._TYPES.items()}
        return cls.holding(numbers=None, **arrays)


class _Letters(Arrays):
    _fields_ = (
        ("bytes", ctypes.c_void_p), ("length", ctypes.c_int64), ("starts", ctypes.c_void_p)
    )  # fmt: skip

    @classmethod
    def of(cls, size: int, texts: int) -> _Letters:
        """Return room for the letters of some texts."""
        return cls.holding(
            numbers={"length": 0},
            bytes=np.empty(size, np.uint8),
            starts=np.empty(texts, np.int64),
        )

    @property
    def begun(self) -> U8:
        """The letters, a byte each."""
        return self.arrays["bytes"][: self.length]

    @property
    def begins(self) -> Ints:
        """Where each text begins."""
        return self.arrays["starts"]


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


@cache
def _library() -> ctypes.CDLL:
    library = load(Path(__file__).with_suffix(".c"))
    pointer, number = ctypes.c_void_p, ctypes.c_int64
    library.assayer_sieve.argtypes = (
        pointer, ctypes.c_char_p, pointer, pointer, pointer, number, pointer, pointer, pointer,
        pointer, pointer,
    )  # fmt: skip
    library.assayer_sieve.restype = None
    return library
