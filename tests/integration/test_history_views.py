"""The views of history: replayed, rebuilt, read in one round trip, and away."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.history.recall import FOLDS, Ask
from agents.history.removals import REMOVALS
from agents.monitoring.judge import Examination, Judge
from agents.monitoring.policies import default_policy
from agents.monitoring.registry import compile_registry
from agents.monitoring.remembering import ask_of, needs_of, read
from agents.records import DAY_MS, Seller
from deploy.services import Kafka, Redis, SchemaRegistryServer
from streams import topics
from streams.codec import Decoder, Encoder
from streams.log_reader import LogReader
from streams.schema_registry import SchemaRegistry
from streams.settings import Settings
from streams.store import Store
from streams.views import View
from tests.harness import RIGHT, Bus, WorkerProcess, listing, now_ms, run_command, wait_for
from tests.integration.history import (
    publish_takedowns,
    removal,
    reviewed,
    state_of,
)
from tests.records import Record


def test_replays_change_nothing_and_a_rebuilt_view_is_the_same(
    bus: Bus, worker: WorkerProcess
) -> None:
    """Removals, a reinstatement, links that changed, updates, and a seller's pace."""
    bus.publish(
        sellers=[
            Seller("s-1", identifiers={"bank": ("b-1",), "phone": ("p-1",)}),
            Seller("s-2", identifiers={"bank": ("b-1",)}),
            Seller("s-1", identifiers={"bank": ("b-2",)}),
        ]
    )
    bus.publish(
        listing(
            f"l-{n % 9}", f"Zorvex watch {'replica' * (n % 3 == 0)} no. {n}", revision=n // 9 + 1
        )
        for n in range(36)
    )
    wait_for(lambda: len(bus.takedowns()) >= 12, 20, "the takedowns")
    removals = [
        removal(f"other-{n}", "s-2", f"zorvex atlas moon phase {n}", now_ms() - n * 50 * DAY_MS)
        for n in range(5)
    ]
    again = msgspec.structs.replace(removals[0], action="REINSTATED", decided_at=now_ms())
    publish_takedowns(bus, [*removals, again])
    worker.settle()
    state = state_of(bus.settings)
    kinds = {key.partition(":")[0] for key in state}
    assert kinds == {
        "removal", "removed", "removals-of", "watched", "links-of", "link", "seen", "branded"
    }  # fmt: skip

    async def replay() -> None:
        store = Store(bus.settings)
        for fold in FOLDS:
            view = View(fold, bus.settings, store, Decoder(bus.registry, fold.schema))
            for partition in range(bus.settings.topic_partitions):
                reader = LogReader(bus.settings, view.topic, partition)
                for records in reader.read_to_end():
                    assert not await view.apply(partition, records)
                reader.close()
        await store.close()

    asyncio.run(replay())
    assert state_of(bus.settings) == state
    done = run_command(bus.settings, "views", "rebuild", "removals", "links", "sightings")
    assert done.returncode == 0, done.stderr
    assert state_of(bus.settings) == state


