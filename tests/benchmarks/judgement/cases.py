"""What a case is: a listing, its seller, and what the contract promises for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import msgspec

from agents.monitoring.judge import Outcome
from agents.records import Listing, Seller
from tests.benchmarks.judgement.bases import Base, Shelf
from tests.benchmarks.judgement.halves import Hand
from tests.benchmarks.judgement.rights import NOW, Mark

DAY_MS: Final = 86_400_000
Standing = Literal["clean", "new", "unverified", "bad", "unknown"]
Promise = frozenset[Outcome]

REMOVE: Final[Promise] = frozenset({"remove"})
REVIEW: Final[Promise] = frozenset({"review"})
ACT: Final[Promise] = frozenset({"review", "remove"})
ALLOW: Final[Promise] = frozenset({"allow"})
NEVER_REMOVE: Final[Promise] = frozenset({"allow", "review"})

CHEAP: Final = (0.04, 0.33)
"""Price over the reference price: below 0.35, as the contract says, and not at its edge."""
HONEST: Final = (0.55, 1.3)


@dataclass(frozen=True, slots=True)
class Case:
    """One generated listing and what should become of it."""

    group: Literal["infringing", "honest"]
    name: str
    """The class, as it stands in the table."""
    language: str
    listing: Listing
    seller: Seller | None
    promised: Promise
    mark: Mark
    technique: str = ""
    phrase: str = ""


def seller(standing: Standing, hand: Hand, seller_id: str = "") -> Seller | None:
    """Return a seller of a standing; None of one of whom nothing is known."""
    name = seller_id or f"seller:{standing}"
    if standing == "unknown":
        return None
    age = hand.chance.randint(1, 25) if standing == "new" else hand.chance.randint(200, 3000)
    bad = standing == "bad"
    return Seller(
        name,
        created_at=NOW - age * DAY_MS,
        verified=standing != "unverified",
        upheld=float(hand.chance.randint(4, 9)) if bad else 0.0,
        cleared=0.0 if bad else float(hand.chance.randint(0, 3)),
    )


@dataclass(slots=True)
class Bench:
    """Makes listings out of bases and marks; one for each class, language and half."""

    shelf: Shelf
    hand: Hand
    language: str
    number: int = field(default=0)

    def base(self) -> Base:
        """Return a base for single new goods in the language."""
        return self.hand.pick(self.shelf.plain_goods(self.language))

    def listing(
        self,
        base: Base,
        mark: Mark,
        *,
        title: str,
        description: str | None = None,
        price: tuple[float, float] | None = None,
        values: Mapping[str, object] | None = None,
    ) -> Listing:
        """Return the base with a title, shipping to where the right holds.

        `price` is a range of ratios to the reference price; without it the listing keeps its own
        price, unless that is in the reference price's currency. `values` are fields to change.
        """
        right = mark.right
        self.number += 1
        changed: dict[str, object] = {
            "listing_id": f"case:{self.language}:{self.number}",
            "event_id": f"case:{self.language}:{self.number}",
            "seller_id": "seller:any",
            "occurred_at": NOW,
            "title": title,
            "brand": "",
            "gtins": (),
            "mpn": "",
            "images": (),
            "attributes": {},
            "condition": "NEW",
            "description": base.listing.description if description is None else description,
        }
        if right.territories:
            changed["ships_to"] = (self.hand.pick(right.territories),)
        if price is None and base.listing.currency == right.reference_currency:
            price = HONEST
        if price is not None and right.reference_price_minor is not None:
            ratio = self.hand.chance.uniform(*price)
            changed["price_minor"] = max(1, round(right.reference_price_minor * ratio))
            changed["currency"] = right.reference_currency
        return msgspec.structs.replace(base.listing, **(changed | dict(values or {})))

    def titled(self, base: Base, name: str) -> str:
        """Return the base's title with a name put where its brand stood, or before or after it."""
        title, brand = base.listing.title, base.listing.brand
        if brand and len(brand) > 2 and brand in title:
            return title.replace(brand, name, 1)
        if title.isupper() and name.isascii() and not set("&<") & set(name):
            return f"{name.upper()} {title}"
        if self.hand.odds(0.2):
            return f"{title} {name}"
        # Thai and Chinese are written without spaces; a Latin letter after it would join the mark,
        # and three letters in a run of others are no name that stands for itself.
        joined = (
            self.language in ("th", "zh")
            and not title[0].isascii()
            and len(name) > 3
            and self.hand.odds(0.4)
        )
        return f"{name}{'' if joined else ' '}{title}"


def counted(count: int, language: str, shelf: Shelf, hand: Hand) -> Iterator[Bench]:
    """Yield the bench of a class `count` times."""
    bench = Bench(shelf, hand, language)
    for _ in range(count):
        yield bench
