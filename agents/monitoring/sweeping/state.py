"""How far a sweep is, in Redis: what a kill leaves behind, and the next run goes on from.

    sweep:<id>            what is swept, when it began and ended, and its counts
    sweep:<id>:<n>        partition n: how far it is read and looked back, up to where
    sweep:<id>:hits:<n>   listings of partition n that have to be judged: offset and revision
    sweep:<id>:planned    what was decided and may not be on the broker yet
    sweep:<id>:lock       who runs it

What belongs together changes together, and only by whoever holds the lock.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import msgspec

from agents.records import DAY_S
from streams.producer import Outgoing
from streams.store import Store, StoreUnavailable
from streams.unavailable import persist

KEPT_SECONDS: Final = 30 * DAY_S
LOCK_MS: Final = 10_000
RENEW_SECONDS: Final = 2.0
SECONDS: Final = 10.0
"""How long a change may take: it may carry all that was decided of fifty listings."""

Command = tuple[str | int | bytes, ...]

_CHANGE: Final = """
local holder = redis.call('GET', KEYS[1]) or redis.call('HGET', KEYS[2], 'holder')
if holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local i = 3
while i <= #ARGV do
  local count = tonumber(ARGV[i])
  redis.call(unpack(ARGV, i + 1, i + count))
  i = i + count + 1
