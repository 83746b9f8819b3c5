"""A million rights: how long a worker takes to have them, to take a new one, and to judge.

What is measured is a process of its own for each number of rights, which does with the records of
the rights, and with batches of listings, what a worker does; Kafka is not in it.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, cast

import msgspec

from agents.monitoring.judge_maker import JudgeMaker
from agents.monitoring.policies import default_policy
from agents.monitoring.screening import listing_decoder, screen
from agents.records import Right
from agents.worker import collect_less_garbage
from streams import topics
from streams.aside import aside
from streams.codec import Encoder
from streams.log_reader import LogRecord
from streams.memory import give_memory_back, keep_batches_memory
from streams.schema_registry import SchemaRegistry
from streams.settings import Settings
from tests.benchmarks import catalogue, machine
from tests.benchmarks.report import Section, Table, ratios, spread
from tests.benchmarks.subjects import Options
from tests.benchmarks.swaps import CLEAN, LIMITS, NOW

FEW: Final = 1_200
MANY: Final = 1_000_000
BATCH: Final = 500
LISTINGS: Final = 20_000
AT_ONCE: Final = 1_000
"""Records of rights that are applied at once, as they are read."""


class Started(msgspec.Struct, frozen=True):
    """What a process says when it has its rights."""

    seconds: float
    """From the first record at hand to the first judge."""
    cpu_seconds: float
    """Of the process and those it started."""
    resident_mb: float
    """Resident memory, what lies in a file and is used counted in."""
    own_mb: float
    """Of that, what is of no file: other processes share the rest."""


class Round(msgspec.Struct, frozen=True):
    """What a process says of a round over the same listings."""

    cpu_us: float
    """A listing: screen, examination, rules."""
    examined: float
    """Share of the listings that the screen does not let pass."""
    new_right_s: float
    """From the record of a new right to the first verdict under it."""
    resident_mb: float


def run(options: Options) -> Section:
    """Start with few and many rights, with a file of marks and without; then judge by turns."""
    described = machine.description(options.cores)
    with tempfile.TemporaryDirectory() as cache:
        first = _started(MANY, options, cache)
        with _contestant(MANY, options, cache) as many, _contestant(FEW, options, cache) as few:
            starts = {MANY: many.started, FEW: few.started}
            rounds = [(few.play(), many.play()) for _ in range(options.rounds + 1)][1:]
    return section(options, described, first, starts, rounds)


def section(
    options: Options,
    described: str,
    first: Started,
    starts: dict[int, Started],
    rounds: list[tuple[Round, Round]],
) -> Section:
    """Return the report of starts and rounds: of few rights and of many."""
    of = {FEW: [few for few, _ in rounds], MANY: [many for _, many in rounds]}
    rate = ratios([each.cpu_us for each in of[FEW]], [each.cpu_us for each in of[MANY]])
    return Section(
        title="A million rights",
        how=(
            f"Invented marks of {catalogue.LETTERS} letters and more; "
            f"{'real' if options.data else 'generated'} listings, "
            f"{100 * catalogue.NAMING:.0f} % of which name one, in batches of {BATCH}. A process "
            "for each number of rights takes their records as a worker does, and judges the "
            "listings: screen, examination, rules, without Kafka and Redis, by turns on one core. "
            "Starting has all cores, and begins with the records at hand: reading them from Kafka "
            "comes to it. The goals are 180 s without a file of compiled marks, 60 s with one, 2 s "
            "for a new right, 0.8 of the rate, 2 GB."
        ),
        command=options.command,
        machine=described,
        tables=(
            Table(
                ("ratio, round by round", "listings a second of CPU"),
                ((f"{MANY:,} rights to {FEW:,}", spread(rate).text(2, " ×")),),
            ),
            Table(
                ("rights", "start, s", "CPU s of it", "resident then, MB", "of no file, MB"),
                tuple(
                    (name, f"{s.seconds:.1f}", f"{s.cpu_seconds:.1f}",
                     f"{s.resident_mb:,.0f}", f"{s.own_mb:,.0f}")
                    for name, s in (
                        (f"{FEW:,}", starts[FEW]),
                        (f"{MANY:,}, no file", first),
                        (f"{MANY:,}, marks in a file", starts[MANY]),
                    )
                ),
            ),
            Table(
                ("rights", "CPU µs a listing", "examined", "a new right acts after, s",
                 "resident at the end, MB"),
                tuple(
                    (
                        f"{count:,}",
                        spread([each.cpu_us for each in found]).text(1),
                        f"{100 * found[-1].examined:.1f} %",
                        spread([each.new_right_s for each in found]).text(2),
                        f"{found[-1].resident_mb:,.0f}",
                    )
                    for count, found in of.items()
                ),
            ),
        ),
    )  # fmt: skip


class _Contestant:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.started = msgspec.json.decode(self._read(), type=Started)

    def play(self) -> Round:
        """Let it judge all listings once."""
        stdin = cast(IO[str], self._process.stdin)
        stdin.write("\n")
        stdin.flush()
        return msgspec.json.decode(self._read(), type=Round)

    def _read(self) -> str:
        line = cast(IO[str], self._process.stdout).readline()
        if not line:
            raise RuntimeError(f"a contestant ended with {self._process.wait()}")
        return line


@contextmanager
def _contestant(count: int, options: Options, cache: str) -> Iterator[_Contestant]:
    asked = [str(count), str(min(LISTINGS, options.listings)), str(options.cores.contestant)]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.million", *asked, str(options.data or "")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"XDG_CACHE_HOME": cache},
    )
    try:
        yield _Contestant(process)
    finally:
        cast(IO[str], process.stdin).close()
        process.wait()


def _started(count: int, options: Options, cache: str) -> Started:
    with _contestant(count, options, cache) as contestant:
        return contestant.started


class Worker:
    """What a worker has of rights and listings."""

    def __init__(self, rights: Iterable[Right]) -> None:
        registry = SchemaRegistry.connect(Settings(schema_registry_url="mock://million"))
        self._encoder = Encoder(registry, topics.RIGHTS.name, topics.RIGHTS.schema)
        self._listings = Encoder(registry, topics.LISTINGS.name, topics.LISTINGS.schema)
        self._decoder = listing_decoder(registry)
        self._offsets = itertools.count()
        self.maker = JudgeMaker(registry, default_policy())
        self.maker.renew_policy()
        self.seconds = 0.0
        """Time taken until there was a judge, without making the records."""
        given = map(self.record, rights)
        while records := list(itertools.islice(given, AT_ONCE)):
            started = time.perf_counter()
            self.maker.apply_rights(records)
            self.seconds += time.perf_counter() - started
        started = time.perf_counter()
        self.maker.renew_registry()
        self.seconds += time.perf_counter() - started

    def record(self, right: Right) -> LogRecord:
        """Return the record that publishes a right."""
        value = self._encoder.encode(msgspec.to_builtins(right))
        return LogRecord(next(self._offsets), NOW, right.right_id.encode(), value, ())

    def batches(self, marks: list[str], data: Path | None, count: int) -> list[list[LogRecord]]:
        """Return batches of listings of which some name one of these marks."""
        listings = catalogue.Catalogue(marks, data).listings(count, NOW)
        records = [
            LogRecord(n, NOW, b"", self._listings.encode(msgspec.to_builtins(listing)), ())
            for n, listing in enumerate(listings)
        ]
        self._decoder.fetch(self._decoder.unknown(record.value for record in records))
        return [records[n : n + BATCH] for n in range(0, count, BATCH)]

    def judge(self, batch: list[LogRecord]) -> int:
        """Judge a batch; return how many of its listings were examined."""
        judge = self.maker.current
        examined = screen(batch, judge, self._decoder, LIMITS, NOW).examined
        for _, examination in examined:
            judge.decide(examination, CLEAN)
        return len(examined)

    def publish(self, right: Right, named: list[LogRecord]) -> float:
        """Publish a right, aside; return the seconds until a listing that names it is examined."""
        records = [self.record(right)]
        started = time.perf_counter()
        with aside():
            self.maker.apply_rights(records)
            self.maker.renew_registry()
        if not self.judge(named):
            raise RuntimeError(f"the mark {right.mark!r} was published, and is not found")
        return time.perf_counter() - started


def _serve(count: int, listings: int, core: int, data: Path | None) -> None:
    """Have so many rights; then, for each line of standard input, judge the listings once."""
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    keep_batches_memory()
    collect_less_garbage()
    used = os.times()
    worker = Worker(catalogue.many_rights(count))
    give_memory_back()
    spent = [after - before for before, after in zip(used[:4], os.times()[:4], strict=True)]
    _say(Started(worker.seconds, sum(spent), *_memory()))
    machine.pin(core)
    rights = worker.maker.current.registry.rights
    marks = [right.mark for right in rights]
    batches = worker.batches(marks, data, listings)
    del marks
    give_memory_back()
    for number, _ in enumerate(sys.stdin):
        started = time.process_time()
        examined = sum(worker.judge(batch) for batch in batches)
        cpu = time.process_time() - started
        mark = f"Quandrelvex{'abcdefghij'[number % 10]}ovar"
        named = worker.batches([mark], None, BATCH)[0]
        seconds = worker.publish(Right(f"new-{number}", "New Ltd", mark=mark), named)
        _say(Round(cpu / listings * 1e6, examined / listings, seconds, _memory()[0]))


def _say(answer: msgspec.Struct) -> None:
    print(msgspec.json.encode(answer).decode(), flush=True)


def _memory() -> tuple[float, float]:
    """Return the megabytes that are resident, and those of them that are of no file."""
    found = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    resident, own = (int(found[name].split()[0]) / 1e3 for name in ("VmRSS", "RssAnon"))
    return resident, own


if __name__ == "__main__":
    _count, _listings, _core, _data = sys.argv[1:]
    _serve(int(_count), int(_listings), int(_core), Path(_data) if _data else None)
