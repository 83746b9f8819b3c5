"""Work beside an event loop, in pieces so short that the loop hardly waits for it.

A thread that computes holds Python's lock until another has asked for it for 5 ms, and on a core
that both share the scheduler lets it run to its next tick, 4 ms on many kernels. A thread that
sleeps hands over both at once. Shortening `sys.setswitchinterval` does less: who asks for the lock
has to get the core first. See tests/benchmarks/swap_pause.py.
"""

from __future__ import annotations

import asyncio
import gc
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

PIECE_S: Final = 0.001
"""Seconds of work between two rests."""
REST_S: Final = 0.002
"""Seconds of a rest: as long as most listings take, so that one waits for one piece at most."""

YOUNG: Final = 3_000
"""Objects that garbage collection has not looked at from which on it does before a rest: 1 ms."""


class _Pace(threading.local):
    """When this thread is to rest next; never, unless it works aside."""

    rest_at: float = math.inf


_pace = _Pace()


@contextmanager
def aside() -> Iterator[None]:
    """Work aside: within this, `give_way` rests in this thread. Elsewhere it does nothing."""
    before = _pace.rest_at
    _pace.rest_at = time.perf_counter() + PIECE_S
    try:
        yield
    finally:
        _pace.rest_at = before


async def to_thread_aside(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what `work` returns, done aside in another thread."""
    return await asyncio.to_thread(aside()(work), *args, **kwargs)


def give_way() -> None:
    """Rest, if this thread works aside and has done so for a piece. For loops that take long.

    What takes longer than `PIECE_S` without it is waited for; 0.1 µs where there is no rest.
    """
    if time.perf_counter() >= _pace.rest_at:
        # What was made so far is collected while it is little: all that a registry makes would be
        # collected at once, in whichever thread is the next to make something.
        if gc.isenabled() and gc.get_count()[0] > YOUNG:
            gc.collect(0)
        time.sleep(REST_S)
        _pace.rest_at = time.perf_counter() + PIECE_S


def giving_way(items: Iterable[T]) -> Iterator[T]:
    """Yield the items, and give way before each."""
    for item in items:
        give_way()
        yield item