end
return 1
"""
# The holder stands in the state as well: a lock that ran out while Redis was away, and that nobody
# has taken since, is still its holder's.

_TAKE: Final = """
local holder = redis.call('GET', KEYS[1])
if holder then return holder end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('HSET', KEYS[2], 'holder', ARGV[1])
redis.call('EXPIRE', KEYS[2], ARGV[3])
return ARGV[1]
"""

_RELEASE: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""


class SweepTakenError(RuntimeError):
    """Another process runs this sweep, or its state is gone."""


class Hit(NamedTuple):
    """A record that has to be judged."""

    offset: int
    revision: int


@dataclass(slots=True)
class Part:
    """How far the sweep of one partition is."""

    next: int
    end: int
    looked_back: int
    """Offset up to which was looked for later revisions that came before."""
    hits: dict[str, Hit] = field(default_factory=dict)
    """By listing id."""


class Planned(msgspec.Struct, frozen=True):
    """What was decided of some listings: sent as it is, however often that takes."""

    partition: int
    listing_ids: tuple[str, ...]
    events: tuple[tuple[str, bytes | None, bytes | None, tuple[tuple[str, bytes | None], ...]], ...]
    counts: dict[str, int]

    def outgoing(self) -> list[Outgoing]:
        """Return the events as they are sent."""
        return [Outgoing(*event) for event in self.events]


def planned(
    partition: int,
    listing_ids: Iterable[str],
    events: Sequence[Outgoing],
    counts: Mapping[str, int],
) -> Planned:
    """Return the plan of these events."""
    return Planned(
        partition,
        tuple(listing_ids),
        tuple((each.topic, each.key, each.value, tuple(each.headers)) for each in events),
        dict(counts),
    )


class SweepState:
    """The state of one sweep. Use it between `take` and `release`; it waits for Redis."""

    def __init__(self, store: Store, id_: str) -> None:
        self._store = store
        self._key = f"{store.prefix}sweep:{id_}"
        self._lock = f"{self._key}:lock"
        self._token = f"{socket.gethostname()}, process {os.getpid()} ({uuid.uuid4().hex[:8]})"
        self._since = time.monotonic()
        self._renewing: asyncio.Task[None] | None = None
        self.counts: dict[str, int] = {}
        self.parts: dict[int, Part] = {}
        self.planned: Planned | None = None
        self.seconds = 0.0
        """How long was worked on it, over all runs."""
        self.finished: int | None = None
        """When it ended, UTC milliseconds."""

    async def take(self, patience: float = LOCK_MS / 1000 + 5.0) -> None:
        """Take the lock, waiting for that of a run that was killed, and read the state.

        Raises:
            SweepTakenError: it is being run by somebody else.
            StoreUnavailable: Redis does not answer.
        """
        deadline = time.monotonic() + patience
        while True:
            holder = await self._eval(
                _TAKE, [self._lock, self._key], [self._token, LOCK_MS, KEPT_SECONDS]
            )
            if holder.decode() == self._token:
                break
            if time.monotonic() >= deadline:
                raise SweepTakenError(f"this sweep is being run by {holder.decode()}")
            await asyncio.sleep(0.5)
        await self._read()
        self._since = time.monotonic()
        self._renewing = asyncio.create_task(self._renew())

    async def release(self) -> None:
        """Give the lock back."""
        if self._renewing is not None:
            self._renewing.cancel()
            with suppress(asyncio.CancelledError):
                await self._renewing
        with suppress(StoreUnavailable):  # it runs out
            await self._eval(_RELEASE, [self._lock], [self._token])

    async def forget(self) -> None:
        """Begin anew."""
        await self._change(
            ("DEL", self._key, f"{self._key}:planned"),
            *(("DEL", self._part(n), self._hits(n)) for n in self.parts),
            ("HSET", self._key, "holder", self._token),
        )
        self.counts, self.parts, self.planned = {}, {}, None
        self.seconds, self.finished = 0.0, None

    async def begin(self, bounds: Mapping[int, tuple[int, int]]) -> None:
        """Note what there is to read: offsets from and up to, by partition."""
        self.parts = {n: Part(start, end, start) for n, (start, end) in bounds.items()}
        fields: list[str | int] = []
        commands: list[Command] = []
        for n, part in self.parts.items():
            commands.append(self._standing(n, part))
            fields.append(n)
        await self._change(
            *commands,
            ("HSET", self._key, "parts", ",".join(map(str, fields))),
            ("EXPIRE", self._key, KEPT_SECONDS),
        )

    async def advance(self, n: int, found: Mapping[str, Hit], gone: Iterable[str]) -> None:
        """Note how far a partition is, with the hits that came and those that are none any more."""
        commands: list[Command] = [self._standing(n, self.parts[n])]
        if gone := list(gone):
            commands.append(("HDEL", self._hits(n), *gone))
        if found:
            pairs = [
                text
                for listing_id, hit in found.items()
                for text in (listing_id, f"{hit.offset}:{hit.revision}")
            ]
            commands.append(("HSET", self._hits(n), *pairs))
            commands.append(("EXPIRE", self._hits(n), KEPT_SECONDS))
        await self._change(*commands, ("EXPIRE", self._part(n), KEPT_SECONDS), *self._account())

    async def plan(self, plan: Planned) -> None:
        """Note what was decided, before any of it is sent."""
        encoded = msgspec.msgpack.encode(plan)
        await self._change(("SET", f"{self._key}:planned", encoded, "EX", KEPT_SECONDS))
        self.planned = plan

    async def done(self) -> None:
        """Note that what was planned is on the broker."""
        plan = self.planned
        assert plan is not None, "planned before"  # noqa: S101
        for name, count in plan.counts.items():
            self.counts[name] = self.counts.get(name, 0) + count
        for listing_id in plan.listing_ids:
            self.parts[plan.partition].hits.pop(listing_id, None)
        await self._change(
            ("DEL", f"{self._key}:planned"),
            ("HDEL", self._hits(plan.partition), *plan.listing_ids),
            *self._account(),
        )
        self.planned = None

    async def finish(self) -> None:
        """Note that all is done; only the counts are kept."""
        self.finished = time.time_ns() // 1_000_000
        await self._change(
            *(("DEL", self._part(n), self._hits(n)) for n in self.parts),
            ("HSET", self._key, "finished", self.finished),
            *self._account(),
        )

    def _account(self) -> list[Command]:
        now = time.monotonic()
        self.seconds, self._since = self.seconds + now - self._since, now
        counts = msgspec.json.encode(self.counts)
        return [
            ("HSET", self._key, "counts", counts, "seconds", f"{self.seconds:.3f}"),
            ("EXPIRE", self._key, KEPT_SECONDS),
        ]

    def _standing(self, n: int, part: Part) -> Command:
        place = ("next", part.next, "end", part.end, "looked_back", part.looked_back)
        return ("HSET", self._part(n), *place)

    def _part(self, n: int) -> str:
        return f"{self._key}:{n}"

    def _hits(self, n: int) -> str:
        return f"{self._key}:hits:{n}"

    async def _read(self) -> None:
        state = await self._fetch("hgetall", self._key)
        self.counts = msgspec.json.decode(state.get(b"counts", b"{}"), type=dict[str, int])
        self.seconds = float(state.get(b"seconds", 0))
        self.finished = int(state[b"finished"]) if b"finished" in state else None
        self.parts = {}
        if self.finished is not None:
            return
        for n in map(int, filter(None, state.get(b"parts", b"").split(b","))):
            place = await self._fetch("hgetall", self._part(n))
            if not place:  # Redis was short of room: begun anew
                self.parts, self.counts = {}, {}
                return
            hits = await self._fetch("hgetall", self._hits(n))
            self.parts[n] = Part(
                int(place[b"next"]),
                int(place[b"end"]),
                int(place[b"looked_back"]),
                {listing_id.decode(): _hit(text) for listing_id, text in hits.items()},
            )
        encoded = await self._fetch("get", f"{self._key}:planned")
        self.planned = msgspec.msgpack.decode(encoded, type=Planned) if encoded else None

    async def _fetch(self, command: str, key: str) -> Any:
        return await self._store.call(lambda client: getattr(client, command)(key), SECONDS)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            with suppress(SweepTakenError):  # the next change says so
                await self._change()

    async def _change(self, *commands: Command) -> None:
        """Apply commands all at once.

        Raises:
            SweepTakenError: somebody else has the sweep meanwhile, or Redis has lost it.
        """
        arguments: list[str | int | bytes] = [self._token, LOCK_MS]
        for command in commands:
            arguments += (len(command), *command)
        held = await persist(
            "the sweep's state", lambda: self._eval(_CHANGE, [self._lock, self._key], arguments)
        )
        if not held:
            raise SweepTakenError(
                "the sweep was taken over by another process, or Redis has lost it; the same "
                "command goes on with what is there"
            )

    async def _eval(
        self, script: str, keys: Sequence[str], arguments: Sequence[str | int | bytes]
    ) -> Any:
        return await self._store.call(
            lambda client: client.eval(script, len(keys), *keys, *arguments),  # type: ignore[arg-type,misc,return-value,unused-ignore]
            SECONDS,
        )


def _hit(text: bytes) -> Hit:
    offset, _, revision = text.partition(b":")
    return Hit(int(offset), int(revision))
