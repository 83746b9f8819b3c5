"""Holds a sweep to its rate, so that live traffic comes first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable


class Pace:
    """So many records a second, measured from the last that were taken: none are made up for."""

    def __init__(
        self,
        rate: int,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.rate = rate
        self._clock = clock
        self._sleep = sleep
        self._free_at = clock()

    @property
    def portion(self) -> int:
        """How many records to take at once: a quarter of a second's, between 1 and 1,000."""
        return max(1, min(1000, self.rate // 4))

    async def take(self, count: int) -> None:
        """Return when `count` more records may be handled."""
        now = self._clock()
        self._free_at = max(self._free_at, now) + count / self.rate
        await self._sleep(max(0.0, self._free_at - now))
