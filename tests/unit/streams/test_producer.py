"""The producer: what it says of records that no broker takes."""

from __future__ import annotations

import asyncio

from deploy.services.process import free_port
from streams.producer import Outgoing, Producer
from streams.settings import Settings


def test_it_tells_how_long_the_oldest_delivery_waits() -> None:
    async def work() -> None:
        producer = Producer(Settings(kafka_bootstrap=f"127.0.0.1:{free_port()}"))
        try:
            assert producer.waiting_seconds() == 0
            deliveries = [
                asyncio.create_task(producer.deliver([Outgoing("topic", b"key", b"value")]))
                for _ in range(2)
            ]
            await asyncio.sleep(0.2)
            both = producer.waiting_seconds()
            deliveries[0].cancel()
            await asyncio.wait(deliveries[:1])
            assert producer.waiting_seconds() > 0.1
            assert both > 0.1
            deliveries[1].cancel()
            await asyncio.wait(deliveries)
            assert producer.waiting_seconds() == 0
        finally:
            producer.close(0.0)

    asyncio.run(work())
