"""Reads the vocabulary files of all languages, and refuses what can't be used.

A file is one language (`en.yaml` is the one to read first). Its entries are regular expressions
over the folded reading of a text: lower case, one kind of space, no invisible characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from agents.monitoring.data_files import MEND, DataFileError, line_of, read_yaml
from agents.monitoring.vocabulary.denial import CLOSING, OPENING, Denials
from agents.monitoring.vocabulary.disguised import DisguisedWords
from agents.monitoring.vocabulary.expansion import words_of
from agents.monitoring.vocabulary.expressions import (
    Entry,
    Expressions,
    VocabularyError,
    check,
    pattern_of,
)
from agents.monitoring.vocabulary.misspelt import misspelt
from agents.monitoring.vocabulary.neighbours import CLASSES, Neighbourhood
from agents.monitoring.vocabulary.nominative import NominativeUse
from agents.monitoring.vocabulary.pieces import Pieces
from agents.monitoring.vocabulary.replica import OF_COPYING, REPLICA_GROUPS, ReplicaWords
from agents.monitoring.vocabulary.topics import TOPICS
from agents.monitoring.vocabulary.vocabulary import Vocabulary

_GROUPS: Final = (
    *(f"replica.{name}" for name in REPLICA_GROUPS),
    *dict.fromkeys(f"negation.{name}" for name in (*OPENING, *CLOSING, "between")),
    *(f"nominative.{name}" for name in CLASSES),
    "nominative.unoriginal",
    "innocent",
    "used",
    "new_too",
    "literals",
)
_WHERE_EXCUSED: Final = frozenset(("near", "beside", "next"))
"""Where an innocent neighbour stands: anywhere near, over few words, over none."""
_OF_SLIPS: Final = "title"
"""The group that words of copying are in when they are misspelt."""
_MIN_LITERAL: Final = 5
"""Letters a literal has at least: a shorter one stands in too many honest texts once disguised."""


class VocabularyFileError(VocabularyError, DataFileError):
    """A vocabulary file that can't be used: names file, line, what is wrong and what to do."""


@cache
def load() -> Vocabulary:
    """Return the shipped vocabulary of all languages together.

    All are read at once, because a listing's language is often empty, wrong, or several.

    Raises:
        VocabularyFileError: as for `read_vocabulary`.
    """
    return read_vocabulary(Path(__file__).parent)


