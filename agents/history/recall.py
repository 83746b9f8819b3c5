"""Reads what is remembered for the listings of a batch.

`ask_lookup` queues two commands of a pipeline that has others as well, and `take_lookup` reads
their answers: how fast the sellers list, what updated listings were before, and which sellers have
removals to compare with, of their own or of sellers linked to them. Few have any: for the listings
of those alone `compare` makes a second round trip.

A view that is being rebuilt says nothing: what it would say is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from agents.history.fingerprints import Alike, alike, features
from agents.history.links import KINDS, LINKED, LINKS, MAX_SHARED, weight
from agents.history.removals import (
    REMOVALS,
    Removal,
    remembered,
    removal_of,
    slices_until,
)
from agents.history.sightings import (
    HISTORY_DAYS,
    MIN_BURST,
    SIGHTINGS,
    Digest,
    burst,
    day_of,
    hour_of,
)
from agents.records import Fingerprint
from streams.store import Store
from streams.views import Fold, ready_key

FOLDS: Final[tuple[Fold, ...]] = (REMOVALS, LINKS, SIGHTINGS)

MAX_LINKED: Final = 8
"""Linked sellers whose removals are looked at, the strongest links first."""
MAX_PAIRS: Final = 100
"""Pairs of a listing and a seller that one call of Redis compares: 25 to 40 ms of its time. Honest
batches have fewer; one of a ring of mass listers must not look like a Redis that is away."""
MAX_CANDIDATES: Final = 5
"""Removals of one seller that are compared, those with most features in common first."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A listing, and what rules want to know of its past."""

    listing_id: str
    revision: int
    seller_id: str
    occurred_at: int
    removals: bool = False
    """Whether it is nearly the same as something that was removed."""
    pace: bool = False
    """How fast the seller lists branded goods."""
    before: bool = False
    """What it was before the update."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """What the first round trip says of a listing; None is unknown, or not asked."""

    own: bool | None = None
    """Whether the seller has removals to compare with."""
    linked: tuple[tuple[str, tuple[str, ...]], ...] | None = None
    """Linked sellers who have any, with what links them, the strongest link first."""
    burst: float | None = None
    before: Digest | None = None
    incomplete: bool = False
    """Something was asked of a view that is being rebuilt."""

    @property
    def sellers(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The linked sellers, none where that is unknown."""
        return self.linked or ()


@dataclass(frozen=True, slots=True)
class Relisting:
    """A listing that is nearly the same as one that was taken down."""

    removal: Removal
    alike: Alike
    shared: tuple[str, ...] = ()
    """What links the other seller to this one; empty where it is the same seller."""


@dataclass(frozen=True, slots=True)
class Past:
    """What is remembered of a listing and its seller; None is unknown, or not asked."""

    relisted: tuple[Relisting, ...] | None = None
    linked_relisted: tuple[Relisting, ...] | None = None
    burst: float | None = None
    replaced: tuple[str, ...] | None = None
    incomplete: bool = False
    """Something was asked of a view that is being rebuilt."""


_SLICES_OF: Final = """
local P, q = ARGV[1], cjson.decode(ARGV[2])
local slices = {}
local function slices_of(seller)
  if not slices[seller] then
    local found = {}
    for n, slice in ipairs(q.slices) do found[n] = P .. 'removed:' .. seller .. ':' .. slice end
    if redis.call('EXISTS', unpack(found)) == 0 then found = {} end
    slices[seller] = found
  end
  return slices[seller]
end
"""

