"""Sellers who are watched: they, or somebody linked to them, had something removed.

    removals-of:<seller>  the seller's removals that count, scored by their time
    watched:last          watched sellers, scored by the last removal that counts against them
    watched:changes       the same sellers, scored by the number of the change that made them so
    watched:number        number of the last change; begins with the clock's microseconds

Their listings may come again without the mark, so the screen lets them through. Who is watched is
no verdict and may be more than has to be: what the store remembers decides. The views `removals`
and `links` keep the set, each in its own transaction; whichever applies the later record of the two
sees what the other has stored. Each worker holds a copy, and reads what changed by its number.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streams.store import Store, StoreUnavailable
from streams.views import ready_key

log = logging.getLogger(__name__)

VIEWS: Final = ("removals", "links")
"""The views that keep the set."""
MOST_REVISITED: Final = 20
"""Linked sellers who are looked at again when a removal is reversed; the others stay watched until
it would have been forgotten, which costs a look at their listings and nothing else."""
PAGE: Final = 5_000
"""Sellers read by one call: 5 ms of Redis."""
STEP_SECONDS: Final = 1.0
FULL_SECONDS: Final = 600.0
"""How often all is read anew: who is watched no longer drops out then."""

_FUNCTIONS: Final = """
    local function last_removal(seller)
      local last = redis.call('ZREVRANGE', P .. 'removals-of:' .. seller, 0, 0, 'WITHSCORES')
      return tonumber(last[2] or '-1')
    end
    local function tied_to(seller)
      local others, seen = {}, { [seller] = true }
      for _, link in ipairs(redis.call('SMEMBERS', P .. 'links-of:' .. seller)) do
        local count = redis.call('SCARD', P .. 'link:' .. link)
        if count > 1 and count <= %d then
          for _, other in ipairs(redis.call('SMEMBERS', P .. 'link:' .. link)) do
            if not seen[other] then
              seen[other] = true
              others[#others + 1] = other
            end
          end
        end
      end
      table.sort(others)
      return others
    end
    local function watched_since(seller)
      return tonumber(redis.call('ZSCORE', P .. 'watched:last', seller) or '-1')
    end
    local function unwatch(seller)
      redis.call('ZREM', P .. 'watched:last', seller)
      redis.call('ZREM', P .. 'watched:changes', seller)
    end
    local function watch(seller, at)
      if at <= watched_since(seller) then return end
      local number = P .. 'watched:number'
      if redis.call('EXISTS', number) == 0 then
        local clock = redis.call('TIME')
        redis.call('SET', number, clock[1] .. string.format('%%06d', clock[2]))
      end
      local change = string.format('%%.0f', redis.call('INCR', number))
      redis.call('ZADD', P .. 'watched:last', string.format('%%.0f', at), seller)
      redis.call('ZADD', P .. 'watched:changes', change, seller)
    end
    local function rewatch(seller)
      local at = last_removal(seller)
      for _, other in ipairs(tied_to(seller)) do at = math.max(at, last_removal(other)) end
      if at < 0 then
        unwatch(seller)
      elseif at < watched_since(seller) then
        redis.call('ZADD', P .. 'watched:last', string.format('%%.0f', at), seller)
      else
        watch(seller, at)
      end
    end
"""


def functions(most_shared: int) -> str:
    """Return the Lua functions with which a view keeps the set.

    What more than `most_shared` sellers have in common links none of them.
    """
    return _FUNCTIONS % most_shared


class Watched:
    """A set of sellers for a worker to look listings up in, 16 to 24 bytes each. Immutable.

    Sellers are kept by Python's hash of their id's UTF-8: another seller with the same one would be
    watched as well, which harms nobody. Most of those asked about are turned away by one look into
    a table of eight places a seller: asking costs 1.4 % of the walk over a record, against 4.9 %
    for a search of the sorted hashes alone, and 0.8 % for a Python set of four times the size: see
    tests/benchmarks/projection.py.
    """

    __slots__ = ("_hashes", "_table")

    def __init__(self, hashes: NDArray[np.int64]) -> None:
        """Take hashes as they are: sorted, each once."""
        self._hashes = hashes
        self._table = np.zeros(1 << (len(hashes) * 8).bit_length(), np.bool_)
        self._table[hashes & (len(self._table) - 1)] = True

    def __len__(self) -> int:
        return len(self._hashes)

    def __or__(self, other: Watched) -> Watched:
        return Watched(np.union1d(self._hashes, other._hashes))

    def among(self, sellers: Sequence[bytes]) -> list[int]:
        """Return the positions of those sellers, ids as UTF-8, who are watched."""
        if not len(self._hashes) or not sellers:
            return []
        asked = np.fromiter(map(hash, sellers), np.int64, len(sellers))
        places = np.flatnonzero(self._table[asked & (len(self._table) - 1)])
        likely = asked[places]
        nearest = self._hashes.take(np.searchsorted(self._hashes, likely), mode="clip")
        found: list[int] = places[nearest == likely].tolist()
        return found


NOBODY: Final = Watched(np.empty(0, np.int64))


def watched(sellers: Iterable[bytes]) -> Watched:
    """Return the set of these sellers, ids as UTF-8."""
    return Watched(np.unique(np.fromiter(map(hash, sellers), np.int64)))


class WatchKeeper:
    """The worker's copy of who is watched, and the task that renews it.

    While the store is away the last copy serves; what was missed is read when it is back. While a
    view is being rebuilt nobody is taken out of the copy.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._prefix = f"{store.prefix}watched:"
        self._ready = [ready_key(store, view) for view in VIEWS]
        self._change = 0
        self._read_at = -FULL_SECONDS
        self._told = False
        self.current = NOBODY
        """Who is watched, as far as this worker knows."""
        self.complete = False
        """Whether all was read once, of views that were complete."""

    async def follow(self) -> None:
        """Renew the copy once a second, for ever."""
        while True:
            await self.renew()
            await asyncio.sleep(STEP_SECONDS)

    async def renew(self) -> None:
        """Read what has changed, or all where it is time; every wait is bounded by the store's."""
        try:
            if not self.complete or time.monotonic() - self._read_at >= FULL_SECONDS:
                await self._read_all()
            else:
                await self._read_changes()
            self._told = False
        except StoreUnavailable as error:
            if not self._told:
                log.warning("who is watched is not renewed for now: %s", error)
            self._told = True

    async def _read_all(self) -> None:
        began = time.monotonic()
        found, change, whole = NOBODY, 0, True
        while True:
            ready, _, sellers, last = await self._page(change)
            whole = whole and ready
            if not sellers:
                break
            found, change = found | watched(sellers), last
        self.current = found if whole else self.current | found
        self._change = change
        if whole:
            self.complete, self._read_at = True, began

    async def _read_changes(self) -> None:
        while True:
            _, number, sellers, last = await self._page(self._change)
            if number < self._change:  # the set was lost, or is that of a store of long ago
                self.complete = False
                return
            if not sellers:
                return
            self.current |= watched(sellers)
            self._change = last

    async def _page(self, after: int) -> tuple[bool, int, list[bytes], int]:
        """Return whether the views are complete, the last change, and who changed after `after`.

        Behind them stands the number of the last change among those.
        """

        async def read(client: Any) -> list[Any]:
            pipe = client.pipeline(transaction=True)
            pipe.exists(*self._ready)
            pipe.get(self._prefix + "number")
            pipe.zrangebyscore(
                self._prefix + "changes", f"({after}", "+inf", start=0, num=PAGE, withscores=True
            )
            result: list[Any] = await pipe.execute()
            return result

        ready, number, changes = await self._store.call(read)
        last = int(changes[-1][1]) if changes else after
        sellers = [seller for seller, _ in changes]
        return ready == len(self._ready), int(number or 0), sellers, last
