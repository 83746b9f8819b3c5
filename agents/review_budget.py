"""How many cases people can work, counted over all workers in Redis.

    reviews:used:<hour or day>  cases given to people in it
    reviews:seen:<hour>         cases by priority, in bins of a twentieth
    reviews:group:<group>       whether a case is worked ('W') or has overflowed ('O')

A case counts once, however many listings belong to it and however often each is delivered. Within
a batch the most pressing goes first. Over time a case is worked if the budget holds it beside the
more pressing ones that are still to come this hour, and today, by the average of the last 24 hours:
so what comes early and matters little leaves room for what comes late and matters much, and what is
left at the end of the hour goes to whoever comes. Nothing here can be made again from Kafka: where
it is lost, counting begins anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from agents.monitoring.policies import Budget
from agents.records import DAY_MS, DAY_S, Queue, Review
from streams.store import Store

BINS: Final = 20
"""Of priorities."""
HOUR_MS: Final = 3_600_000
LEARNT_HOURS: Final = 24
GROUP_SECONDS: Final = 2 * DAY_S
"""How long a case is remembered after its last listing; a listing's case ends with its UTC day."""

_SCRIPT: Final = f"""
local P, q = ARGV[1] .. 'reviews:', cjson.decode(ARGV[2])
local function counted(name) return tonumber(redis.call('GET', P .. 'used:' .. name) or '0') end
local hour, day = counted('h' .. q.hour), counted('d' .. q.day)

local seen, first = {{}}, q.hour - 1
for past = q.hour - 1, q.hour - {LEARNT_HOURS}, -1 do
  local bins = redis.call('HGETALL', P .. 'seen:' .. past)
  if #bins > 0 then first = past end
  for n = 1, #bins, 2 do seen[bins[n]] = (seen[bins[n]] or 0) + tonumber(bins[n + 1]) end
end
-- Cases an hour that are more pressing than those of a bin.
local above, sum = {{}}, 0
for bin = {BINS} - 1, 0, -1 do
  above[bin] = sum / (q.hour - first)
  sum = sum + (seen[tostring(bin)] or 0)
end
local function held(bin)
  return hour + above[bin] * q.hours_left_of_hour < q.per_hour
    and day + above[bin] * q.hours_left_of_day < q.per_day
end

local function give(case)
  local group = P .. 'group:' .. case[1]
  local given = redis.call('GET', group)
  if given ~= 'W' then
    if not given then
      redis.call('HINCRBY', P .. 'seen:' .. q.hour, case[2], 1)
      redis.call('EXPIRE', P .. 'seen:' .. q.hour, ({LEARNT_HOURS} + 2) * 3600)
    end
    given = 'O'
    if held(case[2]) then
      given, hour, day = 'W', hour + 1, day + 1
    end
  end
  redis.call('SET', group, given, 'EX', {GROUP_SECONDS})
  return given
end

local queues = {{}}
for n, case in ipairs(q.cases) do queues[n] = give(case) end
redis.call('SET', P .. 'used:h' .. q.hour, hour, 'EX', 7200)
redis.call('SET', P .. 'used:d' .. q.day, day, 'EX', {GROUP_SECONDS})
local least = {BINS}
for bin = {BINS} - 1, 0, -1 do
  if not held(bin) then break end
  least = bin
end
return cjson.encode({{ table.concat(queues), hour, day, least }})
"""


@dataclass(frozen=True, slots=True)
class Spent:
    """What a batch's reviews were given, and how the budget stands after it."""

    queues: tuple[Queue, ...]
    """In the order of the reviews."""
    hour: int
    """Cases given to people in this hour, and in this UTC day, by all workers."""
    day: int
    cut_off: float
    """Priority from which a new case is worked at present; 1 where none is."""
    budget: Budget
    asked_at: int
    """UTC milliseconds."""


async def spend(store: Store, budget: Budget, reviews: Sequence[Review], now: int) -> Spent:
    """Ask the budget for the reviews of a batch, in one call; `now` is UTC milliseconds.

    Raises:
        StoreUnavailable: Redis does not answer.
    """
    order = sorted(
        range(len(reviews)), key=lambda n: (-reviews[n].priority, reviews[n].takedown_id)
    )
    query = {
        "hour": now // HOUR_MS,
        "day": now // DAY_MS,
        "hours_left_of_hour": 1 - now % HOUR_MS / HOUR_MS,
        "hours_left_of_day": (DAY_MS - now % DAY_MS) / HOUR_MS,
        "per_hour": budget.per_hour,
        "per_day": budget.per_day,
        "cases": [(reviews[n].group_id, bin_of(reviews[n].priority)) for n in order],
    }

    async def exchange(client: Any) -> Any:
        return await client.eval(_SCRIPT, 0, store.prefix, msgspec.json.encode(query))

    given, hour, day, least = msgspec.json.decode(await store.call(exchange))
    queues: list[Queue] = ["WORK"] * len(reviews)
    for place, letter in zip(order, given, strict=True):
        queues[place] = "WORK" if letter == "W" else "OVERFLOW"
    return Spent(tuple(queues), hour, day, least / BINS, budget, now)


def bin_of(priority: float) -> int:
    """Return the bin of a priority."""
    return min(BINS - 1, int(priority * BINS))
