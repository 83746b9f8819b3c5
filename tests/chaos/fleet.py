"""Workers as an orchestrator keeps them: whoever ends by itself is started again."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from streams.settings import Settings
from tests.harness import WorkerProcess

RESTART_SECONDS = 0.5


class Fleet:
    """Numbered workers. A context manager; at its end they are killed.

    A worker that a fault `holds` is left to that fault.
    """

    def __init__(self, settings: Settings, folder: Path, count: int, **more: str) -> None:
        self._settings, self._folder, self._more = settings, folder, more
        self.workers: dict[int, WorkerProcess] = {
            number: WorkerProcess(settings, folder, **more) for number in range(count)
        }
        self.ended: Counter[int] = Counter()
        """How often workers ended by themselves, by exit code."""
        self._held: set[int] = set()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._supervise, daemon=True)

    def __enter__(self) -> Self:
        for worker in self.workers.values():
            worker.start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(120)
        for worker in self.workers.values():
            worker.kill()

    def wait_ready(self, seconds: float = 120) -> None:
        """Return once every worker is ready."""
        for worker in self.workers.values():
            worker.wait_ready(seconds)

    @contextmanager
    def held(self, number: int) -> Iterator[WorkerProcess]:
        """Leave a worker to the caller; afterwards it is started again if it has ended."""
        with self._lock:
            self._held.add(number)
        try:
            yield self.workers[number]
        finally:
            worker = self.workers[number]
            if worker.ended is not None:
                worker.start()
            with self._lock:
                self._held.discard(number)

    def guest(self) -> WorkerProcess:
        """Return one more worker, which the caller starts and ends."""
        return WorkerProcess(self._settings, self._folder, **self._more)

    def _supervise(self) -> None:
        while not self._stopping.wait(RESTART_SECONDS):
            for number, worker in self.workers.items():
                with self._lock:
                    code = worker.ended
                    if number in self._held or code is None:
                        continue
                    self.ended[code] += 1
                    # One that does not come up is looked at again at the next turn.
                    with suppress(AssertionError):
                        worker.start()
