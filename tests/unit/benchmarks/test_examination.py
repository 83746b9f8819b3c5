"""The benchmarks of examination and of hostile listings: they measure what they say."""

from __future__ import annotations

from functools import cache

from agents.records import Listing
from tests.benchmarks.catalogue import Catalogue, rights
from tests.benchmarks.examination import INFRINGING, NOW, Bench, measure, ways
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
    outcomes = [each.outcome for each in bench.judged(hits)]
    assert outcomes == [each.outcome for each in bench.judged_alone(hits)]
    assert set(outcomes) == {"allow", "review", "remove"}
    taken = measure(ways(bench), hits[:5], 2)
    assert all(us > 0 for rounds in taken.values() for times in rounds for us in times)


def test_hostile_listings_fit_into_a_record_and_fill_it() -> None:
    size = 100_000
    found = hostile_listings([right.mark for right in rights(100)], size)
    sizes = {name: len(_bench().encoded(listing)) for name, listing in found.items()}
    assert all(isinstance(listing, Listing) for listing in found.values())
    assert max(sizes.values()) <= size
    assert sum(each > size // 2 for each in sizes.values()) > len(sizes) // 2
