"""Arrays are read from a file as they were written, or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.flat_file import BrokenFileError, read_flat, write_flat
from streams.packed import PackedBytes, PackedTexts

ARRAYS: dict[str, npt.NDArray[Any]] = {
    "numbers": np.arange(1_000, dtype=np.uint32),
    "none": np.empty(0, np.int64),
    "bytes": np.frombuffer(b"zorvex", np.uint8),
    "bits": np.array([1 << 63, 3], np.uint64),
}


def test_arrays_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "some.flat"
    write_flat(path, ARRAYS)
    found = read_flat(path)
    assert found.keys() == ARRAYS.keys()
    for name, each in ARRAYS.items():
        assert found[name].dtype == each.dtype
        assert found[name].tolist() == each.tolist()
    assert [each.name for each in tmp_path.iterdir()] == ["some.flat"]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(0, 4_500), st.integers(1, 255), st.booleans())
def test_a_file_with_another_byte_or_cut_off_is_never_read(
    tmp_path: Path, at: int, by: int, cut: bool
) -> None:
    path = tmp_path / "some.flat"
    write_flat(path, ARRAYS)
    content = bytearray(path.read_bytes())
    at %= len(content)
    if cut:
        del content[at:]
    else:
        content[at] ^= by
    path.write_bytes(content)
    with pytest.raises(BrokenFileError):
        read_flat(path)


def test_what_is_in_use_stays_while_another_is_written(tmp_path: Path) -> None:
    path = tmp_path / "some.flat"
    write_flat(path, ARRAYS)
    found = read_flat(path)
    write_flat(path, {"numbers": np.zeros(1, np.uint32)})
    assert found["numbers"].tolist() == list(range(1_000))


@given(st.lists(st.text(max_size=5), max_size=8), st.data())
def test_packed_values_are_had_again_in_any_order(texts: list[str], data: st.DataObject) -> None:
    packed = PackedTexts.of(texts)
    assert list(packed) == texts
    assert packed == texts
    assert packed[1:] == texts[1:]
    order = data.draw(st.permutations(range(len(texts))))
    ordered = PackedBytes.of(text.encode() for text in texts).ordered(np.array(order, np.intp))
    assert list(ordered) == [texts[number].encode() for number in order]
    again = PackedBytes.over(ordered.arrays("texts"), "texts")
    assert list(again) == list(ordered)
