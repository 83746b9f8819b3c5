"""The first half of a sweep: which of the live listings have to be judged.

A partition is read once from its first record, and screened as the worker does. Only the hits are
remembered; a later record of the same listing replaces a hit or takes it out. Then it is read a
second time up to the last hit, by keys alone: a later revision that came *before* a hit, and was
none itself, shows that the hit is of the past. So memory grows with the hits, not the catalogue.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from agents.monitoring.judge import Judge
from agents.monitoring.judge_keeper import JudgeKeeper
from agents.monitoring.screening import Limits, screen, to_listing
from agents.monitoring.sweeping.pace import Pace
from agents.monitoring.sweeping.state import Hit, Part, SweepState
from agents.monitoring.sweeping.subject import Subject
from agents.records import Listing
from streams.codec import DecodeError, Decoder
from streams.group_offsets import committed_offsets
from streams.log_reader import LogReader, LogRecord, partitions_of
from streams.settings import Settings
from streams.unavailable import persist

NEAR: Final = 1_000
"""Records that are read over on the way to the next hit; a farther one is looked up."""

Advance = Callable[[int], object]


def bounds_of(
    settings: Settings, topic: str, judged_by: str | None = None
) -> dict[int, tuple[int, int]]:
    """Return by partition the first offset kept, and the one up to which to read; blocks.

    That is the end, or with `judged_by` how far this group has judged: what was committed, and
    the batches that may be on their way.

    Raises:
        KafkaUnavailableError, MissingTopicError
    """
    committed = committed_offsets(settings, judged_by, topic) if judged_by else None
    on_their_way = settings.batches_in_flight * settings.batch_records
    bounds = {}
    for partition in range(partitions_of(settings, topic)):
        reader = LogReader(settings, topic, partition)
        try:
            low, end = reader.bounds()
        finally:
            reader.close()
        if committed is not None:
            judged = committed.get(partition)
            end = low if judged is None else min(end, judged + on_their_way)
        bounds[partition] = (low, max(low, end))
    return bounds


class Catalogue:
    """Reads the listings' topic, in no group, committing nothing."""

    def __init__(
        self,
        settings: Settings,
        topic: str,
        state: SweepState,
        pace: Pace,
        decoder: Decoder,
        *,
        keeper: JudgeKeeper,
        subject: Subject,
    ) -> None:
        """Compile what is looked for, which takes a moment: call it off the loop."""
        self._settings = settings
        self._topic = topic
        self._state = state
        self._pace = pace
        self._decoder = decoder
        self._subject = subject
        self._limits = Limits(settings.max_record_bytes, settings.max_clock_ahead_s)
        current = keeper.current
        self._judge = Judge(subject.screened_by(current.registry), current.policy)

    @property
    def unread(self) -> int:
        """How many records are left to read, as far as offsets tell."""
        return sum(part.end - part.next for part in self._state.parts.values())

    @property
    def not_looked_back(self) -> int:
        """How many records are left to read a second time."""
        return sum(
            max(0, _last_hit(part) - part.looked_back) for part in self._state.parts.values()
        )

    async def read(self, advance: Advance) -> None:
        """Read every partition up to its end as it was at the beginning."""
        for n, part in self._state.parts.items():
            async for records in self._records(n, part.next, part.end, advance):
                found, gone = await self._screen(part, records)
                part.next = records[-1].offset + 1
                counts = self._state.counts
                counts["read"] = counts.get("read", 0) + len(records)
                await self._state.advance(n, found, gone)
            if part.next < part.end:  # the last offsets hold no records
                advance(part.end - part.next)
                part.next = part.end
                await self._state.advance(n, {}, ())

    async def look_back(self, advance: Advance) -> None:
        """Take out the hits of which a later revision came before."""
        for n, part in self._state.parts.items():
            end = _last_hit(part)
            async for records in self._records(n, part.looked_back, end, advance):
                gone = []
                for record in records:
                    hit = part.hits.get(_key(record))
                    if hit is None or record.offset >= hit.offset:
                        continue
                    listing = await self._listing(record)
                    if listing is not None and listing.revision > hit.revision:
                        gone.append(listing.listing_id)
                        part.hits.pop(listing.listing_id, None)
                part.looked_back = records[-1].offset + 1
                await self._state.advance(n, {}, gone)

    async def _records(
        self, n: int, start: int, end: int, advance: Advance
    ) -> AsyncIterator[list[LogRecord]]:
        """Yield the records of these offsets, at the pace of the sweep."""
        if start >= end:
            return
        async with _reader(self._settings, self._topic, n, start) as reader:
            position = start
            while position < end:
                portion = min(self._pace.portion, end - position)
                records = await asyncio.to_thread(reader.read, 0.5, portion)
                if not records:
                    if await persist("reading listings", partial(asyncio.to_thread, reader.at_end)):
                        return
                    continue
                await self._pace.take(len(records))
                advance(min(records[-1].offset + 1, end) - position)
                position = records[-1].offset + 1
                if kept := [record for record in records if record.offset < end]:
                    yield kept

    async def _screen(
        self, part: Part, records: Sequence[LogRecord]
    ) -> tuple[dict[str, Hit], set[str]]:
        """Fold records into the hits; return those that came or changed, and those that went."""
        await self._prepare(records)
        screened = screen(
            records, self._judge, self._decoder, self._limits, time.time_ns() // 1_000_000
        )
        examined = {
            record.offset: examination.listing
            for record, examination in screened.examined
            if self._subject.may_concern(examination, self._judge.policy)
        }
        found: dict[str, Hit] = {}
        gone: set[str] = set()
        for record in records:
            listing = examined.get(record.offset)
            is_hit = listing is not None
            if listing is None and _key(record) in part.hits:
                listing = await self._listing(record)
            if listing is None:
                continue
            before = part.hits.get(listing.listing_id)
            if before is not None and before.revision > listing.revision:
                continue  # it came late
            if is_hit:
                hit = Hit(record.offset, listing.revision)
                found[listing.listing_id] = part.hits[listing.listing_id] = hit
                gone.discard(listing.listing_id)
            elif before is not None:
                del part.hits[listing.listing_id]
                found.pop(listing.listing_id, None)
                gone.add(listing.listing_id)
        return found, gone

    async def _listing(self, record: LogRecord) -> Listing | None:
        """Return the listing of a record; None where it is none, and lies in the dead letters."""
        await self._prepare([record])
        try:
            return to_listing(self._decoder, record.value)
        except DecodeError:
            return None

    async def _prepare(self, records: Sequence[LogRecord]) -> None:
        await prepared(self._decoder, records)


