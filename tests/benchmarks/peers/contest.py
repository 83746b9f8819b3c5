"""Lets the contestants run, one after the other, each on a core of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from typing import Final

import msgspec
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

import schemas
from agents.records import Right
from deploy.services.process import die_with_parent
from streams import topics
from streams.settings import Settings
from tests.benchmarks import catalogue, machine
from tests.benchmarks.contestants import Task
from tests.benchmarks.installation import Servers, bytes_per_listing, fill, installation, rewind
from tests.benchmarks.peers.ours import Report, Shift, together
from tests.benchmarks.peers.programs import Peer
from tests.benchmarks.peers.work import Job, Outcome, cpu_of
from tests.benchmarks.subjects import Options
from tests.benchmarks.throughput import FAUST_SHARE, TIMEOUT, run_task
from tests.harness import environment

TAKEDOWNS: Final = "peers.takedowns"
CHEAP: Final = 0.35
"""The default policy's share of the reference price, under which a listing is cheap."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What contestants run under."""

    words: str
    """What differs from the first condition; empty for that one."""
    compression: str
    partitions: int
    workers: int
    """Of ours, at once."""
    listings: int


@dataclass(frozen=True, slots=True)
class Ground:
    """An installation whose topic of listings is filled."""

    condition: Condition
    settings: Settings
    broker: int
    """Process id of the broker."""
    rights: Sequence[Right]
    bytes_per_listing: float

    def job(self, peer: Peer, group: str) -> Job:
        """Return what a peer has to do here."""
        return Job(
            way=peer.way,
            bootstrap=self.settings.kafka_bootstrap,
            broker=self.broker,
            registry=self.settings.schema_registry_url,
            topic=self.settings.topic(topics.LISTINGS.name),
            takedowns=self.settings.topic(TAKEDOWNS),
            group=group,
            partitions=self.settings.topic_partitions,
            listings=max(1_000, int(self.condition.listings * peer.share)),
            marks=[right.mark for right in self.rights],
            schema=schemas.load("listing"),
            currency="USD",
            below_minor=int(CHEAP * catalogue.REFERENCE),
        )


def ground(running: Servers, options: Options, condition: Condition) -> Ground:
    """Make topics, rights, sellers and listings, under a prefix of their own."""
    prefix = f"peers-{'-'.join(condition.words.split()) or 'first'}."
    settings = running.settings(prefix, condition.partitions)
    rights = catalogue.rights()
    bus = installation(settings, rights)
    topic = NewTopic(settings.topic(TAKEDOWNS), condition.partitions, 1)
    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap})
    admin.create_topics([topic])[topic.topic].result(timeout=20)
    marks = [right.mark for right in rights]
    supply = catalogue.Catalogue(marks, options.data, short=options.short)
    listings = supply.listings(condition.listings, time.time_ns() // 1_000_000)
    fill(bus, listings, condition.compression)
    return Ground(condition, settings, running.kafka.pid, rights, bytes_per_listing(bus))


def run_peer(command: Sequence[str], peer: Peer, where: Ground, core: int, group: str) -> Outcome:
    """Run a peer in a process of its own. Raises RuntimeError when it fails."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(asdict(where.job(peer, group)), file)
        file.flush()
        process = _started([*command, file.name], dict(os.environ), core)
        return Outcome(**json.loads(_last_line(peer.name, process)))


def run_plain_faust(where: Ground, core: int, group: str) -> Outcome:
    """Run the plain Faust agent that judges as ours does. Raises RuntimeError when it fails."""
    listings = max(1_000, int(where.condition.listings * FAUST_SHARE))
    task = Task("plain Faust", core, listings // 10, listings, group)
    before = cpu_of(where.broker)
    result = run_task(where.settings, task)
    broker = cpu_of(where.broker) - before  # starts and stops among it: the worker tells no more
    return Outcome(
        version("faust-streaming"),
        result.listings,
        result.seconds,
        result.cpu,
        broker * result.listings / listings,
        listings,
        0,
        round(result.acted * listings),
    )


def run_ours(where: Ground, cores: Sequence[int]) -> Outcome:
    """Run so many workers, each on its core. Raises RuntimeError when one fails."""
    rewind(where.settings)
    processes = [
        _started(
            [
                *(sys.executable, "-m", "tests.benchmarks.peers.ours"),
                msgspec.json.encode(Shift(core, where.broker, where.condition.listings)).decode(),
            ],
            environment(where.settings),
            core,
        )
        for core in cores
    ]
    try:
        lines = [_last_line("ours", process) for process in processes]
    finally:
        for process in processes:
            process.kill()
    reports = [msgspec.json.decode(line, type=Report) for line in lines]
    return together(reports, where.condition.listings // 10)


@dataclass(frozen=True, slots=True)
class Contest:
    """What a contestant did, and how quiet its core was before."""

    outcome: Outcome
    spin: float
    """Seconds of `machine.spin` just before."""


def watched(core: int, work: Callable[[], Outcome]) -> Contest:
    """Let a contestant run, once the quiet of its core is measured."""
    spin = machine.spin(core)
    return Contest(work(), spin)


def _started(command: Sequence[str], variables: dict[str, str], core: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=partial(_settle, core),  # noqa: PLW1509
    )


def _settle(core: int) -> None:
    die_with_parent()
    machine.pin(core)


def _last_line(name: str, process: subprocess.Popen[str]) -> str:
    """Wait for a process; return its last line. Raises RuntimeError when it fails."""
    try:
        out, err = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        err += f"\nnot done within {TIMEOUT} s"
    lines = out.splitlines()
    if process.returncode != 0 or not lines:
        raise RuntimeError(f"{name} failed: {err[-4000:]}")
    return lines[-1]
