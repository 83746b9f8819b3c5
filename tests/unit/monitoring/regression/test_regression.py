"""Misses and false positives that were found and mended stay mended."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.unit.monitoring.regression.cases import (
    HELD,
    KNOWN_MISSES,
    RegressionCase,
    problem,
    read_cases,
)


@pytest.mark.parametrize("case", list(read_cases(*HELD)), ids=lambda case: case.id)
def test_stays_mended(case: RegressionCase) -> None:
    wrong = problem(case)
    assert not wrong, f"{wrong}. Why this is here: {case.why}"


def test_every_case_says_what_it_is_and_why() -> None:
    cases = list(read_cases(*HELD, KNOWN_MISSES))
    twice = [name for name, count in Counter(case.id for case in cases).items() if count > 1]
    assert not twice
    for case in cases:
        assert case.why.strip(), case.id
        assert case.rights, case.id
        assert case.expected, case.id
        assert case.expected <= {"allow", "review", "remove"}, case.id
