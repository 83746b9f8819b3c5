"""A worker that hangs is ended by its watchdog, and another does what it left."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from agents.watchdog import EXIT
from streams.settings import Settings
from tests.chaos.hanging_worker import WAYS
from tests.harness import RIGHT, Bus, WorkerProcess, listing, wait_for

SECONDS = 6


@pytest.mark.parametrize(
    "how", [how if how == "fetch" else pytest.param(how, marks=pytest.mark.long) for how in WAYS]
)
def test_the_watchdog_ends_a_worker_that_hangs(
    settings: Settings, tmp_path: Path, how: str
) -> None:
    """It hangs with records waiting: exit 70, a line that says why; the next one takes them down.

    Before it ends, the metric tells for how long it has been stuck, also where the client itself
    reads nothing more and so does not know what waits.
    """
    bus = Bus(settings)
    bus.publish(rights=[RIGHT])
    command = [sys.executable, "-m", "tests.chaos.hanging_worker", how]
    with WorkerProcess(settings, tmp_path, command, ASSAYER_WATCHDOG_S=str(SECONDS)) as hanging:
        hanging.wait_ready()
        bus.publish([listing("before", "Zorvex replica")])
        bus.takedown("before")
        bus.publish([listing("hang", "Zorvex replica"), listing("after", "Zorvex replica")])
        wait_for(
            lambda: hanging.metric("assayer_watchdog_seconds") >= 1,
            30,
            lambda: f"a worker that says it is stuck\n{hanging.text}",
        )
        assert hanging.exit_code(60) == EXIT, hanging.text
        assert "CRITICAL agents.watchdog: watchdog: " in hanging.text
    with WorkerProcess(settings, tmp_path) as worker:
        worker.wait_ready()
        assert bus.takedown("hang")
        assert bus.takedown("after")


@pytest.mark.long
def test_the_watchdog_leaves_a_worker_that_was_stopped_as_a_whole(
    settings: Settings, tmp_path: Path
) -> None:
    """SIGSTOP for longer than the watchdog waits: the worker goes on where it was."""
    bus = Bus(settings)
    bus.publish(rights=[RIGHT])
    with WorkerProcess(settings, tmp_path, ASSAYER_WATCHDOG_S="4") as worker:
        worker.wait_ready()
        worker.suspend()
        bus.publish([listing("waits", "Zorvex replica")])
        with pytest.raises(AssertionError, match="not within"):
            wait_for(lambda: worker.ended is not None, 8, "an end")
        worker.resume()
        assert bus.takedown("waits")
        assert worker.ended is None, worker.text
