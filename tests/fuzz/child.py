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
from pathlib import Path
from typing import Any, Final

from tests.fuzz.mutation import LARGEST, Mutator

HEADER: Final = struct.Struct("<qq")
"""How many inputs were begun, and the length of the last, before the bytes of it."""
SLOWEST_SECONDS: Final = 5.0
"""Processor time that one input may take."""
MOST_MEMORY: Final = 1 << 30
"""Bytes that the process may grow by."""


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


def fuzz(name: str, count: int, seed: str, notes: Path) -> dict[str, Any]:
    """Read so many inputs; return the figures, or what went wrong with which."""
    from tests.fuzz.targets import target

    chosen = target(name)
    mutator = Mutator(chosen.seeds, chosen.words, f"{seed}/{name}")
    for valid in chosen.seeds:
        chosen.read(valid)
    gc.collect()
    before = _memory()
    note, read, slowest = Noted(notes), chosen.read, 0.0
    began = time.monotonic()
    for number in range(1, count + 1):
        data = mutator.next()
        note.begin(number, data)
        start = time.process_time()
        try:
            read(data)
        except Exception:  # noqa: BLE001 - any is a finding
            return {"finding": traceback.format_exc(limit=-6), "inputs": number}
        taken = time.process_time() - start
        if taken > SLOWEST_SECONDS:
            return {"finding": f"{taken:.1f} s of processor time", "inputs": number}
        slowest = max(slowest, taken)
        if not number % 1000 and _memory() - before > MOST_MEMORY:
            return {"finding": f"grown by {_memory() - before} bytes", "inputs": number}
    return {
        "inputs": count,
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
    told = fuzz(name, int(count), seed, Path(notes))
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
    os._exit(1 if "finding" in told else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
