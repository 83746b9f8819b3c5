"""The subjects, and what the command line says to all of them.

To add one: write a module (or package) with `run(options: Options) -> Section`, and name it below.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final, cast

from tests.benchmarks.machine import Cores
from tests.benchmarks.report import Section

SUBJECTS: Final[dict[str, str]] = {
    "throughput": "tests.benchmarks.throughput",
    "latency": "tests.benchmarks.latency",
    "memory": "tests.benchmarks.memory",
    "projection": "tests.benchmarks.projection",
    "policy": "tests.benchmarks.policy",
    "examination": "tests.benchmarks.examination",
    "hostile": "tests.benchmarks.hostile",
    "swap_pause": "tests.benchmarks.swap_pause",
    "images": "tests.benchmarks.images",
    "replay": "tests.benchmarks.replay",
}
"""The module of each subject, in the order they are run and written."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says; a subject takes of it what it needs."""

    cores: Cores
    command: str
    """The command line, as the report shows it."""
    rounds: int = 5
    listings: int = 200_000
    seconds: int = 20
    compression: str = "none"
    data: Path | None = None
    short: bool = False


def load(name: str) -> Callable[[Options], Section]:
    """Return the function that measures a subject; imported only now."""
    return cast(Callable[[Options], Section], import_module(SUBJECTS[name]).run)
