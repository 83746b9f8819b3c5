"""The Hamming index finds exactly what comparing everything with everything finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.monitoring.images.hamming import HammingIndex, Hashes
from agents.pdq import MAX_DISTANCE

WORD = st.integers(0, 2**64 - 1)
HASH = st.tuples(WORD, WORD, WORD, WORD)


def rows(hashes: list[tuple[int, ...]]) -> Hashes:
    return np.array(hashes, np.uint64).reshape(-1, 4)


def by_comparing_all(hashes: Hashes, queries: Hashes, distance: int) -> list[tuple[int, int, int]]:
    bits = np.bitwise_count(hashes[None] ^ queries[:, None]).sum(axis=2, dtype=np.int64)
    return [
        (int(query), int(item), int(bits[query, item]))
        for query, item in zip(*np.nonzero(bits <= distance), strict=True)
    ]


def asked(index: HammingIndex, queries: Hashes, distance: int) -> list[tuple[int, int, int]]:
    return list(zip(*(a.tolist() for a in index.within(queries, distance)), strict=True))


def flipped(original: tuple[int, ...], bits: set[int]) -> tuple[int, ...]:
    words = list(original)
    for bit in bits:
        words[bit // 64] ^= 1 << (bit % 64)
    return tuple(words)


@given(
    hashes=st.lists(HASH, min_size=1, max_size=30),
    flips=st.lists(st.sets(st.integers(0, 255), max_size=40), min_size=1, max_size=20),
    strangers=st.lists(HASH, max_size=10),
    distance=st.integers(0, MAX_DISTANCE),
)
def test_finds_what_comparing_all_finds(
    hashes: list[tuple[int, ...]],
    flips: list[set[int]],
    strangers: list[tuple[int, ...]],
    distance: int,
) -> None:
    near = [flipped(hashes[i % len(hashes)], bits) for i, bits in enumerate(flips)]
    # Neighbours stand in the index too, so that buckets hold more than one hash.
    stored, queries = rows([*hashes, *near[::2]]), rows([*near, *strangers])
    assert asked(HammingIndex(stored), queries, distance) == by_comparing_all(
        stored, queries, distance
    )


@pytest.mark.parametrize("band", range(16))
def test_finds_31_flips_wherever_they_are_spread(band: int) -> None:
    # Two flips in every band but one, which has a single one: the tightest case of the pigeonhole.
    bits = {16 * other + place for other in range(16) for place in (3, 11)} - {16 * band + 11}
    stored = rows([(0, 0, 0, 0)])
    assert asked(HammingIndex(stored), rows([flipped((0, 0, 0, 0), bits)]), 31) == [(0, 0, 31)]
    more = flipped((0, 0, 0, 0), bits | {16 * band + 11})
    assert asked(HammingIndex(stored), rows([more]), 31) == []


def test_finds_all_among_many_random_and_crowded_hashes() -> None:
    random = np.random.default_rng(7)
    hashes = random.integers(0, 2**64, size=(20_000, 4), dtype=np.uint64)
    hashes[:9_000, 0] = 77  # one value in four bands: queries there are answered by a scan
    queries = np.concatenate([hashes[::400], random.integers(0, 2**64, (50, 4), dtype=np.uint64)])
    queries[:40, 1] ^= np.uint64(0xF0F0F0F0)
    queries[60:70, 0] = 77
    found = asked(HammingIndex(hashes), queries, 31)
    assert found == by_comparing_all(hashes, queries, 31)
    assert len(found) >= 50


def test_nothing_in_nothing() -> None:
    empty = np.empty((0, 4), np.uint64)
    assert asked(HammingIndex(empty), rows([(1, 2, 3, 4)]), 31) == []
    assert asked(HammingIndex(rows([(1, 2, 3, 4)])), empty, 31) == []


@pytest.mark.parametrize("distance", [-1, 32])
def test_refuses_a_distance_it_cannot_promise(distance: int) -> None:
    with pytest.raises(ValueError, match="0 to 31"):
        HammingIndex(rows([(0, 0, 0, 0)])).within(rows([(0, 0, 0, 0)]), distance)


def test_holds_a_million_hashes_in_less_than_150_megabytes() -> None:
    hashes = np.random.default_rng(1).integers(0, 2**64, size=(1_000_000, 4), dtype=np.uint64)
    index = HammingIndex(hashes)
    assert len(index) == 1_000_000
    assert index.nbytes <= 150_000_000
    query, item, distance = index.within(hashes[123_456:123_457])
    assert (query.tolist(), item.tolist(), distance.tolist()) == ([0], [123_456], [0])
