"""Which batches of a partition are done, and how far the partition may be committed."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Delivered:
    token: object
    last: int
    done: bool = False


@dataclass(slots=True)
class _Partition:
    in_flight: deque[_Delivered] = field(default_factory=deque)
    position: int | None = None


class OffsetLedger:
    """Batches delivered and acknowledged, by partition.

    The position of a partition is one behind the last offset of the batches acknowledged *without a
    gap since the first delivery*: a batch acknowledged early waits for those before it. Holes in
    the offsets themselves (transactions, compaction) do not matter: batches are compared, not
    offsets. A batch is known by its token, so that an acknowledgement that comes after a rebalance,
    for a batch that was forgotten, changes nothing.
    """

    def __init__(self) -> None:
        self._partitions: dict[Hashable, _Partition] = {}

    def delivered(self, partition: Hashable, token: object, last: int) -> None:
        """Note that a batch ending at offset `last` was handed over."""
        state = self._partitions.setdefault(partition, _Partition())
        state.in_flight.append(_Delivered(token, last))

    def acknowledged(self, partition: Hashable, token: object) -> bool:
        """Note that a batch is done; False when it is not known (any more)."""
        state = self._partitions.get(partition)
        if state is None:
            return False
        for batch in state.in_flight:
            if batch.token is token:
                batch.done = True
                break
        else:
            return False
        while state.in_flight and state.in_flight[0].done:
            state.position = state.in_flight.popleft().last + 1
        return True

    def position(self, partition: Hashable) -> int | None:
        """Return the offset that may be committed; None when nothing is done yet."""
        state = self._partitions.get(partition)
        return state.position if state else None

    def in_flight(self, partition: Hashable) -> int:
        """Return how many batches are not done, or wait for one before them that is not."""
        state = self._partitions.get(partition)
        return len(state.in_flight) if state else 0

    def __iter__(self) -> Iterator[Hashable]:
        return iter(list(self._partitions))

    @property
    def total_in_flight(self) -> int:
        """Batches in flight over all partitions."""
        return sum(len(state.in_flight) for state in self._partitions.values())

    def forget(self, partition: Hashable) -> None:
        """Forget a partition: it was revoked, or is read again from its committed offset."""
        self._partitions.pop(partition, None)

    def forget_all(self) -> None:
        """Forget every partition."""
        self._partitions.clear()
