"""A Redis that keeps everything in memory."""

from __future__ import annotations

import shutil

import redis

from deploy.services.process import Service, ServiceError, accepts, free_port


class Redis(Service):
    """A real Redis; `url` is its address. Nothing survives a stop: views are rebuilt."""

    name = "redis"

    def __init__(self, *, detached: bool = False) -> None:
        """Prepare a Redis. Raises ServiceError when it is not installed."""
        super().__init__(detached=detached)
        self._binary = shutil.which("redis-server")
        if self._binary is None:
            raise ServiceError("redis-server is missing; as root: apt-get install redis-server")
        self.port = free_port()

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        """Return the command line."""
        return [
            str(self._binary),
            *("--port", str(self.port), "--bind", "127.0.0.1"),
            *("--save", "", "--appendonly", "no", "--dir", str(self.folder)),
        ]

    def answers(self) -> bool:
        """Return whether it answers a PING."""
        if not accepts(self.port):
            return False
        client = redis.Redis(port=self.port, socket_timeout=2)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()