def records_at(reader: LogReader, offsets: Sequence[int]) -> tuple[list[LogRecord], int]:
    """Return the records at these offsets, which ascend, and how many were read for them; blocks.

    What is past its retention is left out.

    Raises:
        KafkaUnavailableError, MissingTopicError
    """
    wanted = set(offsets)
    found: dict[int, LogRecord] = {}
    read = 0
    low, _ = reader.bounds()
    for offset in offsets:
        if offset < low or offset in found:
            continue
        if not reader.next_offset <= offset <= reader.next_offset + NEAR:
            reader.seek(offset)
        while reader.next_offset <= offset:
            records = reader.read(0.5, offset + 1 - reader.next_offset)
            if not records and reader.at_end():
                break
            read += len(records)
            found.update((each.offset, each) for each in records if each.offset in wanted)
    return [found[offset] for offset in offsets if offset in found], read


async def prepared(decoder: Decoder, records: Sequence[LogRecord]) -> None:
    """Return when the decoder has the schemas of all records; waits for the registry."""

    async def attempt() -> None:
        away = await decoder.prepare(record.value for record in records)
        if away is not None:
            raise away

    await persist("reading listings", attempt)


@asynccontextmanager
async def _reader(
    settings: Settings, topic: str, partition: int, start: int
) -> AsyncIterator[LogReader]:
    reader = await asyncio.to_thread(LogReader, settings, topic, partition, start)
    try:
        yield reader
    finally:
        await asyncio.to_thread(reader.close)


def _key(record: LogRecord) -> str:
    return (record.key or b"").decode("utf-8", "replace")


def _last_hit(part: Part) -> int:
    return max((hit.offset for hit in part.hits.values()), default=0)
