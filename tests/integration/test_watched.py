"""Who is watched: what the views keep of it, and the copy that a worker holds."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from redis import Redis as Client

from agents.history.links import LINKS, MAX_SHARED
from agents.history.removals import REMOVALS
from agents.history.watched import PAGE, Watched, WatchKeeper
from agents.records import DAY_MS, Seller, Takedown
from deploy.services import Redis
from streams.codec import Decoder, Encoder
from streams.schema_registry import SchemaRegistry
from streams.settings import Settings
from streams.store import Store
from streams.views import View, ready_key
from tests.harness import now_ms
from tests.integration.history import removal

TITLE = "zorvex atlas 40mm moon phase silver dial"


@dataclass(frozen=True)
class Record:
    offset: int
    value: bytes
    key: bytes | None = None


class History:
    """The two views that keep who is watched, fed by hand, and what they hold."""

    def __init__(self, url: str, prefix: str) -> None:
        self.settings = Settings(
            redis_url=url,  # type: ignore[arg-type]
            topic_prefix=prefix,
            schema_registry_url=f"mock://{prefix}",
            redis_timeout_ms=2_000,
        )
        self.store = Store(self.settings)
        registry = SchemaRegistry.connect(self.settings)
        self._encoders = {
            fold.view: Encoder(registry, fold.view, fold.schema) for fold in (REMOVALS, LINKS)
        }
        self._views = {
            fold.view: View(fold, self.settings, self.store, Decoder(registry, fold.schema))
            for fold in (REMOVALS, LINKS)
        }
        self._offsets = dict.fromkeys(self._views, 0)
        self.client: Any = Client.from_url(url)

    async def put(self, *records: Takedown | Seller) -> None:
        for record in records:
            view = "removals" if isinstance(record, Takedown) else "links"
            await self._apply(view, [record])

    async def put_many(self, records: Sequence[Takedown]) -> None:
        for start in range(0, len(records), 1000):
            await self._apply("removals", records[start : start + 1000])

    async def _apply(self, view: str, records: Sequence[Takedown | Seller]) -> None:
        applied = []
        for record in records:
            values = msgspec.to_builtins(record, builtin_types=(bytes,))
            values.pop("upheld", None), values.pop("cleared", None)
            applied.append(Record(self._offsets[view], self._encoders[view].encode(values)))
            self._offsets[view] += 1
        assert await self._views[view].apply(0, applied) == []

    @property
    def watched(self) -> set[str]:
        prefix = self.store.prefix
        last, changes = (
            self.client.zrange(f"{prefix}watched:{key}", 0, -1) for key in ("last", "changes")
        )
        assert sorted(last) == sorted(changes)
        return {seller.decode() for seller in last}

    def ready(self) -> None:
        for view in self._views:
            self.client.set(ready_key(self.store, view), "1")

    def lose(self) -> None:
        for key in self.client.scan_iter(match=f"{self.store.prefix}*"):
            self.client.delete(key)
        for view in self._views:
            self._offsets[view] = 0

    async def close(self) -> None:
        await self.store.close()
        self.client.close()


@pytest.fixture
def own_redis() -> Iterator[Redis]:
    with Redis() as service:
        yield service


def run(url: str, prefix: str, work: Callable[[History], Awaitable[None]]) -> None:
    async def whole() -> None:
        history = History(url, prefix)
        try:
            await work(history)
        finally:
            await history.close()

    asyncio.run(whole())


def tied(*sellers: str, kind: str = "bank", value: str = "b-1") -> list[Seller]:
    return [Seller(seller, identifiers={kind: (value,)}) for seller in sellers]


def reinstated(of: Takedown) -> Takedown:
    return msgspec.structs.replace(of, action="REINSTATED", decided_at=now_ms())


def holds(copy: Watched, *sellers: str) -> list[bool]:
    found = copy.among([seller.encode() for seller in sellers])
    return [place in found for place in range(len(sellers))]


def test_a_removal_and_a_link_make_watched_whichever_comes_first(
    redis_server: Redis, topic_prefix: str
) -> None:
    async def work(history: History) -> None:
        await history.put(*tied("s-1", "s-2"), removal("l-1", "s-1", TITLE, now_ms()))
        assert history.watched == {"s-1", "s-2"}
        await history.put(*tied("s-3", "s-4", value="b-2"))
        assert history.watched == {"s-1", "s-2"}
        await history.put(*tied("s-3", value="b-1"), *tied("s-é", value="b-1"))
        assert history.watched == {"s-1", "s-2", "s-3", "s-é"}
        await history.put(*tied("s-3", value="b-9"))
        assert history.watched == {"s-1", "s-2", "s-é"}

    run(redis_server.url, topic_prefix, work)


def test_what_is_put_up_again_takes_the_seller_out_unless_another_removal_remains(
    redis_server: Redis, topic_prefix: str
) -> None:
    now = now_ms()
    first, second = (removal(f"l-{n}", "s-1", TITLE, now - n * DAY_MS) for n in (1, 2))

    async def work(history: History) -> None:
        await history.put(*tied("s-1", "s-2"), first, second, reinstated(first), first)
        assert history.watched == {"s-1", "s-2"}
        assert history.client.zscore(f"{history.store.prefix}watched:last", "s-1") == (
            second.decided_at
        )
        await history.put(reinstated(second))
        assert history.watched == set()
        third = removal("l-3", "s-1", TITLE, now)
        await history.put(reinstated(third), third)  # its events out of order
        assert history.watched == set()

    run(redis_server.url, topic_prefix, work)


def test_after_180_days_nobody_is_watched(redis_server: Redis, topic_prefix: str) -> None:
    now = now_ms()

    async def work(history: History) -> None:
        await history.put(
            *tied("s-old", "s-tied"), removal("l-1", "s-old", TITLE, now - 181 * DAY_MS)
        )
        assert history.watched == set()
        await history.put(removal("l-2", "s-new", TITLE, now - 179 * DAY_MS))
        assert history.watched == {"s-new"}

    run(redis_server.url, topic_prefix, work)


def test_what_too_many_share_links_nobody_until_one_of_them_leaves(
    redis_server: Redis, topic_prefix: str
) -> None:
    crowd = [f"s-{n}" for n in range(MAX_SHARED + 1)]

    async def work(history: History) -> None:
        await history.put(*tied(*crowd))
        await history.put(removal("l-1", crowd[0], TITLE, now_ms()))
        assert history.watched == {crowd[0]}
        await history.put(*tied(crowd[-1], value="b-other"))
        assert history.watched == set(crowd[:-1])

    run(redis_server.url, topic_prefix, work)


def test_a_copy_is_read_whole_in_pages_and_then_what_has_changed(
    redis_server: Redis, topic_prefix: str
) -> None:
    now = now_ms()
    many = [removal(f"l-{n}", f"s-{n}", TITLE, now) for n in range(2 * PAGE + 7)]

    class Counting(Store):
        calls = 0

        async def call(self, *args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            return await super().call(*args, **kwargs)

    async def work(history: History) -> None:
        await history.put_many(many)
        history.ready()
        store = Counting(history.settings)
        keeper = WatchKeeper(store)
        await keeper.renew()
        assert keeper.complete, "no call took too long"
        assert len(keeper.current) == len(many)
        assert store.calls == 4  # three pages, and one that ends them
        await history.put(*tied("s-3", "s-new"))
        await keeper.renew()
        assert holds(keeper.current, "s-new", "s-3", "s-nobody") == [True, True, False]
        assert store.calls == 6
        await keeper.renew()
        assert store.calls == 7
        await store.close()

    run(redis_server.url, topic_prefix, work)


def test_nobody_drops_out_of_a_copy_while_a_view_is_made_anew(
    redis_server: Redis, topic_prefix: str
) -> None:
    async def work(history: History) -> None:
        await history.put(removal("l-1", "s-1", TITLE, now_ms()))
        history.ready()
        keeper = WatchKeeper(history.store)
        await keeper.renew()
        history.lose()
        complete = []
        for _ in range(2):  # it sees that the set was lost, and reads all of nothing
            await keeper.renew()
            complete.append(keeper.complete)
        await history.put(removal("l-2", "s-2", TITLE, now_ms()))
        await keeper.renew()
        assert holds(keeper.current, "s-1", "s-2") == [True, True]
        history.ready()
        await keeper.renew()
        complete.append(keeper.complete)
        assert complete == [False, False, True]
        assert holds(keeper.current, "s-1", "s-2") == [False, True]

    run(redis_server.url, topic_prefix, work)


def test_while_redis_hangs_the_last_copy_serves_and_what_was_missed_is_read(
    own_redis: Redis, topic_prefix: str
) -> None:
    async def work(history: History) -> None:
        await history.put(removal("l-1", "s-1", TITLE, now_ms()))
        history.ready()
        keeper = WatchKeeper(history.store)
        await keeper.renew()
        pid = int(history.client.info("server")["process_id"])
        os.kill(pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            await keeper.renew()
            assert time.monotonic() - began < 5
            assert holds(keeper.current, "s-1") == [True]
        finally:
            os.kill(pid, signal.SIGCONT)
        await asyncio.sleep(0.6)
        await history.put(removal("l-2", "s-2", TITLE, now_ms()))
        await keeper.renew()
        assert holds(keeper.current, "s-1", "s-2") == [True, True]

    run(own_redis.url, topic_prefix, work)
