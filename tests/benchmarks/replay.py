"""The replay of recorded listings through two policies, beside the worker's screen alone."""

from __future__ import annotations

import gc
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from agents.monitoring.judge import Judge
from agents.monitoring.policies import DEFAULT, default_policy
from agents.monitoring.registry import compile_registry
from agents.monitoring.replay.findings import Findings
from agents.monitoring.replay.replayer import Candidate, Replayer, Setup
from agents.monitoring.replay.sources import AT_ONCE, Part, Range, from_topic, whole
from agents.monitoring.screening import Limits, listing_decoder, screen
from agents.records import Right
from streams import topics
from streams.log_reader import LogReader, LogRecord
from streams.settings import Settings
from tests.benchmarks import catalogue, machine
from tests.benchmarks.installation import fill, installation, servers
from tests.benchmarks.report import Section, Table, ratios, spread
from tests.benchmarks.subjects import Options
from tests.harness import Bus

GOAL: Final = 50_000
SHARES: Final = {"none names a mark": 0.0, "10 % name a mark": catalogue.NAMING}
"""What the topics hold; of those that name a mark a tenth infringes."""
SCREEN: Final = "the worker's screen alone, in memory"
MEMORY: Final = "replay through two policies, in memory"
KAFKA: Final = "replay through two policies, read from Kafka"

Way = Callable[[], object]


def run(options: Options) -> Section:
    """Replay a topic of each kind in every way, in every round."""
    described = machine.description(options.cores)
    rights = catalogue.rights()
    supply = catalogue.Catalogue([right.mark for right in rights], options.data)
    taken: dict[tuple[str, str], list[float]] = defaultdict(list)
    with servers(options.cores) as running:
        ways: dict[tuple[str, str], Way] = {}
        for number, (kind, naming) in enumerate(SHARES.items()):
            settings = running.settings(f"replay{number}.")
            bus = installation(settings, rights)
            now = time.time_ns() // 1_000_000
            listings = supply.listings(options.listings, now, naming=naming, infringing=naming / 10)
            fill(bus, listings, options.compression)
            ways |= {(kind, name): way for name, way in _ways(bus, rights, now).items()}
        with machine.pinned(options.cores.contestant):
            for round_ in range(options.rounds + 1):
                for key, way in ways.items():
                    micros = _measured(way, options.listings)
                    print(f"  {', '.join(key)}: {micros:.1f} µs", file=sys.stderr, flush=True)
                    if round_:  # the first is for caches, and for the client to connect
                        taken[key].append(micros)
    return _section(options, described, taken, len(rights))


def _measured(way: Way, listings: int) -> float:
    """Return microseconds of processor time a listing, all threads together."""
    gc.collect()
    started = machine.cpu_seconds()
    way()
    return (machine.cpu_seconds() - started) / listings * 1e6


def _ways(bus: Bus, rights: Sequence[Right], now: int) -> dict[str, Way]:
    limits = Limits(bus.settings.max_record_bytes, bus.settings.max_clock_ahead_s)
    text = DEFAULT.read_bytes()
    cheaper = text.replace(b"price_ratio < 0.35", b"price_ratio < 0.15")
    setup = Setup(
        Candidate("default", default_policy().version, text),
        Candidate("cheaper", "cheaper", cheaper),
        msgspec.json.encode(rights),
        "1",
        limits,
        now,
        bus.settings,
    )
    replayer = Replayer(setup, bus.registry)
    judge = Judge(compile_registry(rights, "1"), default_policy())
    decoder = listing_decoder(bus.registry)
    parts = from_topic(bus.settings, Range(0)).parts
    records = _records(bus.settings)
    decoder.fetch(decoder.unknown(record.value for record in records))
    batch = bus.settings.batch_records

    def alone() -> None:
        for start in range(0, len(records), batch):
            screen(records[start : start + batch], judge, decoder, limits, now)

    def in_memory() -> Findings:
        found = Findings()
        for start in range(0, len(records), AT_ONCE):
            replayer.add_records(found, records[start : start + AT_ONCE])
        return found

    def from_kafka() -> Findings:
        return _checked(replayer, parts, len(records))

    return {SCREEN: alone, MEMORY: in_memory, KAFKA: from_kafka}


def _checked(replayer: Replayer, parts: Sequence[Part], expected: int) -> Findings:
    found = whole(part.replay(replayer, lambda _: None) for part in parts)
    if found.read != expected or +found.unreadable:
        raise RuntimeError(f"{found.read} of {expected} listings, {found.unreadable}")
    return found


def _records(settings: Settings) -> list[LogRecord]:
    topic = settings.topic(topics.LISTINGS.name)
    records: list[LogRecord] = []
    for partition in range(machine.PARTITIONS):
        reader = LogReader(settings, topic, partition)
        try:
            for batch in reader.read_to_end(5_000):
                records += batch
        finally:
            reader.close()
    return records


def _section(
    options: Options, described: str, taken: dict[tuple[str, str], list[float]], rights: int
) -> Section:
    return Section(
        title="Replay",
        how=(
            f"A topic of {options.listings:,} generated listings, once with none that names one of "
            f"{rights:,} registered marks and once with 10 % that do, is judged by the default "
            f"policy and by one with another threshold, as `assayer policy diff` does, by one "
            "process on one core, and by the screen alone with the worker's batches. Counted is "
            "processor time, all threads together, reading from a real Kafka included where it "
            f"says so; a core replays so many listings a second of it. {options.rounds} rounds. "
            f"The goal is {GOAL:,} listings/s a core on those that the screen lets pass."
        ),
        command=options.command,
        machine=described,
        tables=(
            Table(
                ("ratio, round by round", *SHARES),
                tuple(
                    (
                        f"{name}, to the screen alone",
                        *(
                            spread(ratios(taken[kind, name], taken[kind, SCREEN])).text(2, " ×")
                            for kind in SHARES
                        ),
                    )
                    for name in (MEMORY, KAFKA)
                ),
            ),
            Table(
                ("µs of processor time a listing", *SHARES),
                tuple(
                    (name, *(spread(taken[kind, name]).text(1) for kind in SHARES))
                    for name in (SCREEN, MEMORY, KAFKA)
                ),
            ),
            Table(
                ("listings/s a core", *SHARES),
                tuple(
                    (
                        name,
                        *(spread([1e6 / each for each in taken[kind, name]]).text()
                          for kind in SHARES),
                    )
                    for name in (SCREEN, MEMORY, KAFKA)
                ),
            ),
        ),
    )  # fmt: skip
