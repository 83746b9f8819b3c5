"""The contestants, each run in a process of its own on one core.

`python -m tests.benchmarks.contestants` reads a `Task` from its argument and its settings from the
environment, and prints a `Result` as its last line.
"""

from __future__ import annotations

import asyncio
import re
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import hyperscan
import msgspec
import psutil

from deploy.services.process import die_with_parent
from streams import topics
from streams.settings import Settings
from tests.benchmarks.catalogue import rights
from tests.benchmarks.machine import cpu_seconds, pin
from tests.harness import unlimited

POLL_SECONDS: Final = 0.02


class Task(msgspec.Struct, frozen=True):
    """What a contestant has to do."""

    contestant: str
    core: int
    warm_up: int = 0
    """Listings before the clock starts."""
    listings: int = 0
    """Listings after which it stops; 0: when it is told to."""
    group: str = "bench"


class Result(msgspec.Struct, frozen=True):
    """What a contestant did between its warm-up and its last listing."""

    contestant: str
    listings: int
    seconds: float
    cpu: float
    """User and system time in seconds, all threads together."""
    acted: float
    """Share of the listings it took down, sent to review or, for a bare scan, found a mark in."""
    rss: int
    """Resident bytes at the end."""
    uss: int
    """Bytes at the end that no other process shares."""
    peak: int
    """Most resident bytes."""
    stages: dict[str, float] = {}
    """Seconds a listing spent in each stage, by the worker's own clock."""

    @property
    def rate(self) -> float:
        """Listings a second."""
        return self.listings / self.seconds

    @property
    def cpu_us(self) -> float:
        """CPU microseconds a listing."""
        return self.cpu / self.listings * 1e6


class Meter:
    """Notes time and CPU at the end of the warm-up and at the last listing."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.started: tuple[int, float, float] | None = None
        self.ended: tuple[int, float, float] | None = None
        self.acted = 0
        self.handled = 0
        self.stages: dict[str, float] = {}

    def at(self, handled: int) -> bool:
        """Note how many listings were handled so far; return whether that was all."""
        self.handled = handled
        if self.started is None and handled and handled >= self.task.warm_up:
            self.started = (handled, time.perf_counter(), cpu_seconds())
        if self.task.listings and handled >= self.task.listings:
            self.ended = (handled, time.perf_counter(), cpu_seconds())
            return True
        return False

    def result(self) -> Result:
        """Return what was measured."""
        started, ended = self.started, self.ended
        if started is None or ended is None:
            raise RuntimeError(f"{self.task.contestant} ended after {self.handled} listings")
        memory = psutil.Process().memory_full_info()
        return Result(
            self.task.contestant,
            ended[0] - started[0],
            ended[1] - started[1],
            ended[2] - started[2],
            self.acted / ended[0],
            memory.rss,
            memory.uss,
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            {name: seconds / ended[0] for name, seconds in self.stages.items()},
        )


def literal_scan() -> Callable[[bytes], bool]:
    """Return a scan of a raw value for the marks, ASCII case ignored: the least anyone can do."""
    marks = [re.escape(right.mark.encode()) for right in rights()]
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=marks,
        ids=list(range(len(marks))),
        elements=len(marks),
        flags=hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_SINGLEMATCH,
    )
    found: list[int] = []

    def on_match(id_: int, start: int, end: int, flags: int, context: object) -> None:  # noqa: ARG001
        found.append(id_)

    def scan(value: bytes) -> bool:
        found.clear()
        database.scan(value, match_event_handler=on_match)
        return bool(found)

    return scan


def raw_confluent(settings: Settings, meter: Meter) -> None:
    """confluent-kafka's `consume`, and the bare scan: nothing else."""
    from confluent_kafka import Consumer, TopicPartition

    scan = literal_scan()
    consumer = Consumer(
        {
            "bootstrap.servers": settings.kafka_bootstrap,
            "group.id": settings.topic(meter.task.group),
            "enable.auto.commit": False,
        }
    )
    name = settings.topic(topics.LISTINGS.name)
    partitions = consumer.list_topics(name, timeout=10).topics[name].partitions
    consumer.assign([TopicPartition(name, partition, 0) for partition in partitions])
    handled = 0
    done = False
    while not done:
        for message in consumer.consume(1000, timeout=5.0):
            handled += 1
            if scan(message.value() or b""):
                meter.acted += 1
        done = meter.at(handled)
    consumer.close()


def raw_aiokafka(settings: Settings, meter: Meter) -> None:
    """aiokafka's `getmany`, and the bare scan: what Faust's client costs without Faust."""
    from aiokafka import AIOKafkaConsumer
    from aiokafka.structs import TopicPartition

    async def work() -> None:
        scan = literal_scan()
        name = settings.topic(topics.LISTINGS.name)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=settings.kafka_bootstrap, enable_auto_commit=False
        )
        await consumer.start()
        partitions = [TopicPartition(name, p) for p in range(settings.topic_partitions)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        handled = 0
        done = False
        while not done:
            for records in (await consumer.getmany(timeout_ms=5000, max_records=500)).values():
                handled += len(records)
                meter.acted += sum(1 for record in records if scan(record.value))
            done = meter.at(handled)
        await consumer.stop()

    _run(work())


def ours(settings: Settings, meter: Meter) -> None:
    """The worker, whole way: every agent, Redis, takedowns acknowledged, offsets, metrics.

    Takedowns are counted against quotas that hold none: a run has as many as an accident.
    """
    from agents.worker import Worker

    async def work() -> None:
        stop = _stopped_by_signal()
        with TemporaryDirectory() as folder:
            policy = unlimited(Path(folder))["ASSAYER_POLICY_FILE"]
            worker = Worker(settings.model_copy(update={"policy_file": Path(policy)}))
        running = asyncio.create_task(worker.run(stop))
        while not running.done() and not stop.is_set():
            outcomes = worker.outcomes()
            if meter.at(sum(outcomes.values())):
                meter.acted = outcomes["remove"] + outcomes["review"]
                meter.stages = {
                    sample.labels["stage"]: sample.value
                    for family in worker.metrics.stage.collect()
                    for sample in family.samples
                    if sample.name.endswith("_sum")
                }
                stop.set()
            await asyncio.sleep(POLL_SECONDS)
        await running

    _run(work())


def plain_faust(settings: Settings, meter: Meter) -> None:
    """Faust as its documentation shows it, with the same judgement, a listing at a time."""
    from tests.benchmarks.plain_faust import serve

    async def work() -> None:
        stop = _stopped_by_signal()
        with TemporaryDirectory() as folder:
            await serve(settings, settings.topic(meter.task.group), meter, stop, folder)

    _run(work())


CONTESTANTS: Final[dict[str, Callable[[Settings, Meter], None]]] = {
    "raw confluent-kafka": raw_confluent,
    "raw aiokafka": raw_aiokafka,
    "ours": ours,
    "plain Faust": plain_faust,
}


def _stopped_by_signal() -> asyncio.Event:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    return stop


def _run(work: Any) -> None:
    """Run a coroutine on uvloop, as the worker does."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)


def main(argument: str) -> None:
    """Do the task and print the result."""
    from agents.commands.worker import configure_logging

    die_with_parent()
    task = msgspec.json.decode(argument, type=Task)
    pin(task.core)
    settings = Settings()
    configure_logging(settings.log_level)
    meter = Meter(task)
    CONTESTANTS[task.contestant](settings, meter)
    if task.listings:
        print(msgspec.json.encode(meter.result()).decode(), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