def test_a_batch_takes_one_round_trip_and_a_second_where_there_is_something_to_compare(
    bus: Bus, worker: WorkerProcess
) -> None:
    """However many listings are asked about."""

    class Counting(Store):
        calls = 0

        async def call(self, *args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            return await super().call(*args, **kwargs)

    title = "Zorvex Atlas 40mm moon phase, silver dial"
    publish_takedowns(bus, [removal("trip", "trip-seller", title, now_ms())])
    worker.settle()
    judge = Judge(compile_registry([RIGHT], "1"), default_policy())

    def asks(seller_id: str) -> dict[int, tuple[Ask, Examination]]:
        found = {}
        for number in range(90):
            examination = judge.examine(
                listing(f"trip-{number}", title, seller_id=seller_id, revision=2), now_ms()
            )
            ask = ask_of(examination, needs_of(judge.policy, examination))
            assert ask is not None
            found[number] = (ask, examination)
        return found

    async def trips(seller_id: str) -> tuple[int, int]:
        store = Counting(bus.settings)
        try:
            _, _, pasts = await read(store, ["s1", "s2"], ["l1"], asks(seller_id), now_ms())
        finally:
            await store.close()
        return store.calls, sum(bool(past.relisted) for past in pasts.values())

    assert asyncio.run(trips("somebody")) == (1, 0)
    assert asyncio.run(trips("trip-seller")) == (2, 90)


def test_the_order_in_which_partitions_are_read_makes_no_difference(
    redis_server: Redis, topic_prefix: str
) -> None:
    """Six near-duplicates of which a feature keeps four, one of them put up again."""
    registry = SchemaRegistry.connect(Settings(schema_registry_url=f"mock://{topic_prefix}"))
    encoder = Encoder(registry, "takedowns", "takedown")
    now = now_ms()
    removals = [
        removal(f"o-{n}", "s-o", f"zorvex atlas 40mm moon phase number {n}", now - n * 40 * DAY_MS)
        for n in range(6)
    ]
    reinstated = msgspec.structs.replace(removals[1], action="REINSTATED", decided_at=now)
    partitions = [[*removals[:3], reinstated], [removals[3], removals[4], removals[4], removals[5]]]

    async def state_after(order: Sequence[int]) -> dict[str, Any]:
        settings = Settings(
            redis_url=redis_server.url,  # type: ignore[arg-type]
            topic_prefix=f"{topic_prefix}{order[0]}.",
        )
        store = Store(settings)
        view = View(REMOVALS, settings, store, Decoder(registry, "takedown"))
        for partition in order:
            values = (
                encoder.encode(msgspec.to_builtins(record, builtin_types=(bytes,)))
                for record in partitions[partition]
            )
            records = [Record(offset, value) for offset, value in enumerate(values)]
            assert await view.apply(partition, records) == []
        await store.close()
        return state_of(settings)

    one, other = asyncio.run(state_after([0, 1])), asyncio.run(state_after([1, 0]))
    assert one == other
    entries = [value for key, (value, _) in one.items() if key.startswith("removal:")]
    assert len(entries) == 5  # the sixth lies more than 180 days back
    assert entries.count(b"") == 1


@pytest.fixture
def own_redis() -> Iterator[Redis]:
    with Redis() as service:
        yield service


@pytest.mark.usefixtures("topic_prefix")
def test_without_redis_rules_abstain_and_the_listing_is_judged_again(
    kafka: Kafka,
    schema_registry: SchemaRegistryServer,
    own_redis: Redis,
    topic_prefix: str,
    tmp_path: Path,
) -> None:
    settings = Settings(
        kafka_bootstrap=kafka.bootstrap,
        schema_registry_url=schema_registry.url,
        redis_url=own_redis.url,  # type: ignore[arg-type]
        topic_prefix=topic_prefix,
        topic_partitions=2,
        session_timeout_s=6.0,
    )
    bus = Bus(settings)
    bus.publish(rights=[RIGHT])
    title = "Zorvex Diver 300 automatic men watch steel bracelet blue dial"
    with WorkerProcess(settings, tmp_path) as worker:
        worker.wait_ready()
        bus.publish([listing("away-1", f"{title} replica", seller_id="s-away")])
        bus.takedown("away-1")
        worker.settle()
        wait_for(lambda: worker.metric("assayer_watched_sellers") == 1, 20, "a watched seller")
        own_redis.kill()
        bare = title.replace("Zorvex ", "")
        bus.publish(
            [
                listing("away-2", title, seller_id="s-away"),
                listing("away-bare", bare, seller_id="s-away"),
                listing("away-3", "Zor\u200bvex", seller_id="s-x"),
            ]
        )
        away = bus.review("away-3")
        assert (away["queue"], away["budget_asked"]) == ("WORK", False)
        assert away["priority"] > 0
        notes = [e["note"] for e in away["evidence"]]
        assert any("did not answer" in note for note in notes)
        wait_for(
            lambda: {m.key() for m in bus.messages(topics.REJUDGE)} >= {b"away-2", b"away-bare"},
            20,
            "the listings among those to judge again",
        )
        assert not reviewed(bus) & {"away-2", "away-bare"}
        own_redis.start()  # empty: the views are rebuilt
        for listing_id in ("away-2", "away-bare"):
            assert bus.review(listing_id)["rules"] == ["relisted"]
