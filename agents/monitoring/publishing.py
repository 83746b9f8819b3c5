"""Publishes listings, sellers and sales as the platform's bus would."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable
from typing import Final

import msgspec

from agents.records import Listing, Sale, Seller
from streams import topics
from streams.cloud_events import cloud_event
from streams.codec import Encoder
from streams.producer import Outgoing, Producer
from streams.schema_registry import SchemaRegistry
from streams.settings import Settings
from streams.topics import Topic

PATIENCE: Final = 60.0
"""Seconds a chunk may take."""

_SELLER_FIELDS: Final = frozenset({"upheld", "cleared"})
"""Fields of a seller that only files have: on the topics they follow from takedowns."""


class ListingPublisher:
    """Sends records to the platform's topics and waits until the broker has them."""

    def __init__(self, settings: Settings, registry: SchemaRegistry, producer: Producer) -> None:
        """Register the schemas; blocks."""
        self._producer = producer
        self._encoders = {
            topic.name: (
                settings.topic(topic.name),
                Encoder(registry, settings.topic(topic.name), topic.schema),
            )
            for topic in (topics.LISTINGS, topics.SELLERS, topics.SALES)
        }

    @classmethod
    async def connect(
        cls, settings: Settings, registry: SchemaRegistry | None = None
    ) -> ListingPublisher:
        """Return a publisher whose broker and registry have answered.

        Raises:
            KafkaUnavailableError, RegistryUnavailableError
        """
        producer = await asyncio.to_thread(Producer.connected, settings)
        try:
            return await asyncio.to_thread(
                cls, settings, registry or SchemaRegistry.connect(settings), producer
            )
        except BaseException:
            producer.close(0.0)
            raise

    async def listings(self, listings: Iterable[Listing]) -> None:
        """Publish listings; each gets an event id when it has none."""
        await self._send(
            topics.LISTINGS,
            "marketplace.listing.v1",
            (
                (
                    listing.listing_id,
                    listing.event_id or str(uuid.uuid4()),
                    listing.occurred_at,
                    listing,
                )
                for listing in listings
            ),
        )

    async def sellers(self, sellers: Iterable[Seller]) -> None:
        """Publish sellers."""
        await self._send(
            topics.SELLERS,
            "marketplace.seller.v1",
            ((s.seller_id, str(uuid.uuid4()), s.created_at or 0, s) for s in sellers),
        )

    async def sales(self, sales: Iterable[Sale]) -> None:
        """Publish sales."""
        await self._send(
            topics.SALES,
            "marketplace.sale.v1",
            ((s.listing_id, s.event_id, s.occurred_at, s) for s in sales),
        )

    async def _send(
        self,
        topic: Topic,
        event_type: str,
        records: Iterable[tuple[str, str, int, Listing | Seller | Sale]],
    ) -> None:
        name, encoder = self._encoders[topic.name]
        outgoing = []
        for key, event_id, millis, record in records:
            value = msgspec.to_builtins(record)
            if "event_id" in value:
                value["event_id"] = event_id
            for field in _SELLER_FIELDS:
                value.pop(field, None)
            outgoing.append(
                Outgoing(
                    name,
                    key.encode(),
                    encoder.encode(value),
                    cloud_event(event_id, event_type, millis),
                )
            )
        if outgoing:
            await self._producer.deliver_within(outgoing, PATIENCE)

    def close(self) -> None:
        """Send what is queued and disconnect."""
        self._producer.close()
