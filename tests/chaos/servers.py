"""Servers with a bad network before them, which only the workers go through."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Self

from deploy.services import Kafka, Redis, SchemaRegistryServer
from deploy.services.process import free_port
from streams.settings import Settings
from tests.tcp_proxy import TcpProxy


class LinkedKafka(Kafka):
    """A broker with a second listener, which says that it is reached at a link's port."""

    def __init__(self) -> None:
        super().__init__(heap="512m")
        self._behind = free_port()
        self.link = TcpProxy(self._behind)

    def properties(self) -> str:
        """Return the broker's configuration, with the second listener."""
        lines = []
        for line in super().properties().splitlines():
            if line.startswith("listeners="):
                line += f",LINK://127.0.0.1:{self._behind}"  # noqa: PLW2901
            if line.startswith("advertised.listeners="):
                line += f",LINK://127.0.0.1:{self.link.port}"  # noqa: PLW2901
            lines.append(line)
        names = ("LINK", "PLAINTEXT", "CONTROLLER")
        lines.append(
            "listener.security.protocol.map=" + ",".join(f"{name}:PLAINTEXT" for name in names)
        )
        lines.append("inter.broker.listener.name=PLAINTEXT")
        return "\n".join(lines) + "\n"


class Servers:
    """Kafka, Redis and a registry of one installation. A context manager.

    `settings` lead to the servers themselves, `linked` through `kafka_link`, `redis_link` and
    `registry_link`.
    """

    def __init__(self, *, partitions: int = 4) -> None:
        self.kafka = LinkedKafka()
        self.redis = Redis()
        self.registry = SchemaRegistryServer()
        self.kafka_link = self.kafka.link
        self.redis_link = TcpProxy(self.redis.port)
        self.registry_link = TcpProxy(self.registry.port)
        self.settings = Settings(
            kafka_bootstrap=self.kafka.bootstrap,
            schema_registry_url=self.registry.url,
            redis_url=self.redis.url,  # type: ignore[arg-type]
            topic_prefix="chaos.",
            topic_partitions=partitions,
            metrics_port=0,
            session_timeout_s=6.0,
        )
        self.linked = self.settings.model_copy(
            update={
                "kafka_bootstrap": f"127.0.0.1:{self.kafka_link.port}",
                "redis_url": type(self.settings.redis_url)(
                    f"redis://127.0.0.1:{self.redis_link.port}/0"
                ),
                "schema_registry_url": self.registry.url.replace(
                    str(self.registry.port), str(self.registry_link.port)
                ),
            }
        )
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for server in (self.kafka, self.redis, self.registry):
                stack.enter_context(server)
            for link in (self.kafka_link, self.redis_link, self.registry_link):
                stack.enter_context(link)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
