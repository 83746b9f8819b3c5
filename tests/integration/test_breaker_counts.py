"""The counts that workers share, on a real Redis."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import pytest

from agents.breaker.counting import (
    AT_ONCE,
    QUOTA_SECONDS,
    Answer,
    Counted,
    OwnCounts,
    answer_shared,
    read_standings,
)
from agents.breaker.held import count_open
from agents.breaker.quotas import Exceeded, Moment, Quota
from deploy.services import Redis
from streams.settings import Settings
from streams.store import Store, StoreUnavailable

T = TypeVar("T")

HOUR = 500_000
FREE = Quota(10**9, 10**9, 0.0)


@pytest.fixture
def alone(redis_server: Redis, topic_prefix: str) -> Settings:
    """Settings that lead to Redis, and to nothing else."""
    return Settings(
        redis_url=redis_server.url,  # type: ignore[arg-type]
        topic_prefix=topic_prefix,
        kafka_bootstrap="127.0.0.1:1",
        redis_timeout_ms=5000,
    )


def run(settings: Settings, work: Callable[[Store], Awaitable[T]]) -> T:
    """Return what `work` on a store gives."""

    async def within() -> T:
        store = Store(settings)
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(within())


def at(minute: int, hour: int = HOUR) -> Moment:
    return Moment(hour * 60 + minute, hour)


def flood(first: int, count: int, quota: Quota) -> list[Counted]:
    return [Counted(f"t-{n}", (("rule:r", quota), ("all", FREE))) for n in range(first, count)]


def test_the_shared_counts_answer_as_those_of_one_worker(alone: Settings) -> None:
    """Random takedowns over three days, quotas with and without a factor, repeats among them."""
    chance = random.Random(7)
    quotas = {
        f"{scope}:{n}": Quota(chance.randrange(4), chance.randrange(12), chance.choice([0.0, 2.5]))
        for scope in ("rule", "brand")
        for n in range(3)
    }
    single, own = OwnCounts(), OwnCounts()
    moment = 0

    async def compare(store: Store) -> None:
        nonlocal moment
        number = 0
        for _ in range(300):
            moment += chance.choice([0, 0, 1, 1, 2, 59, 60, 61, 200])
            now = Moment(HOUR * 60 + moment, HOUR + moment // 60)
            batch = []
            for _ in range(chance.randrange(1, 9)):
                number += 1
                keys = [f"rule:{chance.randrange(3)}", f"brand:{chance.randrange(3)}"]
                again = chance.random() < 0.2
                batch.append(
                    Counted(
                        f"t-{chance.randrange(number) if again else number}",
                        tuple((key, quotas[key]) for key in keys),
                    )
                )
            assert await answer_shared(store, own, batch, now) == single.answer(batch, now)
        for standing in await read_standings(store, now):
            single.usages[standing.key].roll(now)
            assert standing.usage == single.usages[standing.key], standing.key
            assert standing.quota == quotas[standing.key]

    run(alone, compare)
    assert any(answered.answer for answered in single.answers.values())
    assert any(usage.baseline for usage in single.usages.values())


def test_workers_that_ask_at_once_let_exactly_the_quota_through(alone: Settings) -> None:
    quota = Quota(100, 1000, 0.0)

    async def ask(first: int) -> list[Answer]:
        store, answers = Store(alone), list[Answer]()
        takedowns = flood(first, first + 200, quota)
        for start in range(0, 200, 20):
            own = OwnCounts()
            answers += await answer_shared(store, own, takedowns[start : start + 20], at(0))
        await store.close()
        return answers

    async def all_at_once() -> list[list[Answer]]:
        return await asyncio.gather(*(ask(n * 200) for n in range(4)))

    answers = [answer for each in asyncio.run(all_at_once()) for answer in each]
    assert answers.count(None) == 100
    assert answers.count(Exceeded("rule:r", "minute", 100, 0.0)) == 700


def test_more_than_one_script_takes_are_answered_in_order(alone: Settings) -> None:
    quota = Quota(AT_ONCE + 10, 10**6, 0.0)

    async def ask(store: Store) -> list[Answer]:
        return await answer_shared(store, OwnCounts(), flood(0, 2 * AT_ONCE + 50, quota), at(0))

    answers = run(alone, ask)
    assert [answer is None for answer in answers] == [
        n < AT_ONCE + 10 for n in range(2 * AT_ONCE + 50)
    ]


def test_what_was_counted_without_redis_stands_when_it_is_back(alone: Settings) -> None:
    """It counts where the minute goes on, and its answers hold for every worker."""
    quota = Quota(6, 20, 0.0)
    one, other = OwnCounts(), OwnCounts()

    async def work(store: Store) -> tuple[Sequence[Answer], ...]:
        before = await answer_shared(store, one, flood(0, 4, quota), at(0))
        away = one.answer(flood(4, 10, quota), at(0))  # from the four that went through
        assert list(one.answers) == [f"t-{n}" for n in range(4, 10)]
        back = await answer_shared(store, one, flood(10, 12, quota), at(0))
        assert not one.answers
        again = await answer_shared(store, other, flood(0, 12, quota), at(0))
        later = await answer_shared(store, other, flood(12, 30, quota), at(1))
        return before, away, back, again, later

    before, away, back, again, later = run(alone, work)
    full = Exceeded("rule:r", "minute", 6, 0.0)
    assert before == [None] * 4
    assert away == [None, None, *[full] * 4]
    assert back == [full] * 2
    assert again == [*before, *away, *back]
    assert later == [*[None] * 6, *[full] * 12]


def test_a_redis_that_lost_all_is_told_what_was_counted_and_usual(alone: Settings) -> None:
    quota = Quota(6, 20, 2.0)
    own = OwnCounts()

    async def work(store: Store) -> list[Answer]:
        usage = {"minute": HOUR * 60, "hour": HOUR, "in_minute": 3, "in_hour": 3, "baseline": 5.5}
        await store.call(lambda client: client.hset(f"{store.prefix}quota:rule:r", mapping=usage))  # type: ignore[arg-type]
        await answer_shared(store, own, flood(0, 2, quota), at(0))
        own.answer(flood(2, 3, quota), at(0))

        async def lose(client: Any) -> None:
            async for key in client.scan_iter(match=f"{store.prefix}*"):
                await client.delete(key)

        await store.call(lose)
        answers = await answer_shared(store, own, flood(3, 6, quota), at(0))
        (standing,) = [s for s in await read_standings(store, at(0)) if s.key == "rule:r"]
        assert (standing.usage.in_hour, standing.usage.baseline) == (6, 5.5)
        return answers

    assert run(alone, work) == [Exceeded("rule:r", "minute", 6, 5.5)] * 3


def test_what_went_through_goes_through_again_whatever_redis_has_lost(alone: Settings) -> None:
    """Also before the views are rebuilt from Kafka, and while Redis does not answer."""
    quota = Quota(4, 20, 0.0)
    own = OwnCounts()

    async def work(store: Store) -> tuple[Sequence[Answer], ...]:
        before = await answer_shared(store, own, flood(0, 6, quota), at(0))
        away = own.answer(flood(0, 4, quota), at(0))

        async def lose(client: Any) -> None:
            async for key in client.scan_iter(match=f"{store.prefix}*"):
                await client.delete(key)

        await store.call(lose)
        again = await answer_shared(store, own, flood(0, 7, quota), at(0))
        hours_later = await answer_shared(store, OwnCounts(), flood(0, 1, quota), at(0, HOUR + 3))
        assert not own.has_passed("t-0", at(0, HOUR + 2))
        return before, away, again, hours_later

    before, away, again, hours_later = run(alone, work)
    full = Exceeded("rule:r", "minute", 4, 0.0)
    assert before == [*[None] * 4, full, full]
    assert away == [None] * 4
    assert again == [*[None] * 4, full, full, full]
    assert hours_later == [None]


@pytest.mark.parametrize(
    ("stored", "wanted"),
    [
        ({"held:t-0": "held"}, "queued"),
        ({"held:t-0": "discarded"}, "queued"),
        ({"held:t-0": "released"}, None),
        ({"case:t-0": "1.5"}, None),
        ({"held:t-0": "held", "case:t-0": "1.5"}, None),
        ({"answered:t-0": "minute 3 1.5 rule:r s"}, Exceeded("rule:r s", "minute", 3, 1.5)),
        ({"answered:t-0": "through"}, None),
        ({}, Exceeded("rule:r", "minute", 0, 0.0)),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_takedown_that_comes_again_gets_what_is_known_of_it(
    alone: Settings, stored: dict[str, str], wanted: Answer
) -> None:
    """Without a quota left: from the views, which follow from Kafka, before what Redis noted."""

    async def ask(store: Store) -> list[Answer]:
        async def put(client: Any) -> None:
            for key, value in stored.items():
                await client.set(store.prefix + key, value)

        await store.call(put)
        return await answer_shared(store, OwnCounts(), flood(0, 1, Quota(0, 0, 0.0)), at(0))

    assert run(alone, ask) == [wanted]


def test_what_stands_there_ends_by_itself(alone: Settings) -> None:
    async def work(store: Store) -> list[int]:
        await answer_shared(store, OwnCounts(), flood(0, 3, Quota(2, 2, 1.0)), at(0))

        async def ends(client: Any) -> list[int]:
            keys = [key async for key in client.scan_iter(match=f"{store.prefix}*")]
            assert len(keys) == 5
            return [await client.ttl(key) for key in keys]

        return await store.call(ends)

    assert all(0 < seconds <= QUOTA_SECONDS for seconds in run(alone, work))


def test_the_number_of_held_ones_is_unknown_while_the_view_is_not_complete(
    alone: Settings,
) -> None:
    async def work(store: Store) -> int:
        with pytest.raises(StoreUnavailable, match="not complete"):
            await count_open(store)
        await store.call(lambda client: client.set(f"{store.prefix}view:held:ready", "1"))
        return await count_open(store)

    assert run(alone, work) == 0
