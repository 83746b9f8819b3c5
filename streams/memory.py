"""How the C library keeps memory that Python has freed, where it is glibc."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Final

_TRIM_THRESHOLD: Final = -1
_TOP_PAD: Final = -2
_MMAP_THRESHOLD: Final = -3
_ARENA_MAX: Final = -8
_KEPT: Final = 32 << 20
"""Bytes: the most that glibc takes for a threshold."""
_PAD: Final = 4 << 20
_GROUPS: Final = Path("/sys/fs/cgroup")
_OWN_GROUP: Final = Path("/proc/self/cgroup")


def use_one_arena() -> None:
    """Let all threads take memory of one arena: each would keep what it freed for itself.

    To be called before they start. A worker with 1,200 rights takes 13 MB less.
    """
    _set(_ARENA_MAX, 1)


def give_memory_back() -> None:
    """Return to the system what was freed.

    Reading the vocabulary and compiling rights leave a third of what they took behind, in pieces.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def keep_batches_memory() -> None:
    """Use again for the arrays of one batch what those of the last one left.

    They have 100,000 bytes and more, which glibc otherwise asks of the system each time: of 50 µs a
    listing in batches of 500 the page faults took 14.
    """
    _set(_MMAP_THRESHOLD, _KEPT)
    _set(_TRIM_THRESHOLD, _KEPT)
    _set(_TOP_PAD, _PAD)


def memory_limit(groups: Path = _GROUPS, own: Path = _OWN_GROUP) -> int:
    """Return the bytes this process may take: its control group's limit, or what there is.

    `groups` is where control groups are mounted, `own` the file that names those of the process. A
    group is held to the limits of all above it. Both versions are read: `memory.max` of the second,
    `memory.limit_in_bytes` of the first.
    """
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for controllers, path in _groups_of(own):
        if controllers and "memory" not in controllers.split(","):
            continue
        root = groups / "memory" if controllers else groups
        # In a container the path is the host's, and the group itself is what is mounted.
        folder = root / path.lstrip("/")
        for place in (folder, *folder.parents):
            if place.is_relative_to(root):
                limits += _limits_in(place)
    return min(limits)


def _groups_of(own: Path) -> list[tuple[str, str]]:
    """Return controllers and path of each control group of a process; '' for the second version."""
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return []
    parts = [line.split(":", 2) for line in lines if line.count(":") >= 2]
    return [(controllers, path) for _, controllers, path in parts]


def _limits_in(folder: Path) -> list[int]:
    found = []
    for name in ("memory.max", "memory.limit_in_bytes"):
        try:
            found.append(int((folder / name).read_text()))
        except (OSError, ValueError):  # not there, or 'max'
            continue
    return found


def _set(option: int, value: int) -> None:
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(option, value)
