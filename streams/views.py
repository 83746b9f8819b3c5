"""Views: folds over topics, kept in Redis, that can be dropped and rebuilt at any time.

A view stores with its data, in the same script and so in the same transaction, the offset it has
applied of each partition. A record at or below that offset changes nothing, so replays and two
workers applying the same records are harmless. A batch that does not follow on what the view has
applied shows that the view was dropped or is old: it is refused, and the view catches up from the
log first. Kafka is the record, Redis is a view.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from streams.codec import DecodeError, Decoder
from streams.kafka import KafkaUnavailableError
from streams.log_reader import LogReader, partitions_of
from streams.settings import Settings
from streams.store import Store, StoreUnavailable
from streams.topics import Topic

log = logging.getLogger(__name__)

CHUNK: Final = 1000
MOST_SILENT: Final = 20
"""Readings of half a second each without a record, before the end: the broker is away."""
SCRIPT_SECONDS: Final = 10.0
"""A script over a chunk may take longer than an ordinary call."""

_BEING_DROPPED: Final = -2

_SCRIPT: Final = """
local P = ARGV[1]
if redis.call('EXISTS', KEYS[2]) == 1 then return -2 end
local applied = tonumber(redis.call('HGET', KEYS[1], ARGV[2]) or '-1')
if applied < tonumber(ARGV[3]) then return applied end
local last = tonumber(ARGV[4])
for i = 5, #ARGV, 2 do
  if tonumber(ARGV[i]) > applied then
    local r = cjson.decode(ARGV[i + 1])
    %s
  end
end
if last > applied then redis.call('HSET', KEYS[1], ARGV[2], ARGV[4]) end
return math.max(applied, last)
"""


# Complete is what holds every offset it was brought to: Redis may have lost all of it meanwhile.
_COMPLETE: Final = """
if redis.call('EXISTS', KEYS[2]) == 1 then return -2 end
for i = 1, #ARGV, 2 do
  local applied = tonumber(redis.call('HGET', KEYS[1], ARGV[i]) or '-1')
  if applied < tonumber(ARGV[i + 1]) then return 0 end
end
redis.call('SET', KEYS[3], '1')
return 1
"""


class FoldedRecord(Protocol):
    """What a fold needs of a consumed record."""

    @property
    def offset(self) -> int: ...  # noqa: D102
    @property
    def key(self) -> bytes | None: ...  # noqa: D102
    @property
    def value(self) -> bytes | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Fold:
    """How the records of a topic change a view.

    `change` turns a key and a decoded record (None for a null value) into what the Lua `body` gets
    as the table `r`, or None when nothing follows from it. A record that would harm the view is
    refused with a DecodeError. In the body, `P` is the key prefix; numbers are doubles there, so
    large ones go as text.
    """

    view: str
    topic: Topic
    change: Callable[[bytes | None, dict[str, Any] | None], dict[str, Any] | None]
    body: str
    keys: tuple[str, ...]
    """Key patterns of the view's data, without the prefix: what `drop` deletes."""

    @property
    def schema(self) -> str:
        """Schema of the topic's values."""
        return self.topic.schema


