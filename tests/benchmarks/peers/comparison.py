"""Ours, whole way, beside other stream processors on the same listings, in one run."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from tests.benchmarks import machine
from tests.benchmarks.installation import servers
from tests.benchmarks.peers.contest import Condition, Contest, ground, run_ours, watched
from tests.benchmarks.peers.programs import PEERS
from tests.benchmarks.peers.rounds import (
    JUDGING_FAUST,
    OURS,
    Rounds,
    base_entrants,
    further_entrants,
    play,
)
from tests.benchmarks.report import Section, Table, percentile, ratios, spread
from tests.benchmarks.subjects import Options
from tests.benchmarks.throughput import settings_text

_DOES: Final = {
    OURS: (
        "the worker with every agent: each listing read for marks in all their disguises, what "
        "names one judged by the default policy, sellers asked of Redis, takedowns with evidence "
        "and statement acknowledged before offsets are committed, metrics"
    ),
    **{peer.name: peer.does for peer in PEERS},
    JUDGING_FAUST: (
        "an agent on Faust's own transport that decodes and judges each listing with the functions "
        "of ours, asks Redis, and sends the same takedowns"
    ),
}
_GOALS: Final = {peer.name: f"{peer.goal:g} ×" for peer in PEERS if peer.goal is not None}


def run(options: Options) -> Section:
    """Measure every contestant in every round, in turning order."""
    described = machine.description(options.cores)
    rounds = Rounds()
    first, *others = conditions(options)
    core = options.cores.contestant
    with servers(options.cores) as running:
        base = ground(running, options, first)
        grounds = [base, *(ground(running, options, condition) for condition in others)]
        entrants = base_entrants(base, options.cores, rounds.missing)
        for where in grounds[1:]:
            entrants += further_entrants(where, base, options.cores)
        for where in grounds:
            run_ours(where, [core])  # a warm-up: sellers' standings settle here
        play(entrants, options.rounds, partial(watched, core), rounds)
    return section(options, described, rounds, base.bytes_per_listing)


def conditions(options: Options) -> list[Condition]:
    """Return what all run under, and then what ours is set beside it under.

    Each of the further ones differs from the first in one thing. Of several workers the last to
    join finds others at it, so they get more listings.
    """
    count = options.listings
    codec, partitions, workers = options.compression, options.partitions[0], options.workers[0]
    return [
        Condition("", codec, partitions, workers, count),
        *(
            Condition(other, other, partitions, workers, count)
            for other in options.compressions[1:]
        ),
        *(
            Condition(f"{other} partitions", codec, other, workers, count)
            for other in options.partitions[1:]
        ),
        *(
            Condition(f"{other} workers", codec, partitions, other, count * (1 + other))
            for other in options.workers[1:]
        ),
    ]


def section(options: Options, described: str, rounds: Rounds, size: float) -> Section:
    """Return the report of these rounds."""
    contests = rounds.contests
    spins = [1e3 * contest.spin for found in contests.values() for contest in found.values()]
    return Section(
        title="Peers",
        how=(
            f"A topic of {options.listings:,} {'real' if options.data else 'generated'} listings ("
            f"{size:,.0f} bytes each on average, Avro in Confluent's wire format, CloudEvents "
            f"headers, compression {options.compression}, {options.partitions[0]} partitions, "
            f"{settings_text()}) is read by one contestant after the other, each a process on a "
            f"core of its own, broker, registry and Redis on another; {options.rounds} rounds, "
            "another contestant first in each. Ours does the whole way; a peer does what is said "
            "of it below, with its defaults where nothing else is said. Where a peer scans, it "
            "looks for the marks as they are written, ASCII case ignored, and a listing is cheap "
            "under 0.35 of the reference price: no disguise, no vocabulary, no seller. Plain Faust "
            "gets fewer listings, as it is slow. CPU is user and system time of the process, "
            "and of the broker meanwhile."
        ),
        command=options.command,
        machine=described,
        tables=tuple(
            table for table in (peer_table(rounds), condition_table(rounds)) if table.rows
        ),
        notes=(
            _noise(spins),
            *(
                f"**{name}**{_version(contests.get(name, {}))}: {does}."
                for name, does in _DOES.items()
            ),
            *(
                f"**{name}** failed; its other rounds count: {_why(rounds, name)}."
                for name in rounds.failures
                if name in contests
            ),
        ),
    )


def _noise(spins: list[float]) -> str:
    """Return how long the same loop took before each contest, in milliseconds."""
    low, middle, high = (percentile(spins, share) for share in (0.1, 0.5, 0.9))
    return (
        "The machine's noise: the same loop of additions, on the contestant's core before each "
        f"contest, took {middle:.0f} ms, 80 % of the times {low:.0f} to {high:.0f}, "
        f"at most {max(spins):.0f}."
    )


def peer_table(rounds: Rounds) -> Table:
    """Return ours beside every peer; of one that is missing, why."""
    head = (
        "contestant", "listings/s", "CPU µs a listing", "ours to it, listings/s", "goal",
        "ours to it, CPU", "broker's CPU µs", "found", "acted on",
    )  # fmt: skip
    return Table(head, tuple(_row(name, rounds) for name in _DOES))


def _row(name: str, rounds: Rounds) -> tuple[str, ...]:
    contests = rounds.contests
    goal = _GOALS.get(name, "")
    if name not in contests:
        return (name, f"not run: {_why(rounds, name)}", "", "", goal, "", "", "", "")
    found, ours = contests[name], contests[OURS]
    last = list(found.values())[-1].outcome
    beside = ("", "") if name == OURS else _ratios(ours, found)
    return (
        name,
        spread(_rates(found)).text(),
        spread(_cpu(found)).text(1),
        beside[0],
        goal,
        beside[1],
        spread([contest.outcome.broker_us for contest in found.values()]).text(1),
        f"{100 * last.named / last.read:.2f} %" if last.named else "",
        f"{100 * last.acted / last.read:.2f} %" if last.acted else "",
    )


def condition_table(rounds: Rounds) -> Table:
    """Return what becomes of ours, and of the raw client, when one condition is another."""
    head = (
        "under another condition", "listings/s", "CPU µs a listing", "to the first, listings/s",
        "to the first, CPU", "broker's CPU µs", "of its core",
    )  # fmt: skip
    rows: list[tuple[str, ...]] = []
    for name, other in rounds.beside.items():
        if name not in rounds.contests or other not in rounds.contests:
            rows.append((name, f"not run: {_why(rounds, name)}", *[""] * 5))
            continue
        found = rounds.contests[name]
        outcomes = [contest.outcome for contest in found.values()]
        rows.append((
            name,
            spread(_rates(found)).text(),
            spread(_cpu(found)).text(1),
            *_ratios(found, rounds.contests[other]),
            spread([outcome.broker_us for outcome in outcomes]).text(1),
            spread([100 * outcome.broker_share for outcome in outcomes]).text(0, " %"),
        ))  # fmt: skip
    return Table(head, tuple(rows))


def _ratios(one: Mapping[int, Contest], other: Mapping[int, Contest]) -> tuple[str, str]:
    """Return listings a second and CPU of one to another, of the rounds in which both ran."""
    both = sorted(one.keys() & other.keys())
    if not both:
        return "", ""
    ones = {number: one[number] for number in both}
    others = {number: other[number] for number in both}
    return (
        spread(ratios(_rates(ones), _rates(others))).text(2, " ×"),
        spread(ratios(_cpu(ones), _cpu(others))).text(2, " ×"),
    )


def _rates(contests: Mapping[int, Contest]) -> list[float]:
    return [contest.outcome.rate for contest in contests.values()]


def _cpu(contests: Mapping[int, Contest]) -> list[float]:
    return [contest.outcome.cpu_us for contest in contests.values()]


def _version(contests: Mapping[int, Contest]) -> str:
    return next((f" {contest.outcome.version}" for contest in contests.values()), "")


def _why(rounds: Rounds, name: str) -> str:
    failures = rounds.failures.get(name, {})
    told = [f"in round {number}, {reason}" for number, reason in failures.items()]
    return rounds.missing.get(name, "; ".join(told))
