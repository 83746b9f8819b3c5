"""From `occurred_at` to the takedown, at steady rates: ours and plain Faust."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import msgspec
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from streams import topics
from streams.codec import Decoder
from streams.settings import Settings
from tests.benchmarks import catalogue, machine
from tests.benchmarks.contestants import Task
from tests.benchmarks.installation import Servers, fill, installation, servers
from tests.benchmarks.pacer import Pace
from tests.benchmarks.report import Section, Table, percentile
from tests.benchmarks.subjects import Options
from tests.benchmarks.throughput import run_task
from tests.harness import Bus, environment, wait_for

PACES: Final = ((10, 0.5), (1_000, 0.05))
"""Listings a second, and the share of them that infringes: hundreds of takedowns in each run."""
BUSY: Final = 0.7
"""Share of the full rate at which ours is measured as well."""
FULL_RATE_OF: Final = 60_000
"""Listings that the full rate is measured with."""
GRACE_SECONDS: Final = 10.0
GOAL: Final = (
    "at 10/s and 1,000/s p50 ≤ 15 ms and p99 ≤ 100 ms, at 70 % of the full rate p99 ≤ 500 ms"
)


@dataclass(frozen=True, slots=True)
class Seen:
    """Milliseconds from `occurred_at` until a takedown was on the broker, and at a consumer."""

    on_broker: list[float]
    at_consumer: list[float]
    occurred: list[int]
    """When each listing occurred, UTC ms."""


def run(options: Options) -> Section:
    """Measure every contestant at every rate, one after the other."""
    described = machine.description(options.cores)
    rows: list[tuple[str, ...]] = []
    with servers(options.cores) as running:
        for rate, infringing in PACES:
            for name in ("ours", "plain Faust"):
                seen = observe(running, options, name, Pace(rate, options.seconds, infringing))
                rows.append(row(f"{rate:,}/s", name, seen))
                print("  " + " · ".join(rows[-1]), file=sys.stderr, flush=True)
        full = full_rate(running, options)
        busy = Pace(int(BUSY * full), options.seconds, catalogue.INFRINGING)
        rows.append(
            row(
                f"{busy.rate:,}/s, {BUSY:.0%} of {full:,.0f}",
                "ours",
                observe(running, options, "ours", busy),
            )
        )
    return Section(
        title="Latency",
        how=(
            f"A process publishes listings at a steady rate for {options.seconds} s, with the time "
            "of publishing as `occurred_at`; another, consuming the takedowns, notes when each "
            "arrives. Times are milliseconds from `occurred_at`: 'on the broker' by the broker's "
            "own clock (LogAppendTime, whole milliseconds), 'at a consumer' when downstream has "
            "it, which is later than the acknowledgement. Publisher, broker, Redis and consumer "
            f"share a core, the contestant has the other. The goal: {GOAL}."
        ),
        command=options.command,
        machine=described,
        tables=(
            Table(
                (
                    "rate", "contestant", "takedowns",
                    "on the broker: p50", "p99", "at a consumer: p50", "p99", "longest",
                ),
                tuple(rows),
            ),
        ),
    )  # fmt: skip


def row(rate: str, name: str, seen: Seen) -> tuple[str, ...]:
    """Return a row of the table."""
    return (
        rate,
        name,
        f"{len(seen.at_consumer):,}",
        *(f"{percentile(seen.on_broker, share):.0f}" for share in (0.5, 0.99)),
        *(f"{percentile(seen.at_consumer, share):.1f}" for share in (0.5, 0.99, 1.0)),
    )


def full_rate(running: Servers, options: Options) -> float:
    """Return how many listings a second ours handles when it never waits for one."""
    settings = running.settings("full-rate.")
    rights = catalogue.rights()
    bus = installation(settings, rights)
    supply = catalogue.Catalogue([right.mark for right in rights], options.data)
    now = time.time_ns() // 1_000_000
    fill(bus, supply.listings(FULL_RATE_OF, now), options.compression)
    warm_up = FULL_RATE_OF // 6
    task = Task("ours", options.cores.contestant, warm_up=warm_up, listings=FULL_RATE_OF)
    return run_task(settings, task).rate


def observe(running: Servers, options: Options, name: str, pace: Pace) -> Seen:
    """Return the latencies of one contestant at one pace, in an installation of its own."""
    settings = running.settings(f"latency-{name.replace(' ', '-')}-{pace.rate}.")
    bus = installation(settings, catalogue.rights())
    broker_sets_times(settings, settings.topic(topics.TAKEDOWNS.name))
    takedowns = Takedowns(bus)
    with contestant(settings, Task(name, options.cores.contestant)):
        publish(settings, Pace(200, 2, 0.2))  # warms up, and shows that it is there
        takedowns.skip_until_quiet()
        publisher = publishing(settings, pace)
        seen = takedowns.watch(publisher)
    takedowns.close()
    return seen


@contextmanager
def contestant(settings: Settings, task: Task) -> Iterator[subprocess.Popen[bytes]]:
    """Run a contestant until the block ends; what it logged is told beside an error."""
    with TemporaryDirectory() as folder, (Path(folder) / "log").open("w+b") as log:
        process = subprocess.Popen(
            _command("contestants", task), env=environment(settings), stdout=log, stderr=log
        )
        try:
            yield process
        except Exception as error:
            log.seek(0)
            error.add_note(f"{task.contestant} logged:\n{log.read()[-4000:].decode()}")
            raise
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _command(module: str, argument: Task | Pace) -> list[str]:
    text = msgspec.json.encode(argument).decode()
    return [sys.executable, "-m", f"tests.benchmarks.{module}", text]


def publish(settings: Settings, pace: Pace) -> None:
    """Publish listings at a pace; returns when all are on the broker."""
    subprocess.run(_command("pacer", pace), env=environment(settings), check=True)


def publishing(settings: Settings, pace: Pace) -> subprocess.Popen[bytes]:
    """Return a process that publishes listings at a pace."""
    return subprocess.Popen(_command("pacer", pace), env=environment(settings))


class Takedowns:
    """A consumer of takedowns that notes when each arrives."""

    def __init__(self, bus: Bus, *, fresh: bool = False) -> None:
        """Consume them; with `fresh` only those that come from now on."""
        self._decoder = Decoder(bus.registry, topics.TAKEDOWNS.schema)
        self._consumer = Consumer(
            {
                "bootstrap.servers": bus.settings.kafka_bootstrap,
                "group.id": "bench-latency",
                "enable.auto.commit": False,
            }
        )
        name = bus.settings.topic(topics.TAKEDOWNS.name)
        partitions = [TopicPartition(name, p, 0) for p in range(bus.settings.topic_partitions)]
        if fresh:
            for partition in partitions:
                partition.offset = self._consumer.get_watermark_offsets(partition, timeout=20)[1]
        self._consumer.assign(partitions)

    def skip_until_quiet(self) -> None:
        """Return once takedowns have come, and then none for a while."""
        wait_for(lambda: self._consumer.poll(0.5), 90, "the contestant's first takedown")
        while self._consumer.poll(2.0) is not None:
            continue

    def watch(self, publisher: subprocess.Popen[bytes]) -> Seen:
        """Return what arrives until the publisher has ended and nothing comes any more."""
        seen = Seen([], [], [])
        ended: float | None = None
        while ended is None or time.monotonic() < ended + GRACE_SECONDS:
            if ended is None and publisher.poll() is not None:
                if publisher.returncode != 0:
                    raise RuntimeError(f"the publisher ended with {publisher.returncode}")
                ended = time.monotonic()
            message = self._consumer.poll(0.1 if ended is None else 1.0)
            if message is None:
                if ended is not None and time.monotonic() > ended + 2.0:
                    break
                continue
            self._note(message, time.time() * 1000, seen)
        return seen

    def _note(self, message: Any, now: float, seen: Seen) -> None:
        if message.error() is not None:
            raise RuntimeError(str(message.error()))
        value = message.value()
        self._decoder.fetch(self._decoder.unknown([value]))
        occurred = self._decoder.decode(value)["listing_occurred_at"]
        seen.on_broker.append(message.timestamp()[1] - occurred)
        seen.at_consumer.append(now - occurred)
        seen.occurred.append(occurred)

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close()


def broker_sets_times(settings: Settings, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap})
    entry = ConfigEntry(
        "message.timestamp.type", "LogAppendTime",
        incremental_operation=AlterConfigOpType.SET,
    )  # fmt: skip
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    for future in admin.incremental_alter_configs([resource]).values():
        future.result(timeout=20)
