"""What goes through of a quota, and what is learnt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.breaker.counting import Counted, OwnCounts
from agents.breaker.quotas import (
    ALL,
    BRAND,
    IN_ALL,
    RULE,
    Exceeded,
    Moment,
    Quota,
    Quotas,
    Usage,
    limits,
)

HOUR = 500_000
FIVE = Quota(5, 8, 0.0)
FREE = Quota(10**9, 10**9, 0.0)


def at(minute: int, hour: int = HOUR) -> Moment:
    """Return a minute of an hour."""
    return Moment(hour * 60 + minute, hour)


def taken(number: int, *quotas: tuple[str, Quota]) -> Counted:
    return Counted(f"t-{number}", quotas or (("rule:r", FIVE),))


def through(counts: OwnCounts, numbers: range, moment: Moment) -> int:
    """Return how many of the takedowns of these numbers go through."""
    answers = counts.answer([taken(number) for number in numbers], moment)
    return sum(answer is None for answer in answers)


def test_the_defaults_let_a_hundred_a_minute_through_in_every_hour() -> None:
    for quota in (RULE, BRAND, IN_ALL):
        minute, hour = limits(quota, 0.0)
        assert minute >= 100
        assert hour >= 100 * 60


def test_exactly_the_quota_goes_through_in_a_minute_and_in_an_hour() -> None:
    counts = OwnCounts()
    assert through(counts, range(20), at(0)) == 5
    assert through(counts, range(20, 40), at(1)) == 3  # the hour's eight are full
    assert through(counts, range(40, 60), at(2)) == 0
    assert through(counts, range(60, 80), at(0, HOUR + 1)) == 5


def test_what_is_held_uses_no_quota_and_is_said_why() -> None:
    counts = OwnCounts()
    both = ("rule:r", FREE), ("brand:b", Quota(2, 9, 0.0)), (ALL, FREE)
    answers = counts.answer([taken(n, *both) for n in range(5)], at(0))
    assert answers == [None, None, *[Exceeded("brand:b", "minute", 2, 0.0)] * 3]
    assert counts.usages["rule:r"].in_minute == counts.usages[ALL].in_hour == 2
    assert str(answers[-1]) == (
        "over the quota of brand 'b': 2 a minute, with a baseline of 0.0 an hour"
    )


def test_the_same_takedown_counts_once_and_gets_the_same_answer() -> None:
    counts = OwnCounts()
    first = counts.answer([taken(n) for n in range(10)], at(0))
    again = counts.answer([taken(n) for n in range(10)], at(1))
    assert again == first
    assert counts.usages["rule:r"].in_hour == 5


def test_quotas_are_those_of_the_rule_the_brand_and_all() -> None:
    quotas = Quotas(rules={"own": FIVE})
    assert quotas.of("own", "Zorvex  Watches") == (
        ("rule:own", FIVE),
        ("brand:zorvex watches", BRAND),
        (ALL, IN_ALL),
    )
    assert quotas.of("other", " ") == (("rule:other", RULE), (ALL, IN_ALL))


def test_the_baseline_is_learnt_by_half_in_a_day_and_forgotten_as_slowly() -> None:
    usage = Usage(at(0))
    for hour in range(1, 25):
        usage.in_hour = 1000
        usage.roll(at(0, HOUR + hour))
    assert usage.baseline == pytest.approx(500)
    usage.roll(at(0, HOUR + 48))
    assert usage.baseline == pytest.approx(250)


def test_a_limit_is_the_number_or_as_many_times_the_baseline() -> None:
    assert limits(Quota(10, 20, 3.0), 250.5) == (12, 751)
    assert limits(Quota(10, 20, 0.0), 250.5) == (10, 20)
    assert limits(Quota(100, 2000, 3.0), 250.5) == (100, 2000)


@given(st.lists(st.integers(0, 10_000), max_size=72))
def test_the_baseline_lies_within_what_went_through(hours: list[int]) -> None:
    usage = Usage(at(0))
    for number, count in enumerate(hours, start=1):
        usage.in_hour = count
        usage.roll(at(0, HOUR + number))
    assert 0 <= usage.baseline <= max(hours, default=0)


def test_an_accident_takes_hours_to_become_usual() -> None:
    """With the default factor, an hour's limit that is always full stays for half a day."""
    usage = Usage(at(0))
    for hour in range(1, 14):
        _, usage.in_hour = limits(RULE, usage.baseline)
        usage.roll(at(0, HOUR + hour))
    assert limits(RULE, usage.baseline) == (RULE.per_minute, RULE.per_hour)


@pytest.mark.parametrize(
    ("behind", "used"),
    [(at(59, HOUR - 1), 5), (at(55, HOUR - 1), 0), (at(0, HOUR - 3), 0)],
    ids=["seconds", "minutes", "hours"],
)
def test_clocks_that_differ_a_little_count_together(behind: Moment, used: int) -> None:
    """A count that lies in the future because a clock was wrong must not stay full for ever."""
    usage = Usage(at(0), 5, 5)
    usage.roll(behind)
    assert usage.in_minute == used
