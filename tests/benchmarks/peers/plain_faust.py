"""A Faust agent as its documentation shows it, with the peers' work: one listing at a time."""

from __future__ import annotations

import asyncio
from tempfile import TemporaryDirectory
from typing import Any

import faust

from tests.benchmarks.peers.work import Clock, Job, Outcome, Screening, main


def scan(job: Job) -> Outcome:
    """Scan the raw value, decode what names a mark, send its takedown."""
    return _run(job, decode_first=False)


def decode_first(job: Job) -> Outcome:
    """Decode everything, scan its texts, send the takedown."""
    return _run(job, decode_first=True)


def _run(job: Job, *, decode_first: bool) -> Outcome:
    clock, screening = Clock(job), Screening(job)
    with TemporaryDirectory() as folder:
        asyncio.run(_serve(job, clock, screening, folder, decode_first=decode_first))
    return clock.outcome(faust.__version__, screening.named, screening.acted)


async def _serve(
    job: Job, clock: Clock, screening: Screening, folder: str, *, decode_first: bool
) -> None:
    app = faust.App(
        job.group,
        broker=f"kafka://{job.bootstrap}",
        value_serializer="raw",
        datadir=folder,
        autodiscover=False,
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
    )
    takedowns = app.topic(job.takedowns, value_type=bytes)
    enough = asyncio.Event()

    @app.agent(app.topic(job.topic, value_type=bytes))
    async def screen(stream: Any) -> None:
        async for value in stream:
            takedown = (
                screening.decoded(screening.decode(value)) if decode_first else screening.raw(value)
            )
            if takedown is not None:
                await takedowns.send(value=takedown)
            if clock.count():
                enough.set()

    await app.start()
    await enough.wait()
    await app.stop()


if __name__ == "__main__":
    main({"scan": scan, "decode first": decode_first})
