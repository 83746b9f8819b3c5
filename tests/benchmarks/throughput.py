"""Listings a second and CPU a listing: ours, whole way, between bare clients and plain Faust."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from streams.settings import Settings
from tests.benchmarks import catalogue, machine
from tests.benchmarks.contestants import CONTESTANTS, Result, Task
from tests.benchmarks.installation import bytes_per_listing, fill, installation, rewind, servers
from tests.benchmarks.report import Section, Table, ratios, spread
from tests.benchmarks.subjects import Options
from tests.harness import environment

FAUST_SHARE: Final = 0.06
"""Plain Faust gets this share of the listings: enough for seconds, and it is slow."""
TIMEOUT: Final = 600


def run(options: Options) -> Section:
    """Measure every contestant in every round, in turning order."""
    described = machine.description(options.cores)
    rights = catalogue.rights()
    with servers(options.cores) as running:
        settings = running.settings("bench.")
        bus = installation(settings, rights)
        marks = [right.mark for right in rights]
        supply = catalogue.Catalogue(marks, options.data, short=options.short)
        started = time.time_ns() // 1_000_000
        fill(bus, supply.listings(options.listings, started), options.compression)
        size = bytes_per_listing(bus)
        contest(settings, options, "ours", "warm-up")  # sellers' standings settle here
        rounds = [play(settings, options, number) for number in range(1, options.rounds + 1)]
    return section(options, described, rounds, size)


def play(settings: Settings, options: Options, number: int) -> dict[str, Result]:
    """Let each contestant run once; who begins changes from round to round."""
    names = list(CONTESTANTS)
    first = number % len(names)
    results = {}
    for name in (*names[first:], *names[:first]):
        results[name] = contest(settings, options, name, str(number))
        print(
            f"  round {number}: {name}: {results[name].rate:,.0f}/s, "
            f"{results[name].cpu_us:.1f} µs CPU",
            file=sys.stderr,
            flush=True,
        )
    return results


def contest(settings: Settings, options: Options, name: str, run_name: str) -> Result:
    """Run one contestant in a process of its own. Raises RuntimeError when it fails."""
    listings = options.listings
    if name == "plain Faust":
        listings = max(1_000, int(listings * FAUST_SHARE))
    if name == "ours":
        rewind(settings)
    bare = name.startswith("raw")
    task = Task(
        name,
        core=options.cores.contestant,
        # A bare client has nothing to warm up, and would have fetched ahead by then.
        warm_up=1 if bare else listings // 10,
        listings=listings,
        group=f"bench-{name.replace(' ', '-')}-{run_name}",
    )
    return run_task(settings, task)


def run_task(settings: Settings, task: Task) -> Result:
    """Run a task that ends by itself. Raises RuntimeError when it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.contestants", msgspec.json.encode(task).decode()],
        env=environment(settings),
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    if done.returncode != 0 or not done.stdout:
        raise RuntimeError(f"{task.contestant} failed:\n{done.stderr[-4000:]}")
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Result)


def section(
    options: Options, described: str, rounds: Sequence[Mapping[str, Result]], size: float
) -> Section:
    """Return the report of these rounds."""
    by_name: defaultdict[str, list[Result]] = defaultdict(list)
    for results in rounds:
        for name, result in results.items():
            by_name[name].append(result)
    rates = {name: [r.rate for r in found] for name, found in by_name.items()}
    cpu = {name: [r.cpu_us for r in found] for name, found in by_name.items()}
    pairs = [("ours", "plain Faust"), ("ours", "raw confluent-kafka"), ("ours", "raw aiokafka")]
    return Section(
        title="Throughput",
        how=(
            f"A topic of {options.listings:,} {'real' if options.data else 'generated'} listings ("
            f"{size:,.0f} bytes each on average, Avro in Confluent's wire format, CloudEvents "
            f"headers, compression {options.compression}, {settings_text()}) is read by one "
            "contestant after the other, each a process on a core of its own, the broker on the "
            f"other; {options.rounds} rounds, another contestant first in each. 'Bare scan' is one "
            "Hyperscan pass over the raw value for the 1,200 marks. 'Ours' is the worker with "
            "every agent: screen, judgement, Redis, takedowns acknowledged, offsets, metrics. "
            "'Plain Faust' is an agent on Faust's own transport that decodes and judges each "
            "listing with the same functions, asks Redis the same, and sends the same takedowns; "
            "it gets fewer listings, as it is slow. CPU is user and system time of the process."
        ),
        command=options.command,
        machine=described,
        tables=(
            Table(
                ("ratio, round by round", "listings/s", "CPU a listing"),
                tuple(
                    (
                        f"{one} to {other}",
                        spread(ratios(rates[one], rates[other])).text(2, " ×"),
                        spread(ratios(cpu[one], cpu[other])).text(2, " ×"),
                    )
                    for one, other in pairs
                ),
            ),
            Table(
                ("contestant", "listings/s", "CPU µs a listing", "found or acted on"),
                tuple(
                    (
                        _LABELS[name],
                        spread(rates[name]).text(),
                        spread(cpu[name]).text(1),
                        f"{100 * found[-1].acted:.2f} %",
                    )
                    for name, found in by_name.items()
                ),
            ),
            stage_table(by_name["ours"]),
        ),
    )


def stage_table(results: Sequence[Result]) -> Table:
    """Return where the time between two listings goes, by the clock on the wall.

    Stages that wait (facts: for Redis; deliver: for the broker) are left out: others go on
    meanwhile. What no stage claims is transport, client, Faust, the views, offsets and metrics.
    """
    busy = {stage: [1e6 * result.stages.get(stage, 0.0) for result in results] for stage in _BUSY}
    rest = [
        1e6 / result.rate - sum(times[number] for times in busy.values())
        for number, result in enumerate(results)
    ]
    rows = [(_BUSY[stage], spread(times).text(1)) for stage, times in busy.items()]
    return Table(("where ours spends it", "µs a listing"), (*rows, (_REST, spread(rest).text(1))))


_BUSY: Final = {
    "screen": "projection and byte screen, every listing",
    "examine": "decoding and examining what the screen lets through",
    "judge": "rules, takedowns, their encoding",
}
_REST: Final = "the rest: client, Faust, Redis, producer, views, offsets, metrics, waiting"


_LABELS: Final = {
    "raw confluent-kafka": "raw confluent-kafka, bare scan",
    "raw aiokafka": "raw aiokafka `getmany`, bare scan",
    "ours": "ours, whole way",
    "plain Faust": "plain Faust, decode and judge each",
}


def settings_text() -> str:
    """Return what the listings are like."""
    return (
        f"{100 * catalogue.NAMING:.0f} % name one of {catalogue.RIGHTS:,} registered marks, "
        f"{100 * catalogue.INFRINGING:.0f} % infringe, sold by one seller in {catalogue.ROGUES}"
    )
