"""Writes an expression that stands for a few texts as those texts.

Texts are looked for along a trie (`phrases.py`), which costs less than a scan for expressions.
"""

from __future__ import annotations

import re
from typing import Final

MANY: Final = 1_000
"""Texts that one expression is written out as, at most."""

NUMBER: Final = "\x01"
"""Stands for a number, however long, in the texts that an expression stands for."""
MOST_LEAST: Final = 8
"""Letters that an ending has at least, below this."""
_NUMBER: Final = "[0-9]+"
_INFLECTED: Final = re.compile(r"(?:\[[^\]\\0-9]*-[^\]\\0-9]*\]|\\w)([*+]|\{([0-9]),\})$")
"""How an expression ends that takes any ending."""

LOOSELY: Final = 3_000
"""Texts that a group is written out as when its words are gathered, at most."""
_OFTEN: Final = 5
_ANYTHING: Final = "\0"
_QUANTIFIER: Final = re.compile(r"[?*+]|\{(\d+)(?:,(\d*))?\}")

_SPECIAL: Final = frozenset(".^$*+?()[]{}|\\")
_PLAIN: Final = re.compile(r"[^.^$*+?()\[\]{}|\\]+(?![?*+{])")
"""Characters that stand for themselves, once."""


class _EndlessError(Exception):
    """The expression stands for too many texts."""


def literals(pattern: str) -> list[str] | None:
    """Return the texts that an expression stands for; None where they are many or endless.

    Knows literals, `(?:…|…)`, `[…]` without ranges, of which `[es]*` are two letters at most, `?`
    and `{1,3}`; for `[0-9]+` stands `NUMBER`. What else there is it leaves alone.
    """
    try:
        texts, end = _alternation(pattern, 0)
    except (_EndlessError, IndexError, ValueError):
        return None
    return sorted(set(texts)) if end == len(pattern) else None


def begun(pattern: str) -> tuple[list[str], int] | None:
    """Return what words with any ending begin with, and how many letters that has at least.

    None where an expression stands for something else.
    """
    ending = _INFLECTED.search(pattern)
    if ending is None:
        return None
    texts = literals(pattern[: ending.start()])
    least = {"*": 0, "+": 1}.get(ending[1], int(ending[2] or 0))
    return (texts, least) if texts is not None and all(texts) and least < MOST_LEAST else None


def words_of(pattern: str) -> set[str]:
    """Return the words of letters and digits in the texts that an expression stands for.

    What repeats stands there once or as often as it has to; a word of which a part may be anything
    is left out.
    """
    found: set[str] = set()
    for branch in branches(pattern):
        partial, position = {""}, 0
        while position < len(branch):
            choices, position = _loosely(branch, position)
            joined: set[str] = set()
            for choice in choices:
                first, *others = choice.split(" ")
                whole = {begun + first for begun in partial}
                if not others:
                    joined |= whole
                    continue
                found |= whole
                found.update(others[:-1])
                joined.add(others[-1])
            partial = joined
        found |= partial
    return {word for word in found if word.isalnum() or not (word.isascii() or _ANYTHING in word)}


def _loosely(pattern: str, position: int) -> tuple[list[str], int]:
    """Return what an atom with its quantifier stands for, and where it ends."""
    character = pattern[position]
    closing = _closing(pattern, position)
    if character == "(":
        inside = pattern[position + (3 if pattern.startswith("(?:", position) else 1) : closing]
        choices: list[str] = []
        for branch in branches(inside):
            texts, place = [""], 0
            while place < len(branch):
                atoms, place = _loosely(branch, place)
                texts = sorted({text + atom for text in texts for atom in atoms})[:LOOSELY]
            choices += texts
        end = closing + 1
    elif character == "[":
        inside = pattern[position + 1 : closing]
        endless = inside[0] == "^" or "-" in inside or "\\" in inside
        choices, end = ([_ANYTHING] if endless else list(inside)), closing + 1
    elif character == "\\":
        escape = pattern[position + 1]
        choices, end = [_ANYTHING if escape.isalnum() else escape], position + 2
    else:
        choices, end = [_ANYTHING if character == "." else character], position + 1
    quantifier = _QUANTIFIER.match(pattern, end)
    if quantifier is None:
        return choices, end
    if quantifier[1] is not None:
        times = range(int(quantifier[1]), min(int(quantifier[2] or quantifier[1]), _OFTEN) + 1)
        return [choice * count for choice in choices for count in times], quantifier.end()
    return (choices if quantifier[0] == "+" else [*choices, ""]), quantifier.end()


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
        plain = _PLAIN.match(pattern, position)
        if plain is not None:
            branch = [text + plain[0] for text in branch]
            position = plain.end()
            continue
        choices, position = _atom(pattern, position)
        if pattern.startswith("]*", position - 1):
            choices = ["", *choices, *(one + other for one in choices for other in choices)]
            position += 1
        elif position < len(pattern) and pattern[position] == "?":
            choices = [*choices, ""]
            position += 1
        elif (times := _QUANTIFIER.match(pattern, position)) is not None and times[2]:
            counts = range(int(times[1]), int(times[2]) + 1)
            choices = [choice * count for choice in choices for count in counts]
            position = times.end()
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
    if pattern.startswith(_NUMBER, position):
        return [NUMBER], position + len(_NUMBER)
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
