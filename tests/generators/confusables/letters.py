"""Works out what each code point reads as, from all sources."""

from __future__ import annotations

import importlib
import re
from typing import Final

from tests.generators.confusables.sources import Character, Row

SCRIPTS: Final = frozenset(
    ("Latn", "Zyyy", "Grek", "Cyrl", "Copt", "Armn", "Geor", "Cher", "Lisu", "Dsrt", "Osge",
     "Cans", "Tfng", "Runr", "Ital", "Cari", "Wara", "Goth", "Lyci", "Lydi", "Glag", "Plrd",
     "Elba", "Ogam", "Tols", "Berf", "Osma", "Yiii")
)  # fmt: skip
"""Scripts taken whole; of the others only what `curated.tsv` names, and zeros."""
IDEOGRAPHS: Final = (0x2E80, 0x9FFF)
"""From the radicals to the ideographs: here only what NFKC turns into ASCII is taken."""

SIGN_BLOCKS: Final = (
    (0x00A0, 0x00FF), (0x20A0, 0x20CF), (0x2100, 0x214F), (0x2200, 0x22FF), (0x2336, 0x237A),
    (0x2500, 0x257F), (0x25A0, 0x25FF), (0xA490, 0xA4CF), (0x1F100, 0x1F1FF),
)  # fmt: skip
"""Where decancer is believed about signs; elsewhere it reads flowers and arrows as letters."""

DIGIT_LETTERS: Final = {
    "0": "o", "1": "il", "2": "z", "3": "ez", "4": "a",
    "5": "s", "6": "gb", "7": "t", "8": "b", "9": "gq",
}  # fmt: skip
"""Letters that a digit stands for, most likely first."""
ORDINARY: Final = frozenset("ÆæÐðÞþßẞıĲĳŉŊŋŒœƏəĸſ")
"""Letters of today's languages that are neither decomposed nor named 'WITH'."""
NUMBERS: Final = {
    word: str(value)
    for value, word in enumerate(
        ("ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE", "TEN")
    )
}
LETTER_NAME: Final = re.compile(
    r"(?:TAG|REGIONAL INDICATOR SYMBOL|NEGATIVE CIRCLED|NEGATIVE SQUARED|CROSSED NEGATIVE SQUARED"
    r"|RAISED|COMBINING|PARENTHESIZED|TORTOISE SHELL BRACKETED)"
    r"(?: LATIN)?(?: (?:CAPITAL|SMALL))? LETTER (?:SMALL CAPITAL )?([A-Z])"
)
DIGIT_NAME: Final = re.compile(
    r"(?:TAG|DINGBAT .*|.*CIRCLED.*|.*SEGMENTED|OUTLINED) (?:DIGIT|NUMBER) ([A-Z]+)"
)
SMALL_CAPITAL: Final = re.compile(r"LATIN LETTER SMALL CAPITAL ([A-Z]+)")


