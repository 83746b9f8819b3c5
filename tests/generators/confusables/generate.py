"""Makes table.tsv, invisible.tsv and separators.tsv of `agents.monitoring.confusables`.

Needs two public packages that the project does not depend on: ICU4J, asked once through
Properties.java, and decancer-py. From the root of the project:

    java -cp icu4j-78.1.jar tests/generators/confusables/Properties.java > properties.tsv
    python -m tests.generators.confusables.generate properties.tsv

Where sources disagree, `curated.tsv` decides; it and `sequences.tsv` are written by hand.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from tests.generators.confusables.letters import Table
from tests.generators.confusables.sources import Character, Row, read_curated, read_properties

VERSION: Final = "3"
DATA: Final = Path(__file__).parents[3] / "agents" / "monitoring" / "confusables"
SNAPSHOT: Final = Path(__file__).parents[2] / "unit" / "monitoring" / "confusables_icu.tsv"


def invisible(characters: dict[int, Character]) -> dict[int, str]:
    """Return what takes no room, and the marks that can be set on a Latin letter."""
    found: dict[int, str] = {}
    for character in characters.values():
        if character.ignorable or character.category == "Cf":
            found.setdefault(character.code, "zero_width")
    # Prepended_Concatenation_Mark: format characters that show.
    for code in (*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD):
        found.pop(code, None)
    for first, last in (
        (0x0300, 0x036F), (0x0483, 0x0489), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF),
        (0x20D0, 0x20FF), (0x2CEF, 0x2CF1), (0x2DE0, 0x2DFF), (0xA66F, 0xA672), (0xA674, 0xA67D),
        (0xA69E, 0xA69F), (0xFE20, 0xFE2F), (0x1D165, 0x1D169), (0x1D16D, 0x1D172),
        (0x1D17B, 0x1D182), (0x1D185, 0x1D18B), (0x1D1AA, 0x1D1AD),
    ):  # fmt: skip
        for code in range(first, last + 1):
            found.setdefault(code, "combining")
    # Controls: nothing is drawn for them. Tabs and line ends separate.
    for code in (*range(0x09), *range(0x0E, 0x20), *range(0x7F, 0x85), *range(0x86, 0xA0)):
        found.setdefault(code, "zero_width")
    return found


SEPARATING: Final = frozenset(
    ["Zs", "Zl", "Zp", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So"]
)


def separators(
    characters: dict[int, Character], rows: dict[int, Row], hidden: Iterable[int]
) -> set[int]:
    """Return what a seller may put between letters."""
    silent = set(hidden)
    found = {
        c.code
        for c in characters.values()
        if c.category in SEPARATING
        and c.code not in silent
        and not (c.code in rows and rows[c.code].kind != "symbol")
    }
    # Blanks with a width of their own, and letters that are drawn as a dash, a dot or a stroke.
    found |= {*range(0x09, 0x0E), 0x85, 0x2800, 0x115F, 0x1160, 0x3164, 0xFFA0}
    found |= {0x0640, 0x30FC, 0xFF70, 0x4E28, 0x4E36, 0x4E3F, 0x3031, 0x3032, 0xA78F, 0xA7F7}
    found |= {
        code for code in range(0x2B9, 0x2E0)
        if characters[code].category == "Lm" and code not in rows
    }  # fmt: skip
    return found


def ranges(codes: Iterable[int], fill: frozenset[int]) -> list[tuple[int, int]]:
    """Return the codes as inclusive ranges; a range may run over codes of `fill`."""
    found: list[tuple[int, int]] = []
    for code in sorted(codes):
        if found and all(between in fill for between in range(found[-1][1] + 1, code)):
            found[-1] = (found[-1][0], code)
        else:
            found.append((code, code))
    return found


def spelled(first: int, last: int) -> str:
    """Return a range as it stands in a file."""
    return f"{first:04X}" if first == last else f"{first:04X}-{last:04X}"


def write(path: Path, title: str, columns: str, lines: Iterable[str]) -> None:
    """Write a data file with its header."""
    header = f"# {title}\n# version: {VERSION}\n# {columns}\n"
    path.write_text(header + "".join(f"{line}\n" for line in lines), encoding="utf-8")


def main(arguments: list[str]) -> None:
    """Write all files."""
    unicode_version, characters = read_properties(Path(arguments[0]))
    curated, out = read_curated(Path(__file__).with_name("curated.tsv"))
    rows = Table(characters, curated, out).rows()
    write(
        DATA / "table.tsv",
        f"Code points that read as Latin letters or digits (Unicode {unicode_version}). "
        "See README.md.",
        "code point\treadings, likeliest first\tkind\tname",
        (
            f"{code:04X}\t{' '.join(row.readings)}\t{row.kind}\t{characters[code].name}"
            for code, row in rows.items()
        ),
    )
    hidden = invisible(characters)
    lines = sorted(
        (first, last, kind)
        for kind in ("combining", "zero_width")
        for first, last in ranges((c for c, k in hidden.items() if k == kind), frozenset())
    )
    write(
        DATA / "invisible.tsv",
        f"What takes no room, and marks that can be set on a letter (Unicode {unicode_version}).",
        "code points\tkind",
        (f"{spelled(first, last)}\t{kind}" for first, last, kind in lines),
    )
    between = separators(characters, rows, hidden)
    unassigned = frozenset(range(0x110000)) - characters.keys()
    private = frozenset([*range(0xD800, 0xF900), *range(0xF0000, 0x110000)])
    write(
        DATA / "separators.tsv",
        f"What can be put between letters to keep them apart (Unicode {unicode_version}).",
        "code points",
        (spelled(*each) for each in ranges(between, unassigned - private)),
    )
    write(
        SNAPSHOT,
        f"Code points whose UTS #39 skeleton is one ASCII letter or digit (ICU, Unicode "
        f"{unicode_version}).",
        "code point\tskeleton, marks taken off, in lower case\tscript",
        snapshot(characters),
    )


LEFT_OUT: Final = frozenset(
    ("Hani", "Hang", "Hira", "Kana", "Bopo", "Thai", "Laoo", "Khmr", "Mymr", "Java", "Tibt",
     "Ethi", "Deva", "Beng", "Guru", "Gujr", "Orya", "Taml", "Telu", "Knda", "Mlym", "Sinh",
     "Tirh", "Ahom", "Hebr", "Arab")
)  # fmt: skip
"""Scripts whose letters make honest words: see README.md."""


def snapshot(characters: dict[int, Character]) -> Iterator[str]:
    """Return ICU's own single-letter mappings outside LEFT_OUT: what the tests hold us to."""
    for c in characters.values():
        text = "".join(x for x in c.skeleton if characters[ord(x)].category[0] != "M").lower()
        if chr(c.code).isascii() or c.category[0] == "M" or c.script in LEFT_OUT:
            continue
        if len(text) == 1 and text.isascii() and text.isalnum():
            yield f"{c.code:04X}\t{text}\t{c.script}"


if __name__ == "__main__":
    main(sys.argv[1:])
