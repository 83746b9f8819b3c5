"""Counts takedowns against their quotas: shared by all workers in Redis, or in one's own memory.

    quota:<key>      what went through of a quota in its minute and hour, its baseline, its numbers
    answered:<id>    the answer for a takedown, for an hour

Both give the same answers to the same takedowns, which a test holds together. An id that comes
again gets the answer it got before, and counts once. After an hour that follows from what is in
Kafka: the views `held` (agents/breaker/held.py) and `standing` (agents/reputation.py) know what was
held, released, and taken down.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, cast

from agents.breaker.quotas import (
    HALF_LIFE_HOURS,
    HOUR_S,
    Exceeded,
    Moment,
    Quota,
    Usage,
    Window,
    limits,
)
from agents.records import DAY_S
from streams.store import Store

AT_ONCE: Final = 500
"""Takedowns of one script: other clients of Redis wait 7 ms for so many."""
ANSWER_SECONDS: Final = HOUR_S
QUOTA_SECONDS: Final = 30 * DAY_S
"""After so long without a takedown nothing is left of a baseline."""
READ_SECONDS: Final = 10.0
MOST_ANSWERS: Final = 100_000
"""Answers that a worker remembers by itself; of older ones a repeated takedown counts again."""

Queued: TypeAlias = Literal["queued"]
Answer: TypeAlias = Exceeded | Queued | None
"""None: it goes through. Exceeded: it is held. 'queued': it is, and stands in the queue already."""
_QUEUED: Final[Queued] = "queued"


@dataclass(frozen=True, slots=True)
class Counted:
    """A takedown's id, and the quotas it counts for."""

    id: str
    quotas: tuple[tuple[str, Quota], ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """A takedown that was counted in a worker's own memory, and when."""

    counted: Counted
    answer: Exceeded | None
    moment: Moment


class OwnCounts:
    """Counts in memory, while Redis is away.

    `shared` is what Redis last said, which it is told again where it has lost it; `usages` goes on
    from there; `answers` is what Redis does not know yet. What Redis let through is `passed`: it
    goes through again, whether Redis is away then, or back with nothing in it.
    """

    def __init__(self) -> None:
        self.shared: dict[str, Usage] = {}
        self.usages: dict[str, Usage] = {}
        self.answers: OrderedDict[str, Answered] = OrderedDict()
        self.passed: OrderedDict[str, Moment] = OrderedDict()

    def note(self, id_: str, answer: Answer, moment: Moment) -> None:
        """Take up an answer of Redis."""
        if answer is None:
            self.passed[id_] = moment
            if len(self.passed) > MOST_ANSWERS:
                self.passed.popitem(last=False)

    def has_passed(self, id_: str, moment: Moment) -> bool:
        """Return whether Redis let a takedown through in the last hour or two."""
        then = self.passed.get(id_)
        return then is not None and moment.hour - then.hour <= 1

    def answer(self, takedowns: Sequence[Counted], moment: Moment) -> list[Answer]:
        """Return the answer for each takedown, in order."""
        return [self._answer(takedown, moment) for takedown in takedowns]

    def _answer(self, takedown: Counted, moment: Moment) -> Exceeded | None:
        if self.has_passed(takedown.id, moment):
            return None
        before = self.answers.get(takedown.id)
        if before is not None:
            return before.answer
        usages = []
        exceeded = None
        for key, quota in takedown.quotas:
            usage = self.usages.setdefault(key, Usage(moment))
            usage.roll(moment)
            usages.append(usage)
            exceeded = exceeded or usage.exceeded(key, quota)
        if exceeded is None:
            for usage in usages:
                usage.count()
        self.answers[takedown.id] = Answered(takedown, exceeded, moment)
        if len(self.answers) > MOST_ANSWERS:
            self.answers.popitem(last=False)
        return exceeded


# The same as `OwnCounts`, with what all workers share. Of a quota of which nothing is stored, the
# worker says what was stored when it last asked. `a.earlier` are answers that a worker gave while
# Redis was away: they stand, and count where their minute or hour is still the present one.
_SCRIPT: Final = f"""
local P, a = ARGV[1], cjson.decode(ARGV[2])
local k = 2 ^ (-1 / {HALF_LIFE_HOURS})
local usages = {{}}
for i, q in ipairs(a.quotas) do
  local s = redis.call('HMGET', P .. 'quota:' .. q[1],
    'minute', 'in_minute', 'hour', 'in_hour', 'baseline')
  if not s[1] and q[5] then s = q[5] end
  local function stored(n, default) return tonumber(s[n] or '') or default end
  local u = {{
    minute = stored(1, a.minute), in_minute = stored(2, 0),
    hour = stored(3, a.hour), in_hour = stored(4, 0), baseline = stored(5, 0),
  }}
  local hours, minutes = a.hour - u.hour, a.minute - u.minute
  if hours > 0 then
    u.baseline = (u.baseline * k + u.in_hour * (1 - k)) * k ^ (hours - 1)
  end
  if hours > 0 or hours < -1 then u.in_hour = 0 end
  if minutes > 0 or minutes < -1 then u.in_minute = 0 end
  if hours ~= -1 then u.hour = a.hour end
  if minutes ~= -1 then u.minute = a.minute end
  u.minute_limit = math.max(q[2], math.floor(q[4] * u.baseline / 60))
  u.hour_limit = math.max(q[3], math.floor(q[4] * u.baseline))
  usages[i] = u
end
local function remember(id, answer)
  redis.call('SET', P .. 'answered:' .. id, answer, 'EX', {ANSWER_SECONDS})
end
for _, e in ipairs(a.earlier) do
  if e[2] == 'through' and redis.call('GET', P .. 'answered:' .. e[1]) ~= 'through' then
    for _, i in ipairs(e[5]) do
      local u = usages[i]
      if e[3] == u.minute then u.in_minute = u.in_minute + 1 end
      if e[4] == u.hour then u.in_hour = u.in_hour + 1 end
    end
  end
  remember(e[1], e[2])
end
local answers = {{}}
for n, t in ipairs(a.takedowns) do
  local id = t[1]
  local known = redis.call('MGET', P .. 'held:' .. id, P .. 'case:' .. id, P .. 'answered:' .. id)
  local answer = known[3]
  if known[2] or known[1] == 'released' then
    answer = 'through'
  elseif known[1] then
    answer = 'queued'
  elseif not answer then
    answer = 'through'
    for _, i in ipairs(t[2]) do
      local u, window, limit = usages[i], nil, nil
      if u.in_minute >= u.minute_limit then
        window, limit = 'minute', u.minute_limit
      elseif u.in_hour >= u.hour_limit then
        window, limit = 'hour', u.hour_limit
      end
      if window then
        answer = string.format('%s %.0f %.17g ', window, limit, u.baseline) .. a.quotas[i][1]
        break
      end
    end
    if answer == 'through' then
      for _, i in ipairs(t[2]) do
        local u = usages[i]
        u.in_minute, u.in_hour = u.in_minute + 1, u.in_hour + 1
      end
    end
    remember(id, answer)
  end
  answers[n] = answer
end
local states = {{}}
for i, u in ipairs(usages) do
  local key, baseline = P .. 'quota:' .. a.quotas[i][1], string.format('%.17g', u.baseline)
  redis.call('HSET', key, 'minute', u.minute, 'in_minute', u.in_minute, 'hour', u.hour,
    'in_hour', u.in_hour, 'baseline', baseline, 'per_minute', a.quotas[i][2],
    'per_hour', a.quotas[i][3], 'factor', a.quotas[i][4])
  redis.call('EXPIRE', key, {QUOTA_SECONDS})
  states[i] = {{u.minute, u.hour, u.in_minute, u.in_hour, baseline}}
end
return {{answers, states}}
"""


async def answer_shared(
    store: Store, own: OwnCounts, takedowns: Sequence[Counted], moment: Moment
) -> list[Answer]:
    """Return the answer for each takedown, in order, by the counts that all workers share.

    One script for up to `AT_ONCE`. What `own` has answered meanwhile is told to Redis along with
    it; then `own` goes on from what Redis says.

    Raises:
        StoreUnavailable: it is not known what was counted.
    """
    passed = [own.has_passed(each.id, moment) for each in takedowns]
    asked = [each for each, known in zip(takedowns, passed, strict=True) if not known]
    answers = await _asked(store, own, asked, moment)
    for each, answer in zip(asked, answers, strict=True):
        own.note(each.id, answer, moment)
    new = iter(answers)
    return [None if known else next(new) for known in passed]


async def _asked(
    store: Store, own: OwnCounts, takedowns: Sequence[Counted], moment: Moment
) -> list[Answer]:
    answers: list[Answer] = []
    waiting = list(own.answers.values())
    while waiting or len(answers) < len(takedowns):
        earlier, waiting = waiting[:AT_ONCE], waiting[AT_ONCE:]
        asked = takedowns[len(answers) : len(answers) + AT_ONCE - len(earlier)]
        keys = _quotas([*(each.counted for each in earlier), *asked])
        payload = json.dumps(_payload(earlier, asked, keys, moment, own.shared))
        given, states = await store.call(
            lambda client, payload=payload: client.eval(_SCRIPT, 0, store.prefix, payload)  # type: ignore[misc]
        )
        answers += map(_answer_of, given)
        for each in earlier:
            own.answers.pop(each.counted.id, None)
        for key, state in zip(keys, states, strict=True):
            own.shared[key], own.usages[key] = _usage_of(state), _usage_of(state)
    return answers


@dataclass(frozen=True, slots=True)
class Standing:
    """How a quota stands now."""

    key: str
    quota: Quota
    usage: Usage

    @property
    def limits(self) -> tuple[int, int]:
        """What goes through in a minute and in an hour."""
        return limits(self.quota, self.usage.baseline)


async def read_standings(store: Store, moment: Moment) -> list[Standing]:
    """Return how every quota stands that something went through of lately, by key.

    The quotas are those that workers counted by last.

    Raises:
        StoreUnavailable: Redis does not answer.
    """
    beginning = f"{store.prefix}quota:"

    async def read(client: Any) -> list[tuple[str, dict[bytes, bytes]]]:
        keys = [key async for key in client.scan_iter(match=f"{beginning}*", count=1000)]
        pipe = client.pipeline(transaction=False)
        for key in keys:
            pipe.hgetall(key)
        names = [key.decode().removeprefix(beginning) for key in keys]
        return list(zip(names, await pipe.execute(), strict=True))

    stored = await store.call(read, seconds=READ_SECONDS)
    return [_standing(key, fields, moment) for key, fields in sorted(stored) if fields]


def _standing(key: str, fields: Mapping[bytes, bytes], moment: Moment) -> Standing:
    def number(name: bytes) -> float:
        try:
            return float(fields.get(name, 0))
        except ValueError:
            return 0.0  # as the script reads what is no number

    def whole(name: bytes) -> int:
        return int(number(name))

    usage = Usage(
        Moment(whole(b"minute"), whole(b"hour")),
        whole(b"in_minute"),
        whole(b"in_hour"),
        number(b"baseline"),
    )
    usage.roll(moment)
    quota = Quota(whole(b"per_minute"), whole(b"per_hour"), number(b"factor"))
    return Standing(key, quota, usage)


def _quotas(takedowns: Sequence[Counted]) -> dict[str, tuple[int, Quota]]:
    """Return the quotas concerned by key, each with its number, from 1."""
    quotas = dict(each for takedown in takedowns for each in takedown.quotas)
    return {key: (n, quota) for n, (key, quota) in enumerate(quotas.items(), start=1)}


def _payload(
    earlier: Sequence[Answered],
    takedowns: Sequence[Counted],
    keys: Mapping[str, tuple[int, Quota]],
    moment: Moment,
    shared: Mapping[str, Usage],
) -> dict[str, Any]:
    def numbers(takedown: Counted) -> list[int]:
        return [keys[key][0] for key, _ in takedown.quotas]

    return {
        "minute": moment.minute,
        "hour": moment.hour,
        "quotas": [
            [key, quota.per_minute, quota.per_hour, quota.factor, *_state_of(shared.get(key))]
            for key, (_, quota) in keys.items()
        ],
        "earlier": [
            [
                each.counted.id,
                _written(each.answer),
                each.moment.minute,
                each.moment.hour,
                numbers(each.counted),
            ]
            for each in earlier
        ],
        "takedowns": [[takedown.id, numbers(takedown)] for takedown in takedowns],
    }


def _written(answer: Exceeded | None) -> str:
    if answer is None:
        return "through"
    return f"{answer.window} {answer.limit} {answer.baseline!r} {answer.key}"


def _answer_of(written: bytes) -> Answer:
    """Return an answer from what the script says."""
    text = written.decode()
    if text == "through":
        return None
    if text == _QUEUED:
        return _QUEUED
    window, limit, baseline, key = text.split(" ", 3)
    return Exceeded(key, cast(Window, window), int(limit), float(baseline))


def _state_of(usage: Usage | None) -> list[list[float]]:
    """Return what was stored of a quota, in the order in which the script reads it, if known."""
    if usage is None:
        return []
    at = usage.moment
    return [[at.minute, usage.in_minute, at.hour, usage.in_hour, usage.baseline]]


def _usage_of(state: Sequence[Any]) -> Usage:
    minute, hour, in_minute, in_hour, baseline = state
    return Usage(Moment(minute, hour), in_minute, in_hour, float(baseline))
