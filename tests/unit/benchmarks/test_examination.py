"""The benchmarks of examination and of hostile listings: they measure what they say."""

from __future__ import annotations

from functools import cache

from agents.records import Listing
from tests.benchmarks.catalogue import Catalogue, rights
from tests.benchmarks.examination import INFRINGING, NOW, Bench, ways
from tests.benchmarks.hostile_listings import hostile_listings


@cache
def _bench() -> Bench:
    return Bench()


def test_every_way_takes_a_listing_to_the_same_outcome() -> None:
    bench = _bench()
    supply = Catalogue([right.mark for right in bench.rights])
    listings = list(supply.listings(200, NOW, naming=1.0, infringing=3 * INFRINGING))
    hits = bench.hits(listings)
    assert len(hits) >= 0.95 * len(listings)
    outcomes = [bench.judged(hit) for hit in hits]
    assert outcomes == [bench.judged_alone(hit) for hit in hits]
    assert set(outcomes) == {"allow", "review", "remove"}
    assert all(way(hit) for way in ways(bench).values() for hit in hits[:5])


def test_hostile_listings_fit_into_a_record_and_fill_it() -> None:
    size = 100_000
    found = hostile_listings([right.mark for right in rights(100)], size)
    sizes = {name: len(_bench().encoded(listing)) for name, listing in found.items()}
    assert all(isinstance(listing, Listing) for listing in found.values())
    assert max(sizes.values()) <= size
    assert sum(each > size // 2 for each in sizes.values()) > len(sizes) // 2
