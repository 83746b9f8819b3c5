"""A transport for Faust that hands over a partition's fetched records as one event.

Faust spends four asyncio tasks, a queue and sensors on each message. This subclass of its aiokafka
driver delivers up to `batch_records` records of a partition as *one* event on the topics named as
batch topics. In a prototype an agent that does nothing took 180 µs a message from Faust and 5.6 µs
a record from here; tests/benchmarks/throughput.py compares whole workers. Every other topic is
handled by Faust's own code.

The contract of a batch topic:

- An agent gets `RecordBatch` values, in offset order by partition, and acknowledges each event by
  hand (`stream.noack().events()`, then `event.ack()`), in any order.
- A partition is committed up to the first batch that is not acknowledged, and no further. What was
  not committed is delivered again after a crash or a rebalance: at least once.
- At most `batches_in_flight` batches of a partition are unacknowledged at a time. Further records
  stay in the client's bounded fetch buffer; other partitions go on.
- The first record of a batch waits `batch_wait_ms` at most for company, and not at all when there
  is plenty or nothing is in flight.
- When partitions are revoked or the worker stops, batches in flight get `DRAIN_SECONDS` to be
  acknowledged; what is done by then is committed before anything is forgotten.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
import weakref
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, ClassVar, Final, cast

from aiokafka.errors import KafkaError
from faust.transport.drivers import TRANSPORTS
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ConsumerMessage, Message

from streams.batch_topics import BatchApp, BatchSettings
from streams.batches import Record, RecordBatch
from streams.columns import ColumnRecords
from streams.consumer_thread import BatchConsumerThread
from streams.offsets import OffsetLedger

SCHEME: Final = "kafka-batch"
POLL_SECONDS: Final = 0.5
FULL_POLL_SECONDS: Final = 0.005
"""How long a fetch waits while some partition is held back, so that it is not held up itself."""


class BatchConsumer(driver.Consumer):
    """Faust's consumer, with events of whole batches and offsets of its own for them."""

    _thread: BatchConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._batches: BatchSettings = cast(BatchApp, self.app).batches
        self._ledger = OffsetLedger()
        self._room = asyncio.Event()
        self.last_progress = time.monotonic()
        """When a batch was last acknowledged, or there was last nothing to do."""
        self.ends: Mapping[TP, int] = {}
        """Where partitions end, as far as it was asked for beside this consumer."""
        self._nothing_before: dict[TP, int] = {}
        self._looked = 0.0

    def _new_consumer_thread(self) -> BatchConsumerThread:
        return BatchConsumerThread(self, loop=self.loop, beacon=self.beacon)

    # -- fetching

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Message]]:  # noqa: ARG002, ASYNC109
        """Yield a message for each batch, and Faust's own messages for other topics."""
        if not self.flow_active:
            await self.wait(cast(Any, self.can_resume_flow))
        generation = self.app.consumer_generation_id
        records = await self._fetch()
        received = time.time()
        if self.should_stop:
            return
        if not self.flow_active or self.app.consumer_generation_id != generation:
            # What was fetched while a rebalance began, or while a whole one passed, is read again.
            # The position is behind it already: to drop it here would be to lose it, once a later
            # record is done and committed.
            await self._seek_to_committed_quietly()
            return
        for tp, fetched in records.items():
            if not self.flow_active or self.app.consumer_generation_id != generation:
                return
            if not fetched or tp not in self._get_active_partitions():
                continue
            self.app.monitor.track_tp_end_offset(tp, self.highwater(tp))
            if tp.topic in self._batches.topics:
                for start in range(0, len(fetched), self._batches.records):
                    message = self._batch_message(
                        tp, fetched[start : start + self._batches.records], received
                    )
                    self._ledger.delivered(tp, weakref.ref(message), message.offset)
                    yield tp, message
            else:
                for record in fetched:
                    yield tp, self._to_message(tp, record)

    async def _fetch(self) -> dict[TP, ColumnRecords]:
        """Return records of the partitions that have room, having waited a little for company."""
        active = set(self._get_active_partitions())
        full = {tp for tp in active if self._ledger.in_flight(tp) >= self._batches.in_flight}
        free = active - full
        if not free:
            self._room.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._room.wait(), POLL_SECONDS)
            return {}
        limit = self._batches.records
        fetched = dict(
            await self._thread.fetch(free, FULL_POLL_SECONDS if full else POLL_SECONDS, limit)
        )
        self._note_what_is_empty(free - fetched.keys())
        count = sum(map(len, fetched.values()))
        if not count:
            if not self._ledger.total_in_flight:
                self.last_progress = time.monotonic()
            return {}
        if count < limit and self._worth_waiting(fetched):
            await asyncio.sleep(self._batches.wait)
            more = await self._thread.fetch(free, 0, limit - count)
            for tp, records in more.items():
                fetched[tp] = ColumnRecords.joined([*filter(None, [fetched.get(tp)]), records])
        return fetched

    def _note_what_is_empty(self, partitions: set[TP]) -> None:
        """Note, once a second, up to where partitions that brought no record hold none.

        Offsets may hold no record (a transaction's end). The client's position alone does not tell:
        it is behind what was fetched also where that never arrives here.
        """
        now = time.monotonic()
        if now - self._looked >= 1.0:
            self._looked = now
            for tp in partitions:
                if not self._ledger.in_flight(tp):
                    self._nothing_before[tp] = self._thread.read_up_to(tp)

    def _worth_waiting(self, fetched: Mapping[TP, Any]) -> bool:
        """Return whether these records would wait anyhow: the batches before them are under way.

        When nothing is in flight they go at once. At 1,000 listings/s that halves the median
        latency: see tests/benchmarks/latency.py.
        """
        return (
            self._batches.wait > 0
            and self._ledger.total_in_flight > 0
            and any(tp.topic in self._batches.topics for tp in fetched)
        )

    def _batch_message(self, tp: TP, records: ColumnRecords, received: float) -> ConsumerMessage:
        batch = RecordBatch(tp.topic, tp.partition, records, received)
        return self._message_of(tp, records[-1], batch)

    def _to_message(self, tp: TP, record: Record) -> ConsumerMessage:
        """Return the message of a record of an ordinary topic."""
        return self._message_of(tp, record, record.value, record.key, record.headers)

    def _message_of(
        self,
        tp: TP,
        last: Record,
        value: object,
        key: bytes | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> ConsumerMessage:
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            last.offset,
            last.timestamp / 1000.0,
            0,
            list(headers),
            key,
            cast(Any, value),
            None,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )

    async def _seek_to_committed_quietly(self) -> None:
        try:
            await self.perform_seek()
        except KafkaError as error:
            self.log.warning("could not seek to the committed offsets now: %s", error)

    async def perform_seek(self) -> None:
        """Go back to the committed offsets; batches in flight are forgotten and come again."""
        self._forget_all()
        await super().perform_seek()

    # -- acknowledging and committing

    def ack(self, message: Message) -> bool:
        """Note that a message is done; for a batch, in any order."""
        if message.topic not in self._batches.topics:
            return bool(super().ack(message))
        if message.acked:
            return False
        message.acked = True
        self._unacked_messages.discard(message)
        known = self._ledger.acknowledged(message.tp, weakref.ref(message))
        if known:
            self.last_progress = time.monotonic()
            self._room.set()
        waiting = self._waiting_for_ack
        if waiting is not None and not waiting.done():
            waiting.set_result(None)
        return known

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        # The jump in offsets from one batch's event to the next is no gap: Faust would mark the
        # batch itself as skippable, and commit past it while it is in flight.
        if tp.topic not in self._batches.topics:
            await super()._add_gap(tp, offset_from, offset_to)

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Any:
        yield from (
            tp
            for tp in super()._filter_tps_with_pending_acks(topics)
            if tp.topic not in self._batches.topics
        )
        for partition in self._ledger:
            tp = cast(TP, partition)
            if topics is None or tp in topics or tp.topic in topics:
                yield tp

    def _new_offset(self, tp: TP) -> int | None:
        if tp.topic in self._batches.topics:
            return self._ledger.position(tp)
        return super()._new_offset(tp)

    async def _commit_offsets(
        self, offsets: Mapping[TP, int], start_new_transaction: bool = True
    ) -> bool:
        before = {tp: self._committed_offset[tp] for tp in offsets}
        done = await super()._commit_offsets(offsets, start_new_transaction)
        if not done:
            # Faust takes the offsets for committed all the same.
            for tp in offsets:
                if self._committed_offset.get(tp) == offsets[tp]:
                    self._committed_offset[tp] = before[tp]
        return bool(done)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Commit what is done, and only then forget the partitions."""
        await super().on_partitions_revoked(revoked)
        for tp in revoked:
            self._ledger.forget(tp)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Start afresh: everything assigned is read from its committed offset."""
        self._forget_all()
        await super().on_partitions_assigned(assigned, generation_id)

    async def wait_empty(self) -> None:
        """Wait for batches in flight, but not for ever, and commit what is done.

        Faust's own waits without end, and no timeout around it helps: its wait for the next
        acknowledgement swallows the cancellation.
        """
        deadline = time.monotonic() + self._batches.drain
        while not self.should_stop and self._unacked_messages:
            # Events that were cleared from an agent's queue are nobody's any more: with the last
            # reference gone they leave this set.
            gc.collect()
            await self.commit()
            if not self._unacked_messages:
                break
            if time.monotonic() >= deadline:
                self.log.warning(
                    "%d batches still in flight after %.0f s; they will be read again",
                    len(self._unacked_messages),
                    self._batches.drain,
                )
                break
            await self._wait_for_ack(timeout=1)
            self._clean_unacked_messages()
        await self.commit_and_end_transactions()

    def _forget_all(self) -> None:
        """Forget every batch in flight: it is read again, and nobody waits for this event of it."""
        self._nothing_before.clear()
        self._ledger.forget_all()
        for message in list(self._unacked_messages):
            if message.topic in self._batches.topics:
                self._unacked_messages.discard(message)

    # -- what operators see

    @property
    def in_flight(self) -> int:
        """How many batches are not acknowledged."""
        return self._ledger.total_in_flight

    @property
    def connected(self) -> bool:
        """Whether the consumer's thread has started: before, it can't be asked anything."""
        return self._thread.runs

    def assignment(self) -> set[TP]:
        """Return the partitions this consumer has: none before its thread has started."""
        return set(super().assignment()) if self.connected else set()

    def lag(self) -> dict[TP, int]:
        """Return by partition the records that are not done yet, where that can be told."""
        lags = {}
        for tp in self.assignment():
            seen: int | None = self.highwater(tp)
            asked = self.ends.get(tp)
            if seen is None and asked is None:
                continue
            # A consumer that fetches no more keeps the end that it saw last.
            end = max(seen or 0, asked or 0)
            done = self._ledger.position(tp)
            if done is None:
                done = self._committed_offset.get(tp)
            if not self._ledger.in_flight(tp):
                done = max(done or 0, self._nothing_before.get(tp, 0))
            lags[tp] = max(0, end - (done or 0))
        return lags

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Leave batch topics to `last_progress`: Faust's detector counts single messages."""
        if tp.topic not in self._batches.topics:
            super().verify_event_path(now, tp)


class BatchTransport(driver.Transport):
    """Faust's aiokafka transport with the batch consumer."""

    Consumer: ClassVar[Any] = BatchConsumer


TRANSPORTS.aliases[SCHEME] = f"{__name__}:BatchTransport"


def broker_url(bootstrap: str) -> str:
    """Return the URL of this transport for brokers given as `host:port,host:port`."""
    return ";".join(f"{SCHEME}://{host.strip()}" for host in bootstrap.split(",") if host.strip())
