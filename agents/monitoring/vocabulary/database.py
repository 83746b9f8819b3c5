"""Regular expressions by the hundred, looked for in one scan.

Hyperscan says which expressions match and where a match ends. Where it begins RE2 says, in time
linear in the text. Hyperscan could say it too, with databases five times as large that end the
process on some texts ('ab ' 500 times, before what follows an optional word).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import hyperscan
import re2

from agents.monitoring.compiled import compiled

LONGEST: Final = 400
"""Bytes of a match whose start is looked for, at most."""
_FLAGS: Final = hyperscan.HS_FLAG_UTF8
_MEMORY: Final = 1 << 20
"""Bytes that RE2 may use for one expression; it takes some 10,000."""


class Sought(NamedTuple):
    """An expression to look for."""

    pattern: bytes
    noted: int
    """What its matches are noted as."""


Match = tuple[int, int, int]
"""What an expression is noted as, and where it matches: a half-open span of bytes, from its
leftmost start."""


def refusal(pattern: str) -> str:
    """Return why an expression can't be looked for; '' where it can."""
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    try:
        database.compile(expressions=[pattern.encode()], ids=[0], elements=1, flags=[_FLAGS])
        _ending(pattern.encode())
        _refuse_empty(database)
    except (hyperscan.error, re2.error) as error:
        return str(error)
    return ""


class Database:
    """Expressions, compiled. Not for use from two threads at once: a scan has scratch space."""

    def __init__(self, sought: Sequence[Sought]) -> None:
        """Compile the expressions.

        Raises:
            hyperscan.error: Hyperscan does not take one of them, or it matches the empty text.
        """
        self._noted = [expression.noted for expression in sought]
        self._patterns = [expression.pattern for expression in sought]
        # An id of its own for each: of patterns that share one and end alike, Hyperscan reports
        # one alone, and that may be 'suppli[es compatible with]'.
        self._scan: Any = None
        if self._patterns:
            database = compiled(self._patterns, _FLAGS)
            _refuse_empty(database)
            self._scan = database.scan
        self._endings: dict[int, re2._Regexp] = {}

    def matches(self, raw: bytes) -> list[Match]:
        """Return every match that does not end within a word of ASCII letters, in UTF-8."""
        found: list[Match] = []
        for number, end in self._ends(raw):
            start = self._start(number, raw, end)
            if start >= 0:
                found.append((self._noted[number], start, end))
        return found

    def ends(self, raw: bytes) -> list[int]:
        """Return where matches end that do not end within a word of ASCII letters."""
        return [end for _, end in self._ends(raw)]

    def _ends(self, raw: bytes) -> list[tuple[int, int]]:
        """Return the same, each with the number of its expression."""
        if self._scan is None:
            return []
        found: list[tuple[int, int]] = []

        def note(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
            if not _within_word(raw, end):
                found.append((number, end))

        self._scan(raw, match_event_handler=note)
        return found

    def _start(self, number: int, raw: bytes, end: int) -> int:
        """Return the leftmost start of the match that ends there; -1 where it is too far."""
        pattern = self._patterns[number]
        if pattern.startswith(b"^"):
            return 0
        ending = self._endings.get(number)
        if ending is None:
            ending = self._endings[number] = _ending(pattern)
        first = max(0, end - LONGEST)
        while first and raw[first] & 0xC0 == 0x80:  # within a code point
            first += 1
        match = ending.search(raw[first:end])
        return first + match.start() if match else -1


def _refuse_empty(database: hyperscan.Database) -> None:
    """Raise hyperscan.error where an expression matches the empty text at the edge of a word.

    Hyperscan itself refuses those that match it anywhere.
    """

    def note(_number: int, _start: int, end: int, _flags: int, _context: object) -> None:
        if not end:
            empty.append(end)

    empty: list[int] = []
    database.scan(b"a", match_event_handler=note)
    if empty:
        raise hyperscan.error("Pattern matches the empty text.")


def _ending(pattern: bytes) -> re2._Regexp:
    """Return the expression that finds a match which ends with the text."""
    options = re2.Options()
    options.never_capture = True
    options.log_errors = False
    options.max_mem = _MEMORY
    return re2.compile(b"(?:%b)\\z" % pattern, options)


def _within_word(raw: bytes, end: int) -> bool:
    """Return whether ASCII letters or digits stand on both sides."""
    return end < len(raw) and _IN_WORD[raw[end]] and _IN_WORD[raw[end - 1]]


_IN_WORD: Final = tuple(byte < 0x80 and chr(byte).isalnum() for byte in range(256))
