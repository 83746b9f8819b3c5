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
import psutil
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
from tests.benchmarks.peers.work import Job, Outcome
from tests.benchmarks.subjects import Options
from tests.benchmarks.throughput import FAUST_SHARE, TIMEOUT, run_task
from tests.harness import environment

TAKEDOWNS: Final = "peers.takedowns"
CHEAP: Final = 0.35
"""The default policy's share of the reference price, under which a listing is cheap."""


@dataclass(frozen=True, slots=True)
class Ground:
    """An installation whose topic of listings is filled."""

    settings: Settings
    rights: Sequence[Right]
    listings: int
    bytes_per_listing: float

    def job(self, peer: Peer, group: str) -> Job:
        """Return what a peer has to do here."""
        return Job(
            peer.way,
            self.settings.kafka_bootstrap,
            self.settings.schema_registry_url,
            self.settings.topic(topics.LISTINGS.name),
            self.settings.topic(TAKEDOWNS),
            group,
            self.settings.topic_partitions,
            max(1_000, int(self.listings * peer.share)),
            [right.mark for right in self.rights],
            schemas.load("listing"),
            "USD",
            int(CHEAP * catalogue.REFERENCE),
        )


def ground(running: Servers, options: Options, compression: str, partitions: int) -> Ground:
    """Make topics, rights, sellers and listings, under a prefix of their own."""
    settings = running.settings(f"peers-{compression}-{partitions}.", partitions)
    rights = catalogue.rights()
    bus = installation(settings, rights)
    topic = NewTopic(settings.topic(TAKEDOWNS), partitions, 1)
    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap})
    admin.create_topics([topic])[topic.topic].result(timeout=20)
    supply = catalogue.Catalogue(
        [right.mark for right in rights], options.data, short=options.short
    )
    fill(bus, supply.listings(options.listings, time.time_ns() // 1_000_000), compression)
    return Ground(settings, rights, options.listings, bytes_per_listing(bus))


def run_peer(command: Sequence[str], peer: Peer, where: Ground, core: int, group: str) -> Outcome:
    """Run a peer in a process of its own. Raises RuntimeError when it fails."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(asdict(where.job(peer, group)), file)
        file.flush()
        process = _started([*command, file.name], dict(os.environ), core)
        return Outcome(**json.loads(_last_line(peer.name, process)))


def run_plain_faust(where: Ground, core: int, group: str) -> Outcome:
    """Run the plain Faust agent that judges as ours does. Raises RuntimeError when it fails."""
    listings = max(1_000, int(where.listings * FAUST_SHARE))
    task = Task("plain Faust", core, listings // 10, listings, group)
    result = run_task(where.settings, task)
    return Outcome(
        version("faust-streaming"),
        result.listings,
        result.seconds,
        result.cpu,
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
                msgspec.json.encode(Shift(core, where.listings)).decode(),
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
    return together(
        [msgspec.json.decode(line, type=Report) for line in lines], where.listings // 10
    )


@dataclass(frozen=True, slots=True)
class Contest:
    """What a contestant did, what the broker did for it, and how quiet its core was before."""

    outcome: Outcome
    broker_us: float
    """CPU microseconds of the broker for each listing read, starts and stops among them."""
    spin: float
    """Seconds of `machine.spin` just before."""

    @property
    def broker_share(self) -> float:
        """The share of a core that the broker takes at this rate."""
        return self.broker_us * self.outcome.rate / 1e6


def watched(running: Servers, core: int, work: Callable[[], Outcome]) -> Contest:
    """Let a contestant run and watch the broker meanwhile."""
    spin = machine.spin(core)
    broker = psutil.Process(running.kafka.pid)
    before = _cpu(broker)
    outcome = work()
    return Contest(outcome, (_cpu(broker) - before) / outcome.read * 1e6, spin)


def _cpu(process: psutil.Process) -> float:
    used = process.cpu_times()
    return float(used.user + used.system)


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
