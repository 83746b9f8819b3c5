"""What the long runs compute from what they saw."""

from __future__ import annotations

import itertools

import pytest

from tests.benchmarks import catalogue
from tests.benchmarks.catch_up import RATE, caught_up
from tests.benchmarks.endurance import Part, figures, part, slope_of
from tests.benchmarks.latency import Seen
from tests.benchmarks.pacer import Pace, endless
from tests.benchmarks.sampling import Samples
from tests.harness import wait_for

BEGUN = 1_700_000_000.0


def test_the_slope_of_a_line_is_its_own() -> None:
    points = [(float(second), 3.0 * second + (second % 2)) for second in range(1_000)]
    assert slope_of(points) == pytest.approx(3.0, abs=0.001)
    with pytest.raises(ValueError, match="no slope"):
        slope_of([(1.0, 2.0)])


def test_a_part_has_what_occurred_in_it() -> None:
    seen = Seen([5.0, 6.0, 7.0], [8.0, 8.0, 8.0], [999, 1_000, 2_000])
    found = part(seen, [(0.9, 10.0), (1.5, 20.0), (2.0, 30.0)], 1.0, 1.0)
    assert (found.latencies, found.memory) == ([6.0], [20.0])


def test_a_part_in_which_nothing_was_seen_has_dashes() -> None:
    assert figures(Part(1.0, [], [])) == ("–", "–", "–", "–")
    assert figures(Part(1.0, [4.0, 6.0], [2e6])) == ("4", "6", "2.0", "2.0")


def test_listings_are_published_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.benchmarks.pacer.POOL", 40)
    marks = [right.mark for right in catalogue.rights(20)]
    records = endless(catalogue.Catalogue(marks), Pace(1_000, 60, 0.5), "run")
    first = list(itertools.islice(records, 100))
    assert len({record["listing_id"] for record in first}) == 100
    assert len({record["title"] for record in first}) <= 40
    for record, again in zip(first, first[40:], strict=False):
        assert {**again, "listing_id": 0, "event_id": 0} == {
            **record,
            "listing_id": 0,
            "event_id": 0,
        }


def fall(rate: float, most: int = 600_000) -> list[tuple[float, float]]:
    """Return the lag of a worker that handles so many listings a second."""
    times = [BEGUN + step / 4 for step in range(400)]
    return [(at, max(0, int(most - (at - BEGUN) * (rate - RATE)))) for at in times]


def fresh(until_quick: float) -> Seen:
    """Return the latencies of a listing a second, slow at first."""
    occurred = [BEGUN + second for second in range(100)]
    slow = [max(10.0, 1000 * (BEGUN + until_quick - at)) for at in occurred]
    return Seen(slow, slow, [int(1000 * at) for at in occurred])


def test_catching_up_is_told_from_lag_and_latency() -> None:
    found = caught_up(fresh(61.0), fall(11_000), BEGUN)
    assert found.rate == pytest.approx(11_000, rel=0.01)
    assert found.lag_gone == pytest.approx(60, abs=0.5)
    assert found.quick == pytest.approx(61, abs=1)
    assert set(found.after) == {10.0}


def test_a_lag_that_is_never_gone_is_told() -> None:
    with pytest.raises(ValueError, match="was not gone"):
        caught_up(fresh(61.0), fall(2_000), BEGUN)


def test_samples_are_taken_until_the_end() -> None:
    looks = iter(range(1_000_000))
    with Samples(lambda: float(next(looks)), 0.001) as found:
        wait_for(lambda: len(found.samples) >= 3, 10, "three samples")
    seen = [value for _, value in found.samples]
    assert seen == [float(number) for number in range(len(seen))]
    assert next(looks) == len(seen)
