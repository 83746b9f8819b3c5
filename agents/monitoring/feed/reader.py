"""Reads files of marketplace rows as listings and sellers."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from agents.monitoring.feed.rows import check_columns, is_json_lines, read_rows, without_mark
from agents.monitoring.feed.sources import (
    LISTING_FIELDS,
    REQUIRED,
    SELLER_FIELDS,
    FeedError,
    FeedMapping,
    Source,
)
from agents.monitoring.feed.values import Row, UnreadableError, Value, read
from agents.records import Listing, Refused, RowError, Seller, from_mapping, parse_lines

LARGEST_ROW: Final = 8_000_000
"""Bytes of a row of JSON above which it is refused: the topic takes no larger record."""

EVENT_NAMESPACE: Final = uuid.UUID("6b1f0c52-6f5e-5b7e-9a7e-3d0c6f0e8a41")
"""Namespace of the UUIDv5 given to a row that has no event id."""


def read_listings(path: Path, mapping: FeedMapping | None, now: int) -> Iterator[Listing | Refused]:
    """Yield each row of a file as a listing, or why it was refused, in the file's order.

    Without a mapping the file is JSON Lines in the schema's names. `now`, in UTC milliseconds, is
    when a row of a mapped file occurred that does not say so itself. A row without an event id
    gets one made of what the row says, so that the same row fed twice is one event.

    Raises:
        FeedError: at once; the file lacks columns, or needs a mapping. Says what to do.
        OSError: at once; the file cannot be read.
    """
    if mapping is None:
        if not is_json_lines(path):
            raise FeedError(
                f"{path}: without a mapping a file is JSON Lines (.jsonl) in the schema's names; "
                "for CSV give --mapping"
            )
        with path.open("rb"):
            return _unmapped(path)
    _check(path, mapping)
    return _mapped(path, mapping, now)


def read_sellers(path: Path, mapping: FeedMapping) -> Iterator[Seller | Refused]:
    """Yield what the rows of a file tell about sellers: each seller once, by its first row.

    Nothing, where the mapping has no `seller`. A row without a seller is not refused here:
    `read_listings` does that.

    Raises:
        FeedError: at once; the file lacks columns. Says what to do.
        OSError: at once; the file cannot be read.
    """
    _check(path, mapping)
    return _sellers(path, mapping) if mapping.seller else iter(())


def _check(path: Path, mapping: FeedMapping) -> None:
    if is_json_lines(path):
        with path.open("rb"):
            return
    check_columns(path, mapping)


def _unmapped(path: Path) -> Iterator[Listing | Refused]:
    line = size = 0

    def counted(lines: Iterable[bytes]) -> Iterator[bytes]:
        nonlocal line, size
        for line, text in enumerate(without_mark(lines), start=1):  # noqa: B007 read below
            size = len(text)
            yield text

    with path.open("rb") as lines:
        for record in parse_lines(counted(lines), Listing, str(path)):
            if isinstance(record, Refused):
                yield record
                continue
            if size > LARGEST_ROW:
                yield Refused(str(path), line, f"{size} bytes, more than {LARGEST_ROW}")
                continue
            empty = next((name for name in REQUIRED if not getattr(record, name).strip()), None)
            if empty:
                yield Refused(str(path), line, f"field '{empty}': empty, and it is required")
            else:
                yield _with_event_id(record, dated=True)


def _mapped(path: Path, mapping: FeedMapping, now: int) -> Iterator[Listing | Refused]:
    for row in read_rows(path, mapping):
        if isinstance(row, Refused):
            yield row
            continue
        try:
            yield _listing(row.cells, mapping, now)
        except RowError as error:
            yield Refused(str(path), row.line, str(error))


def _listing(row: Row, mapping: FeedMapping, now: int) -> Listing:
    values: dict[str, Value] = {}
    for name in LISTING_FIELDS:
        source = mapping.listing.get(name)
        value = (
            None if source is None else _value(name, source, row, str(values.get("currency", "")))
        )
        if value is not None:
            values[name] = value
        elif source is not None and name in REQUIRED:
            raise RowError(f"field '{name}': nothing in {_origin(source)}, and it is required")
    for name in ("listing_id", "seller_id"):
        values[name] = f"{mapping.marketplace}:{values[name]}"
    dated = "occurred_at" in values
    values.setdefault("occurred_at", now)
    return _with_event_id(from_mapping(values, Listing), dated=dated)


def _value(name: str, source: Source, row: Row, currency: str = "") -> Value | None:
    kinds = SELLER_FIELDS if name.startswith("seller.") else LISTING_FIELDS
    try:
        return read(kinds[name.removeprefix("seller.")], source, row, currency)
    except UnreadableError as error:
        raise RowError(f"field '{name}': {error}") from None


def _origin(source: Source) -> str:
    columns = list(dict.fromkeys(source.all_columns()))
    return " or ".join(f"column '{column}'" for column in columns) or "the mapping"


def _sellers(path: Path, mapping: FeedMapping) -> Iterator[Seller | Refused]:
    seen: set[str] = set()
    for row in read_rows(path, mapping):
        if isinstance(row, Refused):
            continue
        try:
            found = _value("seller_id", mapping.listing["seller_id"], row.cells)
        except RowError:
            continue
        if found is None or (seller_id := f"{mapping.marketplace}:{found}") in seen:
            continue
        seen.add(seller_id)
        values: dict[str, Value] = {"seller_id": seller_id}
        try:
            for name, source in mapping.seller.items():
                value = _value(f"seller.{name}", source, row.cells)
                if value is not None:
                    values[name] = value
            yield from_mapping(values, Seller)
        except RowError as error:
            yield Refused(str(path), row.line, str(error))


def _with_event_id(listing: Listing, *, dated: bool) -> Listing:
    """Return the listing with an event id; `dated` says whether its time is the row's own."""
    if listing.event_id:
        return listing
    said = listing if dated else msgspec.structs.replace(listing, occurred_at=0)
    content = hashlib.sha256(msgspec.json.encode(said, order="sorted")).hexdigest()
    name = f"{listing.listing_id}:{listing.revision}:{content}"
    return msgspec.structs.replace(listing, event_id=str(uuid.uuid5(EVENT_NAMESPACE, name)))
