"""A sweep reads no faster than it was told to, and makes up for no pause."""

from __future__ import annotations

import asyncio

import pytest

from agents.monitoring.sweeping.pace import Pace


class Clock:
    """A clock that goes on by what is slept, or as it is told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_records_are_taken_at_the_rate_and_a_pause_is_not_made_up_for() -> None:
    clock = Clock()
    pace = Pace(200, clock, clock.sleep)

    async def work() -> None:
        for _ in range(10):
            await pace.take(100)
        assert clock.now == pytest.approx(105.0)
        clock.now += 60
        for _ in range(4):
            await pace.take(50)
        assert clock.now == pytest.approx(166.0)

    asyncio.run(work())


@pytest.mark.parametrize(("rate", "portion"), [(1, 1), (7, 1), (400, 100), (1_000_000, 1000)])
def test_a_portion_is_a_quarter_of_a_second_at_most(rate: int, portion: int) -> None:
    assert Pace(rate).portion == portion
