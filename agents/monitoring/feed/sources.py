"""What a mapping is made of: for each field of a record, where in a row it comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

ValueKind: TypeAlias = Literal[
    "id", "text", "language", "choice", "flag", "integer", "decimal", "price", "currency", "time",
    "names", "countries", "country", "gtins", "images", "pairs",
]  # fmt: skip

LISTING_FIELDS: Final[Mapping[str, ValueKind]] = MappingProxyType(
    {
        "listing_id": "id",
        "seller_id": "id",
        "event_id": "text",
        "kind": "choice",
        "revision": "integer",
        "occurred_at": "time",
        "title": "text",
        "description": "text",
        "brand": "text",
        "category_path": "names",
        "currency": "currency",
        "price_minor": "price",
        "quantity": "integer",
        "condition": "choice",
        "gtins": "gtins",
        "mpn": "text",
        "images": "images",
        "attributes": "pairs",
        "ship_from": "country",
        "ships_to": "countries",
        "language": "language",
    }
)
"""How each field of a Listing is read; the currency comes before the price that needs it."""

SELLER_FIELDS: Final[Mapping[str, ValueKind]] = MappingProxyType(
    {
        "created_at": "time",
        "kind": "choice",
        "country": "country",
        "verified": "flag",
        "rating": "decimal",
        "sales_12m": "integer",
    }
)
"""How each field of a Seller is read; its id is that of the listing."""

REQUIRED: Final = ("listing_id", "seller_id", "title")


class FeedError(ValueError):
    """A file that can't be fed as it is: says what, where and what to do."""


class MappingError(FeedError):
    """A mapping that can't be used: names the file, the line and what is wrong."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value comes from in a row, and what is done to the text found there."""

    columns: tuple[str, ...] = ()
    constant: str | None = None
    join: tuple[Source, ...] = ()
    joiner: str = ":"
    names: frozenset[str] = frozenset()
    pattern: re.Pattern[str] | None = None
    absent: frozenset[str] = frozenset()
    absent_numbers: frozenset[Decimal] = frozenset()
    values: Mapping[str, str] | None = None
    otherwise: Source | None = None
    decimal: str = "."
    times: Decimal = Decimal(1)
    format: str = ""
    separator: str = ""
    without: frozenset[str] = frozenset()
    lenient: bool = False

    def all_columns(self) -> Iterator[str]:
        """Yield every column it may read."""
        yield from self.columns
        for source in (*self.join, *([self.otherwise] if self.otherwise else [])):
            yield from source.all_columns()


@dataclass(frozen=True, slots=True)
class FeedMapping:
    """A mapping as loaded: a source for each field it fills."""

    name: str
    marketplace: str
    listing: Mapping[str, Source]
    seller: Mapping[str, Source] = field(default_factory=dict)
    encoding: str = ""
    delimiter: str = ","

    def columns(self) -> dict[str, tuple[str, ...]]:
        """Return the columns it reads, each with the fields that need it."""
        found: dict[str, list[str]] = {}
        for prefix, fields in (("", self.listing), ("seller.", self.seller)):
            for name, source in fields.items():
                for column in source.all_columns():
                    needed = found.setdefault(column, [])
                    if prefix + name not in needed:
                        needed.append(prefix + name)
        return {column: tuple(names) for column, names in found.items()}
