"""Counts takedowns that a person has released: they are takedowns from then on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Protocol

from agents.breaker.held import Held, held_of
from streams.codec import DecodeError, Decoder
from streams.metrics import Metrics
from streams.views import FoldedRecord


class Batch(Protocol):
    """What is needed of a batch of records."""

    @property
    def records(self) -> Sequence[FoldedRecord]: ...  # noqa: D102


class Releases:
    """Counts what the batches of the queue say of releases; each comes to one worker.

    `decoder` knows the schemas of the batches: it has applied them to the view.
    """

    def __init__(self, decoder: Decoder, metrics: Metrics) -> None:
        self._decoder = decoder
        self._metrics = metrics

    def count(self, batch: Batch) -> None:
        """Count the takedowns released, and how long each took since the listing changed.

        How many units were sold while they waited is not known: they are in neither number of the
        ratio before the first sale.
        """
        released = [held for held in self._records(batch) if held.state == "RELEASED"]
        counts = Counter((held.rule, held.source) for held in released)
        for (rule, source), count in counts.items():
            self._metrics.takedowns.labels(rule, source).inc(count)
        self._metrics.handling.observe(
            max(0.0, (held.at - held.listing_occurred_at) / 1000) for held in released
        )

    def _records(self, batch: Batch) -> Iterator[Held]:
        for record in batch.records:
            try:
                yield held_of(self._decoder.decode(record.value))
            except DecodeError:
                continue  # buried when it was applied
