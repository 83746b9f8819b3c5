"""Follows a topic of one partition in a thread: applies what comes, many changes at once."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from streams.aside import aside
from streams.kafka import KafkaUnavailableError
from streams.log_reader import LogReader, LogRecord
from streams.schema_registry import RegistryUnavailableError
from streams.settings import Settings

log = logging.getLogger(__name__)

GATHER_SECONDS: Final = 0.2
"""How long changes are gathered before they are put to use: many at once."""


class LogFollower:
    """A topic read from its beginning, and on and on.

    `apply` is given the records in order, and `renew` is called when some were applied. Both are
    called by `load`, and then in the follower's thread, which works aside: their loops give way
    there. What `apply` refuses with an error is given to it again; when `renew` fails, what it made
    before is to serve on, and it is called again.
    """

    def __init__(
        self,
        settings: Settings,
        topic: str,
        apply: Callable[[list[LogRecord]], None],
        renew: Callable[[], None],
    ) -> None:
        self.topic = settings.topic(topic)
        self.error = ""
        """What is wrong with following the topic; empty when nothing is."""
        self.followed_at = 0.0
        """When it was last read, and what came put to use, without an error; seconds since 1970."""
        self._settings = settings
        self._apply = apply
        self._renew = renew
        self._reader: LogReader | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def load(self) -> None:
        """Apply the topic up to its end; blocks.

        Raises:
            KafkaUnavailableError: no broker answers.
            RegistryUnavailableError: a schema can't be had.
            MissingTopicError: there is no such topic.
        """
        # After a failure it is read from where it was: what was applied is not applied twice.
        start = self._reader.next_offset if self._reader is not None else 0
        reader = self._reader = LogReader(self._settings, self.topic, start=start)
        try:
            for records in reader.read_to_end():
                self._apply_all(reader, records)
        except BaseException:
            reader.close()
            raise
        self.followed_at = time.time()

    def _apply_all(self, reader: LogReader, records: list[LogRecord]) -> None:
        try:
            self._apply(records)
        except BaseException:
            reader.next_offset = records[0].offset
            raise

    def follow(self) -> None:
        """Go on in a thread from where `load` ended."""
        self._thread = threading.Thread(
            target=self._follow_aside, name=f"follows {self.topic}", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop following."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout=5.0)

    def _follow_aside(self) -> None:
        with aside():
            self._follow()

    def _follow(self) -> None:
        reader = self._reader
        assert reader is not None, "loaded first"  # noqa: S101
        records: list[LogRecord] = []
        renewed = True
        while not self._stopping.is_set():
            try:
                self._gather(reader, records)
                if records:
                    self._apply(records)
                    records, renewed = [], False
                if not renewed:
                    self._renew()
                    renewed = True
                self.error, self.followed_at = "", time.time()
            except (KafkaUnavailableError, RegistryUnavailableError) as error:
                if not self.error:
                    log.warning("%s is not followed for now: %s", self.topic, error)
                self.error = str(error)  # what was gathered stays, and is applied when it can be
                self._stopping.wait(1.0)
            except Exception as error:  # whatever a record does: what was made before serves on
                if not self.error:
                    log.exception("%s could not be followed; what was read serves on", self.topic)
                self.error = f"{type(error).__name__}: {error}"
                self._stopping.wait(1.0)
        reader.close()

    def _gather(self, reader: LogReader, records: list[LogRecord]) -> None:
        """Append what arrives; what was appended stays when a later read fails."""
        records += reader.read(0.1)
        if records:
            deadline = time.monotonic() + GATHER_SECONDS
            while time.monotonic() < deadline:
                records += reader.read(0.05)
