"""Reading Avro listings, a few fields or all, in C: `streams/projection.py`, `transcoding.py`."""

from __future__ import annotations

import io
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Final

import fastavro
import msgspec

import schemas
from agents.history.watched import watched
from agents.monitoring.screening import TEXT_FIELDS
from agents.records import Listing
from streams.projection import compile_projection
from streams.transcoding import Transcoding
from tests.benchmarks import catalogue, machine
from tests.benchmarks.report import Section, Table, ratios, spread
from tests.benchmarks.subjects import Options

LISTINGS: Final = 10_000
WATCHED: Final = 100_000
BATCH: Final = 500
WANTED: Final = ("kind", "occurred_at", "seller_id")


def run(options: Options) -> Section:
    """Read the same values in every way, in every round."""
    described = machine.description(options.cores)
    rights = catalogue.rights()
    supply = catalogue.Catalogue([right.mark for right in rights], options.data)
    count = min(LISTINGS, options.listings)
    values = encode(list(supply.listings(count, time.time_ns() // 1_000_000)))
    with machine.pinned(options.cores.contestant):
        taken = measure(ways(), values, options.rounds)
        looked_up = look_up(values, options.rounds)
    projected = taken["projection"]
    others = [name for name in taken if name != "projection"]
    return Section(
        title="Projection",
        how=(
            f"{count:,} listings of {sum(map(len, values)) / count:,.0f} bytes on average are read "
            "in memory, on one core: the fields that every listing is asked for, by each way. "
            f"The projection also says where every text lies; it reads {BATCH} at once, as the "
            "screen does. 'Whole listings' are made of what is examined."
        ),
        command=options.command,
        machine=described,
        tables=(
            Table(
                ("ratio, round by round", "time"),
                (
                    *(
                        (
                            f"{name} to projection",
                            spread(ratios(taken[name], projected)).text(2, " ×"),
                        )
                        for name in others
                    ),
                    (
                        f"looking the sellers up among {WATCHED:,}, to projection",
                        spread(ratios(looked_up, projected)).text(3, " ×"),
                    ),
                ),
            ),
            Table(
                ("way", "µs a listing"),
                tuple(
                    (name, spread(times).text(2))
                    for name, times in {**taken, "looking the sellers up": looked_up}.items()
                ),
            ),
        ),
    )


def encode(listings: Sequence[Listing]) -> list[bytes]:
    """Return the listings as Avro, without the wire format's header."""
    schema = fastavro.parse_schema(schemas.without_docs(schemas.load("listing")))
    values = []
    for listing in listings:
        stream = io.BytesIO()
        fastavro.schemaless_writer(stream, schema, msgspec.to_builtins(listing))
        values.append(stream.getvalue())
    return values


def ways() -> dict[str, Callable[[Sequence[bytes]], Any]]:
    """Return every way to read the values of a batch."""
    plain = schemas.without_docs(schemas.load("listing"))
    writer = fastavro.parse_schema(plain)
    few = {**plain, "fields": [f for f in plain["fields"] if f["name"] in {*WANTED, *TEXT_FIELDS}]}
    reader = fastavro.parse_schema(few)
    project = compile_projection(plain, WANTED, {}, TEXT_FIELDS)
    make = Transcoding(plain, Listing).read
    return {
        "projection": project.read,
        "transcoding, whole listings": make,
        "fastavro, whole listings": lambda values: [
            msgspec.convert(fastavro.schemaless_reader(io.BytesIO(value), writer, None), Listing)
            for value in values
        ],
        "fastavro, all fields": lambda values: [
            fastavro.schemaless_reader(io.BytesIO(value), writer, None) for value in values
        ],
        "fastavro, reader schema of the same fields": lambda values: [
            fastavro.schemaless_reader(io.BytesIO(value), writer, reader) for value in values
        ],
    }


def look_up(values: Sequence[bytes], rounds: int) -> list[float]:
    """Return microseconds a value, by round, for asking whether the sellers are watched."""
    project = ways()["projection"]
    known = watched(f"watched-{number}".encode() for number in range(WATCHED))
    taken = []
    for _ in range(rounds):
        seconds = 0.0
        for start in range(0, len(values), BATCH):
            # Read just before, as the screen does: the ids are new, and so is all in the caches.
            sellers = project(values[start : start + BATCH]).fields[2]
            started = time.perf_counter()
            known.among(sellers)
            seconds += time.perf_counter() - started
        taken.append(seconds / len(values) * 1e6)
    return taken


def measure(
    candidates: dict[str, Callable[[Sequence[bytes]], Any]], values: Sequence[bytes], rounds: int
) -> dict[str, list[float]]:
    """Return microseconds a value for each candidate and round."""
    taken: defaultdict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        for name, read in candidates.items():
            started = time.perf_counter()
            for start in range(0, len(values), BATCH):
                read(values[start : start + BATCH])
            taken[name].append((time.perf_counter() - started) / len(values) * 1e6)
    return dict(taken)
