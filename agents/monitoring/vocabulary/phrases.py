"""Texts by the ten thousand, looked for as whole words in the folded readings of others.

Most entries of the vocabulary stand for a few texts each. They are kept in a trie, and `phrases.c`
walks along it from each place at which a word may begin, which takes a fraction of a scan by
Hyperscan and says at once where a match begins, and whether it stands alone.
"""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import groupby, repeat
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from agents.monitoring.folding import fold_of
from agents.monitoring.vocabulary.expansion import MOST_LEAST
from streams.native import Arrays, address, load

_CODES: Final = 0x110000
# As `phrases.c` has them.
_ONE: Final = 0x200000
_SEVERAL: Final = 0x400000
_WELL, _NO_ROOM = -1, -2

_ROOM: Final = 1 << 14
"""Bytes of text, and matches, that there is room for at first."""


class Hit(NamedTuple):
    """Where an entry, by its index, stands in a text: a half-open span of code points."""

    entry: int
    start: int
    end: int


class Lines(NamedTuple):
    """Texts as they are read, in UTF-8 with ends of lines between, and what stands in them."""

    data: bytes
    starts: list[int]
    """Where each text begins in `data`."""
    hits: dict[int, list[Hit]]
    """By text, of those that have any: the longest of each entry from each start, in order.

    In the order of starts, the longest first, then of entries; counted in the folded reading.
    """


def with_ending(entry: int, least: int) -> int:
    """Return what an entry is noted as that stands for words with an ending of `least` letters."""
    return -1 - (entry * MOST_LEAST + least)


class Phrases:
    """Texts of entries, compiled.

    Not for use from two threads at once: they share the room that texts are read into.
    """

    def __init__(self, texts: Mapping[str, Sequence[int]]) -> None:
        """Compile texts, each with the entries that it stands for.

        Of one that stands for words with any ending, the beginning is given, and the entry as
        `with_ending` has it. `NUMBER` in a text stands for a number.

        Raises:
            ValueError: over 64 entries may begin at one place.
        """
        ordered = sorted((text.encode(), list(noted)) for text, noted in texts.items())
        self._library = _library()
        self._folding = _folding()
        self._trie = _Trie.of(ordered, self._library)
        self._room = 0
        self._make_room(_ROOM)

    def find(self, texts: Sequence[str]) -> Lines:
        """Return the texts as they are read, and the phrases that stand in them as whole words.

        A hyphen, a low line and a run of spaces read as one space: sellers write 'super clone',
        'super-clone', 'super_clone'. Letters of a script without spaces need no boundary.
        """
        if len(texts) == 1:
            data = texts[0].encode("utf-8", "replace")
            lengths = array("q", (len(data),))
        else:
            raw = [text.encode("utf-8", "replace") for text in texts]
            data, lengths = b"".join(raw), array("q", map(len, raw))
        if max(len(data), len(texts)) >= self._room:
            self._make_room(2 * max(len(data), len(texts)))
        while True:
            status = self._library.assayer_phrases_find(
                self._trie_at,
                self._folding.at,
                data,
                lengths.buffer_info()[0],
                len(texts),
                self._word_ends_at,
                self._lines_at,
                self._hits_at,
            )
            if status == _WELL:
                break
            if status == _NO_ROOM:
                self._make_room(2 * self._room)
            else:
                self._folding.learn(texts)
        lines = self._lines
        return Lines(
            ctypes.string_at(lines.bytes, lines.length),
            self._starts[: len(texts)],
            self._found(),
        )

    def _found(self) -> dict[int, list[Hit]]:
        count = self._hits.count
        found: dict[int, list[Hit]] = {}
        if count:
            texts, entries, starts, ends = (column[:count] for column in self._columns)
            # half the time of calling Hit
            hits = list(map(tuple.__new__, repeat(Hit), zip(entries, starts, ends, strict=True)))
            first = 0
            for text, group in groupby(texts):
                last = first + len(list(group))
                found[text] = hits[first:last]
                first = last
        return found

    def _make_room(self, room: int) -> None:
        """Have room for so many bytes of text, and as many texts and matches."""
        self._room = room
        self._word_ends = np.empty(room + 1, np.uint32)
        self._starts = (ctypes.c_int64 * (room + 1))()
        self._columns = tuple((ctypes.c_int32 * room)() for _ in range(4))
        self._lines = _Lines.holding(
            numbers={"length": 0, "room": room, "lines": ctypes.addressof(self._starts)},
            bytes=np.empty(room, np.uint8),
            places=np.empty(room + 1, np.uint32),
            at=np.empty(room + 1, np.uint32),
            kinds=np.empty(room + 1, np.uint8),
        )
        texts, entries, starts, ends = map(ctypes.addressof, self._columns)
        self._hits = _Hits(texts, entries, starts, ends, 0, room)
        self._trie_at = ctypes.addressof(self._trie)
        self._word_ends_at = address(self._word_ends)
        self._lines_at = ctypes.addressof(self._lines)
        self._hits_at = ctypes.addressof(self._hits)


