"""Reads the confusables data, and refuses what would make the folding wrong without a word.

Four tab-separated files, each with `# ` header lines of which one gives the version: README.md
beside them says how they were made and what the kinds mean.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal, NoReturn, cast, get_args

from agents.monitoring.data_files import MEND, DataFileError

Kind = Literal["accent", "compatibility", "small_capital", "script", "symbol", "digit"]
InvisibleKind = Literal["zero_width", "combining"]
SequenceKind = Literal["art", "letters"]

TABLE: Final = "table.tsv"
INVISIBLE: Final = "invisible.tsv"
SEPARATORS: Final = "separators.tsv"
SEQUENCES: Final = "sequences.tsv"

_KINDS: Final = frozenset(get_args(Kind))
_INVISIBLE_KINDS: Final = frozenset(get_args(InvisibleKind))
_SEQUENCE_KINDS: Final = frozenset(get_args(SequenceKind))
_READING: Final = re.compile(r"[a-z0-9]{1,8}")
_CODE: Final = re.compile(r"[0-9A-F]{4,6}")
_SURROGATES: Final = range(0xD800, 0xE000)


class ConfusablesError(DataFileError):
    """A data file that can't be used: names file, line, what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class LetterSequence:
    """Several characters that together look like one letter: `|\\|` for n, `rn` for m.

    `text` is as written: case counts, since `RN` does not look like an m. Of kind `art` it is
    drawn with punctuation and digits; of kind `letters` it also occurs in honest words, so what it
    brings out needs care.
    """

    text: str
    readings: tuple[str, ...]
    kind: SequenceKind


@dataclass(frozen=True, slots=True)
class Table:
    """What characters look like. The mappings are shared and must not be changed.

    A code point may be in more than one part: `|` reads as l and separates, tag characters and
    combining letters are letters that take no room, U+3164 is a letter that shows a blank.
    """

    version: str
    readings: Mapping[int, tuple[str, ...]]
    """Latin letters or digits a code point reads as, in lower case, likeliest first."""
    kind: Mapping[int, Kind]
    """What sort of disguise each code point of `readings` is."""
    invisible: Mapping[int, InvisibleKind]
    """What takes no room, and marks that may be set on a letter."""
    sequences: tuple[LetterSequence, ...]
    """Look-alikes of several characters, the longest first."""
    separator_ranges: tuple[tuple[int, int], ...]
    """What may be put between letters to keep them apart: inclusive ranges, ascending."""

    def separator(self, code: int) -> bool:
        """Return whether a code point may be put between letters to keep them apart."""
        index = bisect_right(self.separator_ranges, (code, 0x110000)) - 1
        return index >= 0 and code <= self.separator_ranges[index][1]


@cache
def load_table() -> Table:
    """Return the shipped table.

    Raises:
        ConfusablesError: a file is missing or broken.
    """
    return read_table(Path(__file__).parent)


def read_table(folder: Path) -> Table:
    """Return the table of the four files in a folder.

    Raises:
        ConfusablesError: a file is missing or broken.
    """
    files = {name: _DataFile(folder, name) for name in (TABLE, INVISIBLE, SEPARATORS, SEQUENCES)}
    version = files[TABLE].version
    for file in files.values():
        if file.version != version:
            file.refuse(1, f"version {file.version}, but {TABLE} has version {version}")
    readings, kind = _read_letters(files[TABLE])
    return Table(
        version=version,
        readings=readings,
        kind=kind,
        invisible=_read_invisible(files[INVISIBLE]),
        sequences=_read_sequences(files[SEQUENCES]),
        separator_ranges=_read_separators(files[SEPARATORS]),
    )


