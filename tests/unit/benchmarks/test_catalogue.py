"""The generated listings are what the report says of them."""

from __future__ import annotations

from agents.monitoring.judge import Judge
from agents.monitoring.policies import default_policy
from agents.monitoring.registry import compile_registry
from agents.reputation import facts_of
from tests.benchmarks import catalogue

NOW = 1_767_225_600_000
COUNT = 3_000


def test_a_tenth_names_a_mark_and_a_hundredth_is_taken_down() -> None:
    rights = catalogue.rights()
    supply = catalogue.Catalogue([right.mark for right in rights])
    sellers = {seller.seller_id: seller for seller in catalogue.sellers(NOW)}
    judge = Judge(compile_registry(rights, "0"), default_policy())
    named = acted = 0
    for listing in supply.listings(COUNT, NOW):
        examination = judge.examine(listing, NOW)
        seller = facts_of(listing.seller_id, sellers[listing.seller_id])
        named += bool(examination.matches)
        acted += judge.decide(examination, seller).verdict.outcome != "allow"
    assert 0.08 < named / COUNT < 0.12
    assert 0.006 < acted / COUNT < 0.016


def test_the_same_listings_come_every_time_and_all_differ() -> None:
    marks = [right.mark for right in catalogue.rights()]
    listings = list(catalogue.Catalogue(marks).listings(500, NOW))
    assert list(catalogue.Catalogue(marks).listings(500, NOW)) == listings
    assert len({listing.listing_id for listing in listings}) == 500
    assert len({listing.title for listing in listings}) > 450
    assert len({listing.language for listing in listings}) > 5


def test_marks_are_many_and_distinct() -> None:
    marks = [right.mark for right in catalogue.rights()]
    assert len(set(marks)) == catalogue.RIGHTS
    assert any(" " in mark for mark in marks)
