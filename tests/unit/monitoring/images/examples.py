"""Rights, listings and sellers for the tests of pictures. Everything is invented."""

from __future__ import annotations

import random
from typing import Any

from agents.monitoring.judge import Judge
from agents.monitoring.policies import default_policy
from agents.monitoring.registry import compile_registry
from agents.records import DAY_MS, Image, Listing, Right, Seller, parse_time
from agents.reputation import SellerFacts, facts_of

NOW = parse_time("2026-03-01T12:00:00Z")


def pdq(seed: str, flips: int = 0) -> str:
    """Return the hash of a name, with so many of its bits flipped."""
    value = random.Random(seed).getrandbits(256)
    for bit in random.Random(f"{seed}:{flips}").sample(range(256), flips):
        value ^= 1 << bit
    return f"{value:064x}"


def right(**more: Any) -> Right:
    values: dict[str, Any] = {
        "right_id": "tm-1",
        "owner": "Pobble Ltd",
        "mark": "Pobblewick",
        "reference_price_minor": 10_000,
        "reference_currency": "EUR",
        "image_hashes": (pdq("fake"), pdq("other fake")),
        "official_image_hashes": (pdq("official"),),
    }
    return Right(**{**values, **more})


def image(hash_: str, quality: int | None = 90) -> Image:
    return Image("https://pictures.example/1.jpg", hash_, quality)


def listing(*images: Image, **more: Any) -> Listing:
    values: dict[str, Any] = {
        "listing_id": "l-1",
        "seller_id": "s-1",
        "occurred_at": NOW - 1000,
        "title": "Running shoes, breathable, all sizes",
        "price_minor": 9_500,
        "currency": "EUR",
        "condition": "NEW",
        "images": images,
    }
    return Listing(**{**values, **more})


def judge_of(*rights: Right) -> Judge:
    return Judge(compile_registry(rights, "test"), default_policy())


def seller(*, age_days: int = 900, verified: bool = True, upheld: float = 0) -> SellerFacts:
    """Return an established seller with a clean record, unless said otherwise."""
    return facts_of(
        "s-1",
        Seller(
            "s-1", created_at=NOW - age_days * DAY_MS, verified=verified, upheld=upheld, cleared=3
        ),
    )
