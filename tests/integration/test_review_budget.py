"""The budget of reviews on a real Redis: what people get, over all workers and over the hours."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

import pytest

from agents.monitoring.policies import Budget
from agents.records import Review, Statement
from agents.review_budget import HOUR_MS, Spent, spend
from deploy.services import Redis
from streams.settings import Settings
from streams.store import Store, StoreUnavailable

MIDNIGHT = 1_795_824_000_000  # 2026-11-28T00:00:00Z
MINUTE = 60_000
NINE = MIDNIGHT + 9 * HOUR_MS
BUDGET = Budget(per_hour=60, per_day=400)


def review(number: int, priority: float, group: str = "") -> Review:
    return Review(
        takedown_id=f"t-{number:04}", action="REVIEW", listing_id=f"l-{number}", revision=1,
        seller_id="s", policy_version="p", registry_version="1", listing_occurred_at=0,
        received_at=0, decided_at=0, statement=Statement("g", "f", "r"), priority=priority,
        group_id=group or f"g-{number}-{priority}",
    )  # fmt: skip


def reviews(start: int, count: int, priority: float) -> list[Review]:
    return [review(start + n, priority) for n in range(count)]


@pytest.fixture
def run(
    redis_server: Redis, topic_prefix: str
) -> Callable[[Callable[[Store], Awaitable[None]]], None]:
    settings = Settings(
        redis_url=redis_server.url,  # type: ignore[arg-type]
        topic_prefix=topic_prefix,
    )

    def run(work: Callable[[Store], Awaitable[None]]) -> None:
        async def whole() -> None:
            store = Store(settings)
            try:
                await work(store)
            finally:
                await store.close()

        asyncio.run(whole())

    return run


Run = Callable[[Callable[[Store], Awaitable[None]]], None]


async def worked(store: Store, asked: Sequence[Review], now: int, budget: Budget = BUDGET) -> int:
    """Return how many of the reviews, in batches of ten, are to be worked."""
    queues: Counter[str] = Counter()
    for start in range(0, len(asked), 10):
        queues.update((await spend(store, budget, asked[start : start + 10], now)).queues)
    return queues["WORK"]


def test_the_most_pressing_of_a_batch_go_first(run: Run) -> None:
    async def work(store: Store) -> None:
        priorities = [0.1, 0.9, 0.5, 0.8, 0.3]
        asked = [review(n, priority) for n, priority in enumerate(priorities)]
        spent = await spend(store, Budget(3, 10), asked, NINE)
        assert spent.queues == ("OVERFLOW", "WORK", "WORK", "WORK", "OVERFLOW")
        assert (spent.hour, spent.day, spent.cut_off) == (3, 3, 1.0)

    run(work)


def test_a_case_counts_once_however_many_listings_it_has_and_however_often_they_come(
    run: Run,
) -> None:
    async def work(store: Store) -> None:
        budget = Budget(2, 2)
        case = [review(n, 0.4, "g-1") for n in range(50)]
        spent = await spend(store, budget, case, NINE)
        assert set(spent.queues) == {"WORK"}
        assert spent.hour == 1
        assert (await spend(store, budget, [review(60, 0.4)], NINE)).hour == 2
        later = NINE + 7 * MINUTE
        assert (await spend(store, budget, [review(61, 0.99)], later)).queues == ("OVERFLOW",)
        # Of a case that is worked everything is, the day after its budget was spent as well.
        for now in (later, later + HOUR_MS, later + 20 * HOUR_MS):
            again = await spend(store, budget, [*case[:3], review(99, 0.1, "g-1")], now)
            assert set(again.queues) == {"WORK"}
        assert (await spend(store, budget, case[:1], later)).hour == 2

    run(work)


def test_all_workers_spend_from_one_budget(run: Run) -> None:
    async def work(store: Store) -> None:
        async def worker(number: int) -> int:
            found = 0
            for batch in range(10):
                asked = reviews(number * 1000 + batch * 10, 3, random.Random(number).random())
                found += (await spend(store, BUDGET, asked, NINE)).queues.count("WORK")
            return found

        assert sum(await asyncio.gather(*map(worker, range(8)))) == BUDGET.per_hour

    run(work)


async def _learn(store: Store, hours: int, high: int, low: int) -> None:
    """Let some hours pass in which so many cases came, the pressing ones late."""
    for hour in range(hours):
        at = NINE - (hours - hour) * HOUR_MS
        start = hour * 1000
        await worked(store, reviews(start, low, 0.3), at + MINUTE, Budget(1000, 100_000))
        await worked(
            store, reviews(start + 500, high, 0.9), at + 40 * MINUTE, Budget(1000, 100_000)
        )


def test_a_flood_of_little_weight_early_in_the_hour_leaves_room_for_what_comes_late(
    run: Run,
) -> None:
    async def work(store: Store) -> None:
        budget = Budget(60, 100_000)
        await _learn(store, 24, high=30, low=10)
        flood = await worked(store, reviews(50_000, 300, 0.3), NINE + MINUTE, budget)
        assert 29 <= flood <= 32
        spent = await spend(store, budget, [review(60_000, 0.3)], NINE + 2 * MINUTE)
        assert spent.queues == ("OVERFLOW",)
        assert spent.cut_off == pytest.approx(0.9)
        assert await worked(store, reviews(70_000, 28, 0.9), NINE + 45 * MINUTE, budget) == 28

    run(work)


def test_what_is_left_at_the_end_of_the_hour_goes_to_whoever_comes(run: Run) -> None:
    async def work(store: Store) -> None:
        budget = Budget(60, 100_000)
        await _learn(store, 24, high=30, low=10)
        assert await worked(store, reviews(50_000, 300, 0.3), NINE + MINUTE, budget) <= 32
        late = await worked(store, reviews(50_000, 300, 0.3), NINE + 59 * MINUTE, budget)
        assert late >= 58  # those of before, and the rest of the budget

    run(work)


def test_nothing_is_reserved_where_nothing_was_learnt_or_it_is_too_long_ago(run: Run) -> None:
    async def work(store: Store) -> None:
        assert await worked(store, reviews(0, 100, 0.3), NINE + MINUTE) == BUDGET.per_hour
        two_days = NINE + 48 * HOUR_MS
        assert await worked(store, reviews(5_000, 100, 0.3), two_days + MINUTE) == BUDGET.per_hour

    run(work)


def test_pressing_ones_are_worked_as_long_as_the_budget_lasts(run: Run) -> None:
    async def work(store: Store) -> None:
        await _learn(store, 24, high=100, low=100)
        budget = Budget(60, 100_000)
        assert await worked(store, reviews(50_000, 80, 0.97), NINE + MINUTE, budget) == 60

    run(work)


def test_the_day_has_a_budget_too(run: Run) -> None:
    async def work(store: Store) -> None:
        budget = Budget(60, 100)
        found = [
            await worked(store, reviews(hour * 1000, 80, 0.5), MIDNIGHT + hour * HOUR_MS, budget)
            for hour in (0, 1, 2, 24)
        ]
        # The second day has learnt from the first: what is as pressing keeps nothing back.
        assert found == [60, 40, 0, 60]
        last: Spent = await spend(store, budget, [review(9_999, 0.5)], MIDNIGHT + 24 * HOUR_MS)
        assert (last.hour, last.day) == (60, 60)

    run(work)


def test_without_redis_it_says_so() -> None:
    async def work() -> None:
        store = Store(Settings(redis_url="redis://127.0.0.1:9/0", redis_timeout_ms=200))  # type: ignore[arg-type]
        try:
            with pytest.raises(StoreUnavailable):
                await spend(store, BUDGET, [review(1, 0.5)], NINE)
        finally:
            await store.close()

    asyncio.run(work())
