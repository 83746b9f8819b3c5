"""`assayer worker`: runs the stream processor."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from typing import Annotated, Final, NoReturn

from cyclopts import Parameter

from agents.commands.console import DONE, NO, CommandError, complain
from streams.settings import Settings

log = logging.getLogger(__name__)

LAST_SECONDS: Final = 9.5
"""How long a stop may take before the process is ended as it is."""


def worker(*, only: Annotated[tuple[str, ...], Parameter(negative="")] = ()) -> None:
    """Run the worker until it is told to stop (SIGTERM or Ctrl-C).

    A stop takes at most 10 s, whatever the servers do; what is left then is read again.

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
        last_resort = LastResort(LAST_SECONDS)

        def asked() -> None:
            last_resort.begin(DONE)
            stop.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, asked)
        # There is one pillar so far: any choice of them is all of them.
        running = Worker(settings, stopping=lambda: last_resort.begin(NO), end=end_at_once)
        try:
            await running.run(stop)
        except WorkerCrashedError as error:
            if not running.abandoned:
                raise
            complain(f"assayer: {error}")
            end_at_once(NO)
        if running.abandoned:
            end_at_once(DONE)  # closing the loop would wait for what has just been given up

    try:
        run(serve())
    except (WorkerCrashedError, MissingTopicError) as error:
        raise CommandError(str(error), NO) from error


class LastResort:
    """Ends the process when its stop takes too long.

    It counts in a thread: a client that hangs may hold up the event loop, and the threads that the
    interpreter waits for at its end. Nothing is lost so: what was not committed is read again.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._timer: threading.Timer | None = None

    def begin(self, code: int) -> None:
        """Count from now, and end with this exit code; only the first call does something."""
        if self._timer is None:
            self._timer = threading.Timer(self._seconds, self._end, (code,))
            self._timer.daemon = True
            self._timer.start()

    def _end(self, code: int) -> None:
        log.warning(
            "not stopped within %.0f s, and ended as it is: what was not committed is read again "
            "at the next start",
            self._seconds,
        )
        end_at_once(code)


def end_at_once(code: int) -> NoReturn:
    """End the process without waiting for its threads."""
    try:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    finally:
        os._exit(code)


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
    chatter = ("faust", "mode", "aiokafka", "httpx", "httpx2", "httpcore")
    for name in (*chatter, "streams.transport", "streams.consumer_thread"):  # mode's, in our names
        logging.getLogger(name).setLevel(logging.WARNING)
