"""The demo, as a newcomer runs it, and as one who loses patience ends it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from tests.harness import COMMAND, started, wait_for


def _start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start a demo in a session of its own, as a terminal does, in `folder` and for its files."""
    return started(
        [*COMMAND, "demo", *arguments],
        env={**os.environ, "TMPDIR": str(folder)},
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def _left(folder: Path) -> list[str]:
    """Return what a demo has left: its files, and processes that were started with them."""
    processes = [
        " ".join(process.info["cmdline"] or ())
        for process in psutil.process_iter(["cmdline", "status"])
        if any(str(folder) in argument for argument in process.info["cmdline"] or ())
    ]
    return [*(path.name for path in folder.iterdir()), *processes]


def test_a_demo_shows_takedowns_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with _start(tmp_path, "--json") as demo:
        text, _ = demo.communicate(timeout=120)
    assert demo.returncode == 0, text
    *takedowns, last = map(json.loads, text.splitlines())
    assert all(record["action"] == "REMOVED" for record in takedowns)
    assert last["summary"]["outcomes"]["remove"] == len(takedowns) > 0
    assert not _left(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_demo_that_is_ended_leaves_nothing_behind(tmp_path: Path, number: int) -> None:
    """SIGKILL hits the process; Ctrl-C the group a terminal has; SIGTERM what a shell started."""
    with _start(tmp_path) as demo:
        wait_for(lambda: list(tmp_path.glob("*/redis.sock")), 30, "the demo's Redis")
        if number == signal.SIGINT:
            os.killpg(demo.pid, number)
        else:
            demo.send_signal(number)
        text, _ = demo.communicate(timeout=30)
    assert "Traceback" not in text
    wait_for(lambda: not _left(tmp_path), 10, lambda: f"nothing: {_left(tmp_path)}")


def test_a_demo_nobody_reads_ends_at_once(tmp_path: Path) -> None:
    """`assayer demo | head`: exit 141 as of any program whose reader has gone, and no complaint."""
    with started(
        [*COMMAND, "demo"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as demo:
        assert demo.stdout is not None
        assert demo.stderr is not None
        demo.stdout.readline()
        demo.stdout.close()
        complaint = demo.stderr.read()
        assert demo.wait(timeout=60) == 141
    assert not complaint
    assert not _left(tmp_path)
