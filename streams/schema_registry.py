"""The schema registry: which schema has which id, and what went wrong when that can't be told."""

from __future__ import annotations

import json
from typing import Any, Final, Protocol

import schemas
from streams.settings import Settings
from streams.tls import TlsFiles, refusal

LARGEST_ID: Final = 2**31 - 1
"""Ids are signed 32-bit numbers; four bytes can say larger ones, which no registry has."""
_NOT_FOUND: Final = range(40400, 40500)
"""Confluent's own codes: a 404 without one comes from something that is no registry."""


class RegistryClient(Protocol):
    """The part of confluent-kafka's client that is used here; its mock has the same."""

    def get_schema(self, schema_id: int) -> Any:
        """Return the schema of an id."""

    def register_schema(self, subject_name: str, schema: Any) -> int:
        """Register a schema under a subject; the same one again returns the same id."""


class RegistryUnavailableError(ConnectionError):
    """The registry can't be reached or does not answer as one."""


class UnknownSchemaError(LookupError):
    """The registry answers, and has no schema of this id."""


class IncompatibleSchemaError(ValueError):
    """The registry refuses a schema."""


class SchemaRegistry:
    """Looks schemas up and registers them. Calls block: run them in a thread from a loop."""

    def __init__(self, client: RegistryClient, url: str, user: str = "") -> None:
        self._client = client
        self.url = url
        self._user = user

    @classmethod
    def connect(cls, settings: Settings) -> SchemaRegistry:
        """Return the registry of the settings; nothing is sent yet."""
        from confluent_kafka.schema_registry import SchemaRegistryClient

        config: dict[str, Any] = {"url": settings.schema_registry_url}
        if not settings.schema_registry_url.startswith("mock://"):
            config |= {"timeout": 5, "max.retries": 1, "retries.wait.ms": 200}
        if settings.schema_registry_url.startswith("https://"):
            config |= _tls(settings)
        password = settings.schema_registry_password.get_secret_value()
        if settings.schema_registry_username or password:
            config["basic.auth.user.info"] = f"{settings.schema_registry_username}:{password}"
        return cls(
            SchemaRegistryClient.new_client(config),
            settings.schema_registry_url,
            settings.schema_registry_username,
        )

    def writer_schema(self, schema_id: int) -> dict[str, Any]:
        """Return the schema a record was written with, as parsed JSON.

        Raises:
            UnknownSchemaError: there is none of this id, or it is not Avro.
            RegistryUnavailableError: the registry can't be asked.
        """
        from confluent_kafka.schema_registry.error import SchemaRegistryError

        if schema_id > LARGEST_ID:
            raise UnknownSchemaError(f"no registry has a schema {schema_id}")
        try:
            found = self._client.get_schema(schema_id)
        except SchemaRegistryError as error:
            if error.error_code in _NOT_FOUND:
                raise UnknownSchemaError(f"the registry has no schema {schema_id}") from None
            raise self._unavailable(error) from error
        except Exception as error:  # httpx's own errors: the client lets them through
            raise self._unavailable(error) from error
        if found.schema_type not in (None, "AVRO"):
            raise UnknownSchemaError(f"schema {schema_id} is {found.schema_type}, not Avro")
        try:
            parsed = json.loads(found.schema_str)
        except ValueError:
            parsed = None  # a bare name such as "string" may stand without quotes
        if not isinstance(parsed, dict) or parsed.get("type") != "record":
            raise UnknownSchemaError(f"schema {schema_id} is no record")
        return parsed

    def register(self, topic: str, name: str) -> int:
        """Register the current schema `name` for the values of `topic`; return its id.

        Raises:
            IncompatibleSchemaError: the registry refuses it.
            RegistryUnavailableError: the registry can't be asked.
        """
        from confluent_kafka.schema_registry import Schema
        from confluent_kafka.schema_registry.error import SchemaRegistryError

        text = json.dumps(schemas.load(name), ensure_ascii=False)
        try:
            return self._client.register_schema(f"{topic}-value", Schema(text, "AVRO"))
        except SchemaRegistryError as error:
            if error.http_status_code in (409, 422):
                raise IncompatibleSchemaError(
                    f"the registry refuses schema '{name}' for {topic}-value: {error.error_message}"
                ) from None
            raise self._unavailable(error) from error
        except Exception as error:  # httpx's own errors: the client lets them through
            raise self._unavailable(error) from error

    def ping(self) -> None:
        """Return when the registry answers; raise RegistryUnavailableError when it does not."""
        try:
            # No registry hands out the last id, so that there is none is the usual answer.
            self.writer_schema(LARGEST_ID)
        except UnknownSchemaError:
            return

    def _unavailable(self, error: Exception) -> RegistryUnavailableError:
        status = getattr(error, "http_status_code", None)
        if status in (401, 403):
            who = f"user '{self._user}'" if self._user else "who names no user"
            return RegistryUnavailableError(
                f"schema registry {self.url} refuses {who} (HTTP {status}); check "
                "ASSAYER_SCHEMA_REGISTRY_USERNAME and ASSAYER_SCHEMA_REGISTRY_PASSWORD"
            )
        if isinstance(status, int) and status > 0:
            return RegistryUnavailableError(
                f"{self.url} answers with HTTP {status}, which is not what a schema registry says; "
                "check ASSAYER_SCHEMA_REGISTRY_URL, its path and its credentials"
            )
        told = refusal(error)
        if told:
            return RegistryUnavailableError(
                f"schema registry {self.url}: {told}; check ASSAYER_SCHEMA_REGISTRY_SSL_… and the "
                "host in ASSAYER_SCHEMA_REGISTRY_URL"
            )
        return RegistryUnavailableError(
            f"schema registry {self.url} does not answer ({type(error).__name__}); "
            "check ASSAYER_SCHEMA_REGISTRY_URL"
        )


def _tls(settings: Settings) -> dict[str, Any]:
    """Return what the client is told about certificates; their files are read to check them."""
    files = TlsFiles.of(settings, "schema_registry")
    files.context()
    named = {
        "ssl.ca.location": files.ca,
        "ssl.certificate.location": files.certificate,
        "ssl.key.location": files.key,
    }
    config: dict[str, Any] = {name: str(path) for name, path in named.items() if path is not None}
    if files.certificate is not None and files.password:
        config["ssl.key.password"] = files.password
    return config
