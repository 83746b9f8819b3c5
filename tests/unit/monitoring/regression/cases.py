"""Reads the regression cases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agents.records import Listing, Right, Seller, from_mapping
from tests.benchmarks.judgement.court import Court
from tests.benchmarks.judgement.rights import NOW

FOLDER: Final = Path(__file__).parent
HELD: Final = ("caught.jsonl", "left-alone.jsonl")
KNOWN_MISSES: Final = "known-misses.jsonl"


@dataclass(frozen=True, slots=True)
class RegressionCase:
    """A listing, what it is judged under, and what has to come out."""

    id: str
    why: str
    listing: Listing
    rights: tuple[Right, ...]
    seller: Seller | None
    expected: frozenset[str]
    beside: tuple[Listing, ...] = ()
    """Listings in the same batch of the worker; what they say must not matter."""


def read_case(line: dict[str, Any]) -> RegressionCase:
    """Return the case of a line, with what it leaves out filled in. Raises RowError, KeyError."""
    listing = {"listing_id": line["id"], "seller_id": "seller-1", "occurred_at": NOW}
    seller = line["seller"]
    return RegressionCase(
        line["id"],
        line["why"],
        from_mapping(listing | line["listing"], Listing),
        tuple(
            from_mapping({"right_id": f"right-{number}", "owner": "The owner"} | right, Right)
            for number, right in enumerate(line["rights"])
        ),
        None if seller is None else from_mapping({"seller_id": "seller-1"} | seller, Seller),
        frozenset(line["expected"]),
        tuple(
            from_mapping(listing | {"listing_id": f"beside-{number}", "title": title}, Listing)
            for number, title in enumerate(line.get("beside", ()))
        ),
    )


def read_cases(*names: str) -> Iterator[RegressionCase]:
    """Yield the cases of the files."""
    for name in names:
        for line in (FOLDER / name).read_text(encoding="utf-8").splitlines():
            yield read_case(json.loads(line))


def problem(case: RegressionCase) -> str:
    """Return what is wrong with the judgement of a case; empty when it is as expected."""
    court = Court(case.rights)
    verdict = court.verdict(case.listing, case.seller)
    if verdict.outcome not in case.expected:
        wanted = " or ".join(sorted(case.expected))
        return f"{verdict.outcome} ({', '.join(verdict.rules) or 'no rule'}), wanted {wanted}"
    if verdict.outcome != "allow" and 0 not in court.passing([case.listing, *case.beside]):
        return f"{verdict.outcome}, and the worker's screen lets nothing through"
    return ""
