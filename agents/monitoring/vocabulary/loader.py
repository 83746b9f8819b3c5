"""Compiles a language's vocabulary and reads a text with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import yaml

NEAR: Final = 80
"""Characters between a mark and a word in a description that still speaks of it *(start value)*."""
BESIDE: Final = 3
"""Characters between a mark and a word that counts only right beside it."""
AROUND: Final = 12
"""Characters between a mark and a word of imitation ('inspired by the MARK')."""
CONTEXT: Final = 24
"""Characters around a word in which its innocent context is looked for."""

Kind = Literal["replica", "inspired"]

_GROUPS: Final = {
    "replica": ("strong", "beside", "title", "inspired"),
    "negation": ("before", "after"),
    "nominative": ("before", "filler", "after"),
}
_LISTS: Final = ("context", "used")


class VocabularyError(ValueError):
    """A vocabulary file that can't be used: names the file, the entry and what is wrong."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A word of the vocabulary in a reading: its kind, its span there, what it says."""

    kind: Kind
    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Vocabulary:
    """One language, compiled. Texts are folded readings; spans are in them."""

    language: str
    version: int
    _strong: re.Pattern[str]
    _beside: re.Pattern[str]
    _title: re.Pattern[str]
    _inspired: re.Pattern[str]
    _negated_before: re.Pattern[str]
    _negated_after: re.Pattern[str]
    _context: re.Pattern[str]
    _used: re.Pattern[str]
    _nominative_before: re.Pattern[str]
    _nominative_after: re.Pattern[str]

    def replica_words(
        self,
        text: str,
        marks: Sequence[tuple[int, int]],
        *,
        title: bool = False,
        whole: bool = False,
    ) -> list[Finding]:
        """Return what calls the goods copies, in order, none within another.

        `marks` are the spans of the mark in `text`. In a title a word counts wherever it stands;
        elsewhere it has to stand near a mark, unless `whole` says that all of the text is about the
        goods of the mark: then strong words count anywhere. Words under a negation ('not a
        replica') or in an innocent context ('1:18 scale model', 'AAA batteries') do not count.
        """
        everything = [(0, len(text))]
        strong = everything if title or whole else marks
        found: list[Finding] = []
        for kind, pattern, near, reach in (
            ("replica", self._strong, strong, NEAR),
            ("replica", self._beside, marks, BESIDE),
            ("replica", self._title, everything if title else (), 0),
            ("inspired", self._inspired, marks, AROUND),
        ):
            for hit in pattern.finditer(text):
                start, end = hit.span()
                if not _within(start, end, near, reach):
                    continue
                if any(start < other.end and other.start < end for other in found):
                    continue
                if any(start < last and first < end for first, last in marks):
                    continue  # the word is the mark's own
                if self._negated(text, start, end) or self._innocent(text, start, end):
                    continue
                found.append(
                    Finding("inspired" if kind == "inspired" else "replica", start, end, hit[0])
                )
        return sorted(found, key=lambda finding: finding.start)

    def _negated(self, text: str, start: int, end: int) -> bool:
        before = text[max(0, start - 60) : start]
        return bool(self._negated_before.search(before) or self._negated_after.match(text, end))

    def _innocent(self, text: str, start: int, end: int) -> bool:
        window = max(0, start - CONTEXT)
        return any(
            hit.start() <= end - window + 2 and hit.end() >= start - window - 2
            for hit in self._context.finditer(text[window : end + CONTEXT])
        )

    def nominative(self, text: str, start: int, end: int) -> bool:
        """Return whether the mark at this span names what the goods are *for*."""
        return bool(
            self._nominative_before.search(text[max(0, start - 60) : start])
            or self._nominative_after.match(text, end)
        )

    def says_used(self, text: str) -> bool:
        """Return whether the text says that the goods are second-hand."""
        return bool(self._used.search(text))


def _within(start: int, end: int, spans: Sequence[tuple[int, int]], reach: int) -> bool:
    return any(start <= last + reach and end >= first - reach for first, last in spans)


@cache
def load(language: str = "en") -> Vocabulary:
    """Return the shipped vocabulary of a language.

    Raises:
        VocabularyError: the file is broken.
    """
    path = Path(__file__).with_name(f"{language}.yaml")
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    return compile_vocabulary(data, path.name)


def compile_vocabulary(data: Any, name: str) -> Vocabulary:
    """Return the vocabulary of a parsed file; `name` stands in the errors."""
    entries: dict[str, list[str]] = {}
    for group, keys in _GROUPS.items():
        for key in keys:
            entries[f"{group}.{key}"] = _strings(
                data.get(group, {}).get(key, []), name, f"{group}.{key}"
            )
    for key in _LISTS:
        entries[key] = _strings(data.get(key, []), name, key)
    for where, texts in entries.items():
        for text in texts:
            try:
                re.compile(text)
            except re.error as error:
                raise VocabularyError(f"{name}: {where}: {text!r}: {error}") from None
    filler = _any(entries["nominative.filler"])
    return Vocabulary(
        language=str(data.get("language", "")),
        version=int(data.get("version", 0)),
        _strong=_words(entries["replica.strong"]),
        _beside=_words(entries["replica.beside"]),
        _title=_words(entries["replica.title"]),
        _inspired=_words(entries["replica.inspired"]),
        _negated_before=re.compile(rf"(?<!\w){_any(entries['negation.before'])}\s*$"),
        _negated_after=re.compile(_any(entries["negation.after"])),
        _context=_words(entries["context"]),
        _used=_words(entries["used"]),
        _nominative_before=re.compile(
            rf"(?<!\w){_any(entries['nominative.before'])}[\s:]+(?:{filler}[\s,/&]+){{0,3}}$"
        ),
        _nominative_after=re.compile(rf"\s*{_any(entries['nominative.after'])}(?!\w)"),
    )


def _strings(value: Any, name: str, where: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise VocabularyError(f"{name}: {where}: expected a list of texts")
    return value


def _any(expressions: Sequence[str]) -> str:
    return f"(?:{'|'.join(expressions)})" if expressions else r"(?!)"


def _words(expressions: Sequence[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w]){_any(expressions)}(?!\w)")
