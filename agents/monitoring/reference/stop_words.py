"""Words that stand in any listing: function words, what every offer says, names of goods."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal, get_args

from agents.monitoring.data_files import MEND, line_of, read_yaml
from agents.monitoring.marks import words_of
from agents.monitoring.reference import UNSPACED, ReferenceDataError

Kind = Literal["function", "market", "goods"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
LONGEST: Final = 4
"""Words of the longest entry."""
LONGEST_RUN: Final = 12
"""Characters of the longest entry that a run without spaces is taken apart into."""
_APART: Final = "tell words apart"
_FILE: Final = Path(__file__).with_name("stop_words.yaml")


@dataclass(frozen=True)
class StopWords:
    """The stop words of all languages, by the words they read as."""

    version: int
    languages: tuple[str, ...]
    _entries: dict[tuple[str, ...], dict[str, Kind]]
    """By the words of an entry, its kind in each language that has it."""

    def language_of(self, text: str, kinds: Sequence[Kind] = KINDS) -> str:
        """Return the language in which a text is nothing but stop words; '' where it is more.

        Case, accents, and what is put between words do not matter. Words of several languages make
        no stop word together ('New Era'), nor do single letters.
        """
        words = [word for word in words_of(text) if any(map(str.isalnum, word))]
        if not any(len(word) > 1 or UNSPACED.search(word) for word in words):
            return ""
        return next((one for one in self.languages if self._covers(one, words, kinds)), "")

    def _covers(self, language: str, words: Sequence[str], kinds: Sequence[Kind]) -> bool:
        place = 0
        while place < len(words):
            for length in range(min(LONGEST, len(words) - place), 0, -1):
                if self._is(language, tuple(words[place : place + length]), kinds):
                    place += length
                    break
            else:
                return False
        return True

    def _is(self, language: str, words: tuple[str, ...], kinds: Sequence[Kind]) -> bool:
        if self._entries.get(words, {}).get(language) in kinds:
            return True
        if len(words) > 1 or not UNSPACED.search(words[0]):
            return False
        # A run of words without spaces: two characters each at least.
        run, ends = words[0], {0}
        for start in range(len(run)):
            if start in ends:
                for end in range(start + 2, min(start + LONGEST_RUN, len(run)) + 1):
                    if self._entries.get((run[start:end],), {}).get(language) in kinds:
                        ends.add(end)
        return len(run) in ends


@cache
def stop_words() -> StopWords:
    """Return the shipped stop words.

    Raises:
        ReferenceDataError: the file is broken.
    """
    return read_stop_words(_FILE)


def read_stop_words(path: Path) -> StopWords:
    """Return the stop words of a file.

    Raises:
        ReferenceDataError: it is broken; names file, line, what is wrong and what to do.
    """
    data = read_yaml(path, ReferenceDataError)

    def refuse(problem: str, *keys: str) -> ReferenceDataError:
        return ReferenceDataError(f"{path.name}:{line_of(path, *keys)}: {problem}; {MEND}")

    if not isinstance(data, dict) or not isinstance(data.get("version"), int):
        raise refuse("expected a mapping with a version, a number", "version")
    languages = data.get("languages")
    if not isinstance(languages, dict) or not languages:
        raise refuse("expected languages, each with its groups of words", "languages")
    entries: dict[tuple[str, ...], dict[str, Kind]] = {}
    for language, groups in languages.items():
        where = ("languages", str(language))
        if not isinstance(groups, dict):
            raise refuse(f"'{language}': expected groups of words", *where)
        unknown = set(groups) - {*KINDS, "accents"}
        if unknown or groups.get("accents", _APART) != _APART:
            name = str(min(unknown, default="accents", key=str))
            known = f"{', '.join(KINDS)} and 'accents: {_APART}'"
            raise refuse(f"'{name}': there are {known}", *where, name)
        for kind in KINDS:
            words, problem = _words(groups.get(kind))
            if problem:
                raise refuse(f"'{kind}': {problem}", *where, kind)
            for word in words:
                for way in _ways(word, bare="accents" not in groups):
                    entries.setdefault(way, {}).setdefault(str(language), kind)
    return StopWords(data["version"], tuple(languages), entries)


def _words(text: object) -> tuple[list[str], str]:
    """Return the entries of a group, and what is wrong with it; '' for nothing."""
    if not isinstance(text, str) or not text.strip():
        return [], "expected words with spaces between"
    seen: set[str] = set()
    for word in text.split():
        if word != word.lower():
            return [], f"'{word}' has capitals, and the texts it is tried on have none"
        if word in seen:
            return [], f"'{word}' stands there twice"
        if not 0 < len(words_of(word.replace("_", " "))) <= LONGEST:
            return [], f"'{word}': one to {LONGEST} words are needed"
        seen.add(word)
    return [word.replace("_", " ") for word in text.split()], ""


def _ways(word: str, *, bare: bool) -> Iterator[tuple[str, ...]]:
    """Yield the words an entry reads as, and those without its accents."""
    yield words_of(word)
    if bare:
        plain = unicodedata.normalize("NFD", word)
        plain = "".join(itertools.filterfalse(unicodedata.combining, plain))
        yield words_of(plain.replace("ı", "i").replace("ł", "l"))
