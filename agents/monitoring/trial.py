"""What a candidate would have decided on live traffic: counted by all workers, in Redis.

    trial:<version>            hash: 'judged' and '<change>|<rule>' → how many listings
    trial:<version>|<change>|<rule>   list: the newest samples

Counted at least once: a batch that is judged again after a crash counts again. What can't be
written because Redis is away is not counted. Kept for 30 days after the last listing.
"""

from __future__ import annotations

from typing import Any, Final, get_args

import msgspec

from agents.monitoring.comparison import MAX_SAMPLES, Change, Sample, Tally
from agents.records import DAY_S
from streams.store import Store

KEPT_S: Final = 30 * DAY_S


def trial_key(store: Store, candidate: str, enforced: str) -> str:
    """Return the key of a candidate's counts beside the policy of this version."""
    return f"{store.prefix}trial:{candidate}|{enforced.partition('@')[0]}"


async def count(store: Store, candidate: str, enforced: str, tally: Tally) -> None:
    """Add a batch's tally.

    Raises:
        StoreUnavailable: Redis does not answer.
    """
    key = trial_key(store, candidate, enforced)

    async def exchange(client: Any) -> None:
        pipe = client.pipeline(transaction=False)
        pipe.hincrby(key, "judged", tally.judged)
        for (change, rule), number in tally.counts.items():
            pipe.hincrby(key, f"{change}|{rule}", number)
        for (change, rule), samples in tally.samples.items():
            name = f"{key}|{change}|{rule}"
            pipe.lpush(name, *map(msgspec.json.encode, samples))
            pipe.ltrim(name, 0, MAX_SAMPLES - 1)
            pipe.expire(name, KEPT_S)
        pipe.expire(key, KEPT_S)
        await pipe.execute()

    await store.call(exchange)


async def counted(store: Store, candidate: str, enforced: str) -> Tally:
    """Return what was counted of a candidate so far.

    Raises:
        StoreUnavailable: Redis does not answer.
    """
    key = trial_key(store, candidate, enforced)
    tally = Tally()

    async def exchange(client: Any) -> None:
        for name, number in (await client.hgetall(key)).items():
            change, _, rule = name.decode().partition("|")
            if change == "judged":
                tally.judged = int(number)
            elif change in get_args(Change):
                tally.counts[change, rule] = int(number)
        for change, rule in tally.counts:
            raw = await client.lrange(f"{key}|{change}|{rule}", 0, MAX_SAMPLES - 1)
            tally.samples[change, rule] = [msgspec.json.decode(each, type=Sample) for each in raw]

    await store.call(exchange)
    return tally
