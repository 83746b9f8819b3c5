"""Redis, as a store of views: bounded calls, one kind of error, no waiting when it is away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import redis.asyncio as aioredis
from redis.exceptions import RedisError, ResponseError

from streams.settings import Settings

T = TypeVar("T")

RETRY_SECONDS: Final = 0.5
"""How long a store that failed is not asked again, so that no batch waits for its timeout."""


class StoreUnavailable(ConnectionError):  # noqa: N818 - the state it names, as rules know it
    """Redis did not answer in time, or refuses: what it would have said is unknown."""


class Store:
    """A Redis connection pool whose calls are bounded: by `redis_timeout_ms` if nothing is said."""

    def __init__(self, settings: Settings) -> None:
        self.prefix = f"{settings.topic_prefix}assayer:"
        self._timeout = settings.redis_timeout_ms / 1000
        url = settings.redis_url.get_secret_value()
        self._where = _without_password(url)
        self._client: aioredis.Redis = aioredis.Redis.from_url(
            url,
            # Each call is bounded as a whole, below; some may take longer than others.
            socket_timeout=None,
            socket_connect_timeout=self._timeout,
            retry_on_timeout=False,
            retry=None,
            max_connections=32,
        )
        self._down_until = 0.0

    async def call(
        self, operation: Callable[[aioredis.Redis], Awaitable[T]], seconds: float | None = None
    ) -> T:
        """Return what `operation` on the client returns.

        Raises:
            StoreUnavailable: it failed, took longer than `seconds` (default: the setting), or
                failed so recently that it is not tried again yet.
        """
        if time.monotonic() < self._down_until:
            raise StoreUnavailable(f"Redis at {self._where} failed a moment ago")
        try:
            async with asyncio.timeout(seconds or self._timeout):
                return await operation(self._client)
        except ResponseError as error:
            # It answers, but this it will not do: out of memory, read only, a key of another kind.
            raise StoreUnavailable(f"Redis at {self._where} refuses: {error}") from error
        except (RedisError, OSError, TimeoutError) as error:
            self._down_until = time.monotonic() + RETRY_SECONDS
            raise StoreUnavailable(
                f"Redis at {self._where} does not answer ({type(error).__name__}); "
                "check ASSAYER_REDIS_URL"
            ) from error

    async def ping(self) -> None:
        """Return when Redis answers; raise StoreUnavailable when it does not."""
        await self.call(_ping)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


async def _ping(client: aioredis.Redis) -> Any:
    return await client.echo("assayer")


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or parts.path
    return f"{host}:{parts.port}" if parts.port else host
