"""`python -m tests.chaos.jumping_worker FILE`: a worker whose clock is off by the seconds in FILE.

Python's clock only: what librdkafka and aiokafka wait for goes by the monotonic one, which no jump
touches.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path


def jump(file: Path) -> None:
    """Have `time.time` and `time.time_ns` tell the time that the file says."""
    true_time, true_time_ns = time.time, time.time_ns

    def off() -> int:
        return int(file.read_text() or 0)

    told: Callable[[], float] = lambda: true_time() + off()  # noqa: E731
    told_ns: Callable[[], int] = lambda: true_time_ns() + off() * 1_000_000_000  # noqa: E731
    time.time, time.time_ns = told, told_ns


if __name__ == "__main__":
    jump(Path(sys.argv[1]))
    from agents.cli import main

    main(["worker"])
