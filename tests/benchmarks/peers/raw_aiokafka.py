"""aiokafka's `getmany` by itself: what Faust's client costs without Faust."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import aiokafka
import uvloop
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from tests.benchmarks.peers.work import Clock, Job, Outcome, Screening, main

BATCH = 1000


def consume_only(job: Job) -> Outcome:
    """Consume, and do nothing with it."""
    clock = Clock(job)
    _run(job, clock, lambda _value: None)
    return clock.outcome(aiokafka.__version__, 0, 0)


def scan(job: Job) -> Outcome:
    """Consume, scan the raw value, decode what names a mark; no record is written."""
    clock, screening = Clock(job), Screening(job)
    _run(job, clock, screening.raw)
    return clock.outcome(aiokafka.__version__, screening.named, screening.acted)


def _run(job: Job, clock: Clock, handle: Callable[[bytes], bytes | None]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_consume(job, clock, handle))


async def _consume(job: Job, clock: Clock, handle: Callable[[bytes], bytes | None]) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=job.bootstrap, enable_auto_commit=False)
    await consumer.start()
    partitions = [TopicPartition(job.topic, number) for number in range(job.partitions)]
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    done = False
    while not done:
        found = await consumer.getmany(timeout_ms=5000, max_records=BATCH)
        for records in found.values():
            for record in records:
                handle(record.value)
            done = clock.count(len(records))
    await consumer.stop()


if __name__ == "__main__":
    main({"consume only": consume_only, "scan": scan})