class Table:
    """Works out the readings of each code point from all sources."""

    def __init__(
        self, characters: dict[int, Character], curated: dict[int, Row], out: frozenset[int]
    ) -> None:
        self._characters = characters
        self._curated = curated
        self._out = out
        self._decancer = importlib.import_module("decancer_py")
        self._named = {c.name: c for c in characters.values() if c.name}
        self._rows: dict[int, Row | None] = {}

    def row(self, code: int) -> Row | None:
        """Return what a code point reads as, if it reads as Latin."""
        if code not in self._rows:
            self._rows[code] = None  # ends circles
            self._rows[code] = self._make(self._characters[code])
        return self._rows[code]

    def _make(self, character: Character) -> Row | None:
        code = character.code
        text = chr(code)
        if code in self._out or (text.isascii() and text.isalpha()):
            return None
        curated = self._curated.get(code)
        readings = list(curated.readings) if curated else []
        if not curated or character.script in SCRIPTS:
            derived = self._derived(character)
            readings += derived
            readings += self._from_skeleton(character)
            # A letter of Latin that a normal form or its name explains needs no look-alike.
            known = derived and (character.nfkc != chr(code) or character.script == "Latn")
            if not curated and not known:
                readings += self._from_decancer(character)
        for digit in [reading for reading in readings if reading in DIGIT_LETTERS]:
            readings += DIGIT_LETTERS[digit]
        if _zero(character) and "o" in readings and not text.isascii():
            readings = ["o", "0"]
        readings = [r for r in dict.fromkeys(readings) if r != text]
        if not readings:
            return None
        kind = (curated and curated.kind) or self._kind(character)
        if kind == "accent" and not curated and readings[:2] in (["i", "l"], ["l", "i"]):
            readings = readings[:1]  # under an accent I and l are told apart
        return Row(tuple(readings), kind)

    def _derived(self, character: Character) -> list[str]:
        """Return readings by normal forms and by name."""
        code, name = character.code, character.name
        if chr(code).isascii():
            return []
        for pattern in (LETTER_NAME, SMALL_CAPITAL):
            match = pattern.fullmatch(name)
            if match and len(match[1]) == 1:
                return self._read(match[1])
        match = DIGIT_NAME.fullmatch(name)
        if match and match[1] in NUMBERS:
            return [NUMBERS[match[1]]]
        if name.startswith(("VULGAR FRACTION", "FRACTION")):
            return []
        taken = character.script in SCRIPTS
        # Not the forms of ideographs: only those of a "font" read as letters.
        chosen = (
            len(character.nfkc) == 1
            and ord(character.nfkc) in self._curated
            and not IDEOGRAPHS[0] <= ord(character.nfkc) <= IDEOGRAPHS[1]
        )
        if character.nfkc != chr(code) and (taken or chosen or character.nfkc.isascii()):
            found = self._read(character.nfkc)
            if found or character.category[0] != "L":
                return found
        if not taken or IDEOGRAPHS[0] <= code <= IDEOGRAPHS[1]:
            return []
        if len(character.nfd) > 1:
            return self._read(character.nfd)
        base = self._named.get(name.split(" WITH ")[0]) if " WITH " in name else None
        return self._read(chr(base.code)) if base else []

    def _read(self, text: str) -> list[str]:
        """Return the readings of a text: all of a single letter's, the first of each of many."""
        shown = [
            c for c in text
            if (c.isascii() and c.isalnum())
            or self._characters[ord(c)].category[0] not in ("M", "Z", "C", "P", "S")
        ]  # fmt: skip
        if not shown and len(text) == 1:
            shown = [text]  # a full-width or small form of a sign that reads as a letter
        readings: list[list[str]] = []
        for c in shown:
            if c.isascii() and c.isalnum():
                readings.append({"I": ["i", "l"], "l": ["l", "i"]}.get(c, [c.lower()]))
            else:
                row = self.row(ord(c))
                if row is None:
                    return []
                readings.append(list(row.readings))
        if len(readings) == 1:
            return readings[0]
        return ["".join(each[0] for each in readings)] if readings else []

    def _from_skeleton(self, character: Character) -> list[str]:
        code = character.code
        if chr(code).isascii() or not self._open(character):
            return []
        text = "".join(c for c in character.skeleton if self._characters[ord(c)].category[0] != "M")
        if not (text.isascii() and text.isalnum()):
            return []
        if text == "l":  # the prototype of I, 1 and | too
            return ["i", "l"] if character.category == "Lu" else ["l", "i"]
        return ["m" if text == "rn" else text.lower()]

    def _from_decancer(self, character: Character) -> list[str]:
        code = character.code
        if chr(code).isascii() or not self._open(character):
            return []
        if character.category[0] in "MC":
            return []
        if character.category[0] in "PS" and not any(a <= code <= b for a, b in SIGN_BLOCKS):
            return []
        try:
            text = str(self._decancer.parse(f"x{chr(code)}x", disable_bidi=True))[1:-1]
        except ValueError:
            return []
        return [text.lower()] if text.isascii() and text.isalnum() else []

    def _open(self, character: Character) -> bool:
        """Return whether sources of look-alikes are believed for this code point."""
        if character.script not in SCRIPTS:
            return _zero(character)
        return not IDEOGRAPHS[0] <= character.code <= IDEOGRAPHS[1]

    def _kind(self, character: Character) -> str:
        code, name, category = character.code, character.name, character.category
        text = chr(code)
        if category == "Nd" and text.isascii():
            return "digit"
        if text.isascii():
            return "symbol"
        if "SMALL CAPITAL" in name and character.script == "Latn":
            return "small_capital"
        if character.nfkc != text and not (len(character.nfd) > 1 and character.nfkc != ""):
            if category[0] in "SP" and not any(c.isalnum() for c in character.nfkc):
                return "symbol"
            return "compatibility"
        if LETTER_NAME.fullmatch(name) or DIGIT_NAME.fullmatch(name) or name.startswith(
            ("NEGATIVE SQUARED", "SQUARED")
        ):  # fmt: skip
            return "compatibility"
        if character.script == "Latn" and (
            text in ORDINARY
            or (len(character.nfd) > 1 and character.nfd[0].isascii())
            or re.match(r"LATIN (CAPITAL|SMALL) (LETTER|LIGATURE) ([A-Z]|AE|O|ENG) WITH ", name)
        ):
            return "accent"
        if category == "Nd":
            return "digit"
        if category[0] in "SP":
            return "symbol"
        return "script"

    def rows(self) -> dict[int, Row]:
        """Return the whole table."""
        found = {}
        for code in sorted(self._characters):
            row = self.row(code)
            if row:
                found[code] = row
        return found


def _zero(character: Character) -> bool:
    return character.category == "Nd" and character.name.endswith("DIGIT ZERO")
