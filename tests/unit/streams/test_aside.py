"""Work aside lets others run, in pieces; elsewhere nothing changes, whatever the work ends in.

Who gets to run is told by turns, not by time: with an interval of a minute nobody takes Python's
lock away from a thread that computes, so that others only run where it gives way.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from streams.aside import PIECE_S, YOUNG, aside, give_way, giving_way, to_thread_aside

PIECES = 10


@pytest.fixture
def nobody_takes_over() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(60.0)
    yield
    sys.setswitchinterval(before)


def compute() -> None:
    """Compute for some pieces; as loops do that may run aside."""
    until = time.thread_time() + PIECES * PIECE_S
    while time.thread_time() < until:
        give_way()


def turns_beside(work: Callable[[], None]) -> int:
    """Return how often another thread had its turn while `work` was done in one."""
    turns = 0
    during: list[int] = []

    def run() -> None:
        before = turns
        work()
        during.append(turns - before)

    thread = threading.Thread(target=run)
    thread.start()
    while not during:
        turns += 1
        time.sleep(0)
    thread.join()
    return during[0]


def computed_aside() -> None:
    with aside():
        compute()


def computed_behind_a_failure() -> None:
    with suppress(ValueError), aside():
        raise ValueError
    compute()


def computed_behind_work_within() -> None:
    with aside():
        with aside():
            pass
        compute()


@pytest.mark.usefixtures("nobody_takes_over")
@pytest.mark.parametrize("work", [computed_aside, computed_behind_work_within])
def test_others_have_their_turn_beside_work_aside(work: Callable[[], None]) -> None:
    assert turns_beside(work) > 0


@pytest.mark.usefixtures("nobody_takes_over")
@pytest.mark.parametrize("work", [compute, computed_behind_a_failure])
def test_a_thread_that_does_not_work_aside_goes_on(work: Callable[[], None]) -> None:
    """A start, `rights check` and the like are as fast as they can be, after a failure too."""
    assert turns_beside(work) == 0


@pytest.mark.usefixtures("nobody_takes_over")
def test_a_loop_runs_on_beside_what_it_waits_for_aside() -> None:
    turns = 0

    def work(word: str) -> tuple[str, int]:
        before = turns
        compute()
        return word, turns - before

    async def beside() -> tuple[str, int]:
        nonlocal turns
        done = asyncio.ensure_future(to_thread_aside(work, "done"))
        while not done.done():
            turns += 1
            await asyncio.sleep(0)
        return await done

    word, during = asyncio.run(beside())
    assert word == "done"
    assert during > 0


def test_items_come_as_they_are() -> None:
    with aside():
        assert list(giving_way(iter("abc"))) == ["a", "b", "c"]
        assert list(giving_way([])) == []


@pytest.fixture
def collections() -> Iterator[list[int]]:
    """The generations that were collected, with thresholds so high that none is by itself."""
    found: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "stop":
            found.append(info["generation"])

    before = gc.get_threshold()
    gc.collect()
    gc.set_threshold(1_000_000)
    gc.callbacks.append(note)
    yield found
    gc.callbacks.remove(note)
    gc.set_threshold(*before)


def make(count: int) -> list[list[Any]]:
    """Make what garbage collection has to look at, in a thread aside."""
    made: list[list[Any]] = []
    with aside():
        while len(made) < count:
            made.append([])
            give_way()
        compute()
    return made


def test_what_is_made_aside_is_collected_while_it_is_little(collections: list[int]) -> None:
    assert len(make(2 * YOUNG)) == 2 * YOUNG
    assert collections
    assert set(collections) == {0}


def test_nothing_is_collected_for_little(collections: list[int]) -> None:
    make(YOUNG // 10)
    assert collections == []


def test_a_collector_that_is_switched_off_stays_so(collections: list[int]) -> None:
    gc.disable()
    try:
        make(2 * YOUNG)
        assert collections == []
        assert not gc.isenabled()
    finally:
        gc.enable()
