"""The subjects, and what the command line says to all of them.

To add one: write a module (or package) with `run(options: Options) -> Section`, and name it below.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final, cast

from tests.benchmarks.machine import PARTITIONS, Cores
from tests.benchmarks.report import Section

SUBJECTS: Final[dict[str, str]] = {
    "throughput": "tests.benchmarks.throughput",
    "peers": "tests.benchmarks.peers.comparison",
    "latency": "tests.benchmarks.latency",
    "catch_up": "tests.benchmarks.catch_up",
    "endurance": "tests.benchmarks.endurance",
    "memory": "tests.benchmarks.memory",
    "fetching": "tests.benchmarks.fetching",
    "projection": "tests.benchmarks.projection",
    "policy": "tests.benchmarks.policy",
    "examination": "tests.benchmarks.examination",
    "hostile": "tests.benchmarks.hostile",
    "swap_pause": "tests.benchmarks.swap_pause",
    "images": "tests.benchmarks.images",
    "million": "tests.benchmarks.million",
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
    minutes: int = 30
    compressions: tuple[str, ...] = ("none",)
    """How the listings' producer compresses: the first counts, the others are set beside it."""
    partitions: tuple[int, ...] = (PARTITIONS,)
    """Of the topics; in the same way."""
    workers: tuple[int, ...] = (1,)
    """Workers of ours at once; in the same way."""
    data: Path | None = None
    short: bool = False

    @property
    def compression(self) -> str:
        """How the listings' producer compresses."""
        return self.compressions[0]


def load(name: str) -> Callable[[Options], Section]:
    """Return the function that measures a subject; imported only now."""
    return cast(Callable[[Options], Section], import_module(SUBJECTS[name]).run)
