"""`assayer feed`: publishes rows of files as listings."""

from __future__ import annotations

import asyncio
import itertools
import math
import time
from collections.abc import Iterable, Iterator
from typing import Annotated, Final

import msgspec
from cyclopts import Parameter
from cyclopts.types import ExistingFile

from agents.commands.console import (
    NO,
    CommandError,
    Json,
    complain,
    emit,
    leave,
    progress,
    say,
)
from agents.records import Listing, Refused, Seller
from streams.settings import Settings

CHUNK: Final = 500


def feed(
    *files: ExistingFile,
    mapping: str | None = None,
    rate: float | None = None,
    sellers: Annotated[bool, Parameter(negative="")] = False,
    json: Json = False,
) -> None:
    """Publish rows of CSV or JSON Lines files as listings.

    A row that can't be read is refused with file, line, field and reason; the others are published,
    and the command ends with exit 1.

    Example: assayer feed products.csv --mapping shopee --rate 500

    Parameters
    ----------
    files
        CSV (with a mapping), or JSON Lines in the names of the schema.
    mapping
        How the columns become a listing: lazada, shopee, shein, or a YAML file of your own.
    rate
        Listings a second; as fast as it goes without it.
    sellers
        Publish what the rows tell of their sellers too, before the listings.
    json
        Report as JSON lines.
    """
    from agents.monitoring.feed import (
        FeedError,
        MappingError,
        load_mapping,
        read_listings,
        read_sellers,
    )

    if not files:
        raise CommandError("say which files; see: assayer feed --help")
    if rate is not None and not 0 < rate < math.inf:
        raise CommandError(f"--rate: must be a number above 0, not {rate}")
    try:
        mapped = load_mapping(mapping) if mapping else None
        if sellers and mapped is None:
            raise CommandError("--sellers: needs a mapping")
        known: dict[str, Seller] = {}
        refused_sellers = 0
        if sellers and mapped is not None:
            for path in files:
                for row in read_sellers(path, mapped):
                    if isinstance(row, Seller):
                        known[row.seller_id] = row
                    else:
                        refused_sellers += 1
                        _report(row, json=json)
        started = time.time_ns() // 1_000_000
        # Asked for all files at once: a file that can't be read is told before anything is sent.
        readers = [read_listings(path, mapped, started) for path in files]
        rows = _as_they_go(itertools.chain.from_iterable(readers), started)
        published, refused = asyncio.run(publish(Settings(), rows, known.values(), rate, json=json))
    except (FeedError, MappingError) as error:
        raise CommandError(str(error)) from None
    refused += refused_sellers
    if json:
        emit({"published": published, "refused": refused, "sellers": len(known)})
    else:
        told = f", {len(known)} sellers" if known else ""
        say(f"{published} listings published{told}, {refused} rows refused")
    if refused:
        leave(NO)


def _as_they_go(rows: Iterable[Listing | Refused], started: int) -> Iterator[Listing | Refused]:
    """Give each row that says no time of its own the time at which it is published."""
    for row in rows:
        if isinstance(row, Listing) and row.occurred_at == started:
            yield msgspec.structs.replace(row, occurred_at=time.time_ns() // 1_000_000)
        else:
            yield row


async def publish(
    settings: Settings,
    rows: Iterable[Listing | Refused],
    sellers: Iterable[Seller],
    rate: float | None,
    *,
    json: bool,
) -> tuple[int, int]:
    """Publish the rows; return how many were, and how many were refused."""
    from agents.monitoring.publishing import ListingPublisher

    publisher = await ListingPublisher.connect(settings)
    published = refused = 0
    try:
        await publisher.sellers(sellers)
        chunk: list[Listing] = []
        size = CHUNK if rate is None else max(1, min(CHUNK, int(rate / 20)))
        started = time.monotonic()
        with progress("publishing") as advance:
            for row in rows:
                if isinstance(row, Refused):
                    refused += 1
                    _report(row, json=json)
                    continue
                chunk.append(row)
                if len(chunk) >= size:
                    await publisher.listings(chunk)
                    published += len(chunk)
                    advance(len(chunk))
                    chunk = []
                    if rate is not None:
                        await asyncio.sleep(started + published / rate - time.monotonic())
            await publisher.listings(chunk)
            published += len(chunk)
    finally:
        publisher.close()
    return published, refused


def _report(row: Refused, *, json: bool) -> None:
    if json:
        emit({"path": row.path, "line": row.line, "reason": row.reason})
    else:
        complain(f"refused {row}")
