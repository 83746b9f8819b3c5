"""Keeps the judge current: follows `assayer.rights`, compiles aside, swaps between batches."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from agents.alliance.rights_log import RightsLog, rights_decoder
from agents.monitoring.judge import Judge
from agents.monitoring.policies import Policy
from agents.monitoring.registry import compile_registry
from streams import topics
from streams.codec import DecodeError
from streams.kafka import KafkaUnavailableError
from streams.log_reader import LogReader, LogRecord
from streams.schema_registry import RegistryUnavailableError, SchemaRegistry
from streams.settings import Settings

log = logging.getLogger(__name__)

GATHER_SECONDS: Final = 0.2
"""How long changes are gathered before the registry is compiled again: many at once."""

Refused = Callable[[LogRecord, DecodeError], None]
"""Called in the keeper's thread for each record that is no right."""


def _warn(record: LogRecord, error: DecodeError) -> None:
    log.warning("offset %d of the rights is no right, and passed over: %s", record.offset, error)


class RegistryKeeper:
    """The current judge, and the thread that renews it.

    `load` reads all of the topic and returns with the first judge; from then on `current` may
    change at any moment, so a batch takes it once. What can't be read as a right is passed over;
    everything else keeps serving.
    """

    def __init__(
        self,
        settings: Settings,
        registry: SchemaRegistry,
        policy: Policy,
        refused: Refused = _warn,
    ) -> None:
        self._settings = settings
        self._topic = settings.topic(topics.RIGHTS.name)
        self._log = RightsLog(rights_decoder(registry))
        self._policy = policy
        self._refused = refused
        self._current: Judge | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.error = ""
        """What is wrong with following the topic; empty when nothing is."""

    @property
    def loaded(self) -> bool:
        """Whether the registry was read to its end once."""
        return self._current is not None

    @property
    def current(self) -> Judge:
        """The judge of the newest registry. Raises RuntimeError before `load`."""
        if self._current is None:
            raise RuntimeError("the rights registry was not loaded yet")
        return self._current

    def load(self) -> Judge:
        """Read the topic to its end, compile, and go on following it in a thread; blocks.

        Raises:
            KafkaUnavailableError: no broker answers.
            RegistryUnavailableError: the rights' schema can't be had.
            MissingTopicError: there is no such topic.
        """
        reader = LogReader(self._settings, self._topic, start=self._log.version + 1)
        try:
            for records in reader.read_to_end():
                self._apply(records)
        except BaseException:
            reader.close()
            raise
        judge = self._compile()
        self._thread = threading.Thread(
            target=self._follow, args=(reader,), name="registry-keeper", daemon=True
        )
        self._thread.start()
        return judge

    def close(self) -> None:
        """Stop following."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout=5.0)

    def _apply(self, records: list[LogRecord]) -> None:
        for record, error in self._log.apply(records):
            self._refused(record, error)

    def _compile(self) -> Judge:
        started = time.perf_counter()
        registry = compile_registry(self._log.rights.values(), str(self._log.version))
        judge = self._current = Judge(registry, self._policy)
        log.info(
            "registry version %s in use: %d rights, compiled in %.2f s",
            registry.version,
            len(registry.rights),
            time.perf_counter() - started,
        )
        return judge

    def _follow(self, reader: LogReader) -> None:
        records: list[LogRecord] = []
        applied = True
        while not self._stopping.is_set():
            try:
                self._gather(reader, records)
                if records:
                    self._apply(records)
                    records, applied = [], False
                if not applied:
                    self._compile()
                    applied = True
                self.error = ""
            except (KafkaUnavailableError, RegistryUnavailableError) as error:
                self._tell(str(error))  # what was gathered stays, and is applied when it can be
                self._stopping.wait(1.0)
            except Exception as error:  # whatever a right does: the old registry serves on, as said
                if not self.error:
                    log.exception("the registry could not be renewed; the old one serves on")
                self.error = f"{type(error).__name__}: {error}"
                self._stopping.wait(1.0)
        reader.close()

    def _tell(self, error: str) -> None:
        if not self.error:
            log.warning("the registry is not renewed for now: %s", error)
        self.error = error

    def _gather(self, reader: LogReader, records: list[LogRecord]) -> None:
        """Append what arrives; what was appended stays when a later read fails."""
        records += reader.read(0.1)
        if records:
            deadline = time.monotonic() + GATHER_SECONDS
            while time.monotonic() < deadline:
                records += reader.read(0.05)
