"""Faults that are planted, to see that each is found: what `tests.fuzz.child` does, with these."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from streams.native import address
from tests.fuzz.child import Bounds, fuzz, load_sanitized, tell

_KEPT: Final[list[bytearray]] = []


def _error() -> None:
    _ = 1 // 0


def _crash() -> None:
    ctypes.string_at(0)


def _exit() -> None:
    os._exit(7)


def _hang() -> None:
    time.sleep(600)


def _slow() -> None:
    until = time.process_time() + 0.2
    while time.process_time() < until:
        pass


def _memory() -> None:
    _KEPT.append(bytearray(os.urandom(1 << 20) * 64))


def _overread() -> None:
    """Say of some bytes that they are more than they are: the last record goes beyond them."""
    from streams.stored_batches import library

    record = b"\x0c\x00\x00\x00\x01\x01\x00"
    columns = np.empty((20, 100), np.int64)
    data = record * 50 + record[:1]
    library().assayer_read_records(data, 0, 700, 100, 0, 0, -1, address(columns))


def _sound() -> None:
    """Do nothing."""


FAULTS: Final[dict[str, Callable[[], None]]] = {
    "error": _error,
    "crash": _crash,
    "exit": _exit,
    "hang": _hang,
    "slow": _slow,
    "memory": _memory,
    "overread": _overread,
    "sound": _sound,
}


def main(arguments: list[str]) -> None:
    """Do as the child does, with a fault at the third input, and narrow bounds."""
    name, count, _, notes, libraries = arguments
    if libraries:
        load_sanitized(Path(libraries))
    fault = FAULTS[name]
    inputs = (b"bad" if number == 2 else b"good" for number in range(int(count)))
    bounds = Bounds(seconds=0.1, memory=32 << 20, look_every=1)
    tell(fuzz(lambda data: fault() if data == b"bad" else None, inputs, Path(notes), bounds))


if __name__ == "__main__":
    main(sys.argv[1:])
