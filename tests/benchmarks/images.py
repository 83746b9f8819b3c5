"""Looking pictures up: the Hamming index against comparing with every hash.

Run: python -m tests.benchmarks.images [--rounds N]

Both are asked for the same pictures, one round after the other, on one thread; the ratio of a round
holds where an absolute figure only says how fast this machine was. faiss's exact flat index takes
part where faiss-cpu is installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from agents.monitoring.images.hamming import HammingIndex, Hashes
from agents.monitoring.images.known import KnownImages
from agents.pdq import MAX_DISTANCE
from agents.records import Right

SIZES: Final = (1_000, 100_000, 1_000_000)
BATCH: Final = 1_000
"""Pictures a batch: some 130 listings with seven or eight each."""
COMPARED: Final = 20
"""Of those, how many are compared with every hash, which takes long."""

Ask = Callable[[Hashes], object]


@dataclass(frozen=True, slots=True)
class Row:
    """What one size of registry costs. Times are medians of the rounds, in ms a picture."""

    hashes: int
    kind: str
    megabytes: float
    build_s: float
    index_ms: float
    all_ms: float
    times_faster: float
    """Median of the rounds' ratios."""
    faiss_ms: float | None
    times_faster_than_faiss: float | None


def run(rounds: int = 5) -> list[Row]:
    """Measure every size, with hashes as random as those of different pictures, and crowded ones.

    In a crowded registry half of the hashes are of a few pictures registered again and again, each
    time a little different, and half of what is asked for is near those.
    """
    return [_measure(size, kind, rounds) for size in SIZES for kind in ("different", "crowded")]


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
        "index": (index.within, asked),
        "all": (lambda queries: _compare_all(hashes, queries), asked[:: BATCH // COMPARED]),
    }
    flat = _faiss(hashes)
    if flat is not None:
        ways["faiss"] = (flat, asked[:: BATCH // (5 * COMPARED)])
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, (ask, queries) in ways.items():
            started = time.perf_counter()
            ask(queries)
            taken[name].append((time.perf_counter() - started) / len(queries) * 1e3)

    def ratio(name: str) -> float:
        return statistics.median(
            other / ours for other, ours in zip(taken[name], taken["index"], strict=True)
        )

    return Row(
        hashes=size,
        kind=kind,
        megabytes=index.nbytes / 1e6,
        build_s=build,
        index_ms=statistics.median(taken["index"]),
        all_ms=statistics.median(taken["all"]),
        times_faster=ratio("all"),
        faiss_ms=statistics.median(taken["faiss"]) if flat else None,
        times_faster_than_faiss=ratio("faiss") if flat else None,
    )


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
        f"as a registry of 100 rights and {size:,} hashes: built in {build:.2f} s, "
        f"{each:.3f} ms a picture, {known.nbytes / 1e6:.0f} MB"
    )


def _values(count: int, seed: int = 1) -> Iterator[int]:
    random = np.random.default_rng(seed)
    for row in random.integers(0, 2**64, (count, 4), dtype=np.uint64):
        yield int.from_bytes(row.tobytes(), "little")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.images")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    print("| hashes | | MB | built in | ms a picture | comparing all | times faster | faiss |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for row in run(given.rounds):
        faiss = "not installed"
        if row.faiss_ms is not None:
            faiss = f"{row.faiss_ms:.3f} ms, {row.times_faster_than_faiss:.1f} ×"
        print(
            f"| {row.hashes:,} | {row.kind} | {row.megabytes:.0f} | {row.build_s:.2f} s "
            f"| {row.index_ms:.3f} | {row.all_ms:.2f} ms | {row.times_faster:.0f} × | {faiss} |",
            flush=True,
        )
    print(registry_row())


if __name__ == "__main__":
    main()
