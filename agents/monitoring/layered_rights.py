"""Rights in two layers: many that were compiled, and the few that have changed since.

What is said here of a right, a mark or a prefix is what one layer with all of them would say; the
work goes by the few.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import overload

import numpy as np
import numpy.typing as npt

from agents.monitoring.compiled_marks import CompiledMarks, id_of_row, row_of
from agents.monitoring.marks.blanked import Owners
from agents.records import Right
from streams.aside import giving_way

Ints = npt.NDArray[np.intp]


class LayeredRights(Sequence[Right]):
    """Rights, ascending by id: those of a lower layer that stand, and others. Immutable."""

    def __init__(
        self,
        compiled: CompiledMarks,
        lower: Sequence[Right | None],
        changes: Mapping[str, Right | None],
    ) -> None:
        """Take the rights whose marks were compiled, and what has changed since, by id.

        `lower` runs in step with the rows of `compiled`; None stands for what is no more as it was
        compiled, and is among `changes`. There None stands for a right that was withdrawn.
        """
        self._compiled = compiled
        self._lower = lower
        self.replaced: dict[int, Right] = {}
        """Rights of the lower layer that changed, though not their marks."""
        self.gone: list[int] = []
        """Positions in the lower layer of what does not stand."""
        self.others: list[Right] = []
        places: list[int] = []
        for right_id in giving_way(sorted(changes)):
            right, place, found = changes[right_id], *self._lower_place(right_id)
            same = found and right is not None and row_of(right) == compiled.rows[place]
            if same and right is not None:
                self.replaced[place] = right
                continue
            if found:
                self.gone.append(place)
            if right is not None:
                self.others.append(right)
                places.append(place)
        stands = np.ones(len(lower), np.bool_)
        stands[self.gone] = False
        self._standing: Ints = np.flatnonzero(stands)
        self._places: Ints = np.array(places, np.intp)
        self.other_positions: Ints = np.searchsorted(self._standing, self._places)
        self.other_positions += np.arange(len(places))
        self._other_positions: list[int] = self.other_positions.tolist()

    def __len__(self) -> int:
        return len(self._standing) + len(self.others)

    @overload
    def __getitem__(self, position: int) -> Right: ...
    @overload
    def __getitem__(self, position: slice) -> list[Right]: ...
    def __getitem__(self, position: int | slice) -> Right | list[Right]:
        if isinstance(position, slice):
            return [self[each] for each in range(*position.indices(len(self)))]
        if not -len(self) <= position < len(self):
            raise IndexError(position)
        at = position % len(self)
        other = bisect_left(self._other_positions, at)
        if other < len(self.others) and self._other_positions[other] == at:
            return self.others[other]
        return self._of_lower(int(self._standing[at - other]))

    def __iter__(self) -> Iterator[Right]:
        others = zip(self.others, self._places.tolist(), strict=True)
        other, place = next(others, (None, -1))
        for at in self._standing.tolist():
            while other is not None and place <= at:
                yield other
                other, place = next(others, (None, -1))
            yield self._of_lower(at)
        while other is not None:
            yield other
            other, place = next(others, (None, -1))

    def _of_lower(self, place: int) -> Right:
        right = self.replaced.get(place) or self._lower[place]
        assert right is not None, "what does not stand is among the changes"  # noqa: S101
        return right

    def _lower_place(self, right_id: str) -> tuple[int, bool]:
        """Return where a right is in the lower layer, or would be, and whether it is there."""
        rows = self._compiled.rows
        place = bisect_left(rows, right_id, key=id_of_row)
        return place, place < len(rows) and id_of_row(rows[place]) == right_id

    def positions_of(self, places: Sequence[int]) -> list[int]:
        """Return the positions of rights that stand, given their places in the lower layer."""
        at = np.array(places, np.intp)
        found: list[int] = (
            np.searchsorted(self._standing, at) + np.searchsorted(self._places, at, side="right")
        ).tolist()
        return found

    def changed(self) -> list[tuple[int, Right]]:
        """Return the rights that are not as they were compiled, each with its position."""
        replaced = zip(self.positions_of([*self.replaced]), self.replaced.values(), strict=True)
        return sorted([*zip(self._other_positions, self.others, strict=True), *replaced])

    @cached_property
    def positions(self) -> Mapping[str, int]:
        """Where each right stands, by its id."""
        return _Positions(self)

    def position(self, right_id: str) -> int:
        """Return where a right stands. Raises KeyError where there is none."""
        position = bisect_left(self, right_id, key=lambda right: right.right_id)
        if position == len(self) or self[position].right_id != right_id:
            raise KeyError(right_id)
        return position


@dataclass(frozen=True, slots=True)
class _Positions(Mapping[str, int]):
    rights: LayeredRights

    def __getitem__(self, right_id: str) -> int:
        return self.rights.position(right_id)

    def __len__(self) -> int:
        return len(self.rights)

    def __iter__(self) -> Iterator[str]:
        return (right.right_id for right in self.rights)


@dataclass(frozen=True)
class LayeredOwners(Sequence[tuple[int, ...]]):
    """By mark, the positions of the rights that have it, ascending."""

    rights: LayeredRights
    lower: Owners
    """By mark that was compiled, the places of its rights in the lower layer."""
    changed: Mapping[int, tuple[int, ...]]
    """Of marks of whose rights one has changed."""
    upper: Sequence[tuple[int, ...]]
    """Of the marks behind those that were compiled."""

    def __len__(self) -> int:
        return len(self.lower) + len(self.upper)

    @overload
    def __getitem__(self, mark: int) -> tuple[int, ...]: ...
    @overload
    def __getitem__(self, mark: slice) -> list[tuple[int, ...]]: ...
    def __getitem__(self, mark: int | slice) -> tuple[int, ...] | list[tuple[int, ...]]:
        if isinstance(mark, slice):
            return [self[each] for each in range(*mark.indices(len(self)))]
        if mark >= len(self.lower):
            return self.upper[mark - len(self.lower)]
        found = self.changed.get(mark)
        return tuple(self.rights.positions_of(self.lower[mark])) if found is None else found


@dataclass(frozen=True)
class LayeredPrefixes(Mapping[str, tuple[int, ...]]):
    """By company prefix, the positions of the rights registered for it."""

    rights: LayeredRights
    lower: Mapping[str, tuple[int, ...]]
    """The same as compiled, by place in the lower layer."""
    upper: Mapping[str, tuple[int, ...]]
    """The same of the rights that are not as they were compiled."""

    def __getitem__(self, prefix: str) -> tuple[int, ...]:
        places = [each for each in self.lower.get(prefix, ()) if each not in self._not_as_compiled]
        found = sorted([*self.rights.positions_of(places), *self.upper.get(prefix, ())])
        if not found:
            raise KeyError(prefix)
        return tuple(found)

    @cached_property
    def _not_as_compiled(self) -> frozenset[int]:
        return frozenset((*self.rights.gone, *self.rights.replaced))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        return bool(self.lower or self.upper)

    def __iter__(self) -> Iterator[str]:
        return (prefix for prefix in {*self.lower, *self.upper} if prefix in self)


def aligned(
    compiled: CompiledMarks, rights: Mapping[str, Right]
) -> tuple[list[Right | None], dict[str, Right | None]]:
    """Return the rights in step with compiled rows, and what differs from these, by id."""
    lower: list[Right | None] = []
    changes: dict[str, Right | None] = {}
    for row in giving_way(compiled.rows):
        right_id = id_of_row(row)
        right = rights.get(right_id)
        stands = right is not None and row_of(right) == row
        lower.append(right if stands else None)
        if not stands:
            changes[right_id] = right
    if len(rights) > sum(right is not None for right in lower):
        ids = {right.right_id for right in lower if right is not None}
        changes |= {each: right for each, right in giving_way(rights.items()) if each not in ids}
    return lower, changes
