"""Where recorded listings come from: stretches of a topic's partitions, or chunks of a file."""

from __future__ import annotations

import itertools
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from agents.monitoring.replay.findings import MOST_REFUSED, Findings, RefusedRow
from agents.monitoring.replay.replayer import Replayer
from agents.records import Listing, Refused, format_time, parse_lines
from streams import topics
from streams.log_reader import LogReader, partitions_of
from streams.settings import Settings

AT_ONCE: Final = 1_000
"""Listings judged together: folding and scanning cost least a listing from here on."""
CHUNK_BYTES: Final = 8_388_608
"""Bytes of a file that one process reads before it asks for more."""


class NothingRecordedError(LookupError):
    """There are no records in the range."""


@dataclass(frozen=True, slots=True)
class Range:
    """From a moment up to another, UTC milliseconds; None where that side is open."""

    start: int | None = None
    end: int | None = None

    def holds(self, moment: int) -> bool:
        """Return whether a moment lies in it."""
        after = self.start is None or self.start <= moment
        return after and (self.end is None or moment < self.end)

    def __str__(self) -> str:
        words = []
        if self.start is not None:
            words.append(f"from {format_time(self.start)}")
        if self.end is not None:
            words.append(f"to {format_time(self.end)}")
        return " ".join(words) or "of all times"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Offsets of a partition, from `start` up to `end`."""

    settings: Settings
    partition: int
    start: int
    end: int

    @property
    def size(self) -> int:
        """Records at most."""
        return self.end - self.start

    def replay(self, replayer: Replayer, advance: Callable[[int], object]) -> Findings:
        """Return what is found in it; `advance` is told how many records were read.

        Raises:
            KafkaUnavailableError, MissingTopicError, RegistryUnavailableError
        """
        found = Findings()
        topic = self.settings.topic(topics.LISTINGS.name)
        reader = LogReader(self.settings, topic, self.partition, self.start, headers=False)
        try:
            for records in reader.read_until(self.end, AT_ONCE):
                replayer.add_records(found, records)
                advance(len(records))
        finally:
            reader.close()
        return found


@dataclass(frozen=True, slots=True)
class Chunk:
    """The lines of a JSON Lines file that begin from byte `start` up to `end`."""

    path: Path
    start: int
    end: int
    range: Range

    @property
    def size(self) -> int:
        """Bytes."""
        return self.end - self.start

    def replay(self, replayer: Replayer, advance: Callable[[int], object]) -> Findings:
        """Return what is found in it; `advance` is told how many bytes were read.

        Raises:
            OSError: the file can't be read.
        """
        found = Findings()
        batch: list[Listing] = []
        with self.path.open("rb") as file:
            for row in parse_lines(self._lines(file, found, advance), Listing, str(self.path)):
                if isinstance(row, Refused):
                    found.unreadable["refused"] += 1
                    if len(found.refused) < MOST_REFUSED:
                        found.refused.append(RefusedRow(row.line, row.reason))
                elif self.range.holds(row.occurred_at):
                    batch.append(row)
                    if len(batch) >= AT_ONCE:
                        replayer.add_listings(found, batch)
                        batch = []
        if batch:
            replayer.add_listings(found, batch)
        return found

    def _lines(
        self, file: BinaryIO, found: Findings, advance: Callable[[int], object]
    ) -> Iterator[bytes]:
        place = told = self.start
        if place:
            # The line that began before belongs to the chunk before.
            file.seek(place - 1)
            place += len(file.readline()) - 1
        while place < self.end and (line := file.readline()):
            place += len(line)
            found.lines += 1
            yield line
            if not found.lines % AT_ONCE:
                advance(place - told)
                told = place
        # Its last line may end in the next chunk: what is told comes to its size all the same.
        advance(self.end - told)


Part = Stretch | Chunk


@dataclass(frozen=True, slots=True)
class Recorded:
    """What there is to replay."""

    parts: tuple[Part, ...]
    range: Range
    notes: tuple[str, ...] = ()
    """What is missing of the range."""


def from_file(path: Path, range_: Range, chunk_bytes: int = CHUNK_BYTES) -> Recorded:
    """Return the chunks of a JSON Lines file.

    Raises:
        OSError: it can't be read.
        NothingRecordedError: it is empty.
        ValueError: it is no file that can be read from any place on.
    """
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"{path}: not a file that several can read; write it to one first")
    if not status.st_size:
        raise NothingRecordedError(f"{path}: empty, there are no listings in it")
    edges = [*range(0, status.st_size, chunk_bytes), status.st_size]
    chunks = (Chunk(path, start, end, range_) for start, end in itertools.pairwise(edges))
    return Recorded(tuple(chunks), range_)


def from_topic(settings: Settings, range_: Range) -> Recorded:
    """Return the stretches of the listings' topic that lie in a range, by the records' times.

    Where records of a partition are not in the order of their times, its stretch is what stands
    between the first record of the range and the first one behind it.

    Raises:
        KafkaUnavailableError, MissingTopicError
        NothingRecordedError: there are no records in the range, or no more.
    """
    topic = settings.topic(topics.LISTINGS.name)
    count = partitions_of(settings, topic)
    stretches: list[Stretch] = []
    kept_since: dict[int, int | None] = {}
    for partition in range(count):
        reader = LogReader(settings, topic, partition)
        try:
            low, end = reader.bounds()
            start = low if range_.start is None else max(low, reader.offset_at(range_.start))
            stop = end if range_.end is None else min(end, reader.offset_at(range_.end))
            if low and start == low:
                # What was there before is deleted, and may have been of the range.
                kept_since[partition] = _time_at(reader, low, end)
        finally:
            reader.close()
        if start < stop:
            stretches.append(Stretch(settings, partition, start, stop))
    oldest = min((time for time in kept_since.values() if time is not None), default=None)
    since = "nothing" if oldest is None else f"records from {format_time(oldest)} on"
    if not stretches and kept_since:
        raise NothingRecordedError(
            f"{topic}: what was recorded {range_} is past the topic's retention; {since} is left"
        )
    if not stretches:
        raise NothingRecordedError(f"{topic}: no records {range_}; {_instead(settings, topic)}")
    notes = []
    if kept_since:
        notes.append(
            f"The topic's retention has passed the beginning of the range in {len(kept_since)} of "
            f"{count} partitions: there {since} is left."
        )
    return Recorded(tuple(stretches), range_, tuple(notes))


def _time_at(reader: LogReader, offset: int, end: int) -> int | None:
    """Return the time of the first record from an offset on; None where there is none."""
    if not 0 <= offset < end:
        return None
    reader.seek(offset)
    return next((records[0].timestamp for records in reader.read_until(end, 1) if records), None)


def _instead(settings: Settings, topic: str) -> str:
    """Return what there is instead of the range, for whoever mistook a time."""
    times: list[int] = []
    for partition in range(partitions_of(settings, topic)):
        reader = LogReader(settings, topic, partition)
        try:
            low, end = reader.bounds()
            times += [moment for at in {low, end - 1} if (moment := _time_at(reader, at, end))]
        finally:
            reader.close()
    if not times:
        return "the topic is empty"
    return f"there are some from {format_time(min(times))} to {format_time(max(times))}"


def whole(given: Iterable[Findings]) -> Findings:
    """Return the sum of findings, in the order of their parts."""
    found = Findings()
    for each in given:
        found.merge(each)
    return found
