"""Looking pictures up: the Hamming index against comparing with every hash.

Both are asked for the same pictures, one round after the other, on one thread; the ratio of a round
holds where an absolute figure only says how fast this machine was. faiss's exact flat index takes
part where faiss-cpu is installed.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from agents.monitoring.images.hamming import HammingIndex, Hashes
from agents.monitoring.images.known import KnownImages
from agents.pdq import MAX_DISTANCE
from agents.records import Right
from tests.benchmarks import machine
from tests.benchmarks.report import Section, Table, ratios, spread
from tests.benchmarks.subjects import Options

SIZES: Final = (1_000, 100_000, 1_000_000)
BATCH: Final = 1_000
"""Pictures a batch: some 130 listings with seven or eight each."""
COMPARED: Final = 20
"""Of those, how many are compared with every hash, which takes long."""

INDEX: Final = "index"
EVERY: Final = "comparing all"
FLAT: Final = "faiss, flat"

Ask = Callable[[Hashes], object]


GOALS: Final = {100_000: (None, 0.3), 1_000_000: (150, 3.0)}
"""Megabytes and milliseconds a picture, by size."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one size of registry costs. Times are ms a picture, by way and round."""

    hashes: int
    kind: str
    megabytes: float
    build_s: float
    taken: dict[str, list[float]]

    @property
    def name(self) -> str:
        """How tables call it."""
        return f"{self.hashes:,} {self.kind}"


def run(options: Options) -> Section:
    """Measure every size, with hashes as random as those of different pictures, and crowded ones.

    In a crowded registry half of the hashes are of a few pictures registered again and again, each
    time a little different, and half of what is asked for is near those.
    """
    described = machine.description(options.cores)
    with machine.pinned(options.cores.contestant):
        rows = [
            _measure(size, kind, options.rounds)
            for size in SIZES
            for kind in ("different", "crowded")
        ]
        registry = registry_row()
    ways = [name for name in rows[0].taken if name != INDEX]
    goals = (
        f"{size:,} hashes: "
        + (f"{megabytes} MB at most, and " if megabytes else "")
        + f"{milliseconds} ms a picture"
        for size, (megabytes, milliseconds) in GOALS.items()
    )
    return Section(
        title="Pictures",
        how=(
            f"{BATCH:,} pictures, as many as a batch of listings has, are asked for at once among "
            "registered ones, on one thread: all within distance 31, exactly. Different hashes are "
            "random, as those of different pictures; of crowded ones half are of a few pictures "
            "registered again and again, each time a little different, and half of what is asked "
            f"for is near those. {COMPARED} of the pictures are compared with every hash."
        ),
        command=options.command,
        machine=described,
        tables=(
            Table(
                ("ratio, round by round", *(f"{name} to {INDEX}" for name in ways)),
                tuple(
                    (
                        row.name,
                        *(
                            spread(ratios(row.taken[name], row.taken[INDEX])).text(1, " ×")
                            for name in ways
                        ),
                    )
                    for row in rows
                ),
            ),
            Table(
                (
                    "hashes",
                    "MB",
                    "built in, s",
                    *(f"{name}, ms a picture" for name in rows[0].taken),
                ),
                tuple(
                    (
                        row.name,
                        f"{row.megabytes:.0f}",
                        f"{row.build_s:.2f}",
                        *(spread(times).text(3) for times in row.taken.values()),
                    )
                    for row in rows
                ),
            ),
        ),
        notes=(
            registry,
            f"The goals: {'; '.join(goals)}.",
            *(() if FLAT in ways else ("faiss-cpu is not installed and takes no part.",)),
        ),
    )


def _measure(size: int, kind: str, rounds: int) -> Row:
    random = np.random.default_rng(size)
    hashes = random.integers(0, 2**64, (size, 4), dtype=np.uint64)
    asked = random.integers(0, 2**64, (BATCH, 4), dtype=np.uint64)
    asked[: BATCH // 100] = hashes[: BATCH // 100] ^ _noise(random, BATCH // 100)
    if kind == "crowded":
        originals = hashes[: max(1, size // 1_000)]
        half = size // 2
        hashes[half:] = originals[random.integers(0, len(originals), size - half)]
        hashes[half:] ^= _noise(random, size - half)
        asked[BATCH // 2 :] = hashes[random.integers(half, size, BATCH - BATCH // 2)]
        asked[BATCH // 2 :] ^= _noise(random, BATCH - BATCH // 2)
    started = time.perf_counter()
    index = HammingIndex(hashes)
    build = time.perf_counter() - started
    ways: dict[str, tuple[Ask, Hashes]] = {
        INDEX: (index.within, asked),
        EVERY: (lambda queries: _compare_all(hashes, queries), asked[:: BATCH // COMPARED]),
    }
    flat = _faiss(hashes)
    if flat is not None:
        ways[FLAT] = (flat, asked[:: BATCH // (5 * COMPARED)])
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, (ask, queries) in ways.items():
            started = time.perf_counter()
            ask(queries)
            taken[name].append((time.perf_counter() - started) / len(queries) * 1e3)
    return Row(size, kind, index.nbytes / 1e6, build, taken)


def _noise(random: np.random.Generator, count: int) -> Hashes:
    """Return rows of some ten bits each: what compressing a picture again changes."""
    bits = random.random((count, 256)) < 10 / 256
    return np.packbits(bits, axis=1).view(np.uint64).reshape(count, 4)


def _compare_all(hashes: Hashes, queries: Hashes) -> list[tuple[int, int]]:
    found = []
    for number, query in enumerate(queries):
        bits = np.bitwise_count(hashes ^ query).sum(axis=1, dtype=np.uint16)
        found += [(number, int(item)) for item in np.flatnonzero(bits <= MAX_DISTANCE)]
    return found


def _faiss(hashes: Hashes) -> Ask | None:
    if importlib.util.find_spec("faiss") is None:
        return None
    faiss: Any = importlib.import_module("faiss")
    faiss.omp_set_num_threads(1)
    index = faiss.IndexBinaryFlat(256)
    index.add(hashes.view(np.uint8).reshape(len(hashes), 32))
    return lambda queries: index.range_search(
        queries.view(np.uint8).reshape(len(queries), 32), MAX_DISTANCE + 1
    )


def registry_row(size: int = 100_000) -> str:
    """Return what the registry's own way costs: text in, rights out, a batch at once."""
    texts = [f"{value:064x}" for value in _values(size)]
    rights = [Right(f"r{n}", "owner", image_hashes=tuple(texts[n::100])) for n in range(100)]
    started = time.perf_counter()
    known = KnownImages(rights)
    build = time.perf_counter() - started
    batch = [f"{value:064x}".encode() for value in _values(BATCH, seed=2)]
    known.near(batch)
    started = time.perf_counter()
    known.near(batch)
    each = (time.perf_counter() - started) / BATCH * 1e3
    return (
        f"As a registry of 100 rights and {size:,} different hashes, text in and rights out: built "
        f"in {build:.2f} s, {each:.3f} ms a picture, {known.nbytes / 1e6:.0f} MB."
    )


def _values(count: int, seed: int = 1) -> Iterator[int]:
    random = np.random.default_rng(seed)
    for row in random.integers(0, 2**64, (count, 4), dtype=np.uint64):
        yield int.from_bytes(row.tobytes(), "little")