_LOOKUP: Final = (
    _SLICES_OF
    + """
local function linked_to(seller)
  local innocence, kinds, others = {}, {}, {}
  for _, link in ipairs(redis.call('SMEMBERS', P .. 'links-of:' .. seller)) do
    local count = redis.call('SCARD', P .. 'link:' .. link)
    if count > 1 and count <= q.shared then
      local kind = string.match(link, '^[^:]*')
      local weight = (q.weights[kind] or {})[count] or 0
      for _, other in ipairs(redis.call('SMEMBERS', P .. 'link:' .. link)) do
        if other ~= seller and #slices_of(other) > 0 then
          if not innocence[other] then
            innocence[other] = 1
            kinds[other] = {}
            others[#others + 1] = other
          end
          innocence[other] = innocence[other] * (1 - weight)
          kinds[other][#kinds[other] + 1] = kind
        end
      end
    end
  end
  table.sort(others, function(a, b)
    if innocence[a] ~= innocence[b] then return innocence[a] < innocence[b] end
    return a < b
  end)
  local found = {}
  for _, other in ipairs(others) do
    -- Nine digits: the order of the factors shall not decide.
    if #found < q.linked and innocence[other] <= 1 - q.strength + 1e-9 then
      found[#found + 1] = { other, kinds[other] }
    end
  end
  return found
end

local removals, paces, before = {}, {}, {}
for n, seller in ipairs(q.sellers) do
  removals[n] = { #slices_of(seller) > 0, linked_to(seller) }
end
for n, of in ipairs(q.paces) do
  local key = P .. 'branded:' .. of[1] .. ':'
  local pace = { redis.call('PFCOUNT', key .. 'h' .. of[2]) }
  if pace[1] >= q.burst then
    for day = of[3] - q.days, of[3] - 1 do
      pace[#pace + 1] = redis.call('PFCOUNT', key .. 'd' .. day)
    end
  end
  paces[n] = pace
end
for n, of in ipairs(q.updates) do
  local seen = redis.call(
    'ZREVRANGEBYSCORE', P .. 'seen:' .. of[1], '(' .. of[2], '-inf', 'LIMIT', 0, 1)
  before[n] = seen[1] or ''
end
return cjson.encode({ removals, paces, before })
"""
)

# Each listing asks the removals of its seller and of at most MAX_LINKED others: an HMGET a slice.
_COMPARE: Final = (
    _SLICES_OF
    + """
local function removals_of(seller, features)
  local hits, ids = {}, {}
  for _, key in ipairs(#features > 0 and slices_of(seller) or {}) do
    for n, bucket in ipairs(redis.call('HMGET', key, unpack(features))) do
      for id in string.gmatch(bucket or '', '[^ ]+') do
        if not hits[id] then
          hits[id] = 0
          ids[#ids + 1] = id
        end
        -- A title or a picture in common has many features in common, a GTIN one.
        hits[id] = hits[id] + (string.sub(features[n], 1, 1) == 'g' and 100 or 1)
      end
    end
  end
  table.sort(ids, function(a, b)
    if hits[a] ~= hits[b] then return hits[a] > hits[b] end
    return a < b
  end)
  local entries = {}
  for _, id in ipairs(ids) do
    local entry = redis.call('GET', P .. 'removal:' .. id)
    if entry and entry ~= '' then entries[#entries + 1] = entry end
    if #entries == q.candidates then break end
  end
  return entries
end

local answers = {}
for n, ask in ipairs(q.asks) do
  answers[n] = {}
  for m, seller in ipairs(ask[1]) do answers[n][m] = removals_of(seller, ask[2]) end
end
return cjson.encode(answers)
"""
)

_WEIGHTS: Final = {
    kind: [weight(kind, sellers) for sellers in range(1, MAX_SHARED + 1)] for kind in KINDS
}


def ask_lookup(pipe: Any, store: Store, asks: Sequence[Ask], now: int) -> None:
    """Queue the commands whose answers `take_lookup` takes. `now` is UTC milliseconds."""
    pipe.mget([ready_key(store, fold.view) for fold in FOLDS])
    query = {
        "slices": slices_until(now),
        "shared": MAX_SHARED,
        "weights": _WEIGHTS,
        "strength": LINKED,
        "linked": MAX_LINKED,
        "burst": MIN_BURST,
        "days": HISTORY_DAYS,
        "sellers": _sellers(asks),
        "paces": _paces(asks),
        # Written out: Lua would turn a long number into a rounded one.
        "updates": [(of.listing_id, str(of.revision)) for of in asks if of.before],
    }
    pipe.eval(_LOOKUP, 0, store.prefix, msgspec.json.encode(query))


def _sellers(asks: Sequence[Ask]) -> list[str]:
    return list(dict.fromkeys(of.seller_id for of in asks if of.removals))


def _paces(asks: Sequence[Ask]) -> list[tuple[str, int, int]]:
    return list(dict.fromkeys(_pace(of) for of in asks if of.pace))


