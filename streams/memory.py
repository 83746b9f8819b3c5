"""How the C library keeps memory that Python has freed, where it is glibc."""

from __future__ import annotations

import ctypes
from typing import Final

_TRIM_THRESHOLD: Final = -1
_TOP_PAD: Final = -2
_MMAP_THRESHOLD: Final = -3
_ARENA_MAX: Final = -8
_KEPT: Final = 32 << 20
"""Bytes: the most that glibc takes for a threshold."""
_PAD: Final = 4 << 20


def use_one_arena() -> None:
    """Let all threads take memory of one arena: each would keep what it freed for itself.

    To be called before they start. A worker with 1,200 rights takes 13 MB less.
    """
    _set(_ARENA_MAX, 1)


def give_memory_back() -> None:
    """Return to the system what was freed.

    Reading the vocabulary and compiling rights leave a third of what they took behind, in pieces.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def keep_batches_memory() -> None:
    """Use again for the arrays of one batch what those of the last one left.

    They have 100,000 bytes and more, which glibc otherwise asks of the system each time: of 50 µs a
    listing in batches of 500 the page faults took 14.
    """
    _set(_MMAP_THRESHOLD, _KEPT)
    _set(_TRIM_THRESHOLD, _KEPT)
    _set(_TOP_PAD, _PAD)


def _set(option: int, value: int) -> None:
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(option, value)
