"""The entries of vocabulary files, looked for at once, in time linear in the text.

An entry is a regular expression that Hyperscan and RE2 take: no look-around, no back-reference.
They run it as an automaton, so no text can make one slow.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import hyperscan

from agents.monitoring.vocabulary.database import Database, Match, Sought, refusal
from agents.monitoring.vocabulary.expansion import branches, escaped, literals

_BASES: Final = {"ı": "i", "ł": "l", "đ": "d", "ø": "o"}
"""Letters that are written without their stroke or dot and have no decomposition."""

SHORT: Final = 3
"""Bytes of a literal below which it stands inside many other words."""
SHORT_IN_TEXTS: Final = 5
"""The same where whole texts are searched."""

EDGED: Final = 4
"""Letters of a literal, at most, that is looked for as a word: longer ones are seldom met within
others, and with boundaries all groups take over eight times as long to compile."""

_SPACES: Final = re.compile(" {2,}")
_ACROSS: Final = re.compile(r"\\[sDWnvhHVNRXC]")
"""What may match the end of a line, classes such as [^a] apart; a full stop does not."""
_BUT: Final = re.compile(r"(?<!\\)\[\^")
_INFLECTED: Final = re.compile(r"(?:\[[^\]\\]*\]|\\w)\*$")
"""How an expression ends that takes any ending: the word's beginning is looked for as a literal."""


class VocabularyError(ValueError):
    """A vocabulary file that can't be used: names the file, the entry and what is wrong."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An expression of a vocabulary file: where it stands, and how it is compiled."""

    language: str
    group: str
    source: str
    pattern: str
    excuses: str = ""
    """For an innocent neighbour: the words that it excuses, as an expression."""
    beside: bool = False
    """Whether it excuses only with few words between."""


class Hit(NamedTuple):
    """Where an entry, by its index, stands in a text: a half-open span of code points."""

    entry: int
    start: int
    end: int


def pattern_of(source: str, *, accents: bool) -> str:
    """Return an entry's expression as it is compiled.

    Letters beyond ASCII are folded as the texts are (NFKC, case). An accented letter also stands
    for the bare one, unless `accents` tell words apart (Vietnamese).
    """
    if source.isascii():
        return source
    parts: list[str] = []
    in_class = escaped = False
    for character in source:
        if escaped:
            parts.append(f"\\{character}")
            escaped = False
        elif character == "\\":
            escaped = True
        elif character.isascii():
            in_class = character == "[" or (in_class and character != "]")
            parts.append(character)
        else:
            folded = unicodedata.normalize("NFKC", character.casefold()).casefold()
            base = "" if accents else _base(folded)
            if not base:
                parts.append(folded)
            else:
                parts.append(f"{base}{folded}" if in_class else f"[{base}{folded}]")
    return "".join(parts)


def for_python(pattern: str) -> re.Pattern[str]:
    """Return a compiled expression for one match to be compared with whole, as the text has it."""
    return re.compile(re.sub(r" (\??)", lambda gap: "[ _-]*" if gap[1] else "[ _-]+", pattern))


def _base(letter: str) -> str:
    """Return the ASCII letter under an accented one; '' where there is none."""
    base = _BASES.get(letter) or unicodedata.normalize("NFD", letter)[:1]
    return base if base != letter and base.isascii() and base.isalpha() else ""


