"""Records as a consumer hands them over, made without a broker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Record:
    """A consumed record; `timestamp` is UTC milliseconds."""

    offset: int
    value: bytes | None
    key: bytes | None = b"k"
    timestamp: int = 1_764_000_000_000
    headers: Sequence[tuple[str, bytes]] = ()
