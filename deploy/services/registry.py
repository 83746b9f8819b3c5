"""Apicurio, a schema registry that speaks Confluent's API."""

from __future__ import annotations

import urllib.request
from urllib.error import URLError

from deploy.services.downloads import REGISTRY_VERSION, registry_home
from deploy.services.process import (
    LASTING_JVM,
    SHORT_LIVED_JVM,
    Service,
    accepts,
    free_port,
)


class SchemaRegistryServer(Service):
    """A real registry; `url` is the address for clients of Confluent's. Keeps all in memory."""

    name = "schema-registry"

    def __init__(self, *, detached: bool = False) -> None:
        """Prepare a registry."""
        super().__init__(detached=detached)
        self._jvm = LASTING_JVM if detached else SHORT_LIVED_JVM
        self._home = registry_home()
        self.port = free_port()

    @property
    def url(self) -> str:
        """Where clients of Confluent's registry find it."""
        return f"http://127.0.0.1:{self.port}/apis/ccompat/v7"

    def command(self) -> list[str]:
        """Return the command line."""
        jar = next(self._home.rglob(f"apicurio-registry-app-{REGISTRY_VERSION}-runner.jar"))
        return ["java", "-Xmx400m", *self._jvm, "-jar", str(jar)]

    def environment(self) -> dict[str, str]:
        """Return address and port."""
        return {"QUARKUS_HTTP_HOST": "127.0.0.1", "QUARKUS_HTTP_PORT": str(self.port)}

    def answers(self) -> bool:
        """Return whether it lists its subjects."""
        if not accepts(self.port):
            return False
        try:
            with urllib.request.urlopen(f"{self.url}/subjects", timeout=5) as response:  # noqa: S310
                return bool(response.status == 200)
        except (URLError, OSError):
            return False