def _pace(of: Ask) -> tuple[str, int, int]:
    return of.seller_id, hour_of(of.occurred_at), day_of(of.occurred_at)


def take_lookup(answers: Iterator[Any], asks: Sequence[Ask]) -> list[Lookup]:
    """Return what the store says of each listing from the answers to `ask_lookup`."""
    ready = {fold.view for fold, there in zip(FOLDS, next(answers), strict=True) if there}
    removals, paces, before = msgspec.json.decode(next(answers))
    by_seller = dict(zip(_sellers(asks), removals, strict=True))
    by_pace = dict(zip(_paces(asks), paces, strict=True))
    earlier = iter(before)
    known, linked = REMOVALS.view in ready, {REMOVALS.view, LINKS.view} <= ready
    seen = SIGHTINGS.view in ready
    found = []
    for of in asks:
        own, ties = by_seller[of.seller_id] if of.removals else (None, ())
        pace = by_pace[_pace(of)] if of.pace else None
        digest = next(earlier) if of.before else ""
        found.append(
            Lookup(
                own if known else None,
                tuple((seller, tuple(sorted(set(kinds)))) for seller, kinds in ties)
                if of.removals and linked
                else None,
                burst(pace[0], pace[1:]) if pace and seen else None,
                _digest(digest) if digest and seen else None,
                (of.removals and not linked) or ((of.pace or of.before) and not seen),
            )
        )
    return found


async def compare(
    store: Store, asks: Sequence[tuple[Ask, Lookup, Fingerprint]], now: int
) -> list[tuple[tuple[Relisting, ...], tuple[Relisting, ...]]]:
    """Return the near-duplicates of each listing among the removals of its sellers.

    The seller's own come first, then those of linked sellers. One round trip for every
    `MAX_PAIRS` pairs of a listing and a seller.

    Raises:
        StoreUnavailable: Redis does not answer.
    """
    found: list[tuple[tuple[Relisting, ...], tuple[Relisting, ...]]] = []
    chunk: list[tuple[Ask, Lookup, Fingerprint]] = []
    pairs = 0
    for each in asks:
        chunk.append(each)
        pairs += 1 + len(each[1].sellers)
        if pairs >= MAX_PAIRS:
            found += await _compare(store, chunk, now)
            chunk, pairs = [], 0
    return found + (await _compare(store, chunk, now) if chunk else [])


async def _compare(
    store: Store, asks: Sequence[tuple[Ask, Lookup, Fingerprint]], now: int
) -> list[tuple[tuple[Relisting, ...], tuple[Relisting, ...]]]:
    query = {
        "slices": slices_until(now),
        "candidates": MAX_CANDIDATES,
        "asks": [
            ([of.seller_id, *(seller for seller, _ in lookup.sellers)], features(print_))
            for of, lookup, print_ in asks
        ],
    }
    answer = await store.call(
        lambda client: client.eval(  # type: ignore[arg-type,misc,return-value,unused-ignore]
            _COMPARE, 0, store.prefix, msgspec.json.encode(query)
        )
    )
    found = []
    for (of, lookup, print_), entries in zip(asks, msgspec.json.decode(answer), strict=True):
        linked = tuple(
            relisting
            for (_, shared), theirs in zip(lookup.sellers, entries[1:], strict=True)
            for relisting in _relistings(of, print_, theirs, shared, now)
        )
        found.append((_relistings(of, print_, entries[0], (), now), linked))
    return found


def _relistings(
    of: Ask, print_: Fingerprint, entries: Sequence[str], shared: tuple[str, ...], now: int
) -> tuple[Relisting, ...]:
    found = []
    for entry in entries:
        removal = removal_of(entry)
        same = removal.listing_id == of.listing_id
        if not remembered(removal, now) or (same and removal.revision >= of.revision):
            continue  # a replay must not find what followed from itself
        likeness = alike(print_, removal.fingerprint)
        if likeness:
            found.append(Relisting(removal, likeness, shared))
    found.sort(key=lambda each: (-each.removal.decided_at, each.removal.takedown_id))
    return tuple(found)


def _digest(seen: str) -> Digest:
    return msgspec.json.decode(seen.partition(" ")[2], type=Digest)
