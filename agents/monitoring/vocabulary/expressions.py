"""The entries of vocabulary files, looked for at once, in time linear in the text.

An entry is a regular expression that Hyperscan and RE2 take: no look-around, no back-reference.
They run it as an automaton, so no text can make one slow. Of 100,000 that the files have all but
1,000 stand for a few texts, which are looked for as such (`phrases.py`).
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import hyperscan

from agents.monitoring.folding import fold_of, folded_reading
from agents.monitoring.vocabulary.database import Database, Match, Sought, refusal
from agents.monitoring.vocabulary.expansion import begun, branches, literals
from agents.monitoring.vocabulary.phrases import Hit, Phrases, script_of, with_ending

_BASES: Final = {"ı": "i", "ł": "l", "đ": "d", "ø": "o"}
"""Letters that are written without their stroke or dot and have no decomposition."""

_SPACES: Final = re.compile(" {2,}")
_ANY: Final = re.compile(r"(?<!\\)\.(?![*+{]|[^\[]*\])")
_APOSTROPHE: Final = "['’‘`ʼ ]"


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
    next: bool = False
    """Whether it excuses only with no word between."""


def pattern_of(source: str, *, accents: bool) -> str:
    """Return an entry's expression as it is compiled.

    Letters beyond ASCII are folded as the texts are. An accented letter also stands
    for the bare one, unless `accents` tell words apart (Vietnamese). A full stop is an apostrophe,
    whatever is written for one, unless it repeats ('.{0,40}').
    """
    source = _ANY.sub(_APOSTROPHE, source)
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
            folded = fold_of(character)[0]
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

    Not for use from two threads at once: see `Phrases` and `Database`.
    """

    def __init__(self, entries: Iterable[Entry], *, before: str = "", behind: str = "") -> None:
        """Compile `entries`, each between the expressions `before` and `behind`.

        Raises:
            VocabularyError: Hyperscan does not take an entry, or too many stand for one text; says
                which.
        """
        self.entries = tuple(entries)
        texts: dict[str, list[int]] = {}
        others: list[Sought] = []
        # What several languages say alike is looked for once.
        alike: set[tuple[str, str, bool, str, int]] = set()
        for index, entry in enumerate(self.entries):
            for branch in branches(entry.pattern):
                written, noted = _written_out(branch, index, alone=not before and not behind)
                ending = with_ending(index, 0) - noted if noted < 0 else -1
                pattern = (
                    f"{before}{_edge(branch, before)}(?:{branch})"
                    f"{_edge(branch[::-1], behind)}{behind}"
                )
                for sought in (pattern,) if written is None else written:
                    key = (entry.group, entry.excuses, entry.beside, sought, ending)
                    if key in alike:
                        continue
                    alike.add(key)
                    if written is None:
                        others.append(Sought(sought.encode(), index))
                    else:
                        texts.setdefault(sought, []).append(noted)
        try:
            self._phrases = Phrases(texts)
            self._others = Database(others)
        except ValueError as error:
            raise VocabularyError(str(error)) from None
        except hyperscan.error as error:
            for expression in others:
                if reason := refusal(expression.pattern.decode()):
                    entry = self.entries[expression.noted]
                    raise VocabularyError(_where(entry, reason)) from None
            raise VocabularyError(str(error)) from None

    def hits(self, text: str) -> list[Hit]:
        """Return where entries stand as whole words, the longest from each start, in order.

        Counted in the folded reading of the text; a hyphen, a low line and a run of spaces read as
        one space. Letters of a script without spaces need no boundary.
        """
        lines = self._phrases.find((text,))
        hits = lines.hits.get(0, [])
        others = self._others.matches(lines.data)
        return _merged(hits, _standing(text, lines.data, others)) if others else hits

    def hits_of(self, texts: Sequence[str]) -> dict[int, list[Hit]]:
        """Return the hits of texts by their position, in order; of those that have any.

        Read together: a call and a scan cost 5 µs, however short the text.
        """
        lines = self._phrases.find(texts)
        ends = self._others.ends(lines.data)
        if not ends:
            return lines.hits
        # Those that an expression may match, over the end of a line perhaps, are read alone.
        for number in sorted({bisect_left(lines.starts, end) - 1 for end in ends}):
            lines.hits[number] = self.hits(texts[number])
        return {number: lines.hits[number] for number in sorted(lines.hits) if lines.hits[number]}


def _written_out(branch: str, index: int, *, alone: bool) -> tuple[list[str] | None, int]:
    """Return the texts that an alternative stands for, and what the entry is noted as.

    None where they are many, or something has to stand beside them.
    """
    if not alone:
        return None, index
    texts = literals(branch)
    if texts is not None and all(texts):
        return texts, index
    words = begun(branch)
    return (words[0], with_ending(index, words[1])) if words is not None else (None, index)


def _merged(hits: Sequence[Hit], others: Iterable[Hit]) -> list[Hit]:
    """Return all hits in order, the longest of each entry from each start."""
    longest = {(entry, start): end for entry, start, end in hits}
    for entry, start, end in others:
        if end > longest.get((entry, start), -1):
            longest[entry, start] = end
    merged = [Hit(entry, start, end) for (entry, start), end in longest.items()]
    merged.sort(key=lambda hit: (hit.start, -hit.end, hit.entry))
    return merged


def _standing(text: str, raw: bytes, found: Sequence[Match]) -> list[Hit]:
    """Return the matches in a text, read as `raw`, that stand alone.

    So do those with no neighbour that is of the word: a letter or digit of one script.
    """
    read = raw.decode()
    places, count = _places(raw, found), len(read)
    hits: list[Hit] = []
    for entry, first, last in found:
        start, end = places[first], places[last]
        if start and (script := script_of(read[start - 1])) and script == script_of(read[start]):
            continue
        if end < count and (script := script_of(read[end])) and script == script_of(read[end - 1]):
            continue
        hits.append(Hit(entry, start, end))
    spaced = folded_reading(text).replace("-", " ").replace("_", " ")
    return _unsqueezed(spaced, hits) if hits and len(spaced) != count else hits


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
