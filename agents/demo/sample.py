"""The shipped sample: what is published, in order, and under which times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from agents.records import Listing, Refused, Right, Sale, Seller, read_jsonl

FOLDER: Final = Path(__file__).parent / "sample"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Step:
    """A listing, with the sales that were made before it and those made after."""

    listing: Listing
    before: tuple[Sale, ...] = ()
    after: tuple[Sale, ...] = ()


def rights() -> list[Right]:
    """Return the sample's rights."""
    return _read("rights.jsonl", Right)


def sellers() -> list[Seller]:
    """Return the sample's sellers."""
    return _read("sellers.jsonl", Seller)


def steps(count: int | None = None) -> Iterator[Step]:
    """Yield the sample's listings in order, again and again under new ids up to `count`."""
    listings, sales = _read("listings.jsonl", Listing), _read("sales.jsonl", Sale)
    sample = [_step(listing, sales) for listing in listings]
    for number in range(len(sample) if count is None else count):
        turn, index = divmod(number, len(sample))
        yield sample[index] if turn == 0 else _renamed(sample[index], turn + 1)


def _step(listing: Listing, sales: list[Sale]) -> Step:
    own = [sale for sale in sales if sale.listing_id == listing.listing_id]
    return Step(
        listing,
        tuple(sale for sale in own if sale.occurred_at < listing.occurred_at),
        tuple(sale for sale in own if sale.occurred_at >= listing.occurred_at),
    )


def _renamed(step: Step, turn: int) -> Step:
    listing_id = f"{step.listing.listing_id}#{turn}"

    def moved(sale: Sale) -> Sale:
        return msgspec.structs.replace(
            sale, listing_id=listing_id, event_id=f"{sale.event_id}#{turn}"
        )

    return replace(
        step,
        listing=msgspec.structs.replace(step.listing, listing_id=listing_id, event_id=""),
        before=tuple(map(moved, step.before)),
        after=tuple(map(moved, step.after)),
    )


def _read(name: str, type_: type[T]) -> list[T]:
    rows = []
    for row in read_jsonl(FOLDER / name, type_):
        if isinstance(row, Refused):
            raise ValueError(  # noqa: TRY004 - it is the file that is wrong
                f"the shipped sample is broken: {row}"
            )
        rows.append(row)
    return rows
