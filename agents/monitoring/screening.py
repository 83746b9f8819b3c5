"""The first half of a listing's way: from the records of a batch to what has to be judged."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Generic, TypeVar

import msgspec
import numpy as np

from agents.history.watched import NOBODY, Watched
from agents.monitoring.images.hashes import MAX_PICTURES
from agents.monitoring.judge import Examination, Judge
from agents.monitoring.listing_texts import ListingTexts, texts_of
from agents.monitoring.marks import Found, Seen
from agents.monitoring.pictures import hashes_of
from agents.records import YEAR_2000_MS, Listing
from streams import topics
from streams.batches import Record
from streams.codec import DecodeError, Decoder
from streams.columns import values_of
from streams.dead_letters import Failure
from streams.schema_registry import SchemaRegistry
from streams.texts import Texts

if TYPE_CHECKING:
    from agents.monitoring.images.known import NearImages

log = logging.getLogger(__name__)

Key = TypeVar("Key")

MOST_ITEMS: Final = 10_000
"""Attributes, pictures, numbers, categories and countries of a listing together: of 1,800 real rows
none has more than 43."""

TEXT_FIELDS: Final = ("title", "brand", "description", "attributes")
"""Fields a mark is looked for in; the same ones as `listing_texts.texts_of`."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a listing may be at most."""

    record_bytes: int
    clock_ahead_s: int


@dataclass(slots=True)
class Screened:
    """A batch after the screen. Every record of the batch is in exactly one of the lists."""

    allowed: list[int] = field(default_factory=list)
    """`occurred_at` of listings that name no mark, show no known picture and may not come again."""
    examined: list[tuple[Record, Examination]] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    """Time spent by stage."""


def listing_decoder(registry: SchemaRegistry) -> Decoder:
    """Return the decoder of `marketplace.listings`."""
    return Decoder(
        registry,
        topics.LISTINGS.schema,
        projected=("kind", "occurred_at", "seller_id"),
        texts=TEXT_FIELDS,
        item_texts=(("images", "pdq"),),
        defaults={"kind": "UPDATED"},
        most_items=MOST_ITEMS,
        made=Listing,
    )


def screen(
    records: Sequence[Record],
    judge: Judge,
    decoder: Decoder,
    limits: Limits,
    now: int | None,
    *,
    watched: Watched = NOBODY,
) -> Screened:
    """Sort the records of a batch: allowed by their bytes, examined, or failed.

    `now` is UTC ms; with None each record is judged at its own timestamp. Most listings name no
    mark: they cost one walk over the record, one over the letters of its texts and a share of the
    scan over those of the whole batch, and are never decoded. Pictures, and the sellers among those
    `watched`, are looked up all at once as well.
    """
    result = Screened()
    started = time.perf_counter()
    values = values_of(records)
    too_large = _too_large(values, limits)
    projected = decoder.project_all(_without(values, too_large))
    kinds, times, sellers = projected.fields
    moments = [record.timestamp for record in records] if now is None else [now] * len(records)
    refused = projected.refused | too_large
    refused |= _out_of_time(times, moments, limits, refused)
    result.failures = [
        Failure(records[n], error.reason, str(error)) for n, error in sorted(refused.items())
    ]
    deleted = [n for n, kind in enumerate(kinds) if kind == "DELETED" and n not in refused]
    result.allowed = [times[n] for n in deleted]
    kept = np.ones(len(records), np.bool_)
    kept[[*refused, *deleted]] = False
    judged = np.flatnonzero(kept)
    seen, near = _looked_at(judge, projected.texts.only(judged), projected.items.only(judged))
    again = set(watched.among([sellers[n] for n in judged.tolist()])) if judge.watches else set()
    for number in again:
        seen.setdefault(number, {})  # it was read, and names no mark
    result.allowed += (times[n] for at, n in enumerate(judged.tolist()) if at not in seen)
    screened = time.perf_counter()
    listings: list[_Chosen[Record]] = []
    numbers = sorted(seen)
    chosen = [records[int(judged[number])] for number in numbers]
    for number, record, listing in zip(
        numbers, chosen, to_listings(decoder, [record.value for record in chosen]), strict=True
    ):
        if isinstance(listing, DecodeError):
            result.failures.append(failure_of(record, listing))
            continue
        moment = record.timestamp if now is None else now
        listings.append(_Chosen(record, listing, moment, seen[number], number in again))
    for record, examined in _examine(judge, listings, near):
        if isinstance(examined, Examination):
            result.examined.append((record, examined))
        else:
            result.failures.append(failure_of(record, examined))
    result.seconds = {"screen": screened - started, "examine": time.perf_counter() - screened}
    return result


def examine_all(judge: Judge, listings: Sequence[Listing]) -> list[Examination | Exception]:
    """Return what has to be judged of listings that are at hand, each at its `occurred_at`.

    Screened and examined all at once, as the records of a batch are; left out are those that the
    screen lets pass, and in the place of an examination stands the error it ended in.
    """
    there = [listing for listing in listings if listing.kind != "DELETED"]
    texts = [[text.encode() for text in texts_of(listing).values()] for listing in there]
    pictures = [hashes_of(listing) for listing in there]
    seen, near = _looked_at(judge, Texts.of(texts), Texts.of(pictures))
    chosen = [
        _Chosen(None, there[number], there[number].occurred_at, seen[number])
        for number in sorted(seen)
    ]
    return [examined for _, examined in _examine(judge, chosen, near)]


