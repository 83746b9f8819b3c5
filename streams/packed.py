"""Many values in few arrays: they take the room of their bytes, and lie in a file as in memory."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import eq
from typing import Any, Final, TypeVar, overload

import numpy as np
import numpy.typing as npt

from streams.aside import give_way

T = TypeVar("T")

_AT_ONCE: Final = 10_000
"""Values that are moved between two rests."""

Flat = Mapping[str, npt.NDArray[Any]]
"""Arrays by name."""


class PackedBytes(Sequence[bytes]):
    """A sequence of bytes. Immutable."""

    def __init__(self, data: npt.NDArray[np.uint8], starts: npt.NDArray[np.unsignedinteger[Any]]):
        """Take the bytes of all, and where each begins in them; one more for the end."""
        self.data = data
        self.starts = starts

    @classmethod
    def of(cls, values: Iterable[bytes]) -> PackedBytes:
        """Return these values, packed."""
        joined, ends = bytearray(), [0]
        for value in values:
            joined += value
            ends.append(len(joined))
        return cls(np.frombuffer(bytes(joined), np.uint8), np.array(ends, np.uint64))

    @classmethod
    def over(cls, arrays: Flat, name: str) -> PackedBytes:
        """Return the values that `arrays` of others gave this name."""
        return cls(arrays[name], arrays[f"{name}_at"])

    def arrays(self, name: str) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays by which they are had again, under a name."""
        return {name: self.data, f"{name}_at": self.starts}

    def ordered(self, order: npt.NDArray[np.intp]) -> PackedBytes:
        """Return the values in another order: those with these numbers."""
        starts = self.starts[:-1].astype(np.int64)
        lengths = self.starts[1:].astype(np.int64) - starts
        ends = np.zeros(len(order) + 1, np.int64)
        np.cumsum(lengths[order], out=ends[1:])
        data = np.empty(int(ends[-1]), np.uint8)
        for first in range(0, len(order), _AT_ONCE):
            give_way()
            part = order[first : first + _AT_ONCE]
            begin, end = int(ends[first]), int(ends[first + len(part)])
            # Byte k of value n stands at starts[n] + k, and goes to ends[n] + k.
            moved = np.repeat(starts[part] - ends[first : first + len(part)], lengths[part])
            data[begin:end] = self.data[moved + np.arange(begin, end)]
        return PackedBytes(data, ends.astype(np.uint64))

    def __len__(self) -> int:
        return len(self.starts) - 1

    @overload
    def __getitem__(self, number: int) -> bytes: ...
    @overload
    def __getitem__(self, number: slice) -> list[bytes]: ...
    def __getitem__(self, number: int | slice) -> bytes | list[bytes]:
        if isinstance(number, slice):
            return [self[each] for each in range(*number.indices(len(self)))]
        if not -len(self) <= number < len(self):
            raise IndexError(number)
        at = number % len(self)
        return self.data[int(self.starts[at]) : int(self.starts[at + 1])].tobytes()

    def __iter__(self) -> Iterator[bytes]:
        for number in range(len(self)):
            yield self[number]


class PackedTexts(Sequence[str]):
    """A sequence of texts, whatever code points they have. Immutable."""

    def __init__(self, packed: PackedBytes) -> None:
        """Take the texts as UTF-8."""
        self.packed = packed

    @classmethod
    def of(cls, texts: Iterable[str]) -> PackedTexts:
        """Return these texts, packed."""
        return cls(PackedBytes.of(text.encode("utf-8", "surrogatepass") for text in texts))

    def __len__(self) -> int:
        return len(self.packed)

    @overload
    def __getitem__(self, number: int) -> str: ...
    @overload
    def __getitem__(self, number: slice) -> list[str]: ...
    def __getitem__(self, number: int | slice) -> str | list[str]:
        if isinstance(number, slice):
            return [self[each] for each in range(*number.indices(len(self)))]
        return self.packed[number].decode("utf-8", "surrogatepass")

    def __eq__(self, other: object) -> bool:
        return same(self, other)

    __hash__ = None  # type: ignore[assignment]


class Joined(Sequence[T]):
    """Sequences one behind the other, as one."""

    def __init__(self, parts: Sequence[Sequence[T]]) -> None:
        """Take the parts; they have to stay as long as they are."""
        self._parts = parts
        self._ends = list(itertools.accumulate(map(len, parts)))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, number: int) -> T: ...
    @overload
    def __getitem__(self, number: slice) -> list[T]: ...
    def __getitem__(self, number: int | slice) -> T | list[T]:
        if isinstance(number, slice):
            return [self[each] for each in range(*number.indices(len(self)))]
        if not -len(self) <= number < len(self):
            raise IndexError(number)
        at = number % len(self)
        part = bisect_right(self._ends, at)
        return self._parts[part][at - self._ends[part]]

    def __eq__(self, other: object) -> bool:
        return same(self, other)

    __hash__ = None  # type: ignore[assignment]


def same(one: Sequence[object], other: object) -> bool:
    """Return whether sequences hold the same, whatever they are."""
    if not isinstance(other, Sequence) or isinstance(other, str):
        return False
    return len(one) == len(other) and all(map(eq, one, other))
