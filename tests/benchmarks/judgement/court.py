"""How a listing is judged: as `assayer screen` does it, and by the worker's screen over raw bytes.

The one place that knows the judge's interface.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from agents.monitoring.judge import Judge, Verdict
from agents.monitoring.policies import default_policy
from agents.monitoring.registry import compile_registry
from agents.monitoring.screening import Limits, listing_decoder, screen
from agents.records import Listing, Right, Seller
from agents.reputation import facts_of
from streams.codec import Encoder
from streams.schema_registry import SchemaRegistry
from streams.settings import Settings
from tests.benchmarks.judgement.rights import NOW
from tests.records import Record

TOPIC: Final = "marketplace.listings"
_registries: Final = itertools.count()


class Court:
    """The shipped judgement over some rights."""

    def __init__(self, rights: Iterable[Right]) -> None:
        """Compile the rights; judge by the default policy."""
        self._judge = Judge(compile_registry(rights, "benchmark"), default_policy())
        # A mock registry of its own: the client keeps one for each address.
        settings = Settings(schema_registry_url=f"mock://judgement-{next(_registries)}")
        registry = SchemaRegistry.connect(settings)
        self._encoder = Encoder(registry, TOPIC, "listing")
        self._decoder = listing_decoder(registry)

    def verdict(self, listing: Listing, seller: Seller | None) -> Verdict:
        """Return the verdict on a listing by a seller; None is one of whom nothing is known."""
        facts = facts_of(listing.seller_id, seller)
        return self._judge.judge(listing, facts, NOW).verdict

    def passing(self, listings: Sequence[Listing]) -> set[int]:
        """Return the positions of the listings that the worker's screen lets through.

        Raises ValueError when the screen refuses one.
        """
        records = [
            Record(position, self._encoder.encode(_avro(listing)))
            for position, listing in enumerate(listings)
        ]
        values = [record.value for record in records]
        self._decoder.fetch(self._decoder.unknown(values))
        limits = Limits(record_bytes=10_000_000, clock_ahead_s=86_400)
        screened = screen(records, self._judge, self._decoder, limits, NOW)
        if screened.failures:
            first = screened.failures[0]
            raise ValueError(f"the screen refuses a record: {first.reason}: {first.error}")
        return {record.offset for record, _ in screened.examined}


def _avro(listing: Listing) -> dict[str, Any]:
    value: dict[str, Any] = msgspec.to_builtins(listing)
    value["event_id"] = listing.event_id or listing.listing_id
    return value