def _too_large(values: Sequence[bytes | None], limits: Limits) -> dict[int, DecodeError]:
    """Return what is wrong with values that are too large to be looked at."""
    most = limits.record_bytes
    return {
        number: DecodeError(
            "too_large", f"{len(value)} bytes, and a listing may have {most} at most"
        )
        for number, value in enumerate(values)
        if value is not None and len(value) > most
    }


def _without(values: Sequence[bytes | None], left_out: Collection[int]) -> Sequence[bytes | None]:
    """Return the values, with nothing in the place of some."""
    if not left_out:
        return values
    kept = list(values)
    for number in left_out:
        kept[number] = None
    return kept


def _out_of_time(
    times: Sequence[int], moments: Sequence[int], limits: Limits, refused: Mapping[int, DecodeError]
) -> dict[int, DecodeError]:
    """Return what is wrong with the times of those that are not refused already."""
    ahead = limits.clock_ahead_s * 1000
    return {
        number: _bad_time(time, moment)
        for number, (time, moment) in enumerate(zip(times, moments, strict=True))
        if number not in refused and not YEAR_2000_MS <= time <= moment + ahead
    }


def _looked_at(
    judge: Judge, texts: Texts, pictures: Texts
) -> tuple[dict[int, Seen | None], NearImages]:
    """Return the listings that have to be examined, with what was seen in their texts.

    `pictures` are the hashes of those they show. What is near a known picture is returned as well.
    """
    seen = _seen(judge, texts)
    pictured = {
        number: pictures.of_record(number)[:MAX_PICTURES]
        for number in np.flatnonzero(pictures.counts).tolist()
    }
    near = judge.near_images(text for hashes in pictured.values() for text in hashes)
    if near:
        for number, hashes in pictured.items():
            if any(text in near for text in hashes):
                seen.setdefault(number, None)
    return seen, near


@dataclass(frozen=True, slots=True)
class _Chosen(Generic[Key]):
    """A listing that has to be examined, and what is known of it so far."""

    key: Key
    listing: Listing
    moment: int
    sighted: Seen | None
    watched: bool = False


def _examine(
    judge: Judge, chosen: Sequence[_Chosen[Key]], near: NearImages
) -> Iterator[tuple[Key, Examination | Exception]]:
    """Yield what can be said of each listing at its moment, or what that ended in."""
    read = [
        None if each.sighted is None else judge.found(each.listing, each.sighted) for each in chosen
    ]
    unread = [each.listing for each, found in zip(chosen, read, strict=True) if found is None]
    others = iter(_find_all(judge, unread))
    readings = [found or next(others) for found in read]
    together = _read_together(judge, chosen, readings)
    for number, (each, reading) in enumerate(zip(chosen, readings, strict=True)):
        try:
            examined = judge.examine(
                each.listing,
                each.moment,
                near,
                reading,
                texts=together.get(number),
                watched=each.watched,
            )
            yield each.key, examined
        except Exception as error:  # noqa: BLE001 - one listing must not stop the others
            yield each.key, error


def _read_together(
    judge: Judge, chosen: Sequence[_Chosen[Key]], readings: Sequence[Found | None]
) -> dict[int, ListingTexts]:
    """Return the texts of listings, read at once; of none where they can't be."""
    there = {number: found for number, found in enumerate(readings) if found is not None}
    listings = [chosen[number].listing for number in there]
    try:
        return dict(zip(there, judge.read_together(listings, list(there.values())), strict=True))
    except Exception:  # whatever one text stumbles over must not stop the others
        log.exception("the words of a batch could not be read together; each is read alone")
        return {}


def _seen(judge: Judge, texts: Texts) -> dict[int, Seen | None]:
    """Return what is seen in which listings: all, where they can't be screened together."""
    try:
        return judge.screen(texts)
    except Exception:  # whatever a text stumbles over: a batch is never let through unread
        log.exception("a batch could not be screened; all of it is examined")
        return dict.fromkeys(range(len(texts)))


def _find_all(judge: Judge, listings: Sequence[Listing]) -> Sequence[Found | None]:
    """Return what stands in the texts of listings; None where they can't be read together."""
    try:
        return judge.find_all(listings)
    except Exception:  # whatever one text stumbles over must not stop the others
        log.exception("the listings of a batch could not be read together; each is read alone")
        return [None] * len(listings)


def failure_of(record: Record, error: Exception) -> Failure:
    """Return the failure of a record whose decoding or judging ended in an error."""
    if isinstance(error, DecodeError):
        return Failure(record, error.reason, str(error))
    return Failure(record, "judge_error", f"{type(error).__name__}: {error}")


def to_listings(decoder: Decoder, values: Sequence[bytes | None]) -> list[Listing | DecodeError]:
    """Return the listings of records' values, read at once, or why one can't be read."""
    made = decoder.make([value or b"" for value in values])
    return [
        listing or _to_listing(decoder, value) for listing, value in zip(made, values, strict=True)
    ]


def _to_listing(decoder: Decoder, value: bytes | None) -> Listing | DecodeError:
    try:
        return to_listing(decoder, value)
    except DecodeError as error:
        return error


def to_listing(decoder: Decoder, value: bytes | None) -> Listing:
    """Return the listing of a record's value. Raises DecodeError."""
    record = decoder.decode(value)
    try:
        return msgspec.convert(record, Listing)
    except msgspec.ValidationError as error:
        raise DecodeError("foreign_record", f"not a listing: {error}") from None


def _bad_time(occurred_at: int, now: int) -> DecodeError:
    if occurred_at < YEAR_2000_MS:
        text = f"occurred_at {occurred_at} ms lies before the year 2000"
    else:
        text = f"occurred_at lies {(occurred_at - now) // 1000} s in the future"
    return DecodeError("bad_time", text)
