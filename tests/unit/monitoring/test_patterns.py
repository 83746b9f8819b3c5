"""What is looked for of marks is found between words, each time and nowhere else."""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agents.monitoring.marks import spellings
from agents.monitoring.marks.index import PART, MarkIndex
from agents.monitoring.marks.patterns import SHORT, U32, Patterns
from agents.monitoring.marks.skeleton import BEGINS
from agents.monitoring.marks.spellings import packed, spellings_of, unpacked
from tests.benchmarks import catalogue

LETTERS = st.sampled_from(b"abcl\x85\xa5\xfe")
BOUNDARY = 1
PATTERNS = st.lists(
    st.one_of(
        st.lists(LETTERS, min_size=1, max_size=12).map(bytes),
        st.lists(LETTERS, min_size=60, max_size=70).map(bytes),
        st.lists(st.sampled_from(b"abAB"), min_size=1, max_size=SHORT).map(bytes),
    ),
    max_size=30,
)
MARKS = ("Zorvex", "H&M", "Who?", "GUCCI", "Nestlé", "Straße", "佐维克斯", "aaaa", "R&B lill", "M")


def compiled(patterns: Sequence[bytes], signed: bytes) -> tuple[Patterns, U32]:
    starts = array("I", [0])
    for pattern in patterns:
        starts.append(starts[-1] + len(pattern))
    return Patterns.of(b"".join(patterns), np.frombuffer(starts, np.uint32), signed)


def occurrences(pattern: bytes, letters: bytes, apart: Sequence[bool]) -> list[int]:
    """Return where a pattern stands between words, by looking everywhere."""

    def opens(at: int) -> bool:
        around = letters[max(0, at - 1) : at + 1]
        return at == len(letters) or apart[at] or max(around) >= 0x80

    short = len(pattern) <= SHORT and max(pattern) < 0x80
    begins = [
        begins or (at > 0 and letters[at - 1] >= 0x80) for at, begins in enumerate(apart)
    ]  # '正品UGG'
    begun = bytes(byte ^ (BEGINS * begin) for byte, begin in zip(letters, begins, strict=True))
    found = []
    for first in range(len(letters) - len(pattern) + 1):
        behind = first + len(pattern)
        if short:
            closed = behind == len(letters) or apart[behind] or letters[behind] >= 0x80
            same = begun[first:behind] == pattern and max(letters[first:behind]) < 0x80 and closed
        else:
            same = letters[first:behind] == pattern
        if same and opens(first) and opens(behind):
            found.append(first)
    return found


@settings(max_examples=300, deadline=None)
@given(PATTERNS, st.lists(st.one_of(LETTERS, st.just(BOUNDARY)), max_size=150), st.data())
def test_a_pattern_is_found_where_it_stands_between_words(
    patterns: list[bytes], text: list[int], data: st.DataObject
) -> None:
    # A short pattern is told with capitals, any other has none.
    patterns = [
        p if len(p) <= SHORT or min(p) >= 0x80 else p.lower()
        for p in patterns
        if len(p) > SHORT or max(p) < 0x80 or p == p.lower()
    ]
    for pattern in data.draw(st.lists(st.sampled_from(patterns), max_size=4)) if patterns else []:
        at = data.draw(st.integers(0, len(text)))
        text[at:at] = pattern.lower() if len(pattern) <= SHORT else pattern
    apart = data.draw(st.lists(st.booleans(), min_size=len(text), max_size=len(text)))
    letters = bytes(text)
    found, numbers = compiled(patterns, bytes(len(patterns)))
    seen = [(number, first) for number, first, _ in found.find(letters, np.array(apart, np.bool_))]
    wanted = {
        (number, first)
        for number, pattern in zip(numbers.tolist(), patterns, strict=True)
        for first in occurrences(pattern, letters, apart)
    }
    assert sorted(seen) == sorted(wanted)
    assert [first for _, first in seen] == sorted(first for _, first in seen)


def test_equal_patterns_are_one() -> None:
    found, numbers = compiled([b"zorvex", b"zorv", b"zorvex"], b"\1\1\0")
    assert numbers.tolist() == [0, 1, 0]
    assert found.arrays["signed_"].tolist() == [0, 1]


def test_of_many_patterns_each_is_found() -> None:
    patterns = [f"mark{number}".encode() for number in range(20_000)]
    found, numbers = compiled(patterns, bytes(len(patterns)))
    for number in range(0, len(patterns), 97):
        letters = b"a" + patterns[number] + b"b"
        apart = np.array([True, True, *[False] * (len(letters) - 3), True])
        assert list(found.find(letters, apart)) == [
            (int(numbers[number]), 1, len(patterns[number]))
        ]


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="aAbBiIlLoO01s5 vVwWuUrnNmcd", max_size=14))
@example("Bass s")
def test_a_plain_mark_has_the_letters_it_is_folded_to(mark: str) -> None:
    plain = list(spellings_of(1, mark))
    pattern = spellings._PLAIN  # noqa: SLF001
    try:
        spellings._PLAIN = re.compile(r"(?!)")  # type: ignore[misc]  # noqa: SLF001
        assert list(spellings_of(1, mark)) == plain
    finally:
        spellings._PLAIN = pattern  # type: ignore[misc]  # noqa: SLF001


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.sampled_from(MARKS), st.text(max_size=12)))
def test_a_spelling_is_unpacked_as_it_was(mark: str) -> None:
    for _, spelling in spellings_of(7, mark):
        assert unpacked(packed(spelling)) == spelling
        assert unpacked(packed(spelling), 5).mark == 12


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(MARKS), st.text(max_size=8)), max_size=8))
def test_an_index_made_of_the_arrays_of_another_says_the_same(marks: list[str]) -> None:
    index = MarkIndex.of(marks)
    again = MarkIndex.over(index.arrays())
    assert list(again.marks) == marks
    for pattern in range(index.patterns.count):
        assert again.spellings(pattern, 0) == index.spellings(pattern, 0)
    assert again.arrays().keys() == index.arrays().keys()


def test_marks_that_several_processes_compile_are_as_if_one_did() -> None:
    marks = [right.mark for right in catalogue.many_rights(3 * PART // 2)]
    one, several = (MarkIndex.of(marks, processes=processes).arrays() for processes in (1, 2))
    for name, each in one.items():
        assert np.array_equal(each, several[name]), name
