"""Redis, as a store of views: bounded calls, one kind of error, no waiting when it is away."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import redis.asyncio as aioredis
from redis.asyncio.connection import SSLConnection
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    NoPermissionError,
    RedisError,
    ResponseError,
)

from streams.settings import Settings
from streams.tls import TlsFiles, refusal

T = TypeVar("T")

RETRY_SECONDS: Final = 0.5
"""How long a store that failed is not asked again, so that no batch waits for its timeout."""


LAST_REFUSED_SECONDS: Final = 10.0
"""How long one that refuses us is not asked again at most: that is mended by a person."""


class StoreUnavailable(ConnectionError):  # noqa: N818 - the state it names, as rules know it
    """Redis did not answer in time, or refuses: what it would have said is unknown."""


class Store:
    """A Redis connection pool whose calls are bounded: by `redis_timeout_ms` if nothing is said."""

    def __init__(self, settings: Settings) -> None:
        self.prefix = key_prefix(settings)
        self._timeout = settings.redis_timeout_ms / 1000
        url = settings.redis_url.get_secret_value()
        self._where = _without_password(url)
        self._user = urlsplit(url).username or settings.redis_username or "default"
        self._client: aioredis.Redis = aioredis.Redis.from_url(
            url,  # what it says goes before what the other settings say
            username=settings.redis_username or None,
            password=settings.redis_password.get_secret_value() or None,
            # Each call is bounded as a whole, below; some may take longer than others.
            socket_timeout=None,
            socket_connect_timeout=self._timeout,
            retry_on_timeout=False,
            retry=None,
            max_connections=32,
            # Whose library asks is of no use to a server that allows only what is needed.
            driver_info=None,
        )
        self._certificates = ""
        pool = self._client.connection_pool
        if pool.connection_class is SSLConnection:
            pool.connection_class = _TlsConnection
            pool.connection_kwargs["context"] = TlsFiles.of(settings, "redis").context()
            # One that wants a certificate just hangs up, behind the handshake of TLS 1.3.
            self._certificates = " and the certificates in ASSAYER_REDIS_SSL_…"
        self._refused = 0
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
                result = await operation(self._client)
        except (AuthenticationError, AuthorizationError) as error:
            raise self._refuses(
                f"user '{self._user}'; check ASSAYER_REDIS_USERNAME, ASSAYER_REDIS_PASSWORD and "
                "what ASSAYER_REDIS_URL holds"
            ) from error
        except NoPermissionError as error:
            raise StoreUnavailable(
                f"Redis at {self._where} does not allow this to user '{self._user}' ({error}); "
                "what it needs is listed by: assayer views acl"
            ) from error
        except ResponseError as error:
            # It answers, but this it will not do: out of memory, read only, a key of another kind.
            raise StoreUnavailable(f"Redis at {self._where} refuses: {error}") from error
        except (RedisError, OSError, TimeoutError) as error:
            told = refusal(error)
            if told:
                raise self._refuses(
                    f"this client, or is refused by it: {told}; check ASSAYER_REDIS_SSL_… and the "
                    "host in ASSAYER_REDIS_URL"
                ) from error
            self._down_until = time.monotonic() + RETRY_SECONDS
            raise StoreUnavailable(
                f"Redis at {self._where} does not answer ({type(error).__name__}); "
                f"check ASSAYER_REDIS_URL{self._certificates}"
            ) from error
        self._refused = 0
        return result

    def _refuses(self, what: str) -> StoreUnavailable:
        """Return the error of a store that lets us not in; it is asked ever more seldom."""
        pause = min(RETRY_SECONDS * 2**self._refused, LAST_REFUSED_SECONDS)
        self._refused = min(self._refused + 1, 10)
        self._down_until = time.monotonic() + pause
        return StoreUnavailable(f"Redis at {self._where} refuses {what}")

    async def ping(self) -> None:
        """Return when Redis answers; raise StoreUnavailable when it does not."""
        await self.call(_ping)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def key_prefix(settings: Settings) -> str:
    """Return what every key of this installation begins with."""
    return f"{settings.topic_prefix}assayer:"


class _TlsConnection(SSLConnection):
    """A connection by a context of ours: redis-py's trusts the system beside what it is given."""

    def __init__(self, *, context: ssl.SSLContext, **options: Any) -> None:
        super().__init__(**options)
        self.ssl_context.context = context


async def _ping(client: aioredis.Redis) -> Any:
    return await client.echo("assayer")


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or parts.path
    return f"{host}:{parts.port}" if parts.port else host
