"""The demo's sample: what it holds, and that each listing is judged as its author meant."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Final

import msgspec
import pytest

from agents.demo import sample
from agents.monitoring.judge import Judge, Verdict
from agents.monitoring.policies import default_policy
from agents.monitoring.registry import compile_registry
from agents.records import Listing, parse_time
from agents.reputation import facts_of

NOW: Final = parse_time("2026-12-01T12:00:00Z")
README: Final = (sample.FOLDER / "README.md").read_text(encoding="utf-8")


class Expected(msgspec.Struct, forbid_unknown_fields=True):
    """What should become of a listing, and why."""

    listing_id: str
    expected: str
    why: str
    also: tuple[str, ...] = ()
    right_id: str = ""


EXPECTED: Final = [
    msgspec.json.decode(line, type=Expected)
    for line in Path(__file__).with_name("expected.jsonl").read_bytes().splitlines()
]


@cache
def _verdicts() -> dict[str, Verdict]:
    judge = Judge(compile_registry(sample.rights(), "sample"), default_policy())
    sellers = {seller.seller_id: seller for seller in sample.sellers()}

    def verdict(listing: Listing) -> Verdict:
        facts = facts_of(listing.seller_id, sellers[listing.seller_id])
        return judge.judge(listing, facts, NOW).verdict

    return {step.listing.listing_id: verdict(step.listing) for step in sample.steps()}


def test_every_listing_is_expected_to_become_something() -> None:
    listings = [step.listing.listing_id for step in sample.steps()]
    assert len(set(listings)) == len(listings)
    assert [each.listing_id for each in EXPECTED] == listings


@pytest.mark.parametrize("each", EXPECTED, ids=lambda each: each.listing_id)
def test_a_listing_becomes_what_is_expected(each: Expected) -> None:
    verdict = _verdicts()[each.listing_id]
    assert verdict.outcome in (each.expected, *each.also), each.why
    if verdict.outcome != "allow":
        assert each.right_id in {found.right_id for found in verdict.evidence}, each.why
    elif not each.right_id:
        assert not verdict.evidence, each.why


def test_the_readme_counts_the_sample_rightly() -> None:
    told = re.search(r"\n(\d+) listings, (\d+) rights, (\d+) sellers and (\d+) sales", README)
    assert told
    steps = list(sample.steps())
    sales = [sale for step in steps for sale in (*step.before, *step.after)]
    assert [int(number) for number in told.groups()] == [
        len(steps),
        len(sample.rights()),
        len(sample.sellers()),
        len(sales),
    ]
    shares = Counter(
        "infringes" if each.expected != "allow" else "honest" if each.right_id else "names none"
        for each in EXPECTED
    )
    for share in ("names none", "honest", "infringes"):
        assert f"{shares[share] / len(EXPECTED):.0%}".replace("%", " %") in README


def test_the_present_revision_of_four_infringing_listings_came_after_a_sale() -> None:
    """So the demo's share of takedowns before the first sale is not 100 %."""
    sold = {step.listing.listing_id for step in sample.steps() if step.before}
    infringing = {each.listing_id for each in EXPECTED if each.expected != "allow"}
    assert len(sold & infringing) == 4
