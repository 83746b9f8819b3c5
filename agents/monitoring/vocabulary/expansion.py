"""Writes an expression that stands for a few texts as those texts.

Hyperscan compiles 5,000 literals in a quarter of a second, and the alternations that they are
written as in the files in two.
"""

from __future__ import annotations

from typing import Final

MANY: Final = 60
"""Texts that one expression is written out as, at most."""

_SPECIAL: Final = frozenset(".^$*+?()[]{}|\\")


class _EndlessError(Exception):
    """The expression stands for too many texts."""


def literals(pattern: str) -> list[str] | None:
    """Return the texts that an expression stands for; None where they are many or endless.

    Knows literals, `(?:…|…)`, `[…]` without ranges, and `?`. What else there is it leaves alone.
    """
    try:
        texts, end = _alternation(pattern, 0)
    except (_EndlessError, IndexError, ValueError):
        return None
    return sorted(set(texts)) if end == len(pattern) else None


def escaped(text: str) -> str:
    """Return the expression that stands for this text alone."""
    return "".join(f"\\{character}" if character in _SPECIAL else character for character in text)


def branches(pattern: str) -> list[str]:
    """Return the alternatives of an expression that is one alternation, or the expression."""
    if pattern.startswith("(?:") and _closing(pattern, 0) == len(pattern) - 1:
        pattern = pattern[3:-1]
    found, start, position = [], 0, 0
    while position < len(pattern):
        if pattern[position] == "|":
            found.append(pattern[start:position])
            start = position + 1
        elif pattern[position] in "([":
            position = _closing(pattern, position)
        elif pattern[position] == "\\":
            position += 1
        position += 1
    return [*found, pattern[start:]]


def _alternation(pattern: str, position: int) -> tuple[list[str], int]:
    """Return the texts of an alternation and where it ends: at ')' or the end."""
    texts: list[str] = []
    branch = [""]
    while position < len(pattern) and pattern[position] != ")":
        if pattern[position] == "|":
            texts += branch
            branch = [""]
            position += 1
            continue
        choices, position = _atom(pattern, position)
        if position < len(pattern) and pattern[position] == "?":
            choices = [*choices, ""]
            position += 1
        if position < len(pattern) and pattern[position] in "*+?{":
            raise _EndlessError
        branch = [text + choice for text in branch for choice in choices]
        if len(branch) > MANY:
            raise _EndlessError
    return texts + branch, position


def _atom(pattern: str, position: int) -> tuple[list[str], int]:
    """Return what a character, a class or a group stands for, and where it ends."""
    character = pattern[position]
    if character == "(":
        if not pattern.startswith("(?:", position):
            raise _EndlessError
        choices, end = _alternation(pattern, position + 3)
        if pattern[end] != ")":
            raise _EndlessError
        return choices, end + 1
    if character == "[":
        end = pattern.index("]", position)
        inside = pattern[position + 1 : end]
        if inside[0] == "^" or "-" in inside or "\\" in inside:
            raise _EndlessError
        return list(inside), end + 1
    if character == "\\":
        if pattern[position + 1].isalnum():
            raise _EndlessError
        return [pattern[position + 1]], position + 2
    if character in _SPECIAL:
        raise _EndlessError
    return [character], position + 1


def _closing(pattern: str, opening: int) -> int:
    """Return where the bracket that opens at `opening` closes; the last position if it does not."""
    depth, in_class, position = 0, False, opening
    while position < len(pattern):
        character = pattern[position]
        if character == "\\":
            position += 1
        elif in_class:
            in_class = character != "]"
            depth -= not in_class
        elif character == "[":
            in_class = True
            depth += 1
        elif character in "()":
            depth += 1 if character == "(" else -1
        if depth == 0:
            return position
        position += 1
    return len(pattern) - 1
