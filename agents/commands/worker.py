"""`assayer worker`: runs the stream processor."""

from __future__ import annotations

import asyncio
import logging
import signal
from typing import Annotated

from cyclopts import Parameter

from agents.commands.console import NO, CommandError
from streams.settings import Settings


def worker(*, only: Annotated[tuple[str, ...], Parameter(negative="")] = ()) -> None:
    """Run the worker until it is told to stop (SIGTERM or Ctrl-C).

    It waits for servers that are away, and serves /metrics, /health/live and /health/ready on
    ASSAYER_METRICS_HOST and ASSAYER_METRICS_PORT.

    Example: assayer worker --only monitoring

    Parameters
    ----------
    only
        Pillars to run; may stand several times. All without it.
    """
    from agents.worker import PILLARS, Worker, WorkerCrashedError
    from streams.log_reader import MissingTopicError

    unknown = [pillar for pillar in only if pillar not in PILLARS]
    if unknown:
        raise CommandError(f"--only: no pillar '{unknown[0]}'; there are {', '.join(PILLARS)}")
    settings = Settings()
    configure_logging(settings.log_level)

    async def serve() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        # There is one pillar so far: any choice of them is all of them.
        await Worker(settings).run(stop)

    try:
        run(serve())
    except (WorkerCrashedError, MissingTopicError) as error:
        raise CommandError(str(error), NO) from error


def run(main: object) -> None:
    """Run a coroutine on uvloop."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main)  # type: ignore[arg-type]


def configure_logging(level: str) -> None:
    """Log lines with time, level and place to stderr; other people's chatter only from WARNING."""
    logging.basicConfig(
        level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )
    for name in ("faust", "mode", "aiokafka", "httpx", "httpx2", "httpcore", "streams.transport"):
        logging.getLogger(name).setLevel(logging.WARNING)
