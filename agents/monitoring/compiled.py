"""Keeps compiled Hyperscan databases between starts, in the user's cache folder.

Compiling the vocabulary takes six seconds of CPU, reading what was compiled a fiftieth of that.
A file is known by what it was compiled from, Hyperscan's version and the CPU features it was
compiled for. A file that can't be read, or is not what was written, is compiled anew; nothing
depends on one.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import tempfile
import time
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

import hyperscan

KEPT_S: Final = 90 * 86_400
"""Seconds after which a file is dropped; what is still in use is compiled once more then."""
_DIGEST: Final = 32
"""Bytes of the checksum that a file begins with."""


def compiled(patterns: Sequence[bytes], flags: int) -> hyperscan.Database:
    """Return the database of expressions, each reported by its index.

    Raises:
        hyperscan.error: Hyperscan does not take an expression.
    """
    name = _name(patterns, flags)
    kept = _read(name)
    if kept is not None:
        return kept
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=list(patterns),
        ids=list(range(len(patterns))),
        elements=len(patterns),
        flags=[flags] * len(patterns),
    )
    # A cache that can't be written is no reason to fail: a read-only or missing home.
    with contextlib.suppress(OSError, RuntimeError):
        _write(name, hyperscan.dumpb(database))
    return database


def cache_folder() -> Path:
    """Return where compiled databases are kept; raises RuntimeError where there is no home."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "assayer" / "compiled"


def _name(patterns: Sequence[bytes], flags: int) -> str:
    digest = hashlib.sha256(f"{_platform()} {flags}".encode())
    for pattern in patterns:
        digest.update(len(pattern).to_bytes(4, "big"))
        digest.update(pattern)
    return f"{digest.hexdigest()}.hs"


@cache
def _platform() -> str:
    """Return what a compiled database depends on beside its expressions."""
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(expressions=[b"x"], ids=[0], elements=1, flags=[0])
    info = database.info()  # version, CPU features, mode
    return f"{version('hyperscan')} {info!r} {platform.machine()}"


def _read(name: str) -> hyperscan.Database | None:
    try:
        content = (cache_folder() / name).read_bytes()
        if content[:_DIGEST] != hashlib.sha256(content[_DIGEST:]).digest():
            return None
        database = hyperscan.loadb(content[_DIGEST:], hyperscan.HS_MODE_BLOCK)
        database.scratch = hyperscan.Scratch(database)
    except (OSError, RuntimeError, hyperscan.error):
        return None
    return database


def _write(name: str, content: bytes) -> None:
    """Write a file in one go: a reader sees all of it or nothing; and drop what is old."""
    folder = cache_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=folder, prefix="new-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(hashlib.sha256(content).digest() + content)
        Path(temporary).replace(folder / name)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    oldest = time.time() - KEPT_S
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < oldest:
                path.unlink()
