"""The marks of many rights, compiled by a process beside, and kept between starts.

A file has the marks of some rights and is known by what these are, and by the code that compiled
them. Workers on one disk share it: one compiles, the others wait, and all use the same memory.
Nothing depends on it: one that is not what was written is compiled anew.

    python -m agents.monitoring.compiled_marks ROWS FILE PROCESSES

compiles what `rows_of` gave and `write_flat` wrote; `CompiledMarks.compiled` calls it so.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy.typing as npt

from agents.monitoring.compiled import cache_folder
from agents.monitoring.confusables import table
from agents.monitoring.marks import index as marks_index
from agents.monitoring.marks import words_of
from agents.monitoring.marks.blanked import Owners
from agents.monitoring.marks.index import MarkIndex
from agents.records import Right
from streams.aside import giving_way
from streams.flat_file import BrokenFileError, read_flat, write_flat
from streams.packed import PackedBytes

MOST_FILES: Final = 3
"""Files that are kept: those used last."""
_ROWS: Final = "rows"
_ROW: Final = msgspec.msgpack.Decoder(list[str])


class CompilingFailedError(RuntimeError):
    """The process that compiles marks ended without doing so."""


@dataclass(frozen=True)
class CompiledMarks:
    """The marks of rights, which are known by their position: ascending by id. Immutable."""

    index: MarkIndex = field(repr=False)
    """Each mark once, ascending by its words."""
    owners: Owners = field(repr=False)
    """By mark, the positions of the rights that have it."""
    rows: PackedBytes = field(repr=False)
    """What was compiled of each right, as `row_of` has it."""

    @classmethod
    def compiled(cls, rows: PackedBytes, processes: int) -> CompiledMarks:
        """Return the marks of rows, compiled, if they are not in a file, by some processes.

        Blocks for a minute a million and longer, in which this process has nothing to do.

        Raises:
            CompilingFailedError: it could not be done.
        """
        folder = _folder()
        path = folder / _name(rows)
        with _alone_in(folder):
            found = cls._read(path)
            if found is None:
                _compile(rows, path, processes)
                found = cls._read(path)
        if found is None:
            raise CompilingFailedError(f"{path} can't be read")
        _drop_old(folder)
        return found

    @classmethod
    def found(cls, rows: PackedBytes) -> CompiledMarks | None:
        """Return the marks of these rows, if they are in a file."""
        return cls._read(_folder() / _name(rows))

    @classmethod
    def kept(cls) -> Iterator[CompiledMarks]:
        """Yield what is in the files that are kept, that used last first; broken ones are none."""
        for path in _files(_folder()):
            found = cls._read(path)
            if found is not None:
                yield found

    @classmethod
    def _read(cls, path: Path) -> CompiledMarks | None:
        try:
            found = cls.over(read_flat(path))
            path.touch()
        except (OSError, BrokenFileError):
            return None
        return found

    @classmethod
    def of(cls, rows: PackedBytes, processes: int = 1) -> CompiledMarks:
        """Compile the marks of rows, ascending by the ids of their rights, in this process."""
        owners: dict[tuple[str, ...], list[int]] = {}
        spelled: dict[tuple[str, ...], str] = {}
        for position, row in enumerate(giving_way(rows)):
            for words, mark in marks_of_row(row):
                owners.setdefault(words, []).append(position)
                spelled.setdefault(words, mark)
        ordered = sorted(owners)
        marks = [spelled[words] for words in ordered]
        owners_ = Owners.of([owners[words] for words in ordered])
        del owners, spelled, ordered
        return cls(MarkIndex.of(marks, processes=processes), owners_, rows)

    @classmethod
    def over(cls, arrays: dict[str, npt.NDArray[Any]]) -> CompiledMarks:
        """Return the marks that `arrays` of others are of."""
        return cls(
            MarkIndex.over(arrays),
            Owners(arrays["owners"], arrays["owners_at"]),
            PackedBytes.over(arrays, _ROWS),
        )

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays by which they are had again."""
        owners = {"owners": self.owners.of_word, "owners_at": self.owners.starts}
        return {**self.index.arrays(), **owners, **self.rows.arrays(_ROWS)}

    def mark_of(self, words: tuple[str, ...]) -> int | None:
        """Return the mark that reads as these words; None where there is none."""
        marks = self.index.marks
        number = bisect_left(marks, words, key=words_of)
        return number if number < len(marks) and words_of(marks[number]) == words else None


def row_of(right: Right) -> bytes:
    """Return what is compiled of a right: its id, and its marks as they are written."""
    return msgspec.msgpack.encode((right.right_id, right.mark, *right.aliases))


def rows_of(rights: Iterable[Right]) -> PackedBytes:
    """Return the rows of rights."""
    return PackedBytes.of(map(row_of, giving_way(rights)))


def id_of_row(row: bytes) -> str:
    """Return the id of a row's right."""
    return _ROW.decode(row)[0]


def marks_of_row(row: bytes) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the marks of a row that have words, each once: its words, and how it is written."""
    return marks_of(_ROW.decode(row)[1:])


def marks_of(written: Sequence[str]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the marks of a right that have words, each once: its words, and how it is written."""
    seen = set()
    for mark in written:
        words = words_of(mark)
        if words and words not in seen:
            seen.add(words)
            yield words, mark


def _name(rows: PackedBytes) -> str:
    digest = hashlib.sha256(_code())
    for each in rows.arrays(_ROWS).values():
        digest.update(each.tobytes())
    return f"marks-{digest.hexdigest()}.flat"


@cache
def _code() -> bytes:
    """Return a digest of all that says how marks are compiled."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {sys.byteorder}".encode())
    for module in (marks_index, table):
        for path in sorted(Path(str(module.__file__)).parent.iterdir()):
            if path.is_file() and path.suffix != ".so":
                digest.update(path.name.encode() + path.read_bytes())
    return digest.digest()


def _folder() -> Path:
    """Return where files are kept; elsewhere, for this process alone, where they can't be."""
    with contextlib.suppress(OSError, RuntimeError):
        folder = cache_folder() / _code().hex()[:16]
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    return _own_folder()


@cache
def _own_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="assayer-marks-"))


def _files(folder: Path) -> list[Path]:
    """Return the files of a folder, that used last first."""
    used: dict[Path, float] = {}
    for path in folder.glob("marks-*.flat"):
        with contextlib.suppress(FileNotFoundError):
            used[path] = path.stat().st_mtime
    return sorted(used, key=used.__getitem__, reverse=True)


def _drop_old(folder: Path) -> None:
    for path in _files(folder)[MOST_FILES:]:
        path.unlink(missing_ok=True)  # who uses it goes on doing so


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Wait until no other process compiles."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _compile(rows: PackedBytes, path: Path, processes: int) -> None:
    """Compile rows in a process of its own: it takes memory and locks that are not wanted here."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix="rows-") as folder:
        given = Path(folder) / "rows.flat"
        write_flat(given, rows.arrays(_ROWS))
        done = subprocess.run(  # noqa: S603 - this module, and paths made here
            [sys.executable, "-m", __name__, given, path, str(processes)],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise CompilingFailedError(f"marks could not be compiled: {done.stderr[-2000:]}")


def main(arguments: Sequence[str]) -> None:
    """Compile the rows of one file into another."""
    given, path, processes = arguments
    rows = PackedBytes.over(read_flat(Path(given)), _ROWS)
    write_flat(Path(path), CompiledMarks.of(rows, int(processes)).arrays())


if __name__ == "__main__":
    main(sys.argv[1:])
