"""How many records are taken of which partition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.newest_records import shares


@pytest.mark.parametrize(
    ("sizes", "most", "taken"),
    [
        ([], 10, []),
        ([0, 0], 10, [0, 0]),
        ([100, 100], 10, [5, 5]),
        ([3, 100, 100], 11, [3, 4, 4]),
        ([100, 1, 0], 50, [49, 1, 0]),
        ([5, 5], 100, [5, 5]),
        ([9] * 20, 10, None),
    ],
)
def test_small_partitions_give_all_and_large_ones_the_rest(
    sizes: list[int], most: int, taken: list[int] | None
) -> None:
    found = shares(sizes, most)
    assert sum(found) == min(sum(sizes), most)
    if taken is not None:
        assert found == taken


@given(st.lists(st.integers(0, 1000), max_size=50), st.integers(0, 10_000))
def test_as_many_as_there_are_and_as_evenly_as_can_be(sizes: list[int], most: int) -> None:
    found = shares(sizes, most)
    assert sum(found) == min(sum(sizes), most)
    assert all(0 <= taken <= size for taken, size in zip(found, sizes, strict=True))
    cut = [taken for taken, size in zip(found, sizes, strict=True) if taken < size]
    assert not cut or max(found) <= min(cut) + 1
