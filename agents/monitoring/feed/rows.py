"""Reads the rows of a CSV or JSON Lines file: the line each starts on, its texts by column."""

from __future__ import annotations

import codecs
import csv
import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from agents.monitoring.feed.sources import FeedError, FeedMapping
from agents.records import Refused

LONGEST_CELL: Final = 1 << 20
"""Characters of a cell above which its row is refused: a record on the bus has a megabyte."""

_JSON_LINES: Final = frozenset({".jsonl", ".ndjson", ".json"})
_UNDECODED: Final = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True, slots=True)
class FileRow:
    """A row of a file: the line it starts on, and its texts by column."""

    line: int
    cells: dict[str, str]


def is_json_lines(path: Path) -> bool:
    """Return whether a file's name says that it is JSON Lines."""
    return path.suffix.lower() in _JSON_LINES


def check_columns(path: Path, mapping: FeedMapping) -> None:
    """Read the header of a CSV file and check that it has what the mapping reads.

    Raises:
        FeedError: names the file, the columns and the mapping.
        OSError: the file cannot be read.
    """
    encoding = _encoding(path, mapping)
    with path.open(encoding=encoding, errors=_errors(encoding), newline="") as lines:
        header = _header(path, csv.reader(lines, delimiter=mapping.delimiter, strict=True))
    if any("\0" in column for column in header):
        raise FeedError(
            f"{path}: NUL bytes in the header; a mapping can say `encoding: utf-16`, if it is that"
        )
    needed = mapping.columns()
    twice = sorted({column for column in header if header.count(column) > 1} & set(needed))
    if twice:
        raise FeedError(f"{path}:1: column '{twice[0]}' stands in the header twice")
    missing = [column for column in needed if column not in header]
    if not missing:
        return
    told = "; ".join(
        f"'{column}'{_near(column, header)} for {', '.join(needed[column])}" for column in missing
    )
    hint = (
        f"; the header is one column: is '{mapping.delimiter}' the delimiter?"
        if len(header) == 1
        else ""
    )
    raise FeedError(f"{path}:1: no column {told}, which the mapping '{mapping.name}' reads{hint}")


def read_rows(path: Path, mapping: FeedMapping) -> Iterator[FileRow | Refused]:
    """Yield each row of a file, or why it was refused. Blank lines pass.

    Only the columns that the mapping reads are kept and checked.

    Raises:
        OSError: the file cannot be read.
    """
    needed = frozenset(mapping.columns())
    found = _json_rows(path, needed) if is_json_lines(path) else _csv_rows(path, mapping, needed)
    for row in found:
        wrong = _wrong(row.cells) if isinstance(row, FileRow) else ""
        yield Refused(str(path), row.line, wrong) if wrong else row


def _json_rows(path: Path, needed: frozenset[str]) -> Iterator[FileRow | Refused]:
    with path.open("rb") as lines:
        for number, line in enumerate(without_mark(lines), start=1):
            if not line.strip():
                continue
            try:
                values = msgspec.json.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                yield Refused(str(path), number, str(error))
                continue
            if not isinstance(values, dict):
                yield Refused(str(path), number, "expected a JSON object")
                continue
            yield FileRow(number, {name: _cell(values[name]) for name in needed if name in values})


def without_mark(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines of a UTF-8 file without the byte order mark that may stand before them."""
    for number, line in enumerate(lines):
        yield line if number else line.removeprefix(codecs.BOM_UTF8)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _csv_rows(
    path: Path, mapping: FeedMapping, needed: frozenset[str]
) -> Iterator[FileRow | Refused]:
    # The limit is the module's, not the reader's; the default is 128 KiB.
    csv.field_size_limit(max(csv.field_size_limit(), 16 * LONGEST_CELL))
    encoding = _encoding(path, mapping)
    with path.open(encoding=encoding, errors=_errors(encoding), newline="") as lines:
        # Strict: a quote left open would make the rest of the file one title, without a word.
        reader = csv.reader(lines, delimiter=mapping.delimiter, strict=True)
        header = _header(path, reader)
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader, None)
            except csv.Error as error:
                yield Refused(str(path), line, f"not CSV: {error}; a quote may not be closed")
                continue
            except UnicodeDecodeError as error:
                yield Refused(
                    str(path), line, f"not {encoding} from here on ({error.reason}); not read on"
                )
                return
            if cells is None:
                return
            if not cells:
                continue
            if len(cells) != len(header):
                yield Refused(
                    str(path), line, f"{len(cells)} columns, where the header has {len(header)}"
                )
                continue
            named = zip(header, cells, strict=True)
            yield FileRow(line, {name: cell for name, cell in named if name in needed})


def _header(path: Path, reader: Iterator[list[str]]) -> list[str]:
    try:
        header = next(reader, None)
    except (csv.Error, UnicodeDecodeError) as error:
        raise FeedError(f"{path}:1: the header can't be read: {error}") from None
    if not header:
        raise FeedError(f"{path}:1: empty, where the names of the columns should stand")
    return [column.strip() for column in header]


def _encoding(path: Path, mapping: FeedMapping) -> str:
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if start.startswith(codecs.BOM_UTF8) or not mapping.encoding:
        return "utf-8-sig"
    return mapping.encoding


def _errors(encoding: str) -> str:
    # What is not UTF-8 becomes lone surrogates, which tell which row and column it was.
    return "surrogateescape" if encoding == "utf-8-sig" else "strict"


def _wrong(cells: dict[str, str]) -> str:
    for column, cell in cells.items():
        if len(cell) > LONGEST_CELL:
            return f"column '{column}': {len(cell)} characters, more than {LONGEST_CELL}"
        if "\0" in cell:
            return f"column '{column}': a NUL byte"
        if not cell.isascii() and _UNDECODED.search(cell):
            return f"column '{column}': not UTF-8; the mapping can name the file's `encoding`"
    return ""


def _near(word: str, known: Iterable[str]) -> str:
    by_reading = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold(), by_reading, n=1)
    return f" (is it '{by_reading[near[0]]}'?)" if near else ""