class _Trie(Arrays):
    _fields_ = tuple(
        (name, ctypes.c_void_p)
        for name in ("bytes", "children", "phrases", "root", "noted_at", "noted")
    )

    @classmethod
    def of(cls, phrases: Sequence[tuple[bytes, list[int]]], library: ctypes.CDLL) -> _Trie:
        """Return the trie of phrases, which are in order, with what each is noted as."""
        data = b"".join(text for text, _ in phrases)
        starts = np.cumsum([0, *(len(text) for text, _ in phrases)], dtype=np.int64)
        nodes = library.assayer_phrases_count(data, address(starts), len(phrases))
        trie = cls.holding(
            numbers=None,
            bytes=np.empty(nodes, np.uint8),
            children=np.empty(nodes + 1, np.uint32),
            phrases=np.empty(nodes, np.int32),
            root=np.zeros(256, np.uint32),
            noted_at=np.cumsum([0, *(len(noted) for _, noted in phrases)], dtype=np.int32),
            noted=np.array([entry for _, noted in phrases for entry in noted], np.int32),
        )
        firsts, ends = np.empty(nodes, np.int64), np.empty(nodes, np.int64)
        crowded = library.assayer_phrases_build(
            ctypes.byref(trie), data, address(starts), len(phrases), address(firsts), address(ends)
        )
        if crowded != _WELL:
            text = phrases[crowded][0].decode()
            raise ValueError(f"over 64 entries stand for {text!r} or what it begins with")
        return trie


class _Lines(Arrays):
    bytes: int
    length: int
    _fields_ = (
        ("bytes", ctypes.c_void_p), ("length", ctypes.c_int64), ("room", ctypes.c_int64),
        ("lines", ctypes.c_void_p), ("places", ctypes.c_void_p), ("at", ctypes.c_void_p),
        ("kinds", ctypes.c_void_p),
    )  # fmt: skip


class _Hits(ctypes.Structure):
    count: int
    _fields_ = (
        ("texts", ctypes.c_void_p), ("entries", ctypes.c_void_p), ("starts", ctypes.c_void_p),
        ("ends", ctypes.c_void_p), ("count", ctypes.c_int64), ("room", ctypes.c_int64),
    )  # fmt: skip


class _Folding(ctypes.Structure):
    """What each code point reads as, learned as it is met."""

    _fields_ = (
        ("readings", ctypes.c_void_p), ("spelled_at", ctypes.c_void_p),
        ("spelled", ctypes.c_void_p), ("kinds", ctypes.c_void_p),
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._readings = np.zeros(_CODES, np.uint32)
        self._kinds = np.zeros(_CODES, np.uint8)
        self._spelled = array("I", (0,))
        self._spelled_at = array("I", (0,))
        self.readings, self.kinds = address(self._readings), address(self._kinds)
        self.at = ctypes.addressof(self)
        self.learn([bytes(range(0x20, 0x7F)).decode()])

    def learn(self, texts: Sequence[str]) -> None:
        """Take up the characters of texts that were not met yet, and what stands for others."""
        for character in {*"".join(texts), "?"}:
            if self._readings[ord(character)]:
                continue
            reading = fold_of(character)[0].encode("utf-8", "replace").decode()
            for letter in reading:
                self._kinds[ord(letter)] = _SCRIPTS.index(script_of(letter))
            if len(reading) == 1:
                self._readings[ord(character)] = ord(reading) + 1
                continue
            self._readings[ord(character)] = _SEVERAL + len(self._spelled_at) - 1
            self._spelled.extend(map(ord, reading))
            self._spelled_at.append(len(self._spelled) - 1)
        self.spelled = self._spelled.buffer_info()[0] + self._spelled.itemsize
        self.spelled_at = self._spelled_at.buffer_info()[0]


_SCRIPTS: Final = ("", "Latin", "Greek or Cyrillic", "Arabic")


def script_of(character: str) -> str:
    """Return the script of a letter or digit, if it spaces its words; '' for the rest."""
    if not character.isalnum():
        return ""
    code = ord(character)
    if code < 0x0250 or 0x1E00 <= code < 0x1F00:
        return "Latin"
    if 0x0370 <= code < 0x0530:
        return "Greek or Cyrillic"
    return "Arabic" if 0x0600 <= code < 0x0780 else ""


@cache
def _folding() -> _Folding:
    return _Folding()


@cache
def _library() -> ctypes.CDLL:
    library = load(Path(__file__).with_suffix(".c"))
    pointer, number, text = ctypes.c_void_p, ctypes.c_int64, ctypes.c_char_p
    signatures: dict[str, tuple[Any, ...]] = {
        "count": (text, pointer, number),
        "build": (pointer, text, pointer, number, pointer, pointer),
        "find": (pointer, pointer, text, pointer, number, pointer, pointer, pointer),
    }
    for name, types in signatures.items():
        function = getattr(library, f"assayer_phrases_{name}")
        function.argtypes, function.restype = types, number
    return library
