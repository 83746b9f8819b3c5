"""Faust in, Faust out: the agents of monitoring."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import Any, Final

from agents.alliance.rights_log import RightsLog
from agents.monitoring.judged import Judged
from agents.monitoring.monitor import Monitor
from streams.aside import to_thread_aside
from streams.batch_topics import BatchApp, batch_topic
from streams.batches import RecordBatch
from streams.codec import DecodeError, Decoder
from streams.dead_letters import DeadLetters, Failure
from streams.unavailable import RETRY_SECONDS, persist
from streams.views import View

log = logging.getLogger(__name__)

STOP_SECONDS: Final = 4.0
"""How long a stop waits for batches on their way to the broker."""


def monitor_listings(app: BatchApp, topic: str, monitor: Monitor) -> None:
    """Screen every listing change; take down what infringes before it sells."""

    @app.agent(batch_topic(app, topic), name="monitor", concurrency=1)
    async def monitor_agent(stream: Any) -> None:
        async with _Deliveries(app) as deliveries:
            async for event in _events(stream):
                judged = await monitor.judge(event.value)
                # The next batch is judged while this one is on its way to the broker; it is
                # acknowledged only once everything that follows from it has arrived there.
                deliveries.start(event, monitor, judged)


def rejudge_listings(app: BatchApp, topic: str, monitor: Monitor) -> None:
    """Judge again what was judged while Redis was away, now that it is back."""

    @app.agent(batch_topic(app, topic), name="rejudge", concurrency=1)
    async def rejudge_agent(stream: Any) -> None:
        async for event in _events(stream):
            judged = await monitor.judge(event.value)
            while judged.awaiting:
                await asyncio.sleep(RETRY_SECONDS)
                judged = await monitor.judge(event.value)
            await monitor.deliver(judged)
            event.ack()


def follow_views(
    app: BatchApp,
    views: Sequence[View],
    dead_letters: DeadLetters,
    applied: Callable[[RecordBatch], None] = lambda _: None,
) -> None:
    """Apply a topic to its views in Redis; what can't be decoded goes to the dead letters.

    `applied` is called with each batch then: one worker gets it, and seldom twice.
    """
    topic = views[0].topic
    name = "-".join(["view", *(view.fold.view for view in views)])

    @app.agent(batch_topic(app, topic), name=name, concurrency=1)
    async def view_agent(stream: Any) -> None:
        async for event in _events(stream):
            batch: RecordBatch = event.value
            failed: dict[int, Failure] = {}
            for view in views:
                # As often as it takes: a view that is behind is better than a wrong one.
                refused = await persist(
                    f"view {view.fold.view}", partial(view.apply, batch.partition, batch.records)
                )
                for failure in _failures(refused):
                    failed.setdefault(failure.record.offset, failure)  # one letter a record
            await dead_letters.bury(batch.topic, batch.partition, list(failed.values()))
            applied(batch)
            event.ack()


def bury_what_is_no_right(
    app: BatchApp, topic: str, decoder: Decoder, dead_letters: DeadLetters
) -> None:
    """Put what can't be read as a right to the dead letters.

    Every worker reads all of the topic for its registry, at each start. Here the group gives each
    record to one of them, and remembers how far they are.
    """

    @app.agent(batch_topic(app, topic), name="rights", concurrency=1)
    async def rights_agent(stream: Any) -> None:
        async for event in _events(stream):
            batch: RecordBatch = event.value
            refused = await persist(
                "what is no right",
                partial(to_thread_aside, RightsLog(decoder).apply, batch.records),  # type: ignore[arg-type]
            )
            await dead_letters.bury(batch.topic, batch.partition, _failures(refused))
            event.ack()


def _failures(refused: Sequence[tuple[Any, DecodeError]]) -> list[Failure]:
    return [Failure(record, error.reason, str(error)) for record, error in refused]


async def _events(stream: Any) -> AsyncIterator[Any]:
    """Yield the stream's events, which are acknowledged by hand."""
    async for event in stream.noack().events():
        yield event


class _Deliveries:
    """Batches on their way to the broker. A delivery that fails ends the worker."""

    def __init__(self, app: BatchApp) -> None:
        self._app = app
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> _Deliveries:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_SECONDS)

    def start(self, event: Any, monitor: Monitor, judged: Judged) -> None:
        """Deliver what follows from a batch, then acknowledge it."""
        task = asyncio.get_running_loop().create_task(self._deliver(event, monitor, judged))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, event: Any, monitor: Monitor, judged: Judged) -> None:
        try:
            await monitor.deliver(judged)
        except Exception as error:  # nobody awaits the task: unsaid, the batch would hang for ever
            log.exception("a batch could not be delivered; it stays unacknowledged")
            await self._app.crash(error)
        else:
            event.ack()
