"""What the listings wait for while a new policy or a new registry is compiled aside and swapped in.

One thread judges listing after listing, each a batch of its own, as the worker does it between the
bytes of a listing and those of its takedown: there are no servers, and so nothing else to wait for.
Beside it another thread gets the records of `assayer.policies` or `assayer.rights`, applies them,
compiles and swaps, by the worker's own functions and at the worker's own pace; only that they were
read from Kafka is left out. All is on one core, with garbage collected as the worker does.

A listing's wait runs from the end of the listing before it to its own end. It is processor time of
the whole process, both threads: what the listing took itself, and what the other thread took while
it waited, for Python's lock or for the core. What other programs take of the core is not counted,
nor is the time in which the other thread rests, in which nobody waits for it. The waits of a swap
are all those from the moment the records are at hand to the last of some listings judged under the
new version: the slowdown by compiling, the swap itself, and the release of what served before. The
wait in which the version changes is also given by itself. As rests make a swap take longer, and
with it the number of waits, those over the goal are counted by swap, too.

What the worker does is compared, in the same rounds, with the same work that never gives way, and
with that under a short switch interval.
"""

from __future__ import annotations

import gc
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Final

from agents.worker import collect_less_garbage
from streams.aside import aside
from tests.benchmarks import catalogue, machine
from tests.benchmarks.report import Section, Table, percentile, ratios, spread
from tests.benchmarks.subjects import Options
from tests.benchmarks.swaps import CHANGES, NOW, Bench, Work

LISTINGS: Final = 2_000
"""Different listings of the stream, which begins again behind the last."""
AFTER: Final = 20
"""Listings judged under the new version that still belong to a swap."""
BETWEEN: Final = 50
"""Listings judged between two swaps."""
QUIET: Final = 2_000
"""Listings a round with nothing aside."""
GOAL_MS: Final = 5.0
SHORT_S: Final = 0.0005
"""Seconds after which a thread that wants Python's lock asks for it; Python's own are 0.005."""
NOTHING: Final = "nothing"
IN_PIECES: Final = "in pieces"
AT_ONCE: Final = "at once"
SWITCHED: Final = "at once, switched"


@dataclass(slots=True)
class Waits:
    """What was waited for in a round, in milliseconds of processor time."""

    all: list[float] = field(default_factory=list)
    """Listing by listing."""
    at_swap: list[float] = field(default_factory=list)
    """Swap by swap: that of the first listing under the new version."""
    until: list[float] = field(default_factory=list)
    """Swap by swap: from the records to the end of that listing."""

    @property
    def over(self) -> int:
        """How many were longer than the goal."""
        return sum(wait > GOAL_MS for wait in self.all)


