"""What rights touch is what the worker would hold against listings, counted once a listing."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from agents.monitoring.judge import Judge
from agents.monitoring.policies import default_policy
from agents.monitoring.reach import measure
from agents.monitoring.registry import compile_registry
from agents.records import Listing, Right
from tests.benchmarks.judgement.bases import sample_rows
from tests.benchmarks.judgement.cases import Case
from tests.benchmarks.judgement.rights import NOW, marks
from tests.benchmarks.judgement.run import cases

DAY = 86_400_000


def right(**values: Any) -> Right:
    return Right(**{"right_id": "tm-1", "owner": "Owner", "mark": "Zorvex", **values})


def listing(title: str, listing_id: str = "l-1", **values: Any) -> Listing:
    return Listing(listing_id, "s-1", NOW, title, **values)


def touched(one: Right, *listings: Listing) -> int:
    return measure([one], [listings], NOW).touched(one.right_id).listings


@pytest.mark.parametrize(
    ("found", "title", "values"),
    [
        (True, "Zorvex diver", {}),
        (True, "Z0rvex diver", {}),
        (True, "case for Zorvex", {}),  # found, whatever follows
        (True, "Diver", {"description": "by Zorvex"}),
        (True, "Diver", {"brand": "Zorvex"}),
        (True, "Diver", {"attributes": {"Maker": "Zorvex"}}),
        (True, "Zorvex diver", {"ships_to": ("DE", "FR")}),
        (False, "Zorvex diver", {"ships_to": ("FR",)}),
        (False, "Zorvexia diver", {}),
        (False, "Zorvex diver", {"kind": "DELETED"}),
    ],
)
def test_a_listing_is_touched_where_the_mark_is_found_in_force(
    found: bool, title: str, values: dict[str, Any]
) -> None:
    german = right(territories=("DE",))
    assert touched(german, listing(title, **values)) == found


def test_a_common_word_touches_beside_its_goods_only() -> None:
    meadow = right(mark="Meadow", common_word=True, category_words=("tea",))
    assert touched(meadow, listing("Meadow flowers")) == 0
    assert touched(meadow, listing("Meadow tea")) == 1


def test_a_right_that_begins_later_counts_as_from_then_and_one_that_is_over_does_not() -> None:
    assert touched(right(valid_from=NOW + DAY), listing("Zorvex")) == 1
    assert touched(right(valid_until=NOW), listing("Zorvex")) == 0
    assert touched(right(valid_from=NOW + DAY, valid_until=NOW + 2 * DAY), listing("Zorvex")) == 1


def test_what_may_be_an_honest_word_counts_where_the_goods_are_called_copies() -> None:
    maria = right(mark="Maria")
    assert touched(maria, listing("Marla evening dress")) == 0
    assert touched(maria, listing("Marla dress replica")) == 1


def test_a_listing_counts_once_as_it_was_last() -> None:
    changes = [listing("Zorvex"), listing("Zorvex diver"), listing("Zorvex", "l-2")]
    reach = measure([right()], [changes], NOW)
    assert (reach.listings, reach.touched("tm-1").listings) == (2, 2)
    reach.add([listing("Oak table")])
    assert (reach.listings, reach.touched("tm-1").listings) == (2, 1)
    reach.add([listing("Zorvex", "l-2", kind="DELETED")])
    assert (reach.listings, reach.touched("tm-1").listings) == (1, 0)


def test_each_mark_is_counted_and_unknown_rights_touch_nothing() -> None:
    brand = right(aliases=("Quandrel", "Zor-Vex", ""))
    reach = measure([brand], [[listing("Zorvex"), listing("Quandrel and Zorvex", "l-2")]], NOW)
    found = reach.touched("tm-1")
    assert [found.by(mark) for mark in ("Zorvex", "Quandrel", "", "Other")] == [2, 1, 0, 0]
    assert found.share_of(4) == 0.5
    assert reach.touched("tm-2").listings == 0


@cache
def benchmark() -> list[Case]:
    return list(cases(sample_rows(), "dev", 1, 1))


def test_it_is_what_the_worker_holds_against_the_listing() -> None:
    """Every generated evasion and honest listing, judged as the worker does."""
    rights = [mark.right for mark in marks()]
    judge = Judge(compile_registry(rights, "1"), default_policy())
    expected = {mark.right.right_id: 0 for mark in marks()}
    listings = [
        Listing(f"l-{number}", case.listing.seller_id, NOW, case.listing.title,
                description=case.listing.description, brand=case.listing.brand,
                category_path=case.listing.category_path, attributes=case.listing.attributes,
                ships_to=case.listing.ships_to)
        for number, case in enumerate(benchmark())
    ]  # fmt: skip
    for one in listings:
        for match in judge.examine(one, NOW).matches:
            if match.facts.mark and match.facts.in_force:
                expected[match.right.right_id] += 1
    held = [one for one in rights if one.valid_from is None or one.valid_from <= NOW]
    reach = measure(rights, [listings[n : n + 100] for n in range(0, len(listings), 100)], NOW)
    assert sum(expected.values()) > 500
    assert {one.right_id: reach.touched(one.right_id).listings for one in held} == {
        one.right_id: expected[one.right_id] for one in held
    }
