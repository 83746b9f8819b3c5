"""What all commands share: exits, output, errors in one line, progress."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final, NoReturn

import msgspec
from cyclopts import Parameter

DONE: Final = 0
NO: Final = 1
"""The answer is no: a check failed, rows were refused."""
WRONG: Final = 2
"""Wrong usage or a bad input file."""
UNREACHABLE: Final = 3
"""A server that is needed can't be reached."""

Json = Annotated[bool, Parameter(name="--json", negative="")]
"""The switch of every command that reports."""


class CommandError(Exception):
    """Ends a command with a line on stderr and an exit code."""

    def __init__(self, text: str, code: int = WRONG) -> None:
        super().__init__(text)
        self.code = code


def leave(code: int) -> NoReturn:
    """End the command with this exit code."""
    raise SystemExit(code)


def say(text: str = "") -> None:
    """Print a line for people."""
    sys.stdout.write(text + "\n")


def complain(text: str) -> None:
    """Print a line on stderr."""
    sys.stderr.write(text + "\n")


def emit(record: Any) -> None:
    """Print a record as one JSON line with sorted keys."""
    sys.stdout.buffer.write(msgspec.json.encode(record, order="sorted") + b"\n")
    sys.stdout.buffer.flush()


def table(rows: Iterable[tuple[str, ...]], header: tuple[str, ...]) -> None:
    """Print rows in columns."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for line in lines:
        say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


@contextmanager
def progress(what: str, total: int | None = None, unit: str = "") -> Iterator[Any]:
    """Yield `advance(n)`; draws on stderr when that is a terminal, and does nothing otherwise.

    With a `unit` ('listings', 'bytes') it says how many of them a second.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress, ProgressColumn, Task
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed or 0:,.0f} {unit}/s")

    columns = [*Progress.get_default_columns(), *([Rate()] if unit else [])]
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda n: bar.advance(task, n)