@contextmanager
def _switched() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(SHORT_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


Way = Callable[[], AbstractContextManager[None]]
"""Within which the work is done."""

WAYS: Final[dict[str, Way]] = {IN_PIECES: aside, AT_ONCE: nullcontext, SWITCHED: _switched}


def run(options: Options) -> Section:
    """Judge with nothing aside, and during swaps of every kind and way, in every round."""
    described = machine.description(options.cores)
    rights = catalogue.rights()
    supply = catalogue.Catalogue([right.mark for right in rights], options.data)
    bench = Bench(rights, list(supply.listings(min(LISTINGS, options.listings), NOW)))
    with machine.pinned(options.cores.contestant), _garbage_as_in_the_worker():
        quiet, rounds = measure(bench, CHANGES, options.rounds)
    return section(options, described, quiet, rounds)


Rounds = dict[tuple[str, str], list[Waits]]
"""By change and way, round by round."""


def section(options: Options, described: str, quiet: Sequence[Waits], rounds: Rounds) -> Section:
    """Return the report of these rounds."""
    kind = "real rows" if options.data else "generated listings"
    return Section(
        title="Pause of a swap",
        how=(
            f"A stream of {kind}, 10 % of which name one of {catalogue.RIGHTS:,} marks, is judged "
            "one by one while a policy or a registry is compiled aside and swapped in, by the "
            "worker's own functions, all on one core and without servers. A listing's wait runs "
            "from the end of the one before to its own end, in processor time of both threads: its "
            "own judgement, and what the other thread took meanwhile. Counted are all waits from "
            f"the records at hand to the {AFTER}th listing under the new version; 'the swap' is "
            "that of the first of them, 'in use after' the processor time of both threads up to "
            f"its end. '{IN_PIECES.capitalize()}' is what the worker does; '{AT_ONCE}' is the same "
            f"without rests, and '{SWITCHED}' without rests and with Python's switch interval at "
            f"{SHORT_S * 1e3} ms."
        ),
        command=options.command,
        machine=described,
        tables=(_ratios(quiet, rounds), _times(quiet, rounds)),
        notes=(f"The goal is {GOAL_MS:.0f} ms at p99.", TICKS),
    )


TICKS: Final = (
    "While a thread holds no lock of Python's, as in numpy and C, the core goes from thread to "
    "thread by the kernel's ticks, of 4 ms at 250 a second: the longest waits of a registry are a "
    "tick and the listing's own time."
)


def _tails(waits: Sequence[Waits]) -> list[float]:
    return [percentile(each.all, 0.99) for each in waits]


def _ratios(quiet: Sequence[Waits], rounds: Rounds) -> Table:
    return Table(
        ("p99, round by round", f"{IN_PIECES} to nothing", f"{AT_ONCE} to that",
         f"{SWITCHED} to that"),
        tuple(
            (
                change,
                *(
                    spread(ratios(_tails(these), _tails(those))).text(2, " ×")
                    for these, those in (
                        (rounds[change, IN_PIECES], quiet),
                        *(
                            (rounds[change, way], rounds[change, IN_PIECES])
                            for way in (AT_ONCE, SWITCHED)
                        ),
                    )
                ),
            )
            for change in dict.fromkeys(change for change, _ in rounds)
        ),
    )  # fmt: skip


def _times(quiet: Sequence[Waits], rounds: Rounds) -> Table:
    def cells(waits: Sequence[Waits]) -> tuple[str, ...]:
        return (
            spread([percentile(each.all, 0.5) for each in waits]).text(2),
            spread(_tails(waits)).text(2),
            spread([max(each.all) for each in waits]).text(1),
        )

    def swapped(waits: Sequence[Waits]) -> tuple[str, ...]:
        return (
            spread([each.over / len(each.at_swap) for each in waits]).text(1),
            spread([percentile(each.at_swap, 0.5) for each in waits]).text(2),
            spread([percentile(each.until, 0.5) for each in waits]).text(0),
        )

    return Table(
        ("compiled aside", "how", "wait, ms: p50", "p99", "longest",
         f"waits over {GOAL_MS:.0f} ms, a swap", "the swap, ms", "in use after, ms"),
        (
            (NOTHING, "", *cells(quiet), "", "", ""),
            *(
                (change, way, *cells(waits), *swapped(waits))
                for (change, way), waits in rounds.items()
            ),
        ),
    )  # fmt: skip


def measure(
    bench: Bench, changes: dict[str, tuple[int, Callable[[Bench], Work]]], rounds: int
) -> tuple[list[Waits], Rounds]:
    """Return what was waited for with nothing aside, and with each change, round by round."""
    for _ in range(LISTINGS):  # what is compiled at first use, and caches of words
        bench.judge_next()
    quiet: list[Waits] = []
    found: defaultdict[tuple[str, str], list[Waits]] = defaultdict(list)
    for _ in range(rounds):
        gc.collect()
        quiet.append(_quiet(bench))
        for name, (times, change) in changes.items():
            for way in WAYS:
                waits = Waits()
                gc.collect()
                for _ in range(times):
                    for _ in range(BETWEEN):
                        bench.judge_next()
                    swap(bench, change(bench), waits, WAYS[way])
                found[name, way].append(waits)
    return quiet, dict(found)


def _quiet(bench: Bench) -> Waits:
    waits = Waits()
    last = time.process_time()
    for _ in range(QUIET):
        bench.judge_next()
        now = time.process_time()
        waits.all.append((now - last) * 1e3)
        last = now
    return waits


def swap(bench: Bench, work: Work, waits: Waits, way: Way = aside) -> None:
    """Judge while `work` is done in another thread, until some were judged by another judge.

    Raises:
        RuntimeError: it swapped nothing.
    """

    def run() -> None:
        with way():
            work()

    former = bench.maker.current
    thread = threading.Thread(target=run, daemon=True)
    behind = 0
    started = last = time.process_time()
    thread.start()
    while behind < AFTER:
        over = not thread.is_alive()
        judge = bench.judge_next()
        now = time.process_time()
        wait = (now - last) * 1e3
        waits.all.append(wait)
        if judge is not former:
            behind += 1
            if behind == 1:
                waits.at_swap.append(wait)
                waits.until.append((now - started) * 1e3)
        elif over:
            raise RuntimeError("what was done aside swapped nothing")
        last = now
    thread.join()


@contextmanager
def _garbage_as_in_the_worker() -> Iterator[None]:
    before = gc.get_threshold()
    collect_less_garbage()
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
