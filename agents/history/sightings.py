"""Branded listings as they were seen: how fast a seller lists them, and what an update replaced.

The topic `assayer.sightings` has one record a batch with the listings of it that name a mark, so
neither costs anything for the others, and nothing at all while no rule of the policy asks.

    seen:<listing>            digests of the last three revisions, scored by revision
    branded:<seller>:h<hour>  new branded listings of an hour, counted by HyperLogLog
    branded:<seller>:d<day>   the same by day

A HyperLogLog counts a listing once however often its sighting is repeated, in at most 12 kB.
"""

from __future__ import annotations

import difflib
import zlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec

from agents.pdq import counts, is_hash, near
from agents.records import DAY_MS, DAY_S, Listing
from streams import topics
from streams.views import Fold

SEEN_DAYS: Final = 90
"""How long a revision is remembered after the last sighting."""
HISTORY_DAYS: Final = 14
MIN_DAYS: Final = 3
"""Days with new branded listings that make a history; with fewer the pace is unknown."""
MIN_BURST: Final = 20
"""Fewer new branded listings an hour are no burst, however quiet the seller was."""
SAME_TEXT: Final = 0.75
"""Brands alike by more are one with a typo, or with 'Ltd' behind it."""
OTHER_TITLE: Final = 0.25
"""Titles with fewer of their words in common speak of other goods."""

_NO_BRAND: Final = frozenset(
    {"", "no brand", "nobrand", "unbranded", "generic", "oem", "none", "n/a", "na", "-", "other"}
)
_MAX_WORDS: Final = 16
_HOUR_MS: Final = 3_600_000


class Digest(msgspec.Struct, frozen=True, array_like=True):
    """What of a revision says which goods it offers."""

    brand: str = ""
    category: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    words: tuple[int, ...] = ()
    """CRC-32 of the first words of the folded title, sorted."""


class Sighting(msgspec.Struct, frozen=True):
    """A listing that names a mark, as it was judged."""

    listing_id: str
    revision: int
    seller_id: str
    occurred_at: int
    new_branded: bool
    """Newly listed, and its goods bear the mark: no accessory, no authorised seller."""
    digest: str


def digest_of(listing: Listing, title: str, brand: str) -> Digest:
    """Return the digest of a listing; `title` and `brand` are their folded readings."""
    path = [part.strip().casefold()[:40] for part in listing.category_path if part.strip()]
    return Digest(
        " ".join(brand.split())[:60],
        tuple(dict.fromkeys((path[0], path[-1]))) if path else (),
        tuple(
            pdq
            for image in listing.images[:4]
            if counts(image.pdq_quality) and is_hash(pdq := image.pdq.lower())
        ),
        tuple(sorted(set(map(_word, title.split(None, _MAX_WORDS)[:_MAX_WORDS])))),
    )


@lru_cache(maxsize=65_536)
def _word(word: str) -> int:
    return zlib.crc32(word.encode())


def replaced(before: Digest, after: Digest) -> tuple[str, ...]:
    """Return what an update replaced, of brand, category, images and title.

    What one of the two does not have was not replaced; a typo, a corrected path under the same
    root, a picture more or less, and any price, is no replacement.
    """
    parts = []
    if not {before.brand, after.brand} & _NO_BRAND and not _same_text(before.brand, after.brand):
        parts.append("brand")
    if before.category and after.category and not set(before.category) & set(after.category):
        parts.append("category")
    if before.images and after.images and not _share_image(before.images, after.images):
        parts.append("images")
    one, other = set(before.words), set(after.words)
    if one and other and len(one & other) < OTHER_TITLE * min(len(one), len(other)):
        parts.append("title")
    return tuple(parts)


def burst(hour: int, days: Iterable[int]) -> float | None:
    """Return an hour's new branded listings over the mean of the days that had any.

    0 where the hour has too few to be a burst, None where there is no history to compare with.
    """
    if hour < MIN_BURST:
        return 0.0
    active = [count for count in days if count]
    if len(active) < MIN_DAYS:
        return None
    return round(hour * len(active) / sum(active), 3)


def hour_of(millis: int) -> int:
    """Return the number of the hour of a moment."""
    return millis // _HOUR_MS


def day_of(millis: int) -> int:
    """Return the number of the day of a moment."""
    return millis // DAY_MS


def _same_text(one: str, other: str) -> bool:
    if one == other or set(one.split()) & set(other.split()):
        return True
    return difflib.SequenceMatcher(None, one, other, autojunk=False).ratio() >= SAME_TEXT


def _share_image(one: Sequence[str], other: Sequence[str]) -> bool:
    return any(near(int(a, 16), int(b, 16)) for a in one for b in other)


def _change(_: bytes | None, record: dict[str, Any] | None) -> dict[str, Any] | None:
    if record is None or not record["sightings"]:
        return None
    items = []
    for seen in record["sightings"]:
        at = seen["occurred_at"]
        item = [
            seen["listing_id"],
            seen["revision"],
            f"{seen['revision']} {seen['digest']}",
            at // 1000 + SEEN_DAYS * DAY_S,
        ]
        if seen["new_branded"]:
            hour, day = hour_of(at), day_of(at)
            item += [
                seen["seller_id"],
                hour,
                (hour + 48) * 3600,
                day,
                (day + HISTORY_DAYS + 2) * DAY_S,
            ]
        items.append(item)
    return {"items": items}


SIGHTINGS: Final = Fold(
    view="sightings",
    topic=topics.SIGHTINGS,
    change=_change,
    # Three revisions: the one that is judged again, the one before, and one more where two changes
    # follow on each other's heels. Those of one listing are in one partition, so they are in order.
    body="""
    for _, item in ipairs(r.items) do
      local seen = P .. 'seen:' .. item[1]
      redis.call('ZREMRANGEBYSCORE', seen, item[2], item[2])
      redis.call('ZADD', seen, item[2], item[3])
      redis.call('ZREMRANGEBYRANK', seen, 0, -4)
      redis.call('EXPIREAT', seen, item[4])
      if item[5] then
        local hour = P .. 'branded:' .. item[5] .. ':h' .. item[6]
        local day = P .. 'branded:' .. item[5] .. ':d' .. item[8]
        if redis.call('PFADD', hour, item[1]) == 1 then redis.call('EXPIREAT', hour, item[7]) end
        if redis.call('PFADD', day, item[1]) == 1 then redis.call('EXPIREAT', day, item[9]) end
      end
    end
    """,
    keys=("seen:*", "branded:*"),
)
