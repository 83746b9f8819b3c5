"""Removed listings by seller, for 180 days: what a listing that comes again is recognised by.

    removal:<id>              the fingerprint with listing, revision and time; '' once reinstated
    removed:<seller>:<slice>  feature → ids of up to four removals that have it

Beside them stand the sellers whose listings are compared whatever they name: `watched.py`.

A slice is the 90 days a removal falls into, so that keys of Redis expire by themselves: three
slices reach back 180 days at least. Up to four ids a feature are enough: near-duplicates share
features, so any of them stands for the others. Which four does not depend on the order of events,
so a view that was rebuilt equals one that grew.
"""

from __future__ import annotations

import base64
from typing import Any, Final

import msgspec

from agents.history.fingerprints import STORED_IMAGES, features
from agents.history.links import MAX_SHARED
from agents.history.watched import MOST_REVISITED, functions
from agents.pdq import is_stored_hash
from agents.records import DAY_MS, DAY_S, Fingerprint
from agents.reputation import case_time
from streams import topics
from streams.codec import DecodeError
from streams.views import Fold

KEPT_DAYS: Final = 180
"""After this a removal is not held against a new listing (the marketplaces' usual half year)."""
SLICE_DAYS: Final = 90
MOST_RIGHTS: Final = 8
"""Rights of a removal that are remembered; a listing stuffed with marks infringes many."""


class Removal(msgspec.Struct, frozen=True):
    """A listing that was taken down and not put up again."""

    takedown_id: str
    listing_id: str
    revision: int
    decided_at: int
    fingerprint: Fingerprint
    right_ids: tuple[str, ...] = ()
    """The rights it was taken down for."""


def slice_of(millis: int) -> int:
    """Return the slice of a moment."""
    return millis // (SLICE_DAYS * DAY_MS)


def slices_until(millis: int) -> list[int]:
    """Return the slices that may hold removals still remembered at this moment, newest first."""
    return list(range(slice_of(millis), slice_of(millis - KEPT_DAYS * DAY_MS) - 1, -1))


def remembered(removal: Removal, now: int) -> bool:
    """Return whether a removal still counts; `now` is UTC milliseconds."""
    return now - removal.decided_at <= KEPT_DAYS * DAY_MS


def short_id(takedown_id: str) -> str:
    """Return what stands for a takedown in the store: the first 64 bits of its UUID."""
    return takedown_id.replace("-", "")[:16]


def _change(_: bytes | None, record: dict[str, Any] | None) -> dict[str, Any] | None:
    if record is None or record["action"] not in ("REMOVED", "REINSTATED"):
        return None
    decided = case_time(record)
    until = decided // 1000 + KEPT_DAYS * DAY_S
    change = {
        "id": short_id(record["takedown_id"]),
        "seller": record["seller_id"],
        "until": until,
    }
    if record["action"] == "REINSTATED":
        return change
    if record["fingerprint"] is None:
        return None
    of = msgspec.convert(record["fingerprint"], Fingerprint)
    for pdq in of.images:
        if not is_stored_hash(pdq):
            raise DecodeError("foreign_record", f"the fingerprint's picture '{pdq:.80}' is no PDQ")
    removal = Removal(
        record["takedown_id"],
        record["listing_id"],
        record["revision"],
        decided,
        of,
        tuple(record["right_ids"][:MOST_RIGHTS]),
    )
    slice_ = slice_of(decided)
    return change | {
        "at": str(decided),
        "entry": base64.b64encode(msgspec.msgpack.encode(removal)).decode(),
        "features": features(of, STORED_IMAGES),
        "slice": slice_,
        "slice_until": (slice_ + 1) * SLICE_DAYS * DAY_S + KEPT_DAYS * DAY_S,
    }


def removal_of(entry: bytes | str) -> Removal:
    """Return the removal of a stored entry."""
    return msgspec.msgpack.decode(base64.b64decode(entry), type=Removal)


REMOVALS: Final = Fold(
    view="removals",
    topic=topics.TAKEDOWNS,
    change=_change,
    # A takedown counts once, however often its event is repeated, and not after its reinstatement.
    body=functions(MAX_SHARED)
    + f"""
    local removal = P .. 'removal:' .. r.id
    local of_seller = P .. 'removals-of:' .. r.seller
    local function expire(key, last)
      redis.call('EXPIREAT', key, math.floor(last / 1000) + {KEPT_DAYS * DAY_S})
    end
    if not r.entry then
      redis.call('SET', removal, '')
      redis.call('EXPIREAT', removal, r['until'])
      if redis.call('ZREM', of_seller, r.id) == 1 then
        expire(of_seller, last_removal(r.seller))
        rewatch(r.seller)
        local others = tied_to(r.seller)
        for n = 1, math.min(#others, {MOST_REVISITED}) do rewatch(others[n]) end
      end
    elseif redis.call('EXISTS', removal) == 0 then
      redis.call('SET', removal, r.entry)
      redis.call('EXPIREAT', removal, r['until'])
      local key = P .. 'removed:' .. r.seller .. ':' .. r.slice
      for _, feature in ipairs(r.features) do
        local ids = {{ r.id }}
        for id in string.gmatch(redis.call('HGET', key, feature) or '', '[^ ]+') do
          if id ~= r.id then ids[#ids + 1] = id end
        end
        table.sort(ids)
        redis.call('HSET', key, feature, table.concat(ids, ' ', 1, math.min(#ids, 4)))
      end
      redis.call('EXPIREAT', key, r.slice_until)
      redis.call('ZADD', of_seller, r.at, r.id)
      expire(of_seller, last_removal(r.seller))
      watch(r.seller, tonumber(r.at))
      for _, other in ipairs(tied_to(r.seller)) do watch(other, tonumber(r.at)) end
    end
    local oldest = (tonumber(redis.call('TIME')[1]) - {KEPT_DAYS * DAY_S}) * 1000
    for _, seller in ipairs(redis.call(
      'ZRANGEBYSCORE', P .. 'watched:last', '-inf', string.format('(%.0f', oldest),
      'LIMIT', 0, 1000)) do
      unwatch(seller)
    end
    """,
    keys=("removal:*", "removed:*", "removals-of:*", "watched:*"),
)
