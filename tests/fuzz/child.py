"""Fuzzes one target in a process of its own, so that a crash is seen and said by the parent.

The input that is read stands in a file that outlives the process, before it is read.
"""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import json
import mmap
import os
import resource
import struct
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from tests.fuzz.mutation import LARGEST, Mutator

HEADER: Final = struct.Struct("<qq")
"""How many inputs were begun, and the length of the last, before the bytes of it."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What reading may take."""

    seconds: float = 5.0
    """Processor time of one input."""
    memory: int = 1 << 30
    """Bytes that the process may grow by."""
    look_every: int = 1000
    """Inputs between two looks at that."""


class Noted:
    """The input under way, in a file."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._file = mmap.mmap(file.fileno(), HEADER.size + LARGEST)

    def begin(self, number: int, data: bytes) -> None:
        """Note an input before it is read."""
        self._file[HEADER.size : HEADER.size + len(data)] = data
        self._file[: HEADER.size] = HEADER.pack(number, len(data))


def noted(path: Path) -> tuple[int, bytes]:
    """Return how many inputs were begun, and the last."""
    content = path.read_bytes()
    number, size = HEADER.unpack_from(content)
    return number, content[HEADER.size : HEADER.size + size]


def load_sanitized(folder: Path) -> None:
    """Have the libraries in C come from a folder, where they were built with sanitizers."""
    import streams.native

    def load(source: Path) -> ctypes.CDLL:
        return ctypes.CDLL(str(folder / f"_{source.stem}.so"))

    streams.native.load = load


def fuzz(
    read: Callable[[bytes], object], inputs: Iterator[bytes], notes: Path, bounds: Bounds
) -> dict[str, Any]:
    """Read the inputs; return the figures, or what went wrong with which."""
    gc.collect()
    before = _memory()
    note, slowest, number = Noted(notes), 0.0, 0
    began = time.monotonic()
    for number, data in enumerate(inputs, start=1):
        note.begin(number, data)
        start = time.process_time()
        try:
            read(data)
        except Exception:  # noqa: BLE001 - any is a finding
            return {"finding": traceback.format_exc(limit=-6), "inputs": number}
        taken = time.process_time() - start
        if taken > bounds.seconds:
            return {"finding": f"{taken:.1f} s of processor time", "inputs": number}
        slowest = max(slowest, taken)
        if not number % bounds.look_every and _memory() - before > bounds.memory:
            return {"finding": f"grown by {_memory() - before} bytes", "inputs": number}
    return {
        "inputs": number,
        "seconds": time.monotonic() - began,
        "slowest_ms": slowest * 1000,
        "grown_mb": max(0, _memory() - before) >> 20,
    }


def _memory() -> int:
    """Return the bytes of the process that are in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def main(arguments: list[str]) -> None:
    """Fuzz as the parent says: target, count, seed, file of notes, folder of libraries or ''."""
    name, count, seed, notes, libraries = arguments
    faulthandler.enable()
    if libraries:
        load_sanitized(Path(libraries))
    else:
        resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
    from tests.fuzz.targets import target

    chosen = target(name)
    for valid in chosen.seeds:
        chosen.read(valid)
    mutator = Mutator(chosen.seeds, chosen.words, f"{seed}/{name}")
    inputs = (mutator.next() for _ in range(int(count)))
    tell(fuzz(chosen.read, inputs, Path(notes), Bounds()))


def tell(figures: dict[str, Any]) -> NoReturn:
    """Tell the parent, and end."""
    sys.stdout.write(json.dumps(figures) + "\n")
    sys.stdout.flush()
    os._exit(1 if "finding" in figures else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
