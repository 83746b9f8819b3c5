"""Expressions by the thousand: where each match begins and ends."""

from __future__ import annotations

import hyperscan
import pytest

from agents.monitoring.vocabulary.database import LONGEST, Database, Match, Sought, refusal
from agents.monitoring.vocabulary.expressions import Entry, Expressions
from agents.monitoring.vocabulary.phrases import Hit

OPTIONAL_WORD = b"(?:[a-z]+ )?(?:gantian|simpanan)"


def matches(pattern: bytes, text: str) -> list[Match]:
    return Database([Sought(pattern, 7)]).matches(text.encode())


def test_an_expression_begins_leftmost_for_each_end() -> None:
    found = matches(rb"(?:not )*(?:a|a copy)", "it is not not a copy")
    assert sorted(found) == [(7, 6, 15), (7, 6, 20)]


def test_overlapping_matches_are_all_found() -> None:
    found = matches(rb"(?:best|top) (?:copy|best) ?[a-z]?", "top best copy")
    assert {(start, end) for _, start, end in found} >= {(0, 8), (4, 13)}


def test_no_match_ends_within_a_word() -> None:
    assert matches(rb"fak[a-z]*", "a faker") == [(7, 2, 7)]


def test_what_is_bound_to_the_beginning_begins_there() -> None:
    assert matches(rb"^ *(?:and|or) *$", "  or ") == [(7, 0, 5)]


@pytest.mark.parametrize("word", ["ab ", "до ", "的"])
@pytest.mark.parametrize("times", [1, 500, 4_000])
def test_a_long_text_before_a_match_is_survived(word: str, times: int) -> None:
    text = word * times + "gantian"
    end = len(text.encode())
    (match,) = matches(OPTIONAL_WORD, text)
    assert match[2] == end
    assert text.encode()[match[1] : end].decode() in ("gantian", "ab gantian")


def test_a_match_too_long_for_a_phrase_is_left_out() -> None:
    pattern = rb"copies(?: very)* alike"
    assert matches(pattern, "copies" + " very" * 5 + " alike")
    assert not matches(pattern, "copies" + " very" * LONGEST + " alike")


def test_matches_of_many_expressions_keep_what_they_are_noted_as() -> None:
    database = Database([Sought(b"cop(?:y|ies)", 1), Sought(b"fake", 2), Sought(b"a+ grade", 3)])
    assert sorted(database.matches(b"aaa grade fake copies")) == [
        (1, 15, 21),
        (2, 10, 14),
        (3, 0, 9),
    ]
    assert sorted(database.ends(b"aaa grade fake copies")) == [9, 14, 21]


def test_nothing_sought_is_nothing_found() -> None:
    assert Database([]).matches(b"a copy") == []


@pytest.mark.parametrize(
    "pattern", ["(?:unclosed", r"\b(?:x*)", r"(?=ahead)", r"(a)\1", "(?>atomic)"]
)
def test_what_cannot_be_looked_for_is_refused(pattern: str) -> None:
    assert refusal(pattern)
    with pytest.raises(hyperscan.error):
        Database([Sought(pattern.encode(), 0)]).matches(b"a")


@pytest.mark.parametrize(("word", "ending"), [("battery", "s"), ("батаре", "я")])
def test_a_word_repeated_without_end_is_one_word(word: str, ending: str) -> None:
    entry = Entry("en", "innocent", f"{word}\\w*", f"{word}\\w*")
    text = f"a {word * 1_000}, {word}{ending}"
    length = len(word) * 1_000
    assert Expressions([entry]).hits(text) == [
        Hit(0, 2, 2 + length),
        Hit(0, 4 + length, 5 + length + len(word)),
    ]