def read_vocabulary(folder: Path) -> Vocabulary:
    """Return the vocabulary of a folder's files, a language each.

    Raises:
        VocabularyFileError: a file is broken; names file, line, what is wrong and what to do.
    """
    paths = {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    files = {name: read_yaml(path, VocabularyFileError) for name, path in paths.items()}
    try:
        return compile_vocabulary(files)
    except VocabularyError as error:
        raise _placed(error, paths) from None


_WHERE: Final = re.compile(r"(\w+)\.yaml: (?:unknown group '([\w.]+)'|([\w.]+))(?:: (.*))?")
"""How an error of an entry begins: language, group, and the entry as Python shows it."""


def _placed(error: VocabularyError, paths: Mapping[str, Path]) -> VocabularyFileError:
    """Return the error with the line of the entry it is about."""
    text = str(error)
    found = _WHERE.match(text)
    if found is None or found[1] not in paths:
        return VocabularyFileError(f"{text}; {MEND}")
    keys = (found[2] or found[3]).split(".")
    path = paths[found[1]]
    line = line_of(path, *keys)
    for value in _values(path, *keys):
        if (found[4] or "").startswith(f"{value!r}:"):
            line = line_of(path, *keys, value=str(value))
    name = f"{path.stem}.yaml"
    return VocabularyFileError(f"{name}:{line}{text.removeprefix(name)}; {MEND}")


def _values(path: Path, *keys: str) -> Iterable[object]:
    """Yield the entries under these keys."""
    data = read_yaml(path)
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    for item in data if isinstance(data, list) else ():
        yield from (*item.values(), item) if isinstance(item, dict) else (item,)


def compile_vocabulary(files: Mapping[str, Any]) -> Vocabulary:
    """Return the vocabulary of parsed files, by language.

    Raises:
        VocabularyError: a file is broken; names the file and the entry.
    """
    entries: list[Entry] = []
    versions: dict[str, int] = {}
    for language, data in files.items():
        versions[language] = _head(language, data)
        entries.extend(_entries(language, data))
    _no_duplicates(entries)
    by_group: dict[str, list[Entry]] = {group: [] for group in _GROUPS}
    compiled: set[tuple[str, str, str, bool, bool]] = set()
    for entry in entries:  # what two languages share is looked for once
        key = (entry.group, entry.pattern, entry.excuses, entry.beside, entry.next)
        if key not in compiled:
            compiled.add(key)
            by_group[entry.group].append(entry)
    try:
        return _compiled(by_group, versions)
    except VocabularyError:
        check(entries)
        raise


def _compiled(groups: Mapping[str, list[Entry]], versions: Mapping[str, int]) -> Vocabulary:
    def entries(kind: str, names: Iterable[str]) -> Iterable[Entry]:
        return (entry for name in names for entry in groups[f"{kind}.{name}"])

    alone = frozenset(
        word
        for entry in entries("replica", ("strong", "title"))
        if " " not in entry.pattern
        for word in words_of(entry.pattern)
    )
    slips = [
        Entry("", f"replica.{_OF_SLIPS}", slip, pattern_of(slip, accents=False))
        for slip in misspelt((entry.source for entry in groups["literals"]), alone)
    ]
    neighbourhood = Neighbourhood(Expressions(entries("nominative", CLASSES)))
    return Vocabulary(
        versions,
        ReplicaWords(
            words=Expressions([*entries("replica", REPLICA_GROUPS), *slips]),
            denials=Denials(
                Expressions(entries("negation", OPENING)),
                Expressions(entries("negation", CLOSING)),
            ),
            between=Expressions(groups["negation.between"], before="^ *", behind=" *$"),
            innocent=Expressions(groups["innocent"]),
        ),
        NominativeUse(neighbourhood),
        Pieces(neighbourhood),
        Expressions(groups["nominative.unoriginal"], before="^", behind="$"),
        DisguisedWords(
            (word for entry in entries("replica", OF_COPYING) for word in words_of(entry.pattern)),
            alone,
        ),
        Expressions(groups["used"]),
        Expressions(groups["new_too"]),
        tuple(sorted({entry.source for entry in groups["literals"]})),
    )


def _head(language: str, data: Any) -> int:
    if not isinstance(data, dict) or data.get("language") != language:
        raise VocabularyError(f"{language}.yaml: language: expected {language!r}")
    version = data.get("version")
    if not isinstance(version, int) or version < 1:
        raise VocabularyError(f"{language}.yaml: version: expected a number from 1")
    return version


def _entries(language: str, data: Mapping[str, Any]) -> Iterable[Entry]:
    accents = data.get("accents") == "tell words apart"
    spelt_out = _letters(language, data.get("spelt_out", {}))
    for key, value in data.items():
        if key in ("language", "version", "accents", "spelt_out"):
            continue
        groups = value if isinstance(value, dict) else {"": value}
        for name, items in groups.items():
            group = f"{key}.{name}" if name else key
            if group not in _GROUPS:
                raise VocabularyError(
                    f"{language}.yaml: unknown group {group!r}; there are {', '.join(_GROUPS)}"
                )
            if not isinstance(items, list):
                raise VocabularyError(f"{language}.yaml: {group}: expected a list")
            for item in items:
                yield _entry(language, group, item, spelt_out, accents=accents)


def _letters(language: str, data: Any) -> Mapping[str, str]:
    if not isinstance(data, dict) or not all(
        isinstance(text, str) and text.isalpha() for pair in data.items() for text in pair
    ):
        raise VocabularyError(f"{language}.yaml: spelt_out: expected letters: {{ü: ue}}")
    return data


def _spelt_out(source: str, letters: Mapping[str, str]) -> str:
    """Return an expression whose letters may also be written as others: 'für' as 'fuer'.

    Within a class a letter stands for itself.
    """
    pieces = re.split(r"(\[[^\]]*\])", source)
    for letter, others in letters.items():
        pieces[::2] = [piece.replace(letter, f"(?:{letter}|{others})") for piece in pieces[::2]]
    return "".join(pieces)


def _entry(
    language: str, group: str, item: Any, spelt_out: Mapping[str, str], *, accents: bool
) -> Entry:
    word, where = "", "near"
    if isinstance(item, dict) and group == "innocent":
        if "word" in item and len(item) == 2 and (_WHERE_EXCUSED & set(item)):
            word = _source(language, group, item["word"])
            (where,) = _WHERE_EXCUSED & set(item)
            item = item[where]
        elif len(item) == 1:
            ((topic, item),) = item.items()
            if topic not in TOPICS:
                raise VocabularyError(
                    f"{language}.yaml: innocent: unknown topic {topic!r}; there are "
                    f"{', '.join(TOPICS)}"
                )
            word, beside = TOPICS[topic]
            where = "beside" if beside else "near"
    source = _source(language, group, item)
    if group == "literals":
        letters = source.replace(" ", "")
        count = sum(map(str.isalpha, letters))
        if not (letters.isalnum() and count >= _MIN_LITERAL):
            raise VocabularyError(
                f"{language}.yaml: {group}: {source!r}: expected {_MIN_LITERAL} or more letters, "
                "and no signs"
            )
    return Entry(
        language,
        group,
        source,
        pattern_of(_spelt_out(source, spelt_out), accents=accents),
        pattern_of(_spelt_out(word, spelt_out), accents=accents),
        where == "beside",
        where == "next",
    )


def _source(language: str, group: str, item: Any) -> str:
    where = f"{language}.yaml: {group}: {item!r}"
    if not isinstance(item, str) or not item.strip():
        raise VocabularyError(f"{where}: expected a text that is not empty")
    plain = re.sub(r"\\.", "", item)
    if plain != plain.lower():
        raise VocabularyError(f"{where}: has capitals, and the texts it is tried on have none")
    return item


def _no_duplicates(entries: Iterable[Entry]) -> None:
    seen: set[tuple[str, str, str, str]] = set()
    for entry in entries:
        key = (entry.language, entry.group, entry.pattern, entry.excuses)
        if key in seen:
            raise VocabularyError(
                f"{entry.language}.yaml: {entry.group}: {entry.source!r}: stands there twice"
            )
        seen.add(key)
