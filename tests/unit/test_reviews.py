"""How pressing a review is, and which case it belongs to."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agents.records import Statement, Takedown
from agents.review_budget import BINS, bin_of
from agents.reviews import group_id, priority, review_of

SHARE = st.floats(0, 1)
STANDING = st.one_of(st.none(), SHARE)
UNITS = st.one_of(st.none(), st.integers(0, 10**9))
NOON = 1_795_867_200_000  # 2026-11-28T12:00:00Z
HOUR = 3_600_000


def record(**values: object) -> Takedown:
    plain = {
        "takedown_id": "t-1", "action": "REVIEW", "listing_id": "l-1", "revision": 1,
        "seller_id": "s-1", "rules": ("hidden-mark", "cheap-mark"), "score": 0.8,
        "policy_version": "p", "registry_version": "1", "right_ids": ("tm-1", "tm-2"),
        "listing_occurred_at": NOON, "received_at": NOON, "decided_at": NOON,
        "units_sold_before": 12, "statement": Statement("g", "f", "r"),
    }  # fmt: skip
    return Takedown(**(plain | values))  # type: ignore[arg-type]


@given(SHARE, STANDING, UNITS)
@example(0.00025, None, None)
def test_it_lies_between_the_score_and_one(
    score: float, standing: float | None, units: int | None
) -> None:
    assert round(score, 4) <= priority(score, standing, units) <= 1
    assert priority(score, None, None) == round(score, 4)
    assert 0 <= bin_of(priority(score, standing, units)) < BINS


@given(SHARE, SHARE, SHARE, st.integers(0, 5000), st.integers(0, 5000))
def test_a_worse_seller_and_more_units_sold_never_lower_it(
    score: float, one: float, other: float, few: int, many: int
) -> None:
    assert priority(score, min(one, other), 0) <= priority(score, max(one, other), 0)
    assert priority(score, None, min(few, many)) <= priority(score, None, max(few, many))


@pytest.mark.parametrize(
    ("score", "standing", "units", "expected"),
    [
        (0.5, None, None, 0.5),
        (0.5, 0.25, 0, 0.5),
        (0.5, 0.1, 0, 0.5),
        (0.5, 1.0, 0, 0.65),
        (0.5, 0.625, 0, 0.575),
        (0.5, None, 1000, 0.6),
        (0.5, None, 1_000_000, 0.6),
        (0.5, 1.0, 1000, 0.72),
        (1.0, None, None, 1.0),
    ],
)
def test_it_is_computed_as_the_schema_says(
    score: float, standing: float | None, units: int | None, expected: float
) -> None:
    assert priority(score, standing, units) == expected


def test_a_case_is_of_seller_right_rule_and_day_as_the_schema_says() -> None:
    namespace = uuid.UUID("82e1f8a4-3ba0-5cb6-b743-ef3340477ae2")
    one = group_id("s-1", "tm-1", "hidden-mark", NOON)
    assert one == str(uuid.uuid5(namespace, "s-1\ntm-1\nhidden-mark\n2026-11-28"))
    assert group_id("s-1", "tm-1", "hidden-mark", NOON + 11 * HOUR) == one
    others = {
        group_id("s-2", "tm-1", "hidden-mark", NOON),
        group_id("s-1", "tm-2", "hidden-mark", NOON),
        group_id("s-1", "tm-1", "cheap-mark", NOON),
        group_id("s-1", "tm-1", "hidden-mark", NOON + 12 * HOUR),
    }
    assert len(others | {one}) == 5


def test_a_review_has_what_the_record_has_and_waits_for_the_budget() -> None:
    review = review_of(record(), 0.625)
    assert (review.takedown_id, review.statement) == ("t-1", Statement("g", "f", "r"))
    assert review.priority == priority(0.8, 0.625, 12)
    assert review.group_id == group_id("s-1", "tm-1", "hidden-mark", NOON)
    assert (review.queue, review.budget_asked) == ("WORK", False)
    again = review_of(record(takedown_id="t-2", listing_id="l-2", units_sold_before=None), None)
    assert again.group_id == review.group_id
    assert again.priority < review.priority
