"""The thread in which Faust's Kafka client runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, cast

import aiokafka
from aiokafka.errors import KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.batch_topics import BatchApp
from streams.columns import ColumnRecords
from streams.fetched import read_by_columns

COMMIT_SECONDS: Final = 5.0
"""How long one commit may take: aiokafka itself tries for as long as the broker is silent."""

FIRST_PAUSE_SECONDS: Final = 0.1
LAST_PAUSE_SECONDS: Final = 2.0
"""Before a broker that is away, or refuses us, is tried again."""


class SeldomConnections:
    """aiokafka's connections, tried more seldom the longer a broker is away or refuses us.

    It tries by itself ten times a second for each thing it wants, and goes on so where a password
    was revoked: 8 log-ins a second of one worker that none mends.
    """

    def __init__(self, connect: Callable[..., Awaitable[Any]]) -> None:
        self._connect = connect
        self._pauses: dict[tuple[Any, ...], tuple[float, float]] = {}

    async def connection(self, node: int, **options: Any) -> Any:
        """Return a connection to a broker; None where there is none, or it is not tried yet."""
        which = (node, *sorted(options.items()))
        until, pause = self._pauses.get(which, (0.0, FIRST_PAUSE_SECONDS))
        if time.monotonic() < until:
            return None
        found = await self._connect(node, **options)
        if found is None:
            longer = min(pause * 2, LAST_PAUSE_SECONDS)
            self._pauses[which] = (time.monotonic() + pause, longer)
        else:
            self._pauses.pop(which, None)
        return found


class BatchConsumerThread(driver.AIOKafkaConsumerThread):
    """Faust's consumer thread, with a commit that outlives the broker's absence."""

    runs = False
    """Whether the client in it has started, its calls are served, and it has not stopped."""

    async def on_thread_started(self) -> None:
        """Serve calls, and only then say that it runs."""
        await super().on_thread_started()
        self.runs = True

    async def on_thread_stop(self) -> None:
        """Stop the client, which can't be asked anything from here on."""
        self.runs = False
        await super().on_thread_stop()

    def _create_worker_consumer(self, transport: driver.Transport) -> aiokafka.AIOKafkaConsumer:
        read_by_columns()
        consumer = super()._create_worker_consumer(transport)
        # Faust has 1,500 ms fixed. A partition that was read while a fetch for the others was
        # under way waits until that fetch is over.
        consumer._fetch_max_wait_ms = cast(BatchApp, self.app).batches.fetch_wait_ms  # noqa: SLF001
        # A change that its producer took back never happened. librdkafka reads so by default, and
        # what it reads (views, the registry) has to be what the agents read.
        consumer._isolation_level = "read_committed"  # noqa: SLF001
        client = consumer._client  # noqa: SLF001
        client._get_conn = SeldomConnections(client._get_conn).connection  # noqa: SLF001
        return consumer

    def read_up_to(self, tp: TP) -> int:
        """Return the offset to be read next; 0 where that is not known."""
        consumer = self._ensure_consumer()
        assignment = consumer._subscription.subscription.assignment  # noqa: SLF001 - no public one
        if assignment is None or tp not in assignment.tps:
            return 0
        state = assignment.state_value(driver.ensure_aiokafka_TP(tp))
        return int(state.position) if state.has_valid_position else 0

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek every partition to its committed offset, or to its beginning where it has none.

        aiokafka leaves a partition without one, or with 0, where it was read to.
        """
        return cast(Mapping[TP, int], await self.call_thread(self._seek_to_committed))

    async def _seek_to_committed(self) -> Mapping[Any, int | None]:
        consumer = self._ensure_consumer()
        offsets: Mapping[Any, int | None] = await consumer.seek_to_committed()
        assigned = consumer.assignment()
        unread = [tp for tp, offset in offsets.items() if not offset and tp in assigned]
        if unread:
            await consumer.seek_to_beginning(*unread)
        return offsets

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        consumer = self._ensure_consumer()
        assigned = self.assignment()
        wanted = {
            driver.ensure_aiokafka_TP(tp): aiokafka.structs.OffsetAndMetadata(offset, "")
            for tp, offset in offsets.items()
            if tp in assigned
        }
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                await consumer.commit(wanted)
        except (KafkaError, TimeoutError) as error:
            # Faust ends the worker here. What is not committed now is committed at the next turn,
            # or read again: neither is a reason to stop.
            self.log.warning(
                "offsets not committed now: %s",
                error if isinstance(error, KafkaError) else f"no answer in {COMMIT_SECONDS:.0f} s",
            )
            return False
        now = time.monotonic()
        self.tp_last_committed_at.update(dict.fromkeys(offsets, now))
        return True

    async def fetch(
        self, partitions: set[TP], seconds: float, limit: int
    ) -> Mapping[TP, ColumnRecords]:
        """Return up to `limit` records of these partitions, waiting `seconds` for the first."""
        return cast(
            Mapping[TP, ColumnRecords],
            await self.call_thread(
                self._fetch_records,
                self._ensure_consumer(),
                partitions,
                timeout=seconds,
                max_records=limit,
            ),
        )
