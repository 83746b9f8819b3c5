"""Reads what ICU knows of each code point, and the readings made by eye."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Character:
    """What ICU knows of a code point."""

    code: int
    category: str
    script: str
    ignorable: bool
    nfkc: str
    nfd: str
    skeleton: str
    name: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row of table.tsv."""

    readings: tuple[str, ...]
    kind: str


def read_properties(path: Path) -> tuple[str, dict[int, Character]]:
    """Return the version of Unicode and the code points of what Properties.java printed."""

    def text(field: str) -> str:
        return "".join(chr(int(code, 16)) for code in field.split())

    lines = path.read_text(encoding="utf-8").splitlines()
    characters = {}
    for line in lines[1:]:
        code, category, script, ignorable, nfkc, nfd, skeleton, name = line.split("\t")
        characters[int(code, 16)] = Character(
            int(code, 16),
            category,
            script,
            ignorable == "1",
            text(nfkc),
            text(nfd),
            text(skeleton),
            name,
        )
    return lines[0].removeprefix("# Unicode "), characters


def read_curated(path: Path) -> tuple[dict[int, Row], frozenset[int]]:
    """Return the rows made by eye (kind '' where the rules tell it), and what is left out."""
    rows: dict[int, Row] = {}
    out: set[int] = set()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("# "):
            continue
        readings, characters, *kind = line.split("\t")
        if re.fullmatch(r"[0-9A-F]{4,6}(?:-[0-9A-F]{4,6})?(?: [0-9A-F]{4,6}(?:-[0-9A-F]{4,6})?)*",
                        characters):  # fmt: skip
            codes = list(_codes(characters.split()))
        else:
            codes = [ord(character) for character in characters]
        for code in codes:
            if code in rows or code in out:
                raise SystemExit(f"{path.name}:{number}: U+{code:04X} is there already")
            if readings == "-":
                out.add(code)
            else:
                rows[code] = Row(tuple(readings.split()), kind[0] if kind else "")
    return rows, frozenset(out)


def _codes(fields: Iterable[str]) -> Iterator[int]:
    for field in fields:
        first, _, last = field.partition("-")
        yield from range(int(first, 16), int(last or first, 16) + 1)
