"""What every peer in Python does with a listing, and the clock that measures it."""

from __future__ import annotations

import io
import json
import os
import re
import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import fastavro
import hyperscan

HEADER_BYTES: Final = 5
"""Of Confluent's wire format: a zero, and the schema's id in four."""
TEXTS: Final = ("title", "brand", "description")
"""The fields that are scanned by who decodes first."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a peer has to do."""

    way: str
    """A key of the peer's `main`."""
    bootstrap: str
    broker: int
    """Process id of the broker."""
    registry: str
    """Address of the schema registry."""
    topic: str
    takedowns: str
    """The topic its records of takedowns go to."""
    group: str
    partitions: int
    """Of both topics."""
    listings: int
    """Listings in the topic, all of which are read."""
    marks: list[str]
    schema: dict[str, Any]
    """The Avro schema the listings were written with."""
    currency: str
    below_minor: int
    """A listing that names a mark and costs less, in that currency, is taken down."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a contestant did while the clock ran."""

    version: str
    """Of the library it is made of."""
    listings: int
    seconds: float
    cpu: float
    """User and system time in seconds, all threads together."""
    broker: float
    """The same of the broker, meanwhile."""
    read: int
    """Listings it read in all, those before the clock ran among them."""
    named: int
    """Of these, how many it found a mark in."""
    acted: int
    """Of these, how many it took down, or sent to review."""

    @property
    def rate(self) -> float:
        """Listings a second."""
        return self.listings / self.seconds

    @property
    def cpu_us(self) -> float:
        """CPU microseconds a listing."""
        return self.cpu / self.listings * 1e6

    @property
    def broker_us(self) -> float:
        """CPU microseconds of the broker a listing."""
        return self.broker / self.listings * 1e6

    @property
    def broker_share(self) -> float:
        """The share of a core that the broker took."""
        return self.broker / self.seconds


def cpu_of(process: int) -> float:
    """Return the user and system time of a process in seconds, in steps of 10 ms (`proc(5)`)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class _Moment:
    handled: int
    clock: float
    cpu: float
    broker: float


class Clock:
    """Counts listings; notes time and CPU at the first and at the last one.

    What a client fetched before the first one was handled is the least that comes for free: behind
    a warm-up it would have fetched ahead for seconds.
    """

    def __init__(self, job: Job) -> None:
        self._listings = job.listings
        self._broker = job.broker
        self._started: _Moment | None = None
        self._ended: _Moment | None = None
        self.handled = 0

    def count(self, listings: int = 1) -> bool:
        """Count some more; return whether that was all."""
        self.handled += listings
        if self._started is None:
            self._started = self._now()
        if self.handled < self._listings:
            return False
        if self._ended is None:
            self._ended = self._now()
        return True

    def outcome(self, version: str, named: int, acted: int) -> Outcome:
        """Return what was measured. Raises RuntimeError when not all was read."""
        if self._started is None or self._ended is None:
            raise RuntimeError(f"ended after {self.handled:,} of {self._listings:,} listings")
        start, end = self._started, self._ended
        return Outcome(
            version,
            end.handled - start.handled,
            end.clock - start.clock,
            end.cpu - start.cpu,
            end.broker - start.broker,
            self.handled,
            named,
            acted,
        )

    def _now(self) -> _Moment:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return _Moment(
            self.handled,
            time.perf_counter(),
            used.ru_utime + used.ru_stime,
            cpu_of(self._broker),
        )


class Screening:
    """The work: a scan for the marks, decoding, a rule about the price, a takedown as JSON."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._schema = fastavro.parse_schema(job.schema)
        self._found: list[int] = []
        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self._database.compile(
            expressions=[re.escape(mark.encode()) for mark in job.marks],
            ids=list(range(len(job.marks))),
            elements=len(job.marks),
            flags=hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_SINGLEMATCH,
        )
        self.named = 0
        self.acted = 0

    def raw(self, value: bytes) -> bytes | None:
        """Scan a raw value and decode it where a mark was found; return its takedown, if any."""
        found = self._scan(value)
        return None if found is None else self._takedown(self.decode(value), found)

    def decoded(self, listing: Mapping[str, Any]) -> bytes | None:
        """Scan the texts of a listing that is decoded already; return its takedown, if any."""
        found = self._scan("\n".join([listing[field] for field in TEXTS]).encode())
        return None if found is None else self._takedown(listing, found)

    def decode(self, value: bytes) -> dict[str, Any]:
        """Return the listing of a raw value, all fields."""
        record: Any = fastavro.schemaless_reader(
            io.BytesIO(value[HEADER_BYTES:]), self._schema, None
        )
        return dict(record)

    def _scan(self, data: bytes) -> int | None:
        """Return the number of a mark in the data; the case of ASCII letters is ignored."""
        self._found.clear()
        self._database.scan(data, match_event_handler=self._note)
        if not self._found:
            return None
        self.named += 1
        return self._found[0]

    def _note(self, number: int, _start: int, _end: int, _flags: int, _context: object) -> None:
        self._found.append(number)

    def _takedown(self, listing: Mapping[str, Any], mark: int) -> bytes | None:
        price = listing["price_minor"]
        if (
            price is None
            or listing["currency"] != self._job.currency
            or price >= self._job.below_minor
        ):
            return None
        self.acted += 1
        return json.dumps({
            "listing_id": listing["listing_id"],
            "revision": listing["revision"],
            "seller_id": listing["seller_id"],
            "mark": self._job.marks[mark],
            "price_minor": price,
        }).encode()  # fmt: skip


def main(ways: Mapping[str, Callable[[Job], Outcome]]) -> None:
    """Do the job of the file named on the command line, and print what came of it."""
    job = Job(**json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    print(json.dumps(asdict(ways[job.way](job))), flush=True)
