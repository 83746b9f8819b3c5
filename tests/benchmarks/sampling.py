"""Looks at something again and again, in a thread, while something else is measured."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Self


class Samples:
    """What was seen of a number, and when: `with Samples(look, seconds) as found`."""

    def __init__(self, look: Callable[[], float], seconds: float) -> None:
        """Look every so many seconds."""
        self.samples: list[tuple[float, float]] = []
        """Unix time, and what `look` returned then."""
        self._look = look
        self._seconds = seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._seconds):
            self.samples.append((time.time(), self._look()))
