"""The pictures that rights holders have registered, ready to be compared with those of listings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from agents.monitoring.images.hamming import HammingIndex
from agents.monitoring.images.hashes import to_rows
from agents.pdq import is_hash
from agents.records import Right


class Near(NamedTuple):
    """A known infringing picture near one of a listing: whose right, how many bits apart."""

    right: int
    distance: int


NearImages = Mapping[bytes, tuple[Near, ...]]
"""By hash as the listing gives it; a hash near nothing is not in it."""

_ROWS_AT_ONCE: Final = 65_536


class KnownImages:
    """The known infringing hashes of a registry, and the owners' own pictures. Immutable."""

    def __init__(self, rights: Sequence[Right], positions: Sequence[int] | None = None) -> None:
        """Index the hashes of rights; a right is known by its position in `rights`, or the given.

        Hashes that are none are passed over: `rights check` refuses them before they get here.
        """
        numbers = range(len(rights)) if positions is None else positions
        self._infringing, self._right_of = _indexed(
            (position, right.image_hashes) for position, right in zip(numbers, rights, strict=True)
        )
        # A right's own pictures matter only where others of it are known to infringe.
        self._official, self._official_of = _indexed(
            (position, right.official_image_hashes)
            for position, right in zip(numbers, rights, strict=True)
            if right.image_hashes
        )

    def __len__(self) -> int:
        return len(self._infringing)

    @property
    def nbytes(self) -> int:
        """Bytes the indexes hold."""
        arrays = (self._right_of, self._official_of)
        return (
            self._infringing.nbytes + self._official.nbytes + sum(array.nbytes for array in arrays)
        )

    def near(self, hashes: Iterable[bytes]) -> NearImages:
        """Return which of these hashes are within distance 31 of a known infringing picture.

        The nearest one of each right. A hash that is also within 31 of one of that right's official
        pictures does not count: resellers use them. What is no hash is near nothing.
        """
        asked = [text for text in dict.fromkeys(hashes) if is_hash(text)]
        if not asked or not len(self._infringing):
            return {}
        rows = to_rows(asked)
        query, item, distance = self._infringing.within(rows)
        if not len(query):
            return {}
        nearest: dict[tuple[int, int], int] = {}
        for position, right, bits in zip(
            query.tolist(), self._right_of[item].tolist(), distance.tolist(), strict=True
        ):
            key = (position, right)
            nearest[key] = min(bits, nearest.get(key, bits))
        own, official, _ = self._official.within(rows)
        for key in zip(own.tolist(), self._official_of[official].tolist(), strict=True):
            nearest.pop(key, None)
        found: dict[bytes, tuple[Near, ...]] = {}
        for (position, right), bits in sorted(nearest.items()):
            text = asked[position]
            found[text] = (*found.get(text, ()), Near(right, bits))
        return found


def _indexed(
    hashes: Iterable[tuple[int, Sequence[str]]],
) -> tuple[HammingIndex, NDArray[np.int32]]:
    """Return the index of all hashes, and which right each is of; equal ones of a right once."""
    rows = [np.empty((0, 4), np.uint64)]
    owners = [np.empty(0, np.int32)]
    for owner, texts in hashes:
        distinct = list(dict.fromkeys(text.lower() for text in texts))
        for first in range(0, len(distinct), _ROWS_AT_ONCE):
            encoded = [text.encode() for text in distinct[first : first + _ROWS_AT_ONCE]]
            block = to_rows([text for text in encoded if is_hash(text)])
            rows.append(block)
            owners.append(np.full(len(block), owner, np.int32))
    return HammingIndex(np.concatenate(rows)), np.concatenate(owners)