class Expressions:
    """Entries, compiled.

    Not for use from two threads at once: Hyperscan's scratch space belongs to one scan at a time.
    """

    def __init__(
        self, entries: Iterable[Entry], *, before: str = "", behind: str = "", rare: bool = False
    ) -> None:
        """Compile `entries`, each between the expressions `before` and `behind`.

        `rare` says that they are looked for in whole texts, where few should be met by chance.

        Raises:
            VocabularyError: Hyperscan does not take an entry, or it may reach over the end of a
                text that is read with others; says which.
        """
        self.entries = tuple(entries)
        for entry in self.entries if rare else ():
            if across := _ACROSS.search(entry.pattern):
                reason = f"'{across[0]}' may match a line's end; list what it stands for"
                raise VocabularyError(_where(entry, reason))
        short = SHORT_IN_TEXTS if rare else SHORT
        sought: dict[tuple[str, str, bool, bytes, bool], Sought] = {}
        for index, entry in enumerate(self.entries):
            for branch in branches(entry.pattern):
                for expression in _sought(branch, index, before, behind, short=short, rare=rare):
                    # What several languages say alike is looked for once.
                    alike = (entry.group, entry.excuses, entry.beside)
                    key = (*alike, expression.pattern, expression.noted < 0)
                    sought.setdefault(key, expression)
        try:
            self._database = Database(list(sought.values()))
        except hyperscan.error as error:
            for expression in sought.values():
                if reason := refusal(expression.pattern.decode()):
                    entry = self.entries[max(expression.noted, ~expression.noted)]
                    raise VocabularyError(_where(entry, reason)) from None
            raise VocabularyError(str(error)) from None

    def hits(self, text: str) -> list[Hit]:
        """Return where entries stand as whole words, the longest from each start, in order.

        A hyphen, a low line and a run of spaces read as one space: sellers write 'super clone',
        'super-clone', 'super_clone'. Letters of a script without spaces need no boundary.
        """
        spaced = text.replace("-", " ").replace("_", " ")
        read = spaced
        while "  " in read:  # a tenth of the time of an expression
            read = read.replace("  ", " ")
        raw = read.encode("utf-8", "replace")
        found = self._database.matches(raw)
        if not found:
            return []
        longest = _alone(raw, found) if len(raw) == len(read) else _alone_in(read, raw, found)
        hits = [
            Hit(entry, start, -end)
            for start, end, entry in sorted(
                (start, -end, entry) for (entry, start), end in longest.items()
            )
        ]
        if hits and len(read) != len(text):
            hits = _unsqueezed(spaced, hits)
            hits.sort(key=lambda hit: (hit.start, -hit.end, hit.entry))
        return hits

    def hits_of(self, texts: Sequence[str]) -> dict[int, list[Hit]]:
        """Return the hits of texts by their position, in order; of those that have any.

        Read as lines of one: a scan costs 3 µs, however short. Nothing reaches over a line's end:
        expressions that may are refused where `rare` is said.
        """
        found: dict[int, list[Hit]] = {}
        joined = "\n".join(texts)
        if joined.count("\n") != len(texts) - 1:
            return {n: hits for n, text in enumerate(texts) if (hits := self.hits(text))}
        hits = self.hits(joined)
        if hits:
            starts = [0, *itertools.accumulate(len(text) + 1 for text in texts)]
            for entry, start, end in hits:
                number = bisect_right(starts, start) - 1
                hit = Hit(entry, start - starts[number], end - starts[number])
                found.setdefault(number, []).append(hit)
        return found


def _sought(
    branch: str, index: int, before: str, behind: str, *, short: int, rare: bool
) -> Iterator[Sought]:
    """Yield what to look for, for one alternative of the entry at `index`: texts, where it can be.

    Of words with any ending the beginning is looked for; they are noted as the complement.
    """
    texts = None if before or behind else literals(branch)
    if texts is not None:
        for text in texts:
            edged = len(text.encode()) < short or len(text) <= EDGED
            pattern = _edged(text) if edged else escaped(text)
            yield Sought(pattern.encode(), index, len(text.encode()))
        return
    if not before and not behind and _INFLECTED.search(branch):
        texts = literals(_INFLECTED.sub("", branch))
        if texts is not None and min(len(text.encode()) for text in texts) >= short:
            for text in texts:
                yield Sought(escaped(text).encode(), ~index, len(text.encode()))
            return
    pattern = f"{before}{_edge(branch, before)}(?:{branch}){_edge(branch[::-1], behind)}{behind}"
    yield Sought((_BUT.sub(r"[^\\n", pattern) if rare else pattern).encode(), index, 0)


def _alone(raw: bytes, found: Sequence[Match]) -> dict[tuple[int, int], int]:
    """Return the longest match of each entry from each start that stands alone, in ASCII."""
    letters = (raw + b" ").translate(_LETTERS)
    longest: dict[tuple[int, int], int] = {}
    begun = ended = -1  # of the word last read: 'batterybatterybattery…' is read once
    for noted, start, last in found:
        entry, end = noted, last
        if noted < 0:  # the beginning of a word: all of it
            entry = ~noted
            if not begun <= end <= ended:
                begun = ended = end
                while letters[ended]:
                    ended += 1
            end = ended
        if (letters[start - 1] and letters[start]) or (letters[end] and letters[end - 1]):
            continue
        if end > longest.get((entry, start), -1):
            longest[entry, start] = end
    return longest


