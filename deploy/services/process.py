"""A server as a child process: started, watched until it answers, and never left behind."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final, Self

FOLDER_PREFIX: Final = "assayer-service-"
START_SECONDS: Final = 90.0
STOP_SECONDS: Final = 15.0
SHORT_LIVED_JVM: Final = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""Options of a JVM that runs for minutes: it starts with half the processor time, because it does
not compile for speed."""
LASTING_JVM: Final = ("-XX:+UseSerialGC",)
_PR_SET_PDEATHSIG: Final = 1


class ServiceError(RuntimeError):
    """A server that did not come up: says why, with the end of its log."""


class Service:
    """A server. A context manager; `start` after `stop` or `kill` keeps port and data."""

    name = "service"

    def __init__(self, *, detached: bool = False) -> None:
        """Prepare a folder. A detached server outlives this process; others die with it."""
        sweep()
        self.folder = Path(tempfile.mkdtemp(prefix=f"{FOLDER_PREFIX}{self.name}-"))
        self._detached = detached
        if not detached:
            (self.folder / "owner").write_text(f"{os.getpid()} {_started_at(os.getpid())}")
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        """Return the command line."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        """Return what to add to the environment."""
        return {}

    def answers(self) -> bool:
        """Return whether the server does what it is for."""
        raise NotImplementedError

    @property
    def pid(self) -> int:
        """Process id; raises RuntimeError when it does not run."""
        if self._process is None:
            raise RuntimeError(f"{self.name} does not run")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def log_path(self) -> Path:
        """Where the server's output goes."""
        return self.folder / f"{self.name}.log"

    def start(self) -> Self:
        """Start and return once it answers. Raises ServiceError."""
        self.launch()
        return self.wait_answering()

    def launch(self) -> None:
        """Start, without waiting until it answers. It dies with the thread that calls this."""
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=self.folder,
                env={**os.environ, **self.environment()},
                start_new_session=self._detached,
                # Also when this process is killed without a word, nothing stays behind.
                preexec_fn=None if self._detached else die_with_parent,  # noqa: PLW1509
            )

    def wait_answering(self) -> Self:
        """Return once it answers. Raises ServiceError."""
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if not self.running:
                raise ServiceError(f"{self.name} ended at once:\n{self._log_tail()}")
            if time.monotonic() > deadline:
                self.kill()
                raise ServiceError(f"{self.name} does not answer:\n{self._log_tail()}")
            time.sleep(0.05)
        return self

    def stop(self) -> None:
        """Ask it to end and wait; kill it when it does not."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it with SIGKILL, as a crash would."""
        self._end(signal.SIGKILL)

    def suspend(self) -> None:
        """Stop it from answering without closing anything: a server that hangs."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a suspended server go on."""
        os.kill(self.pid, signal.SIGCONT)

    def _end(self, number: int) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def close(self) -> None:
        """Stop it and remove its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _log_tail(self) -> str:
        lines = self.log_path.read_text(errors="replace").splitlines()
        return "\n".join(lines[-20:])


def free_port() -> int:
    """Return a port of loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def accepts(port: int) -> bool:
    """Return whether something listens on a port of loopback."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.5):
            return True
    except OSError:
        return False


def sweep() -> None:
    """Remove folders whose owner is gone: what a crashed run left."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER_PREFIX}*"):
        try:
            pid, started = (folder / "owner").read_text().split()
        except (OSError, ValueError):
            continue
        if _started_at(int(pid)) != started:
            shutil.rmtree(folder, ignore_errors=True)


def _started_at(pid: int) -> str:
    """Return when a process was started, in clock ticks since boot; '' when there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def die_with_parent() -> None:
    """Have the kernel kill this process when the one that started it ends, however it ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
