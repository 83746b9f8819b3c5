"""No listing takes long, however hostile: counted in calls, which no machine makes faster."""

from __future__ import annotations

import sys
from collections import Counter
from functools import cache

import pytest

from agents.monitoring.examination import MOST_MENTIONS, MOST_RIGHTS, mentions_by_right
from agents.monitoring.marks import MarkMatcher
from agents.monitoring.screening import MOST_ITEMS, Limits, screen
from agents.records import Listing
from tests.benchmarks.catalogue import rights
from tests.benchmarks.examination import NOW, Bench
from tests.benchmarks.hostile_listings import hostile_listings
from tests.records import Record

LIMITS = Limits(record_bytes=1_000_000, clock_ahead_s=900)
MOST_CALLS = 400_000
"""Calls of functions, Python's own among them: 40 ms and less, some 100 ns each."""


@cache
def bench() -> Bench:
    return Bench()


def outcomes(listing: Listing) -> list[str]:
    """Take a listing the whole way; return what came out, or why it is a dead letter."""
    screened = screen(
        [Record(0, bench().encoded(listing))], bench().judge, bench().decoder, LIMITS, NOW
    )
    return [
        *(bench().decide(examination) for _, examination in screened.examined),
        *(failure.reason for failure in screened.failures),
    ]


def calls(listing: Listing) -> Counter[str]:
    """Return how many calls of each kind it takes."""
    counted: Counter[str] = Counter()

    def count(_frame: object, event: str, _argument: object) -> None:
        counted[event] += 1

    sys.setprofile(count)
    try:
        outcomes(listing)
    finally:
        sys.setprofile(None)
    return counted


HOSTILE = hostile_listings([right.mark for right in rights()], LIMITS.record_bytes)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_listing_takes_more_calls_than_others_can_wait_for(name: str) -> None:
    outcomes(HOSTILE[name])  # what is compiled and remembered at first use
    counted = calls(HOSTILE[name])
    assert 0 < counted["call"] + counted["c_call"] <= MOST_CALLS


def test_a_listing_stuffed_with_rights_is_judged_for_those_it_names_first_and_disguises() -> None:
    names = [f"{first}{second}ex" for first in "bdfgklmnprstvz" for second in "aeiouy" * 2]
    names = [f"{name}{number}" for number, name in enumerate(dict.fromkeys(names))]
    names = ["".join(chr(ord("a") + int(c)) if c.isdigit() else c for c in name) for name in names]
    matcher = MarkMatcher(names)
    text = " ".join([*names, *names, names[-1].replace("e", "\u0435")])
    found = matcher.find({"title": text})
    assert len(found) > MOST_MENTIONS
    kept = mentions_by_right(found, [[number] for number in range(len(names))])
    assert len(kept) == MOST_RIGHTS
    assert {*range(MOST_RIGHTS - 1), len(names) - 1} == set(kept)
    assert any(match.strength == "hidden" for match in kept[len(names) - 1])


def test_a_listing_with_a_real_number_of_rights_is_judged_for_all_and_every_mention() -> None:
    matcher = MarkMatcher(["Zorvex", "Quandrel"])
    found = matcher.find({"title": "Zorvex Quandrel " * 20})
    kept = mentions_by_right(found, [[0, 7], [1]])
    assert {right: len(matches) for right, matches in kept.items()} == {0: 20, 7: 20, 1: 20}


@pytest.mark.parametrize(("count", "expected"), [(MOST_ITEMS, "remove"), (MOST_ITEMS + 1, "dead")])
def test_a_listing_has_no_more_items_than_can_be_read(count: int, expected: str) -> None:
    mark = bench().rights[0].mark
    listing = Listing("l", "s", NOW, f"{mark} replica", gtins=("x",) * count)
    assert outcomes(listing) == (["too_large"] if expected == "dead" else ["remove"])
