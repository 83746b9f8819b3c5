"""Patterns over UTF-8 bytes: what a mark looks like there, and what may hide one.

The byte screen looks at texts before they are decoded. It may pass too much and must not miss
anything the folding would find, so both kinds of pattern are made from the folding itself.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final

from agents.monitoring.folding import folding_code_points

# Three separators of up to three bytes; what they are is confirmed after the scan.
_BETWEEN_WORDS: Final = b".{0,9}"
# Something that vanishes, between two characters beyond ASCII.
_GAP: Final = rb"[\x80-\xFF]{0,8}"
# The text is scanned with a line break at each end, so that no anchor is needed: 1,200 marks with
# `(?:^|…)` take 0.9 s to compile, with the class alone 0.2.
_EDGE: Final = rb"[^0-9A-Za-z]"


def mark(words: Sequence[str]) -> bytes:
    """Return the pattern of a mark's words as they read plainly; ASCII case is a scan flag.

    An edge that is an ASCII letter or digit needs another byte beside it. Between the characters of
    a mark beyond ASCII, characters that vanish may stand; elsewhere `suspicions` sees to those.
    """
    body = _BETWEEN_WORDS.join(
        b"".join(_character(c) for c in word)
        if word.isascii()
        else _GAP.join(_character(c) for c in word)
        for word in words
    )
    first, last = words[0][0], words[-1][-1]
    start = _EDGE if first.isascii() and first.isalnum() else b""
    end = _EDGE if last.isascii() and last.isalnum() else b""
    return start + body + end


@cache
def suspicions() -> tuple[bytes, ...]:
    """Return patterns of what may hide a mark of ASCII letters.

    A letter in another guise beside a letter or digit, or something that vanishes between two.
    """
    letters, vanishing = folding_code_points_cached()
    gone = b"(?:" + _one_of(vanishing) + b")"
    plain = rb"[0-9A-Za-z]"
    edge = rb"[0-9A-Za-z\-_.' ]"
    # Hyperscan takes 16,000 bytes a pattern, so the letters come in groups. Any two bytes beyond
    # ASCII before or behind such a letter pass: they may be another one.
    beyond = rb"[\x80-\xFF]"
    patterns = [plain + gone + edge, edge + gone + plain, plain + gone + gone]
    for group in _groups(letters, 600):
        guise = b"(?:" + _one_of(group) + b")"
        patterns.append(plain + guise)
        patterns.append(guise + b"(?:" + plain + b"|" + beyond + b"{2})")
    return tuple(patterns)


def _groups(code_points: Iterable[int], size: int) -> list[list[int]]:
    ordered = sorted(code_points)
    return [ordered[i : i + size] for i in range(0, len(ordered), size)]


@cache
def folding_code_points_cached() -> tuple[frozenset[int], frozenset[int]]:
    """Return `folding_code_points()`, computed once: it visits all of Unicode, half a second."""
    return folding_code_points()


@cache
def _case_variants() -> dict[str, tuple[str, ...]]:
    variants: defaultdict[str, list[str]] = defaultdict(list)
    for code in range(128, sys.maxunicode + 1):
        if 0xD800 <= code <= 0xDFFF:
            continue
        character = chr(code)
        plain = character.casefold()
        if plain != character:
            variants[plain].append(character)
    return {plain: tuple(found) for plain, found in variants.items()}


def _character(character: str) -> bytes:
    if character.isascii():
        return re.escape(character.encode())
    ways = [character, *_case_variants().get(character, ())]
    return b"(?:" + b"|".join(_escape(way.encode()) for way in ways) + b")"


def _escape(raw: bytes) -> bytes:
    return b"".join(b"\\x%02X" % byte for byte in raw)


def _one_of(code_points: Iterable[int]) -> bytes:
    """Return an alternation that matches the UTF-8 of any of the code points."""
    trie: dict[int, Any] = {}
    for code in code_points:
        node = trie
        for byte in chr(code).encode():
            node = node.setdefault(byte, {})
    return _alternation(trie)


def _alternation(trie: dict[int, Any]) -> bytes:
    by_rest: defaultdict[bytes, list[int]] = defaultdict(list)
    for byte, rest in sorted(trie.items()):
        by_rest[_alternation(rest) if rest else b""].append(byte)
    branches = []
    for rest, found in by_rest.items():
        head = b"[" + _ranges(found) + b"]"
        branches.append(head + (b"(?:" + rest + b")" if rest else b""))
    return b"|".join(branches)


def _ranges(ordered: Sequence[int]) -> bytes:
    """Return the inside of a byte class."""
    parts: list[bytes] = []
    first = last = ordered[0]
    for byte in [*ordered[1:], -1]:
        if byte == last + 1:
            last = byte
            continue
        parts.append(b"\\x%02X" % first if first == last else b"\\x%02X-\\x%02X" % (first, last))
        first = last = byte
    return b"".join(parts)