class _DataFile:
    """A file's version and rows, and errors that say where."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        try:
            self._lines = (folder / name).read_text(encoding="utf-8").split("\n")
        except OSError as error:
            raise ConfusablesError(
                f"{name}: can't be read: {error.strerror}; install the assayer again"
            ) from None
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            raise ConfusablesError(
                f"{name}:{line}: not UTF-8: byte {error.start}; {MEND}"
            ) from None
        head = [line for line in self._lines[:10] if line.startswith("# version: ")]
        if len(head) != 1 or not head[0].removeprefix("# version: ").strip():
            self.refuse(1, "one line '# version: …' is needed among the first ten")
        self.version = head[0].removeprefix("# version: ").strip()

    def refuse(self, number: int, problem: str) -> NoReturn:
        """Raise the error for a line."""
        raise ConfusablesError(f"{self.name}:{number}: {problem}; {MEND}")

    def rows(self, columns: int) -> Iterator[tuple[int, list[str]]]:
        """Yield line numbers and fields; more fields than `columns` are notes."""
        empty = True
        for number, line in enumerate(self._lines, 1):
            if not line or line.startswith("# "):
                continue
            fields = line.split("\t")
            if len(fields) < columns:
                self.refuse(number, f"{len(fields)} fields, {columns} are needed")
            empty = False
            yield number, fields
        if empty:
            self.refuse(len(self._lines), "no rows")

    def code_point(self, number: int, field: str) -> int:
        """Return the code point that a field gives in hexadecimal."""
        code = int(field, 16) if _CODE.fullmatch(field) else 0x110000
        if code > 0x10FFFF or code in _SURROGATES:
            self.refuse(number, f"{field!r} is no code point: four to six digits 0-9A-F")
        return code

    def code_points(self, number: int, field: str) -> tuple[int, int]:
        """Return the range that a field gives, its ends included: `00AD` or `200B-200F`."""
        first, dash, last = field.partition("-")
        low = self.code_point(number, first)
        high = self.code_point(number, last) if dash else low
        if high < low:
            self.refuse(number, f"the range {field} ends before it begins")
        if any(chr(code).isalnum() for code in range(low, min(high, 0x7F) + 1)):
            self.refuse(number, f"{field} holds a plain letter or digit")
        return low, high


def _read_letters(file: _DataFile) -> tuple[dict[int, tuple[str, ...]], dict[int, Kind]]:
    readings: dict[int, tuple[str, ...]] = {}
    kinds: dict[int, Kind] = {}
    seen: dict[str, tuple[str, ...]] = {}  # a few hundred different ones: shared, checked once
    for number, (field, read, kind, *_) in file.rows(3):
        code = file.code_point(number, field)
        if code in readings:
            file.refuse(number, f"U+{field} stands twice")
        if code < 0x80 and chr(code).isalpha():
            file.refuse(number, f"U+{field} is the plain letter {chr(code)!r}: it reads as itself")
        if read not in seen:
            seen[read] = _readings(file, number, read)
        if kind not in _KINDS:
            file.refuse(number, f"unknown kind {kind!r}: one of {', '.join(sorted(_KINDS))}")
        if chr(code) in seen[read]:
            file.refuse(number, f"U+{field} reads as itself")
        readings[code] = seen[read]
        kinds[code] = cast("Kind", kind)
    return readings, kinds


def _readings(file: _DataFile, number: int, field: str) -> tuple[str, ...]:
    readings = tuple(field.split(" "))
    for reading in readings:
        if not _READING.fullmatch(reading):
            file.refuse(number, f"reading {reading!r}: one to eight of a-z and 0-9 are needed")
    if len(set(readings)) != len(readings):
        file.refuse(number, f"a reading stands twice in {field!r}")
    return readings


def _read_invisible(file: _DataFile) -> dict[int, InvisibleKind]:
    found: dict[int, InvisibleKind] = {}
    for number, (field, kind, *_) in file.rows(2):
        if kind not in _INVISIBLE_KINDS:
            known = ", ".join(sorted(_INVISIBLE_KINDS))
            file.refuse(number, f"unknown kind {kind!r}: one of {known}")
        first, last = file.code_points(number, field)
        for code in range(first, last + 1):
            if code in found:
                file.refuse(number, f"U+{code:04X} stands twice")
            found[code] = cast("InvisibleKind", kind)
    return found


def _read_separators(file: _DataFile) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    for number, (field, *_) in file.rows(1):
        first, last = file.code_points(number, field)
        if found and first <= found[-1][1]:
            file.refuse(number, f"{field} does not come after the line before")
        found.append((first, last))
    return tuple(found)


def _read_sequences(file: _DataFile) -> tuple[LetterSequence, ...]:
    found: dict[str, LetterSequence] = {}
    for number, (text, read, kind, *_) in file.rows(3):
        if text in found:
            file.refuse(number, f"{text!r} stands twice")
        if not text.isascii() or not text.isprintable() or not text or " " in text:
            file.refuse(number, f"{text!r}: printable ASCII without spaces is needed")
        if kind not in _SEQUENCE_KINDS:
            known = ", ".join(sorted(_SEQUENCE_KINDS))
            file.refuse(number, f"unknown kind {kind!r}: one of {known}")
        drawn = not any(character.isalpha() for character in text)
        if drawn != (kind == "art"):
            file.refuse(number, f"{text!r} is not of kind {kind!r}: art holds no letter")
        readings = _readings(file, number, read)
        if text in readings:
            file.refuse(number, f"{text!r} reads as itself")
        found[text] = LetterSequence(text, readings, cast("SequenceKind", kind))
    return tuple(sorted(found.values(), key=lambda each: (-len(each.text), each.text)))
