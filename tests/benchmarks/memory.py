"""Memory of the worker after many listings."""

from __future__ import annotations

import time
from typing import Final

from tests.benchmarks import catalogue, machine
from tests.benchmarks.contestants import Task
from tests.benchmarks.installation import fill, installation, servers
from tests.benchmarks.report import Section, Table
from tests.benchmarks.subjects import Options
from tests.benchmarks.throughput import run_task

LISTINGS: Final = 100_000
GOAL: Final = 250


def run(options: Options) -> Section:
    """Let a worker judge 100,000 listings and look at its memory."""
    described = machine.description(options.cores)
    count = min(LISTINGS, options.listings)
    rights = catalogue.rights()
    with servers(options.cores) as running:
        settings = running.settings("memory.")
        bus = installation(settings, rights)
        supply = catalogue.Catalogue([right.mark for right in rights], options.data)
        now = time.time_ns() // 1_000_000
        fill(bus, supply.listings(count, now), options.compression)
        result = run_task(
            settings, Task("ours", options.cores.contestant, warm_up=1, listings=count)
        )
    return Section(
        title="Memory",
        how=(
            f"The worker with every agent and {len(rights):,} rights, after {count:,} listings. "
            "USS is what no other process shares; the rest of RSS is code that every Python "
            f"process on the machine can share. The goal is {GOAL} MB resident."
        ),
        command=options.command,
        machine=described,
        tables=(
            Table(
                ("worker", "MB"),
                (
                    ("resident (RSS)", f"{result.rss / 1e6:.0f}"),
                    ("its own (USS)", f"{result.uss / 1e6:.0f}"),
                    ("most resident so far", f"{result.peak / 1e6:.0f}"),
                ),
            ),
        ),
    )
