"""Recent listings, from their topic or from a file, to try rights on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from agents.monitoring.screening import listing_decoder, to_listing
from agents.records import Listing, Refused, read_jsonl
from streams import topics
from streams.codec import DecodeError
from streams.newest_records import newest_records
from streams.schema_registry import SchemaRegistry
from streams.settings import Settings

MOST: Final = 10_000
"""Listing changes that are read from the topic, the newest ones *(start value)*."""
SECONDS: Final = 30.0
"""How long reading and measuring them may take: what has come until then counts."""
TIMEOUT: Final = 5.0
"""Seconds within which a broker has to answer."""
AT_ONCE: Final = 500


def from_topic(settings: Settings) -> Iterator[list[Listing]]:
    """Yield the newest listing changes in batches, spread over the partitions.

    Commits nothing. What can't be decoded is passed over: the worker buries it.

    Raises:
        KafkaUnavailableError, MissingTopicError, RegistryUnavailableError
    """
    decoder = listing_decoder(SchemaRegistry.connect(settings))
    topic = settings.topic(topics.LISTINGS.name)
    for records in newest_records(settings, topic, MOST, seconds=SECONDS, timeout=TIMEOUT):
        away = decoder.fetch(decoder.unknown(record.value for record in records))
        if away is not None:
            raise away
        listings = []
        for record in records:
            try:
                listings.append(to_listing(decoder, record.value))
            except DecodeError:
                continue
        yield listings


def from_file(path: Path, refused: Callable[[Refused], object]) -> Iterator[list[Listing]]:
    """Yield the listings of a JSON Lines file in batches; `refused` is told of other rows.

    Raises:
        OSError: the file can't be read.
    """
    batch: list[Listing] = []
    for row in read_jsonl(path, Listing):
        if isinstance(row, Refused):
            refused(row)
            continue
        batch.append(row)
        if len(batch) >= AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch
