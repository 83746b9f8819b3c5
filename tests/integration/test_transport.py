"""The batch transport's contract, on a real Kafka."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from streams.settings import Settings
from tests.harness import environment, started, wait_for
from tests.integration.faust_apps import (
    NEVER,
    Held,
    HoldingApp,
    committed,
    make_topic,
    produce,
    produce_in_transaction,
    produce_whole,
    until,
    until_committed,
)


def _small(settings: Settings, **values: Any) -> Settings:
    return settings.model_copy(update={"batch_records": 10, "batches_in_flight": 4, **values})


def _numbers(count: int, start: int = 0) -> list[str]:
    return [f"v{n}" for n in range(start, start + count)]


def test_batches_done_out_of_order_are_committed_behind_the_first_undone(
    settings: Settings,
) -> None:
    settings = _small(settings, batches_in_flight=10)
    topic = make_topic(settings, "orders", 2)
    produce(settings, topic, _numbers(40), 0)
    produce(settings, topic, _numbers(5), 1)

    async def scenario() -> None:
        async with HoldingApp(settings, topic) as app:
            await until(lambda: len(app.values(topic)) == 45, "all batches")
            first, second, third, *others = app.of(topic, 0)
            for held in (second, *others):
                held.ack()
            for held in app.of(topic, 1):
                held.ack()  # its commit shows that a commit has been made meanwhile
            await until_committed(settings, topic, {1: 5})
            first.ack()
            await until_committed(settings, topic, {0: second.batch.last_offset + 1, 1: 5})
            third.ack()
            await until_committed(settings, topic, {0: 40, 1: 5})

    asyncio.run(scenario())


def test_batches_are_bounded_and_whole(settings: Settings) -> None:
    """No record is missing or doubled, none is out of order, no batch is larger than it may be."""
    settings = _small(settings, batch_records=50)
    topic = make_topic(settings, "bounded", 2)
    for partition in (0, 1):
        produce(settings, topic, _numbers(620), partition)

    async def scenario() -> None:
        async with HoldingApp(settings, topic, on_batch=Held.ack) as app:
            await until(lambda: len(app.values(topic)) == 1240, "every record")
            for partition in (0, 1):
                assert app.values(topic, partition) == _numbers(620)
            sizes = [len(held.batch) for held in app.held]
            assert max(sizes) == 50
            assert len(sizes) < 60, "full batches where there is plenty"
            await until_committed(settings, topic, {0: 620, 1: 620})

    asyncio.run(scenario())


def test_at_low_rates_records_wait_a_little_for_company(settings: Settings) -> None:
    """While a batch is under way the next gathers; with nothing under way it goes at once."""
    settings = _small(settings, batch_records=500, batch_wait_ms=400.0)
    topic = make_topic(settings, "sparse")

    def later(held: Held) -> None:
        asyncio.get_running_loop().call_later(0.05, held.ack)

    async def scenario() -> None:
        async with HoldingApp(settings, topic, on_batch=later) as app:
            produce(settings, topic, ["first"])
            await until(lambda: app.values(topic) == ["first"], "the first record")
            await asyncio.to_thread(produce, settings, topic, _numbers(40), 0, 0.01)
            await until(lambda: len(app.values(topic)) == 41, "every record")
            assert len(app.held) < 20

    asyncio.run(scenario())


def test_a_partition_that_is_not_acknowledged_holds_back_no_other(settings: Settings) -> None:
    settings = _small(settings, batches_in_flight=2)
    topic, other = make_topic(settings, "slow", 2), make_topic(settings, "quick")
    for partition in (0, 1):
        produce(settings, topic, _numbers(100), partition)
    produce(settings, other, _numbers(100))

    def quick(held: Held) -> None:
        if held.batch.topic == other or held.batch.partition == 1:
            held.ack()

    async def scenario() -> None:
        async with HoldingApp(settings, topic, other, on_batch=quick) as app:
            await until(lambda: len(app.values(topic, 1)) == 100, "the other partition")
            await until(lambda: len(app.values(other)) == 100, "the other topic")
            await until_committed(settings, other, {0: 100})
            assert app.values(topic, 0) == _numbers(20), "two batches of ten, and no more"
            while len(app.values(topic, 0)) < 100:
                assert app.undone(topic, 0) <= 2
                seen = len(app.held)
                next(held for held in app.of(topic, 0) if not held.done).ack()
                await until(lambda seen=seen: len(app.held) > seen, "the next batch")  # type: ignore[misc]
            for held in app.of(topic, 0):
                held.ack()
            await until_committed(settings, topic, {0: 100, 1: 100})

    asyncio.run(scenario())


def test_a_rebalance_commits_what_is_done_before_it_forgets(settings: Settings) -> None:
    """Nothing is committed by the clock here; still nothing that was done is delivered again."""
    settings = _small(settings)
    topic = make_topic(settings, "shared", 4)
    for partition in range(4):
        produce(settings, topic, _numbers(25), partition)

    async def scenario() -> None:
        first = HoldingApp(settings, topic, commit_every=NEVER, on_batch=Held.ack)
        second = HoldingApp(settings, topic, commit_every=NEVER, on_batch=Held.ack)
        async with first:
            await until(lambda: len(first.values(topic)) == 100, "every record")
            assert committed(settings, topic) == {}
            async with second:
                await until_committed(settings, topic, dict.fromkeys(range(4), 25))
                for partition in range(4):
                    produce(settings, topic, _numbers(5, 25), partition)
                await until(
                    lambda: len(first.values(topic)) + len(second.values(topic)) >= 120, "the rest"
                )
            # What was done in the guest's partitions is committed when it leaves, too.
            for partition in range(4):
                produce(settings, topic, ["last"], partition)
            await until(
                lambda: len(first.values(topic)) + len(second.values(topic)) >= 124, "the last"
            )
        everything = first.values(topic) + second.values(topic)
        assert sorted(everything) == sorted([*_numbers(30), "last"] * 4)
        assert second.values(topic), "the second one had its share"

    asyncio.run(scenario())


def test_what_is_in_flight_at_a_rebalance_comes_again_and_its_late_ack_is_nothing(
    settings: Settings,
) -> None:
    settings = _small(settings)
    topic = make_topic(settings, "interrupted", 2)
    for partition in (0, 1):
        produce(settings, topic, _numbers(10), partition)

    async def scenario() -> None:
        first = HoldingApp(settings, topic, drain=0.5)
        second = HoldingApp(settings, topic, drain=0.5)
        async with first:
            await until(lambda: len(first.held) == 2, "both batches")
            old = list(first.held)
            first.held.clear()
            async with second:
                await until(lambda: first.held and second.held, "both batches again", 30)
                assert sorted(first.values(topic) + second.values(topic)) == sorted(
                    _numbers(10) * 2
                )
                for held in old:
                    held.ack()
                second.held[0].ack()
                await until_committed(settings, topic, {second.held[0].batch.partition: 10})

    asyncio.run(scenario())


def test_a_seek_goes_back_to_the_beginning_where_nothing_is_committed(settings: Settings) -> None:
    """So it is when a fetch is dropped because another worker joins: it once was lost.

    Of a new group, the records that were published in that moment were neither handled nor counted
    as lag: 125 of 500 in every second join.
    """
    settings = _small(settings)
    topic = make_topic(settings, "dropped", 2)
    for partition in (0, 1):
        produce(settings, topic, _numbers(10), partition)

    async def scenario() -> None:
        async with HoldingApp(settings, topic, drain=0.5) as app:
            await until(lambda: len(app.held) == 2, "both batches")
            app.of(topic, 1)[0].ack()
            await until_committed(settings, topic, {1: 10})
            await app.app.consumer.perform_seek()
            await until(lambda: len(app.values(topic, 0)) == 20, "the first partition again")
            assert app.values(topic, 1) == _numbers(10)

    asyncio.run(scenario())


def test_a_batch_in_flight_when_the_process_is_killed_is_delivered_again(
    settings: Settings, tmp_path: Path
) -> None:
    settings = _small(settings)
    topic = make_topic(settings, "killed")
    produce(settings, topic, _numbers(30))
    out = tmp_path / "out"
    with out.open("wb") as stdout:
        victim = started(
            [sys.executable, "-m", "tests.integration.killed_consumer", topic],
            env=environment(settings, ASSAYER_BATCH_RECORDS="10"),
            stdout=stdout,
        )
    try:
        # It acknowledges the first and the third of its three batches.
        wait_for(lambda: len(out.read_text().splitlines()) == 3, 30, "three batches")
        wait_for(lambda: committed(settings, topic) == {0: 10}, 10, "the first one's commit")
    finally:
        victim.kill()
        victim.wait()
    assert [json.loads(line) for line in out.read_text().splitlines()] == [
        [0, 9],
        [10, 19],
        [20, 29],
    ]

    async def scenario() -> None:
        async with HoldingApp(settings, topic, on_batch=Held.ack) as app:
            await until(lambda: len(app.values(topic)) == 20, "what was in flight", 30)
            assert app.values(topic) == _numbers(20, 10)
            await until_committed(settings, topic, {0: 30})

    asyncio.run(scenario())


def test_ordinary_topics_of_the_same_app_work_as_in_faust(settings: Settings) -> None:
    settings = _small(settings)
    topic, plain = make_topic(settings, "batched"), make_topic(settings, "plain", 2)
    produce(settings, topic, _numbers(25))
    for partition in (0, 1):
        produce(settings, plain, [json.dumps(n) for n in range(30)], partition)
    seen: list[Any] = []

    async def scenario() -> None:
        app = HoldingApp(settings, topic, on_batch=Held.ack)

        @app.app.agent(app.app.topic(plain, value_serializer="json"))
        async def ordinary(stream: Any) -> None:
            async for value in stream:
                seen.append(value)  # noqa: PERF401 - one by one, as they come

        async with app:
            await until(lambda: len(seen) == 60 and len(app.values(topic)) == 25, "both topics")
            await until_committed(settings, plain, {0: 30, 1: 30})
            await until_committed(settings, topic, {0: 25})
        assert sorted(seen) == sorted(list(range(30)) * 2)

    asyncio.run(scenario())


def test_offsets_without_a_record_do_no_harm(settings: Settings) -> None:
    """Transactions leave control records; one that was taken back leaves records never to be read.

    The gaps hold back no commit, and count for no lag.
    """
    settings = _small(settings)
    topic = make_topic(settings, "gaps")
    for start, commit in ((0, True), (10, False), (20, True), (30, False)):
        produce_in_transaction(settings, topic, _numbers(10, start), commit=commit)

    async def scenario() -> None:
        async with HoldingApp(settings, topic, on_batch=Held.ack) as app:
            await until(lambda: len(app.values(topic)) == 20, "what was committed")
            last = app.held[-1].batch.last_offset
            await until_committed(settings, topic, {0: last + 1})
            assert last < 43, "the log goes on behind it: records taken back, and control records"
            consumer: Any = app.app.consumer
            await until(lambda: list(consumer.lag().values()) == [0], "no lag")
            produce(settings, topic, ["after"])
            await until(lambda: app.values(topic)[-1] == "after", "the next record")
        assert app.values(topic) == [*_numbers(10), *_numbers(10, 20), "after"]

    asyncio.run(scenario())


def test_records_arrive_whole_however_their_producer_compresses(settings: Settings) -> None:
    """Batch topics give columns, ordinary topics Faust's messages: of the same bytes."""
    # The times are of 1970.
    topic, plain = (
        make_topic(settings, name, 1, **{"retention.ms": "-1"}) for name in ("whole", "whole-plain")
    )
    sent: list[tuple[bytes | None, bytes, list[tuple[str, str | bytes | None]]]] = [
        (b"k%d" % n if n % 3 else None, b"v%d" % n * (n % 40), [("ce_id", b"%d" % n), ("é", b"")])
        for n in range(200)
    ]
    for compression in ("none", "gzip", "snappy", "lz4", "zstd"):
        for name in (topic, plain):
            produce_whole(settings, name, sent, compression)
    messages: list[Any] = []

    async def scenario() -> None:
        app = HoldingApp(settings, topic, on_batch=Held.ack)

        @app.app.agent(app.app.topic(plain, value_serializer="raw", key_serializer="raw"))
        async def ordinary(stream: Any) -> None:
            async for event in stream.events():
                messages.append(event.message)  # noqa: PERF401 - one by one, as they come

        async with app:
            await until(lambda: len(messages) == 1000, "the ordinary topic")
            await until(lambda: len(app.values(topic)) == 1000, "the batch topic")
        batched = [record for held in app.held for record in held.batch.records]
        assert [(each.key, each.value, list(each.headers)) for each in batched] == sent * 5
        assert [each.offset for each in batched] == list(range(1000))
        assert [each.timestamp for each in batched] == [*range(1_000, 1_200)] * 5
        assert [(each.key, each.value, list(each.headers)) for each in messages] == sent * 5
        assert [each.timestamp for each in messages] == [n / 1000 for n in range(1_000, 1_200)] * 5

    asyncio.run(scenario())


def test_records_deleted_meanwhile_are_passed_over(settings: Settings) -> None:
    """Retention has deleted what a group that was away had not read: it goes on behind that."""
    settings = _small(settings)
    topic = make_topic(settings, "short")
    produce(settings, topic, _numbers(10))

    async def scenario() -> None:
        async with HoldingApp(settings, topic, on_batch=Held.ack) as app:
            await until_committed(settings, topic, {0: 10})
            assert app.values(topic) == _numbers(10)
        produce(settings, topic, _numbers(30, 10))
        admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap})
        deleted = admin.delete_records([TopicPartition(topic, 0, 25)])
        for future in deleted.values():
            future.result(timeout=20)
        async with HoldingApp(settings, topic, on_batch=Held.ack) as app:
            await until(lambda: len(app.values(topic)) == 15, "what is left")
            assert app.values(topic) == _numbers(15, 25)
            await until_committed(settings, topic, {0: 40})

    asyncio.run(scenario())


@pytest.mark.expects_errors
def test_an_exception_that_leaves_an_agent_does_not_commit_its_batch(settings: Settings) -> None:
    """The app ends, and the batch is delivered to the next one."""
    settings = _small(settings)
    topic = make_topic(settings, "failing")
    produce(settings, topic, _numbers(20))

    def fail(held: Held) -> None:
        if held.batch.first_offset == 0:
            held.ack()
        else:
            raise ArithmeticError("on purpose")

    async def scenario() -> None:
        async with HoldingApp(settings, topic, on_batch=fail) as failing:
            await until(lambda: failing.app.crashed or failing.app.should_stop, "its end")
        assert committed(settings, topic) in ({}, {0: 10})
        async with HoldingApp(settings, topic, on_batch=Held.ack) as app:
            await until_committed(settings, topic, {0: 20})
            assert app.values(topic)[-10:] == _numbers(10, 10)

    asyncio.run(scenario())
