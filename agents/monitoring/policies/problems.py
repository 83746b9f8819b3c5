"""What is wrong with a policy, said so that its author can mend it: place, caret and a way out."""

from __future__ import annotations

import difflib
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from agents.carets import pointed_at, printable

Severity = Literal["error", "warning"]

MAX_SHOWN: Final = 100
"""Problems that are told of one file; of what is broken throughout, more say no more."""
_MAX_NAME: Final = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem of a policy file. Lines and columns count from 1, columns in code points."""

    severity: Severity
    file: str
    line: int
    column: int
    width: int
    """Code points that are marked, from `column` on; at least 1."""
    source: str
    """The line of the file."""
    what: str
    """What it is about: `rule 'cheap-mark'`, `guard` …"""
    text: str
    hint: str = ""
    """A way out."""

    def __str__(self) -> str:
        """Return it in one line."""
        hint = f" ({self.hint})" if self.hint else ""
        what = f"{self.what}: " if self.what else ""
        return f"{self.file}:{self.line}:{self.column} {what}{self.text}{hint}"

    def shown(self) -> str:
        """Return it with the source line, a caret under the place, and the way out."""
        what = f"{self.what}: " if self.what else ""
        lines = [f"{self.file}:{self.line}:{self.column}: {self.severity}: {what}{self.text}"]
        if self.source.strip():
            line, carets = pointed_at(self.source, self.column - 1, self.width)
            margin = f"{self.line:>5} | "
            lines.append(f"{margin}{line}".rstrip())
            lines.append(" " * (len(margin) - 2) + "| " + carets)
        if self.hint:
            lines.append(f"      = {self.hint}")
        return "\n".join(lines)


class PolicyError(ValueError):
    """A policy that is refused; `problems` has all that is wrong, the text the first of them."""

    def __init__(self, text: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(text)
        self.problems = tuple(problems)


def refusal(problems: Sequence[Problem]) -> PolicyError:
    """Return the error of a policy with these problems, at least one of them an error."""
    errors = [problem for problem in problems if problem.severity == "error"]
    text = str(errors[0])
    if len(errors) > 1:
        text += (
            f"; {len(errors) - 1} more problems are told by: assayer policy check {errors[0].file}"
        )
    return PolicyError(text, problems)


class TooManyError(Exception):
    """So much is wrong that it is no use to look for more."""


class Report:
    """Gathers the problems of one file, `MAX_SHOWN` at most and one error in any case."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self._problems: list[Problem] = []
        self._starts = [0]
        position = text.find("\n")
        while position >= 0:
            self._starts.append(position + 1)
            position = text.find("\n", position + 1)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was found, in the file's order."""
        return tuple(sorted(self._problems, key=lambda each: (each.line, each.column)))

    def refused(self) -> bool:
        """Whether one of them is an error."""
        return any(problem.severity == "error" for problem in self._problems)

    def line_of(self, index: int) -> int:
        """Return the line, from 1, of a position in the text."""
        return bisect_right(self._starts, index)

    def add(
        self,
        text: str,
        hint: str = "",
        *,
        what: str = "",
        start: int = 0,
        end: int = 0,
        severity: Severity = "error",
    ) -> None:
        """Add a problem of the characters from `start` to before `end` of the text.

        Of warnings, those beyond `MAX_SHOWN` are dropped; that there is an error is never.

        Raises:
            TooManyError: enough was found, errors among it; looking for hints alone would take
                minutes.
        """
        if len(self._problems) >= MAX_SHOWN:
            if severity == "warning":
                return
            if self.refused():
                raise TooManyError
        start = max(0, min(start, len(self.text)))
        line = self.line_of(start)
        begin = self._starts[line - 1]
        finish = self._starts[line] - 1 if line < len(self._starts) else len(self.text)
        source = self.text[begin:finish].rstrip("\r")
        width = max(1, min(end, begin + len(source)) - start)
        problem = Problem(
            severity, self.file, line, start - begin + 1, width, source, what, text, hint
        )
        if problem not in self._problems:
            self._problems.append(problem)


def short(name: str) -> str:
    """Return a name as a message quotes it: what is printed of it, and not all of a long one."""
    printed = "".join(map(printable, name))
    return printed if len(printed) <= _MAX_NAME else printed[: _MAX_NAME - 1] + "…"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the hint with the known name that is nearest, empty where none is near."""

    def likeness(other: str) -> float:
        # 'prise' is meant for 'price_ratio'.
        parts = [part for part in other.split("_") if len(part) > 2]
        whole = difflib.SequenceMatcher(None, name[:60], other).ratio()
        return max(
            [whole, *(0.95 * difflib.SequenceMatcher(None, name[:60], p).ratio() for p in parts)]
        )

    nearest = max(known, key=likeness, default="")
    return f"did you mean '{nearest}'?" if nearest and likeness(nearest) >= 0.6 else ""
