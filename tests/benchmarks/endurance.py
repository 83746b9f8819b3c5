"""A long run at half of the full rate: does memory grow, does latency?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import psutil

from streams import topics
from tests.benchmarks import catalogue, machine
from tests.benchmarks.contestants import Task
from tests.benchmarks.installation import installation, servers
from tests.benchmarks.latency import (
    Seen,
    Takedowns,
    broker_sets_times,
    contestant,
    full_rate,
    publish,
    publishing,
)
from tests.benchmarks.pacer import Pace
from tests.benchmarks.report import Section, Table, percentile
from tests.benchmarks.sampling import Samples
from tests.benchmarks.subjects import Options

LOAD: Final = 0.5
PARTS: Final = 6
"""Parts of the run that are set beside one another; the first is left out of the slope."""
SAMPLE_SECONDS: Final = 2.0
MB: Final = 1e6


def run(options: Options) -> Section:
    """Run a worker for so many minutes and look at it all the time."""
    described = machine.description(options.cores)
    with servers(options.cores) as running:
        full = full_rate(running, options)
        settings = running.settings("endurance.")
        bus = installation(settings, catalogue.rights())
        broker_sets_times(settings, settings.topic(topics.TAKEDOWNS.name))
        takedowns = Takedowns(bus)
        pace = Pace(int(LOAD * full), 60 * options.minutes, catalogue.INFRINGING)
        with contestant(settings, Task("ours", options.cores.contestant)) as process:
            publish(settings, Pace(200, 2, 0.2))
            takedowns.skip_until_quiet()
            watched = psutil.Process(process.pid)
            with Samples(lambda: watched.memory_info().rss, SAMPLE_SECONDS) as memory:
                seen = takedowns.watch(publishing(settings, pace))
        takedowns.close()
    started = min(seen.occurred) / 1000
    parts = [
        part(seen, memory.samples, started + 60 * options.minutes * number / PARTS,
             60 * options.minutes / PARTS)
        for number in range(PARTS)
    ]  # fmt: skip
    slope = slope_of(
        [(moment, resident) for moment, resident in memory.samples if moment >= parts[1].begun]
    )
    return Section(
        title="Endurance",
        how=(
            f"The worker handles {pace.rate:,} listings a second, {LOAD:.0%} of the {full:,.0f} "
            f"that it handles on this machine when it never waits, for {options.minutes} minutes: "
            f"{pace.rate * pace.seconds:,} listings, each with the time of publishing as "
            "`occurred_at`. Milliseconds are from there until the takedown was on the broker, by "
            "the broker's clock; memory is what is resident, every "
            f"{SAMPLE_SECONDS:.0f} s. The slope is the straight line closest to the memory of all "
            "parts but the first."
        ),
        command=options.command,
        machine=described,
        tables=(
            Table(
                ("minutes", "takedowns", "p50, ms", "p99, ms", "memory, MB: mean", "most"),
                tuple(
                    (
                        _minutes(options, number),
                        f"{len(each.latencies):,}",
                        *figures(each),
                    )
                    for number, each in enumerate(parts)
                ),
            ),
            Table(("slope of memory", "MB an hour"), (("resident", f"{slope * 3600 / MB:+.2f}"),)),
        ),
    )


def _minutes(options: Options, number: int) -> str:
    first, last = (options.minutes * part / PARTS for part in (number, number + 1))
    return f"{first:.3g} to {last:.3g}"


@dataclass(frozen=True, slots=True)
class Part:
    """What was seen in a part of the run."""

    begun: float
    latencies: list[float]
    memory: list[float]


def figures(part: Part) -> tuple[str, str, str, str]:
    """Return latency and memory as the table shows them; a dash where nothing was seen."""
    latencies, memory = part.latencies, part.memory
    return (
        f"{percentile(latencies, 0.5):.0f}" if latencies else "–",
        f"{percentile(latencies, 0.99):.0f}" if latencies else "–",
        f"{sum(memory) / len(memory) / MB:.1f}" if memory else "–",
        f"{max(memory) / MB:.1f}" if memory else "–",
    )


def part(seen: Seen, memory: Sequence[tuple[float, float]], begun: float, seconds: float) -> Part:
    """Return what was seen of the listings that occurred in these seconds."""
    end = begun + seconds
    return Part(
        begun,
        [
            latency
            for latency, occurred in zip(seen.on_broker, seen.occurred, strict=True)
            if begun <= occurred / 1000 < end
        ],
        [resident for moment, resident in memory if begun <= moment < end],
    )


def slope_of(points: Sequence[tuple[float, float]]) -> float:
    """Return how steep the line is that is closest to the points, by least squares.

    Raises ValueError where no two points stand beside one another.
    """
    count = len(points)
    mean_x = sum(x for x, _ in points) / max(1, count)
    mean_y = sum(y for _, y in points) / max(1, count)
    width = sum((x - mean_x) ** 2 for x, _ in points)
    if not width:
        raise ValueError("one point has no slope")
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / width
