"""Memory that Python has freed and the C library has kept."""

from __future__ import annotations

import ctypes


def give_memory_back() -> None:
    """Return to the system what was freed; a C library other than glibc does so by itself.

    Reading the vocabulary and compiling rights leave a third of what they took behind, in pieces.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
