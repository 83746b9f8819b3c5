"""`python -m tests.chaos.hanging_worker HOW`: a worker that hangs at the first listing 'hang'.

HOW is `agent` (it waits for what never comes), `loop` (it never gives the event loop back), or
`fetch` (its client reads nothing more).
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping
from typing import Any, Final

from faust.types import TP

from agents.cli import main
from agents.monitoring.judged import Judged
from agents.monitoring.monitor import Monitor
from streams.batches import RecordBatch
from streams.consumer_thread import BatchConsumerThread

FOR_EVER: Final = 3600.0


def hang_in_agent() -> None:
    judge = Monitor.judge

    async def hang(self: Monitor, batch: RecordBatch) -> Judged:
        if any(record.key == b"hang" for record in batch.records):
            await asyncio.Event().wait()
        return await judge(self, batch)

    Monitor.judge = hang  # type: ignore[method-assign]


def hang_in_loop() -> None:
    judge = Monitor.judge

    async def hang(self: Monitor, batch: RecordBatch) -> Judged:
        if any(record.key == b"hang" for record in batch.records):
            time.sleep(FOR_EVER)  # noqa: ASYNC251 - this is what it is about
        return await judge(self, batch)

    Monitor.judge = hang  # type: ignore[method-assign]


def hang_in_fetch() -> None:
    fetch = BatchConsumerThread.fetch

    async def hang(
        self: BatchConsumerThread, partitions: set[TP], seconds: float, limit: int
    ) -> Mapping[TP, Any]:
        found = await fetch(self, partitions, seconds, limit)
        if any(record.key == b"hang" for records in found.values() for record in records):
            await asyncio.Event().wait()
        return found

    BatchConsumerThread.fetch = hang  # type: ignore[method-assign]


WAYS: Final = {"agent": hang_in_agent, "loop": hang_in_loop, "fetch": hang_in_fetch}

if __name__ == "__main__":
    WAYS[sys.argv[1]]()
    main(["worker"])
