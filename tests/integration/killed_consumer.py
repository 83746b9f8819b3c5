"""A process that acknowledges every second batch and waits to be killed."""

from __future__ import annotations

import asyncio
import json
import sys

from streams.settings import Settings
from tests.integration.faust_apps import Held, HoldingApp


def _every_second(held: Held) -> None:
    first = held.batch.first_offset
    if first // 10 % 2 == 0:
        held.ack()
    sys.stdout.write(json.dumps([first, held.batch.last_offset]) + "\n")
    sys.stdout.flush()


async def _main(topic: str) -> None:
    async with HoldingApp(Settings(), topic, on_batch=_every_second):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
