"""Listings written to hold the others up: the longest that each takes, the whole way."""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass
from typing import Final

from agents.monitoring.screening import Limits, screen
from agents.records import Listing
from streams.settings import Settings
from tests.benchmarks import machine
from tests.benchmarks.examination import NOW, Bench
from tests.benchmarks.hostile_listings import hostile_listings
from tests.benchmarks.report import Section, Table
from tests.benchmarks.subjects import Options
from tests.records import Record

GOAL_MS: Final = 50.0


@dataclass(slots=True)
class Taken:
    """What became of a listing, and the milliseconds of each round."""

    size: int
    outcome: str
    rounds: list[float]


def run(options: Options) -> Section:
    """Take every hostile listing the whole way, in every round."""
    described = machine.description(options.cores)
    bench = Bench()
    limits = Limits(Settings().max_record_bytes, Settings().max_clock_ahead_s)
    listings = hostile_listings([right.mark for right in bench.rights], limits.record_bytes)
    with machine.pinned(options.cores.contestant):
        taken = measure(bench, listings, limits, options.rounds)
    longest = {name: max(each.rounds) for name, each in taken.items()}
    order = sorted(taken, key=lambda name: -longest[name])
    return Section(
        title="Hostile listings",
        how=(
            f"{len(listings)} listings, each a record of its own of {limits.record_bytes:,} bytes "
            f"or as many as its kind can use, under {len(bench.rights):,} rights, from its bytes "
            "to its verdict and takedown: projected, screened, decoded, examined, judged, "
            "recorded. Milliseconds of processor time, the longest of the rounds."
        ),
        command=options.command,
        machine=described,
        tables=(
            Table(
                ("listing", "bytes", "longest, ms", "outcome"),
                tuple(
                    (name, f"{taken[name].size:,}", f"{longest[name]:.1f}", taken[name].outcome)
                    for name in order
                ),
            ),
        ),
        notes=(f"The goal is {GOAL_MS:.0f} ms for each.",),
    )


def measure(
    bench: Bench, listings: dict[str, Listing], limits: Limits, rounds: int
) -> dict[str, Taken]:
    """Return what each listing took, a refusal included.

    Raises RuntimeError where judging one ends in an error: its time would say nothing.
    """
    taken: dict[str, Taken] = {}
    for name, listing in listings.items():
        record = Record(0, bench.encoded(listing))
        taken[name] = Taken(len(record.value or b""), "", [])
        for _ in range(rounds):
            gc.collect()
            started = time.thread_time_ns()
            screened = screen([record], bench.judge, bench.decoder, limits, NOW)
            outcomes = [bench.decide(examination) for _, examination in screened.examined]
            taken[name].rounds.append((time.thread_time_ns() - started) / 1e6)
            reasons = [failure.reason for failure in screened.failures]
            if "judge_error" in reasons:
                raise RuntimeError(f"{name}: {screened.failures[0].error}")
            dead = [f"dead letter: {reason}" for reason in reasons]
            taken[name].outcome = next(iter([*outcomes, *dead]), "allow, at the screen")
    return taken
