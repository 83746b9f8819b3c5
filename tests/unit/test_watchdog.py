"""The watchdog ends what is stuck, and nothing that only waits, works or was stopped as a whole."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry, Gauge

from agents.watchdog import EXIT, Mark, Watchdog


class _Trial:
    def __init__(self, look: Callable[[int], Mark], seconds: float) -> None:
        self.codes: list[int] = []
        self.looks = 0
        self._registry = CollectorRegistry()
        gauge = Gauge("stuck", "", registry=self._registry)
        self._look = look
        self.dog = Watchdog(self._asked, seconds, gauge, self._end, 0.01)

    def _asked(self) -> Mark:
        self.looks += 1
        return self._look(self.looks)

    @property
    def told(self) -> float:
        """What the metric says."""
        return self._registry.get_sample_value("stuck") or 0.0

    def _end(self, code: int) -> None:
        self.codes.append(code)

    def watch(self, looks: int) -> list[int]:
        self.dog.start()
        done = threading.Event()
        while self.looks < looks and not self.codes:
            done.wait(0.01)
        self.dog.close()
        return self.codes


@pytest.mark.expects_errors
def test_ends_what_has_work_and_does_none() -> None:
    trial = _Trial(lambda look: Mark(look, "the same", busy=True), 0.1)
    assert trial.watch(1000) == [EXIT]


@pytest.mark.expects_errors
def test_ends_an_event_loop_that_does_not_turn() -> None:
    trial = _Trial(lambda look: Mark("the same", look, busy=False), 0.1)
    assert trial.watch(1000) == [EXIT]


def test_leaves_what_has_no_work_or_does_some() -> None:
    assert not _Trial(lambda look: Mark(look, "the same", busy=False), 0.05).watch(40)
    assert not _Trial(lambda look: Mark(look, look, busy=True), 0.05).watch(40)


def test_counts_from_the_last_progress_and_tells_how_long() -> None:
    turns = itertools.count()
    trial = _Trial(lambda look: Mark(next(turns), look // 5, busy=True), 0.5)
    assert not trial.watch(60)
    assert 0.0 <= trial.told < 0.5


def test_never_ends_with_zero() -> None:
    trial = _Trial(lambda look: Mark(look, "the same", busy=True), 0.0)
    assert not trial.watch(40)
    assert trial.told > 0.1
