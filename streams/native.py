"""Loads what is written in C, and hands it arrays.

Loops that numpy can only do in many passes stand in C beside the Python that uses them, and are
built when the package is installed (`deploy/native.py`).
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.intp]


def load(source: Path) -> ctypes.CDLL:
    """Return the library of a C source. Raises RuntimeError where it was not built."""
    path = source.with_name(f"_{source.stem}.so")
    if not path.exists():
        raise RuntimeError(f"{path} is missing: installing the package builds it (`make install`)")
    return ctypes.CDLL(str(path))


def address(array: npt.NDArray[Any]) -> int:
    """Return where an array lies; it has to be kept as long as that is used."""
    return array.ctypes.data


class Arrays(ctypes.Structure):
    """A structure of pointers and numbers that keeps the arrays it points at."""

    arrays: dict[str, npt.NDArray[Any]]

    @classmethod
    def holding(cls, *, numbers: dict[str, int] | None = None, **arrays: npt.NDArray[Any]) -> Self:
        """Return the structure with these fields."""
        found = cls(**(numbers or {}))
        found.arrays = arrays
        for name, array in arrays.items():
            setattr(found, name, address(array))
        return found


class Strings(Arrays):
    """Strings of records, where they lie in some bytes; `counts` are those of each record."""

    _fields_ = (
        ("starts", ctypes.c_void_p), ("lengths", ctypes.c_void_p), ("counts", ctypes.c_void_p),
        ("count", ctypes.c_int64), ("room", ctypes.c_int64), ("full", ctypes.c_int64),
    )  # fmt: skip

    @classmethod
    def room_for(cls, strings: int, records: int) -> Self:
        """Return room for so many."""
        sizes = {"starts": strings, "lengths": strings, "counts": records}
        return cls.holding(
            numbers={"count": 0, "room": strings, "full": 0},
            **{name: np.empty(size, np.int64) for name, size in sizes.items()},
        )
