"""What says that a server does not answer now: nothing is wrong with what was asked of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from streams.kafka import KafkaUnavailableError
from streams.schema_registry import RegistryUnavailableError
from streams.store import StoreUnavailable

log = logging.getLogger(__name__)

T = TypeVar("T")

UNAVAILABLE: Final = (KafkaUnavailableError, RegistryUnavailableError, StoreUnavailable)
"""For an `except`: worth another try."""
RETRY_SECONDS: Final = 0.5


async def persist(what: str, attempt: Callable[[], Awaitable[T]]) -> T:
    """Return what the attempt gives once the servers it needs answer; say once that it waits."""
    told = False
    while True:
        try:
            return await attempt()
        except UNAVAILABLE as error:
            if not told:
                log.warning("%s waits: %s", what, error)
                told = True
            await asyncio.sleep(RETRY_SECONDS)
