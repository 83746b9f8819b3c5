"""Sweeps that nobody asks for: when rights came that match more, or rules began to act.

Of all workers the one that has the partition of the rights does it. How far rights and policies
were swept for is committed in Kafka, by a group of its own: a worker that is killed leaves the rest
to the next one, whose sweep goes on where the other was. The sweep itself is a process beside the
worker, so that live traffic is judged as ever.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

import msgspec

from agents.monitoring.judge import Judge
from agents.monitoring.judge_keeper import JudgeKeeper
from agents.monitoring.monitor import GROUP
from agents.monitoring.policies import Policy
from agents.monitoring.policy_log import offset_of, read_policies
from agents.monitoring.sweeping.state import KEPT_SECONDS
from agents.monitoring.sweeping.subject import changed_rights, newly_enforced
from streams import topics
from streams.aside import to_thread_aside
from streams.group_offsets import commit_offset, committed_offsets
from streams.log_reader import LogReader, MissingTopicError
from streams.metrics import SWEEP_STEPS, Metrics
from streams.schema_registry import SchemaRegistry
from streams.settings import Settings, variables_of
from streams.store import Store
from streams.topics import Topic
from streams.unavailable import UNAVAILABLE

log = logging.getLogger(__name__)

SWEEPS_GROUP: Final = "assayer-sweeps"
"""How far rights and policies were swept for; nobody is ever a member of it."""
LOOK_SECONDS: Final = 0.5
SETTLE_SECONDS: Final = 3.0
"""After this every worker has a change in use, and has committed what it had judged before."""
MOST_ROUNDS: Final = 10
"""How often it is waited for what comes just then."""
RETRY_SECONDS: Final = 10.0
COMMIT_SECONDS: Final = 3600.0
"""How often a position is committed again: Kafka forgets those of a group without members."""
STOP_SECONDS: Final = 2.0
"""How long a sweep may take to end. Ended the hard way it loses nothing."""


class SweepFailedError(RuntimeError):
    """A sweep ended without being done; it is tried again."""


class AutomaticSweeps:
    """Looks for what to sweep for, and has it swept."""

    def __init__(
        self,
        settings: Settings,
        registry: SchemaRegistry,
        *,
        keeper: JudgeKeeper,
        fallback: Policy,
        store: Store,
        metrics: Metrics,
        holds: Callable[[], bool],
    ) -> None:
        """`holds` says whether this worker is the one; `fallback` is in force before any policy."""
        self._settings = settings
        self._registry = registry
        self._keeper = keeper
        self._fallback = fallback
        self._store = store
        self._metrics = metrics
        self._holds = holds
        self._first = {
            topics.RIGHTS.name: int(keeper.current.registry.version),
            topics.POLICIES.name: offset_of(keeper.current.policy.version),
        }
        self._positions: dict[str, int] = {}
        self._committed_at = 0.0

    async def run(self) -> None:
        """Look and sweep until cancelled; a sweep that is running is ended then."""
        told = ""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if not self._holds():
                self._positions.clear()  # another worker goes on with them
                continue
            try:
                await self._look()
                told = ""
            except (*UNAVAILABLE, MissingTopicError, SweepFailedError) as error:
                if str(error) != told:
                    log.warning("what came is not swept for yet: %s", error)
                told = str(error)
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:  # whatever it is: listings are judged all the same
                log.exception("what came could not be swept for")
                await asyncio.sleep(RETRY_SECONDS)

    async def _look(self) -> None:
        await self._sweep_for_rights()
        if self._settings.policy_file is None:  # else no policy of the topic is in force
            await self._sweep_for_rules()
        if time.monotonic() - self._committed_at > COMMIT_SECONDS:
            for topic in (topics.RIGHTS, topics.POLICIES):
                await self._move(topic, await self._position(topic))

    async def _sweep_for_rights(self) -> None:
        position = await self._position(topics.RIGHTS)
        if int(self._keeper.current.registry.version) < position:
            return
        version = await self._settled(lambda judge: judge.registry.version)
        until = await self._until(position, int(version))
        subject = await to_thread_aside(
            changed_rights, self._settings, self._registry, position - 1, until
        )
        if subject is not None:
            log.info("sweeping for %d rights that came or match more", len(subject.rights))
            await self._sweep(f"--since={position - 1}", f"--until={until}")
        await self._move(topics.RIGHTS, until + 1)

    async def _until(self, position: int, version: int) -> int:
        """Return up to which version to sweep: the same after a kill, though more came meanwhile.

        So that the sweep that was begun is the one that goes on.
        """
        key = f"{self._store.prefix}sweep:until"
        begun = await self._store.call(lambda client: client.get(key))
        if begun is not None and position <= int(begun) <= version:
            return int(begun)
        await self._store.call(lambda client: client.set(key, version, ex=KEPT_SECONDS))
        return version

    async def _sweep_for_rules(self) -> None:
        position = await self._position(topics.POLICIES)
        if offset_of(self._keeper.current.policy.version) < position:
            return
        offset = offset_of(await self._settled(lambda judge: judge.policy.version))
        names = await to_thread_aside(self._new_rules, offset, position)
        if names:
            log.info("sweeping for rules that began to act: %s", ", ".join(names))
            await self._sweep(*(f"--rule={name}" for name in names))
        await self._move(topics.POLICIES, offset + 1)

    def _new_rules(self, offset: int, position: int) -> tuple[str, ...]:
        before, after = (
            read_policies(self._settings, self._registry, until).state(self._fallback).policy
            for until in (position, offset + 1)
        )
        return newly_enforced(before, after)

    async def _settled(self, version_of: Callable[[Judge], str]) -> str:
        """Return the version that every worker has in use; what comes together is swept together.

        Where more comes without an end, it is what came a while ago.
        """
        version = version_of(self._keeper.current)
        for _ in range(MOST_ROUNDS):
            await asyncio.sleep(SETTLE_SECONDS)
            if (newest := version_of(self._keeper.current)) == version:
                break
            version, before = newest, version
        else:
            return before
        return version

    async def _sweep(self, *arguments: str) -> None:
        """Have it swept up to where the workers have judged, if they have judged anything.

        Raises:
            SweepFailedError: it did not come to its end.
        """
        if not await asyncio.to_thread(self._anything_judged):
            return
        command = ["-m", "agents.cli", "sweep", *arguments, "--judged-only", "--json"]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *command,
            stdout=PIPE,
            stderr=PIPE,
            env={**os.environ, **variables_of(self._settings)},
        )
        self._metrics.sweep_running.set(1)
        try:
            out, told = await self._end_of(process)
        finally:
            await _end(process)
            self._metrics.sweep_running.set(0)
        if process.returncode != 0:
            last = told.decode(errors="replace").strip().rpartition("\n")[2]
            raise SweepFailedError(f"a sweep ended with {process.returncode}: {last}")
        self._count(msgspec.json.decode(out))

    async def _end_of(self, process: Process) -> tuple[bytes, bytes]:
        """Return what the process printed, once it ends or is another worker's."""
        ending = asyncio.ensure_future(process.communicate())
        try:
            while not ending.done():
                await asyncio.wait({ending}, timeout=LOOK_SECONDS)
                if not self._holds():
                    raise SweepFailedError("another worker goes on with it")
            return ending.result()
        finally:
            ending.cancel()

    def _anything_judged(self) -> bool:
        listings = self._settings.topic(topics.LISTINGS.name)
        group = self._settings.topic(GROUP)
        for partition, judged in committed_offsets(self._settings, group, listings).items():
            reader = LogReader(self._settings, listings, partition)
            try:
                if judged > reader.bounds()[0]:
                    return True
            finally:
                reader.close()
        return False

    def _count(self, row: Mapping[str, Any]) -> None:
        if not row["swept"]:
            return
        log.info(
            "swept: %d records read, %d removed, %d sent to review, %d held in %.1f s",
            row["read"],
            row["removed"],
            row["reviewed"],
            row["held"],
            row["seconds"],
        )
        for step in SWEEP_STEPS:
            self._metrics.swept.labels(step).inc(row[step])
        for rule, count in row["removed_by_rule"].items():
            self._metrics.takedowns.labels(rule, "SWEEP").inc(count)

    async def _position(self, topic: Topic) -> int:
        """Return from which offset on a topic was not swept for."""
        if topic.name not in self._positions:
            committed = await asyncio.to_thread(
                committed_offsets,
                self._settings,
                self._settings.topic(SWEEPS_GROUP),
                self._settings.topic(topic.name),
            )
            if 0 in committed:
                self._positions[topic.name] = committed[0]
            else:  # an installation that never swept begins with what is in use
                await self._move(topic, self._first[topic.name] + 1)
        return self._positions[topic.name]

    async def _move(self, topic: Topic, position: int) -> None:
        await asyncio.to_thread(
            commit_offset,
            self._settings,
            self._settings.topic(SWEEPS_GROUP),
            self._settings.topic(topic.name),
            0,
            position,
        )
        self._positions[topic.name] = position
        self._committed_at = time.monotonic()


async def _end(process: Process) -> None:
    """End a process if it runs, softly first."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()
