"""The letters of marks, compiled: what of them stands in the letters of a text, between words.

Hyperscan, which looks for literals everywhere, takes 15 KB a mark of ten thousand. Here only what
lies between two edges of words is looked up, in a hash table of flat arrays: a quarter of a KB a
mark, to be used from a file as it lies there.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from agents.monitoring.marks.characters import Bools
from streams.aside import give_way
from streams.native import Arrays, address, load
from streams.packed import Flat

U32 = npt.NDArray[np.uint32]

_SIGNED: Final = 2
SHORT: Final = 3
"""A pattern with no more letters than this, all Latin, tells letters that begin a word."""
_HEAD: Final = 6
"""Letters a longer pattern is known by, to begin with."""
_BITS_EACH: Final = 8
"""Bits of a filter for each pattern, at least."""
_HEAD_BITS_EACH: Final = 2
"""The same of what patterns begin with, which several have in common: it is looked at most."""
_PIECE: Final = 2_000
"""Patterns that are added between two rests: a fraction of a millisecond."""


class Patterns(Arrays):
    """Patterns of bytes, each known by its index. Immutable; `patterns.h` explains the fields."""

    FILTERS: ClassVar = ("small", "filter", "heads")
    ARRAYS: ClassVar = ("letters", "starts", "lengths", "signed_", *FILTERS, "slots")
    _fields_ = (
        ("letters", ctypes.c_void_p),
        ("starts", ctypes.c_void_p),
        ("lengths", ctypes.c_void_p),
        ("signed_", ctypes.c_void_p),
        ("small", ctypes.c_void_p),
        ("filter", ctypes.c_void_p),
        ("heads", ctypes.c_void_p),
        ("slots", ctypes.c_void_p),
        ("count", ctypes.c_int64),
        ("small_mask", ctypes.c_int64),
        ("filter_mask", ctypes.c_int64),
        ("head_mask", ctypes.c_int64),
        ("slot_mask", ctypes.c_int64),
        ("longest", ctypes.c_int64),
        ("below_64", ctypes.c_uint64),
    )

    @classmethod
    def of(
        cls, letters: bytes | bytearray, starts: U32, signed: bytes | bytearray
    ) -> tuple[Patterns, U32]:
        """Compile patterns, and return which one each of those given is: they may be equal.

        A pattern is a skeleton as `Skeleton.run_on` has it, or a short one as `begun` has it, and
        never empty. `starts` says where in `letters` each begins, with one more for the end, and
        `signed` whether a sign has to stand behind it.
        """
        count = len(starts) - 1
        given, numbers = np.frombuffer(letters, np.uint8), np.zeros(count, np.uint32)
        lengths = np.diff(starts.astype(np.int64))
        longest = int(lengths.max(initial=0))
        room = _power_of_two(3 * count // 2 + 1)  # a slot at least stays free: it ends a search
        small = int(np.count_nonzero(lengths <= _HEAD))
        bits = (2 * _BITS_EACH * small, _BITS_EACH * count, _HEAD_BITS_EACH * count)
        filters = {
            name: np.zeros(_power_of_two(-(-each // 64)), np.uint64)
            for name, each in zip(cls.FILTERS, bits, strict=True)
        }
        found = cls.holding(
            numbers={
                "count": 0, **cls._masks(filters),
                "slot_mask": room - 1, "longest": longest,
            },
            letters=np.zeros(len(given), np.uint8),
            starts=np.zeros(count + 1, np.uint32),
            lengths=np.isin(np.arange(longest + 1), lengths).view(np.uint8),
            signed_=np.ones(count, np.uint8),
            **filters,
            slots=np.zeros(room, np.uint32),
        )  # fmt: skip
        for first in range(0, count, _PIECE):
            give_way()
            _library().assayer_patterns_add(
                ctypes.byref(found), address(given), address(starts), first,
                min(first + _PIECE, count), address(numbers),
            )  # fmt: skip
        np.minimum.at(found.arrays["signed_"], numbers, np.frombuffer(signed, np.uint8))
        kept = found.arrays | {"starts": found.arrays["starts"][: found.count + 1].copy()}
        kept["signed_"] = kept["signed_"][: found.count].copy()
        kept["letters"] = kept["letters"][: int(kept["starts"][-1])].copy()
        return cls.over(kept), numbers

    @classmethod
    def over(cls, arrays: Flat) -> Patterns:
        """Return the patterns of these arrays: `arrays` of others."""
        numbers = {
            "count": len(arrays["starts"]) - 1,
            **cls._masks(arrays),
            "slot_mask": len(arrays["slots"]) - 1,
            "longest": len(arrays["lengths"]) - 1,
            "below_64": sum(1 << int(size) for size in np.flatnonzero(arrays["lengths"][:64])),
        }
        return cls.holding(numbers=numbers, **arrays)

    @classmethod
    def _masks(cls, filters: Flat) -> dict[str, int]:
        names = ("small_mask", "filter_mask", "head_mask")
        return {
            name: 64 * len(filters[filter_]) - 1
            for name, filter_ in zip(names, cls.FILTERS, strict=True)
        }

    def find(self, letters: bytes, apart: Bools) -> Iterator[tuple[int, int, int]]:
        """Yield which patterns stand between words, where each begins and how many letters it has.

        `letters` are those of `Skeleton.run_on`, `apart` says which of them begin a word. Ascending
        by beginning and end.
        """
        # Whether a sign stands behind a letter is not known here: it may.
        begins = apart.view(np.uint8) | np.uint8(_SIGNED)
        opens = np.empty(len(letters) // 64 + 3, np.uint64)
        room = 64
        while True:
            numbers, firsts = np.empty(room, np.int64), np.empty(room, np.int64)
            count = _library().assayer_patterns_find(
                ctypes.byref(self), letters, address(begins), address(opens), len(letters),
                address(numbers), address(firsts), room,
            )  # fmt: skip
            if count <= room:
                break
            room = count
        starts, numbers = self.arrays["starts"], numbers[:count]
        sizes = (starts[numbers + 1] - starts[numbers]).tolist()
        yield from zip(numbers.tolist(), firsts[:count].tolist(), sizes, strict=True)


def _power_of_two(least: int) -> int:
    return 1 << max(0, least - 1).bit_length()


@cache
def _library() -> ctypes.CDLL:
    library = load(Path(__file__).with_suffix(".c"))
    pointer, number = ctypes.c_void_p, ctypes.c_int64
    library.assayer_patterns_add.argtypes = (
        pointer, pointer, pointer, number, number, pointer
    )  # fmt: skip
    library.assayer_patterns_add.restype = None
    library.assayer_patterns_find.argtypes = (
        pointer, ctypes.c_char_p, pointer, pointer, number, pointer, pointer, number
    )  # fmt: skip
    library.assayer_patterns_find.restype = number
    return library
