"""Ends a worker that has work, every server there, and gets nothing done.

It looks from a thread of its own: a worker may be stuck with its event loop.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final

from prometheus_client import Gauge

log = logging.getLogger(__name__)

EXIT: Final = 70
"""What a worker ends with that was ended so: EX_SOFTWARE of sysexits.h."""
LOOK_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a worker is: two that are equal mean that nothing was done between them.

    `busy` is whether there is something to do that no server holds up.
    """

    turned: Hashable
    """Changes with each turn of the event loop."""
    done: Hashable
    """Changes with what is done."""
    busy: bool


class Watchdog:
    """Counts for how long a worker is stuck, and ends it after `seconds`; 0 is never.

    Stuck is an event loop that does not turn, or records that wait while none is done. `look` and
    `end` are called in the watchdog's thread.
    """

    def __init__(
        self,
        look: Callable[[], Mark],
        seconds: float,
        stuck_seconds: Gauge,
        end: Callable[[int], object],
        every: float = LOOK_SECONDS,
    ) -> None:
        self._look, self._seconds, self._gauge, self._end = look, seconds, stuck_seconds, end
        self._every = every
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def close(self) -> None:
        """Watch no more: a stop has bounds of its own."""
        self._stopping.set()

    def _watch(self) -> None:
        last, at = self._look(), time.monotonic()
        no_turn = no_progress = 0.0
        while not self._stopping.wait(self._every):
            mark, now = self._look(), time.monotonic()
            # A process that stood still as a whole, as by SIGSTOP, was not stuck.
            passed = min(now - at, 2 * self._every)
            no_turn = no_turn + passed if mark.turned == last.turned else 0.0
            stands = mark.busy and mark.done == last.done
            no_progress = no_progress + passed if stands else 0.0
            last, at = mark, now
            self._gauge.set(max(no_turn, no_progress))
            if self._seconds and max(no_turn, no_progress) >= self._seconds:
                self._bark(no_turn, no_progress)
                return

    def _bark(self, no_turn: float, no_progress: float) -> None:
        what = (
            f"records wait, and none was done for {no_progress:.0f} s"
            if no_progress >= self._seconds
            else f"the event loop has not turned for {no_turn:.0f} s"
        )
        log.critical(
            "watchdog: %s; the worker is ended with exit %d, what was not committed is read again "
            "(ASSAYER_WATCHDOG_S)",
            what,
            EXIT,
        )
        self._end(EXIT)
