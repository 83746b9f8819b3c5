"""Records as they come from Kafka, and batches of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class Record(Protocol):
    """A consumed record; aiokafka's ConsumerRecord is one."""

    @property
    def offset(self) -> int: ...  # noqa: D102
    @property
    def timestamp(self) -> int: ...  # noqa: D102
    @property
    def key(self) -> bytes | None: ...  # noqa: D102
    @property
    def value(self) -> bytes | None: ...  # noqa: D102
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...  # noqa: D102


@dataclass(frozen=True, slots=True, weakref_slot=True)
class RecordBatch:
    """Records of one partition in offset order, never none."""

    topic: str
    partition: int
    records: Sequence[Record]
    received_at: float
    """Seconds since 1970 when they were fetched."""

    def __len__(self) -> int:
        return len(self.records)

    @property
    def first_offset(self) -> int:
        """Offset of the first record."""
        return self.records[0].offset

    @property
    def last_offset(self) -> int:
        """Offset of the last record; the offset of the event."""
        return self.records[-1].offset
