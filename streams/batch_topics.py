"""Topics of a Faust app whose events carry whole batches; `transport` says what they promise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import faust
from faust.types import EventT
from faust.types.tuples import Message

DRAIN_SECONDS: Final = 5.0
"""How long a revocation or a stop waits for batches in flight; then they are left to be reread."""


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """Bounds of the batches of one app."""

    topics: frozenset[str]
    records: int = 500
    wait: float = 0.003
    in_flight: int = 4
    fetch_wait_ms: int = 100
    drain: float = DRAIN_SECONDS


class BatchApp(faust.App):
    """A Faust app that has batch topics."""

    batches: BatchSettings = BatchSettings(frozenset())

    def _create_directories(self) -> None:
        """Write nothing where the process was started: the folders would be for Faust's tables."""


class BatchTopic(faust.Topic):
    """A topic whose events carry a `RecordBatch`; no codec runs on it."""

    def _compile_decode(self) -> None:
        # Faust keeps the decoder it compiles from the schema as an attribute of each clone.
        self.decode = self._decode_batch  # type: ignore[method-assign]

    async def _decode_batch(self, message: Message, *, propagate: bool = False) -> EventT[Any]:  # noqa: ARG002
        return self._create_event(None, message.value, None, message=message)


def batch_topic(app: BatchApp, name: str) -> BatchTopic:
    """Return the channel of a batch topic, which `app.batches` has to name."""
    if name not in app.batches.topics:
        raise ValueError(f"{name} is no batch topic of this app")
    return BatchTopic(app, topics=[name])
