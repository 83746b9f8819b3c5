"""Finds marks in text, on word boundaries, in every reading."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as detail
from functools import cache
from typing import Final, cast

import hyperscan

from agents.monitoring import byte_patterns
from agents.monitoring.folding import Reading, folded_reading, plain_reading, readings

_SEPARATORS: Final = re.compile(r"[\s\-_.'’‐-―]+")
_BETWEEN_WORDS: Final = r"[\s\-_.'’‐-―]{0,3}"
_BOUNDLESS: Final = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "HALFWIDTH")
"""Scripts written without spaces between words: a mark may stand in the middle of a run."""


@dataclass(frozen=True, slots=True)
class MarkMatch:
    """A mark that was found: where it stood in the original text and how it was read."""

    mark: int
    field: str
    start: int
    end: int
    text: str
    folds: tuple[str, ...]
    reading: Reading = detail(compare=False, repr=False)
    read_start: int = detail(compare=False, repr=False)
    read_end: int = detail(compare=False, repr=False)

    @property
    def hidden(self) -> bool:
        """Whether plain reading would not find it."""
        return self.reading.folded


def words_of(mark: str) -> tuple[str, ...]:
    """Return the words of a mark as they read: `Coca-Cola` gives ('coca', 'cola')."""
    return tuple(word for word in _SEPARATORS.split(folded_reading(mark).strip()) if word)


def spellings(mark: str) -> frozenset[tuple[str, ...]]:
    """Return the ways a mark is plainly written: with its accents, decomposed, and without."""
    ways = {mark, unicodedata.normalize("NFC", mark), unicodedata.normalize("NFD", mark)}
    decomposed = unicodedata.normalize("NFD", mark)
    ways.add("".join(c for c in decomposed if not "\u0300" <= c <= "\u036f"))
    plain = {
        tuple(word for word in _SEPARATORS.split(plain_reading(way).strip()) if word)
        for way in ways
    }
    return frozenset(way for way in {*plain, *(words_of(way) for way in ways)} if way)


@cache
def _script(character: str) -> str:
    return unicodedata.name(character, "?").split(" ", 1)[0].split("-", 1)[0]


def _joined(outside: str, inside: str) -> bool:
    """Return whether two neighbouring characters belong to one word."""
    if not inside.isalnum():
        return False
    if unicodedata.category(outside) == "Mn":
        return True  # a mark over the letter before: it is another letter
    if not outside.isalnum():
        return False
    if _script(inside) in _BOUNDLESS:
        return False
    return outside.isdigit() or inside.isdigit() or _script(outside) == _script(inside)


def on_word_boundaries(text: str, start: int, end: int) -> bool:
    """Return whether `text[start:end]` is not part of a longer word.

    Letters of another script and of scripts without spaces end a word: in `รองเท้าNIKE` the mark
    stands alone. Python's `\\b` misses that in five of five Thai and Chinese titles.
    """
    if start > 0 and _joined(text[start - 1], text[start]):
        return False
    if end < len(text):
        following, last = text[end], text[end - 1]
        if unicodedata.category(following) == "Mn":
            return _script(last) in _BOUNDLESS
        return not _joined(following, last)
    return True


class MarkMatcher:
    """All marks of a registry, compiled. Immutable; built aside and swapped in.

    Not for use from two threads at once: Hyperscan's scratch space belongs to one scan at a time.
    """

    def __init__(self, marks: Sequence[str]) -> None:
        """Compile `marks`; a mark is known by its index from here on."""
        self.marks = tuple(marks)
        self._spellings = [spellings(mark) for mark in marks]
        self._patterns: dict[int, re.Pattern[str]] = {}
        expressions: list[bytes] = []
        ids: list[int] = []
        for index, ways in enumerate(self._spellings):
            for words in sorted(ways):
                expressions.append(byte_patterns.mark(words))
                ids.append(index)
        _suspicions()  # half a second, once a process: not while the first listing waits
        # Hyperscan compiles no empty set; nothing is scanned when there are no marks.
        self._marks = _compile(expressions or [b"(no marks)"], ids or [0])

    def may_match(self, texts: Sequence[bytes]) -> bool:
        """Return whether a listing with these UTF-8 texts may name a mark.

        Conservative: False means that `find` finds nothing in them.
        """
        if not self.marks:
            return False
        joined = b"\n%b\n" % b"\n".join(texts)
        found: set[int] = set()
        self._marks.scan(joined, match_event_handler=_collect, context=found)
        if not found and not joined.isascii():
            _suspicions().scan(joined, match_event_handler=_collect, context=found)
        return bool(found)

    def find(self, fields: Mapping[str, str]) -> list[MarkMatch]:
        """Return every mark in these texts, in the order of fields and positions.

        Where matches of different marks overlap, the longest stands ('Apple Watch', not 'Apple').
        What the plain reading finds is not hidden, even if the folded one finds it again.
        """
        if not self.marks:
            return []
        read = {name: readings(text) for name, text in fields.items() if text}
        joined = "\n".join(["", *(r.text for all_ in read.values() for r in all_), ""])
        candidates: set[int] = set()
        self._marks.scan(
            joined.encode("utf-8", "replace"), match_event_handler=_collect, context=candidates
        )
        matches: list[MarkMatch] = []
        if not candidates:
            return matches
        for name, all_ in read.items():
            found: list[MarkMatch] = []
            for reading in all_:
                found.extend(
                    match
                    for mark in sorted(candidates)
                    for match in self._in_reading(mark, name, reading)
                    if not (reading.folded and _covered(match, found))
                )
            matches.extend(_longest(found))
        return matches

    def _in_reading(self, mark: int, name: str, reading: Reading) -> Iterator[MarkMatch]:
        for hit in self._pattern(mark).finditer(reading.text):
            if not on_word_boundaries(reading.text, hit.start(), hit.end()):
                continue
            start, end = reading.span(hit.start(), hit.end())
            yield MarkMatch(
                mark,
                name,
                start,
                end,
                reading.original[start:end],
                reading.folds(start, end) if reading.folded else (),
                reading,
                hit.start(),
                hit.end(),
            )

    def _pattern(self, mark: int) -> re.Pattern[str]:
        pattern = self._patterns.get(mark)
        if pattern is None:
            ways = sorted(self._spellings[mark], key=lambda words: (-len("".join(words)), words))
            pattern = re.compile(
                "|".join(_BETWEEN_WORDS.join(re.escape(word) for word in words) for words in ways)
            )
            self._patterns[mark] = pattern
        return pattern


@cache
def _suspicions() -> hyperscan.Database:
    """Return the database of what may hide a mark: the same for every registry."""
    patterns = byte_patterns.suspicions()
    return _compile(patterns, range(len(patterns)))


def _compile(expressions: Sequence[bytes], ids: Sequence[int]) -> hyperscan.Database:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=list(expressions),
        ids=list(ids),
        elements=len(expressions),
        flags=hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_DOTALL,
    )
    return database


def _collect(id_: int, start: int, end: int, flags: int, context: object) -> None:  # noqa: ARG001
    cast(set[int], context).add(id_)


def _covered(match: MarkMatch, others: Iterable[MarkMatch]) -> bool:
    return any(
        other.mark == match.mark and other.start < match.end and match.start < other.end
        for other in others
    )


def _longest(matches: Sequence[MarkMatch]) -> list[MarkMatch]:
    """Drop each match that lies within a longer one of another mark; order by position."""
    kept = [
        match
        for match in matches
        if not any(
            other.start <= match.start
            and match.end <= other.end
            and other.end - other.start > match.end - match.start
            for other in matches
        )
    ]
    return sorted(kept, key=lambda match: (match.start, match.end, match.mark))
