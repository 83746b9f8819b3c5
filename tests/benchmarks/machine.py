"""The machine a benchmark runs on, and which core does what."""

from __future__ import annotations

import os
import platform
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from deploy.services.downloads import KAFKA_VERSION

PARTITIONS: Final = 4
"""Of a topic, unless said otherwise."""


@dataclass(frozen=True, slots=True)
class Cores:
    """The core of the servers and of everything around, and the core of what is measured."""

    servers: int
    contestant: int
    every: tuple[int, ...] = ()
    """All cores there are, in order."""

    def worker(self, number: int) -> int:
        """Return the core of a worker; the first one's is the contestant's, then downwards.

        Where there are no more workers than other cores, the servers have theirs to themselves.
        """
        cores = self.every or (self.servers, self.contestant)
        return cores[-1 - number % len(cores)]


def cores() -> Cores:
    """Return the first and the last core this process may use; the same one when it has one."""
    allowed = sorted(os.sched_getaffinity(0))
    return Cores(allowed[0], allowed[-1], tuple(allowed))


def pin(core: int) -> None:
    """Keep this process, and what it starts from now on, on one core."""
    os.sched_setaffinity(0, {core})


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """Stay on a core for a while."""
    before = os.sched_getaffinity(0)
    pin(core)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu_seconds() -> float:
    """Return the user and system time of this process, all threads together."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def spin(core: int) -> float:
    """Return the seconds that a loop of two million additions takes on a core: its noise."""
    with pinned(core):
        started = time.perf_counter()
        total = 0
        for number in range(2_000_000):
            total += number
        return time.perf_counter() - started


def description(where: Cores) -> str:
    """Return what the figures depend on; no date, no name."""
    shared = (
        "contestant and servers on the same core: rates mean little"
        if where.servers == where.contestant
        else "one core for the contestant, another for the servers"
    )
    return (
        f"{os.cpu_count()} cores ({_cpu_model()}), {shared}; "
        f"Python {platform.python_version()}, Kafka {KAFKA_VERSION}, "
        f"faust-streaming {version('faust-streaming')}, aiokafka {version('aiokafka')}, "
        f"confluent-kafka {version('confluent-kafka')}; "
        f"load average at the start {os.getloadavg()[0]:.1f}"
    )


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.machine())
