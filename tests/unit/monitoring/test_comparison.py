"""What two policies differ in about a listing, and the sum of it."""

from __future__ import annotations

import pytest

from agents.monitoring.comparison import MAX_SAMPLES, Ruling, Sample, Tally, change_of
from agents.records import Listing

ALLOW = Ruling("allow", ())
REVIEW = Ruling("review", ("r",))
OTHER_REVIEW = Ruling("review", ("other", "r"))
REMOVE = Ruling("remove", ("x", "r"))


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (ALLOW, ALLOW, None),
        (REMOVE, REMOVE, None),
        (ALLOW, REMOVE, ("newly_removed", "x")),
        (REVIEW, REMOVE, ("newly_removed", "x")),
        (REMOVE, ALLOW, ("no_longer_removed", "x")),
        (REMOVE, REVIEW, ("no_longer_removed", "x")),
        (ALLOW, REVIEW, ("newly_reviewed", "r")),
        (REVIEW, ALLOW, ("no_longer_reviewed", "r")),
        (REVIEW, OTHER_REVIEW, ("other_rules", "other")),
    ],
)
def test_each_difference_has_one_name_and_one_rule(
    before: Ruling, after: Ruling, change: object
) -> None:
    assert change_of(before, after) == change


def test_a_tally_counts_all_and_keeps_a_few() -> None:
    tally = Tally()
    for number in range(MAX_SAMPLES + 5):
        tally.add(Listing(f"l{number}", "s", 0, "T" * 1_000), ALLOW, REMOVE)
        tally.add(Listing("same", "s", 0, "T"), REMOVE, REMOVE)
    assert tally.judged == 2 * (MAX_SAMPLES + 5)
    assert tally.counts == {("newly_removed", "x"): MAX_SAMPLES + 5}
    kept = tally.samples["newly_removed", "x"]
    assert len({each.listing_id for each in kept}) == MAX_SAMPLES
    assert len(kept[0].title) < 200


def test_tallies_of_several_readers_make_one() -> None:
    left, right = Tally(), Tally()
    for number in range(15):
        left.add(Listing(f"a{number}", "s", 0, "T"), ALLOW, REMOVE)
        right.add(Listing(f"b{number}", "s", 0, "T"), ALLOW, REMOVE)
    right.add(Listing("c", "s", 0, "T"), REVIEW, ALLOW)
    left.merge(right)
    assert left.judged == 31
    assert left.counts == {("newly_removed", "x"): 30, ("no_longer_reviewed", "r"): 1}
    assert len(left.samples["newly_removed", "x"]) == MAX_SAMPLES
    assert len(left.samples["no_longer_reviewed", "r"]) == 1


def test_samples_are_the_same_in_whatever_order_and_by_how_many_it_was_counted() -> None:
    listings = [Listing(f"l{n}", "s", 0, "T", revision=n % 3) for n in range(200)]

    def tallied(*parts: list[Listing]) -> list[Sample]:
        whole = Tally()
        for part in parts:
            tally = Tally()
            for listing in part:
                tally.add(listing, ALLOW, REMOVE)
            whole.merge(tally)
        return whole.samples["newly_removed", "x"]

    kept = tallied(listings)
    assert kept == tallied(listings[::-1]) == tallied(listings[::2], listings[1::2], listings[:9])
    numbers = sorted(int(each.listing_id[1:]) for each in kept)
    assert numbers[0] < 50, "from all of the range"
    assert numbers[-1] > 150
