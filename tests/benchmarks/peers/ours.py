"""The worker, whole way, as one of several: how far it was, by the clock that all share.

`python -m tests.benchmarks.peers.ours` reads a `Shift` from its argument and its settings from the
environment, and prints a `Report` as its last line.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from typing import Final

import msgspec

from deploy.services.process import die_with_parent
from streams.settings import Settings
from tests.benchmarks.contestants import Meter, Task, ours
from tests.benchmarks.machine import cpu_seconds, pin
from tests.benchmarks.peers.work import Outcome, cpu_of

QUIET_SECONDS: Final = 5.0
"""A worker that has had nothing for so long has no more to come: a rebalance takes less."""
IDLE_SECONDS: Final = 60.0


class Shift(msgspec.Struct, frozen=True):
    """What a worker has to do."""

    core: int
    broker: int
    """Process id of the broker."""
    listings: int
    """In the topic; it ends at once when it has handled as many."""


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """How far a worker was, at a time of the clock that all processes share."""

    seconds: float
    cpu: float
    """User and system time in seconds, all threads together."""
    broker: float
    """The same of the broker."""
    handled: int


class Report(msgspec.Struct, frozen=True):
    """What a worker did."""

    samples: list[Sample]
    """In the order of time; each has more handled than the one before."""
    acted: int


class Progress(Meter):
    """Notes how far the worker is; ends it when all is done, or nothing comes any more."""

    def __init__(self, shift: Shift) -> None:
        super().__init__(Task("ours", shift.core, listings=shift.listings))
        self._broker = shift.broker
        self.samples = [self._sample(0)]

    def at(self, handled: int) -> bool:
        """Note how many listings were handled so far; return whether that was all."""
        last = self.samples[-1]
        if handled > last.handled:
            self.samples.append(self._sample(handled))
            return handled >= self.task.listings
        quiet = time.perf_counter() - last.seconds
        return quiet > (QUIET_SECONDS if handled else IDLE_SECONDS)

    def _sample(self, handled: int) -> Sample:
        return Sample(time.perf_counter(), cpu_seconds(), cpu_of(self._broker), handled)


def together(reports: Sequence[Report], warm_up: int) -> Outcome:
    """Return what some workers did while all of them were at it.

    That is from when each had its share of the warm-up until the first had no more to do. Raises
    RuntimeError when there was no such time.
    """
    share = max(1, warm_up // len(reports))
    begins = [
        next((s.seconds for s in report.samples if s.handled >= share), None) for report in reports
    ]
    if None in begins:
        raise RuntimeError(f"of {len(reports)} workers one had next to nothing to do")
    begin = max(seconds for seconds in begins if seconds is not None)
    end = min(report.samples[-1].seconds for report in reports)
    if end <= begin:
        raise RuntimeError(f"of {len(reports)} workers one was done when another began")
    firsts = [_at(report.samples, begin) for report in reports]
    lasts = [_at(report.samples, end) for report in reports]
    return Outcome(
        version("assayer"),
        sum(s.handled for s in lasts) - sum(s.handled for s in firsts),
        end - begin,
        sum(s.cpu for s in lasts) - sum(s.cpu for s in firsts),
        max(s.broker for s in lasts) - max(s.broker for s in firsts),
        sum(report.samples[-1].handled for report in reports),
        0,
        sum(report.acted for report in reports),
    )


def _at(samples: Sequence[Sample], seconds: float) -> Sample:
    """Return the last sample at or before a time."""
    return next(sample for sample in reversed(samples) if sample.seconds <= seconds)


def main(argument: str) -> None:
    """Run the worker and print how far it was when."""
    from agents.commands.worker import configure_logging

    die_with_parent()
    shift = msgspec.json.decode(argument, type=Shift)
    pin(shift.core)
    settings = Settings()
    configure_logging(settings.log_level)
    progress = Progress(shift)
    ours(settings, progress)
    print(msgspec.json.encode(Report(progress.samples, progress.acted)).decode(), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