def _alone_in(read: str, raw: bytes, found: Sequence[Match]) -> dict[tuple[int, int], int]:
    """Return the same where code points take several bytes.

    A match stands alone where no neighbour is of the word: a letter or digit of one script.
    """
    longest: dict[tuple[int, int], int] = {}
    places, kinds, count = _places(raw, found), _KINDS, len(read)
    begun = ended = -1
    for noted, first, last in found:
        entry = max(noted, ~noted)
        start, end = places[first], places[last]
        if noted < 0:  # the beginning of a word: all of it
            if not begun <= end <= ended:
                begun = ended = end
                kind = kinds[read[end - 1]]
                while kind and ended < count and kinds[read[ended]] == kind:
                    ended += 1
            end = ended
        if end <= longest.get((entry, start), -1):
            continue
        if start and (kind := kinds[read[start - 1]]) and kind == kinds[read[start]]:
            continue
        if end < count and (kind := kinds[read[end]]) and kind == kinds[read[end - 1]]:
            continue
        longest[entry, start] = end
    return longest


_LETTERS: Final = bytes(byte < 0x80 and chr(byte).isalnum() for byte in range(256))
"""For each byte of ASCII whether it is a letter or a digit."""


def check(entries: Sequence[Entry]) -> None:
    """Compile each entry by itself.

    Raises:
        VocabularyError: an entry can't be compiled, or matches the empty text; says which.
    """
    for entry in entries:
        for pattern in (entry.pattern, entry.excuses):
            if pattern and (reason := refusal(pattern)):
                raise VocabularyError(_where(entry, reason))


def _where(entry: Entry, reason: str) -> str:
    return f"{entry.language}.yaml: {entry.group}: {entry.source!r}: {reason}"


def _edge(pattern: str, neighbour: str) -> str:
    """Return a word boundary where the pattern begins with an ASCII letter or digit.

    Turned round, where it ends with one; never where an expression stands beside it.

    Only to have fewer matches to look at: what stands beside a match is checked after the scan.
    """
    return r"\b" if not neighbour and pattern[0].isascii() and pattern[0].isalnum() else ""


def _edged(text: str) -> str:
    """Return the expression that stands for this text alone, as a word."""
    return f"{_edge(text, '')}{escaped(text)}{_edge(text[::-1], '')}"


def _places(raw: bytes, found: Sequence[Match]) -> dict[int, int]:
    """Return the code point at which each byte offset stands, reading the text once."""
    places: dict[int, int] = {}
    last = count = 0
    for offset in sorted({offset for _, start, end in found for offset in (start, end)}):
        count += len(raw[last:offset].decode())
        places[offset] = count
        last = offset
    return places


def _unsqueezed(spaced: str, hits: Sequence[Hit]) -> list[Hit]:
    """Return the hits where they stand in the text whose runs of spaces were read as one."""
    starts = [0]  # where, in the text as read, a stretch begins that has lost the same spaces
    lost = [0]
    last = max(hit.end for hit in hits)
    for run in _SPACES.finditer(spaced):
        start, end = run.span()
        if start - lost[-1] >= last:
            break
        starts.append(start - lost[-1] + 1)
        lost.append(lost[-1] + end - start - 1)
    return [
        Hit(
            hit.entry,
            hit.start + lost[bisect_right(starts, hit.start) - 1],
            hit.end - 1 + lost[bisect_right(starts, hit.end - 1) - 1] + 1,
        )
        for hit in hits
    ]


class _Kinds(dict[str, str]):
    """The script of each letter or digit that spaces its words, '' for the rest; filled as met."""

    def __missing__(self, character: str) -> str:
        kind = self[character] = _script(character) if character.isalnum() else ""
        return kind


_KINDS: Final = _Kinds()


def _script(character: str) -> str:
    code = ord(character)
    if code < 0x0250 or 0x1E00 <= code < 0x1F00:
        return "Latin"
    if 0x0370 <= code < 0x0530:
        return "Greek or Cyrillic"
    return "Arabic" if 0x0600 <= code < 0x0780 else ""