class View:
    """One fold in the store."""

    def __init__(
        self,
        fold: Fold,
        settings: Settings,
        store: Store,
        decoder: Decoder,
        caught_up: Callable[[int], None] = lambda _: None,
    ) -> None:
        """`caught_up` is called with the number of records read, each time it was to catch up."""
        self.fold = fold
        self.topic = settings.topic(fold.topic.name)
        self._settings = settings
        self._store = store
        self.decoder = decoder
        """Reads the topic's values; it knows the schemas of what was applied."""
        self._offsets = f"{store.prefix}view:{fold.view}:offsets"
        self._dropping = f"{store.prefix}view:{fold.view}:dropping"
        self._script = _SCRIPT % fold.body
        self._caught_up = caught_up
        self._follows: dict[int, int] = {}
        self._lock = asyncio.Lock()

    @property
    def ready_key(self) -> str:
        """Key that exists while the view is complete: readers look at it beside the data."""
        return ready_key(self._store, self.fold.view)

    async def apply(
        self, partition: int, records: Sequence[FoldedRecord]
    ) -> list[tuple[FoldedRecord, DecodeError]]:
        """Apply records of a partition, in order; catches up first where the view is behind.

        Returns the records that can't be decoded or would harm the view: nothing follows from them.

        Raises:
            StoreUnavailable, KafkaUnavailableError, RegistryUnavailableError: nothing is lost,
                apply them again. A record whose schema can't be had now is waited for: left out,
                and replayed later, it would overwrite what came after it.
        """
        first, last = records[0].offset, records[-1].offset
        follows = self._follows.get(partition, first - 1)
        if follows >= first:
            follows = first - 1
        changes, failed = await self._changes(records)
        applied = await self._run(partition, follows, last, changes)
        if applied < last:
            await self.catch_up(partition, first)
            await self._run(partition, -1, last, changes)
        self._follows[partition] = last
        return failed

    async def catch_up(self, partition: int, until: int | None = None) -> int:
        """Read the partition from where the view stands to offset `until` (default: its end).

        Returns the last offset before that, -1 where there is none.
        """
        async with self._lock:
            reader = await asyncio.to_thread(LogReader, self._settings, self.topic, partition)
            try:
                low, end = await asyncio.to_thread(reader.bounds)
                end = end if until is None else min(until, end)
                applied = await self._run(partition, -1, -1, [])
                start = max(applied + 1, low)
                if start < end:
                    log.info(
                        "view %s: reading %s:%d from %d to %d",
                        self.fold.view,
                        self.topic,
                        partition,
                        start,
                        end,
                    )
                    await asyncio.to_thread(reader.seek, start)
                await self._read_until(reader, partition, start, end)
                await self._run(partition, -1, end - 1, [])
                return end - 1
            finally:
                await asyncio.to_thread(reader.close)

    async def _read_until(self, reader: LogReader, partition: int, start: int, end: int) -> None:
        position, silent = start, 0
        while position < end:
            records = await asyncio.to_thread(reader.read, 0.5, CHUNK)
            if not records:
                if await asyncio.to_thread(reader.at_end):
                    return
                silent += 1
                if silent >= MOST_SILENT:
                    raise KafkaUnavailableError(f"{self.topic}:{partition} stopped at {position}")
                continue
            silent = 0
            position = records[-1].offset + 1
            kept = [record for record in records if record.offset < end]
            if kept:
                changes, _ = await self._changes(kept)  # the agent reports what can't be decoded
                await self._run(partition, -1, kept[-1].offset, changes)
                self._caught_up(len(kept))

    async def ensure(self) -> None:
        """Bring the view up to date with its topic and mark it complete.

        Raises:
            StoreUnavailable, KafkaUnavailableError, RegistryUnavailableError, MissingTopicError
        """
        count = await asyncio.to_thread(partitions_of, self._settings, self.topic)
        reached: list[str | int] = []
        for partition in range(count):
            reached += (f"{self.topic}:{partition}", await self.catch_up(partition))
        complete = await self._eval(
            _COMPLETE, [self._offsets, self._dropping, self.ready_key], reached
        )
        if complete != 1:
            raise StoreUnavailable(
                f"view {self.fold.view} was dropped while it was brought up to date"
            )

    async def drop(self) -> None:
        """Delete the view, data and offsets; readers see it as unknown until `ensure`.

        Nothing is applied meanwhile, by anybody: what a running worker adds between two deletions
        would be half deleted, and counted as there. When this is cut short, the view waits until it
        is dropped again.
        """
        await self._store.call(lambda client: client.set(self._dropping, "1"))
        await self._store.call(lambda client: client.delete(self.ready_key))
        self._follows.clear()
        for pattern in self.fold.keys:
            await self._store.call(
                lambda client, pattern=pattern: _delete_matching(  # type: ignore[misc]
                    client, self._store.prefix + pattern
                ),
                seconds=600.0,
            )
        await self._store.call(lambda client: client.delete(self._offsets, self._dropping))

    async def _changes(
        self, records: Sequence[FoldedRecord]
    ) -> tuple[list[tuple[int, str]], list[tuple[FoldedRecord, DecodeError]]]:
        away = await self.decoder.prepare(record.value for record in records)
        if away is not None:
            raise away
        changes, failed = [], []
        for record in records:
            try:
                decoded = None if record.value is None else self.decoder.decode(record.value)
                change = self.fold.change(record.key, decoded)
            except DecodeError as error:
                failed.append((record, error))
                continue
            if change is not None:
                changes.append((record.offset, json.dumps(change)))
        return changes, failed

    async def _run(
        self, partition: int, follows: int, last: int, changes: Sequence[tuple[int, str]]
    ) -> int:
        arguments: list[str | int] = [
            self._store.prefix,
            f"{self.topic}:{partition}",
            follows,
            last,
        ]
        for offset, change in changes:
            arguments += (offset, change)
        applied = await self._eval(self._script, [self._offsets, self._dropping], arguments)
        if applied == _BEING_DROPPED:
            raise StoreUnavailable(
                f"view {self.fold.view} is being dropped; if nothing does that any more, run: "
                f"assayer views rebuild {self.fold.view}"
            )
        return applied

    async def _eval(self, script: str, keys: Sequence[str], arguments: Sequence[str | int]) -> int:
        result = await self._store.call(
            lambda client: client.eval(script, len(keys), *keys, *arguments),  # type: ignore[arg-type,misc,return-value,unused-ignore]
            seconds=SCRIPT_SECONDS,
        )
        return int(result)


def ready_key(store: Store, view: str) -> str:
    """Return the key that exists while a view is complete."""
    return f"{store.prefix}view:{view}:ready"


async def _delete_matching(client: Any, pattern: str) -> None:
    keys = []
    async for key in client.scan_iter(match=pattern, count=1000):
        keys.append(key)
        if len(keys) >= CHUNK:
            await client.unlink(*keys)
            keys.clear()
    if keys:
        await client.unlink(*keys)
