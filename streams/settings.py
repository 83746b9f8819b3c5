"""Every setting, read once from the environment and a `.env` file."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ENV_PREFIX: Final = "ASSAYER_"

MOST_SECRET_BYTES: Final = 65_536
"""A file that holds more is no secret, but a mistake."""

_HOST_AND_PORT: Final = re.compile(r"[\w.-]+:\d{1,5}|\[[0-9a-fA-F:]+\]:\d{1,5}")

Port = Annotated[int, Field(ge=0, le=65535)]


class Settings(BaseSettings):
    """Settings of every command. Each field is the variable `ASSAYER_<FIELD>`."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_file=".env",
        env_file_encoding="utf-8",
        frozen=True,
        # Values may be secrets: an error names the field, never what stood in it.
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
        validate_default=True,
    )

    kafka_bootstrap: str = "127.0.0.1:9092"
    """Kafka brokers, `host:port` separated by commas."""
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    """How to connect to Kafka."""
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    """SASL mechanism, with a SASL protocol."""
    kafka_sasl_username: str = ""
    """User, with a SASL protocol."""
    kafka_sasl_password_file: Path | None = None
    """File with the password of that user, in place of the next."""
    kafka_sasl_password: SecretStr = SecretStr("")
    """Password of that user."""
    kafka_ssl_ca_location: Path | None = None
    """File with the certificates to trust; the system's when unset."""
    kafka_ssl_certificate_location: Path | None = None
    """Client certificate (PEM)."""
    kafka_ssl_key_location: Path | None = None
    """Client key (PEM)."""
    kafka_ssl_key_password_file: Path | None = None
    """File with the password of the client key, in place of the next."""
    kafka_ssl_key_password: SecretStr = SecretStr("")
    """Password of the client key."""

    schema_registry_url: str = "http://127.0.0.1:8081"
    """Confluent-compatible schema registry."""
    schema_registry_username: str = ""
    """User for the registry, when it asks for one."""
    schema_registry_password_file: Path | None = None
    """File with the password for the registry, in place of the next."""
    schema_registry_password: SecretStr = SecretStr("")
    """Password for the registry."""
    schema_registry_ssl_ca_location: Path | None = None
    """File with the certificates to trust, with `https://`; the usual authorities when unset."""
    schema_registry_ssl_certificate_location: Path | None = None
    """Client certificate for the registry (PEM)."""
    schema_registry_ssl_key_location: Path | None = None
    """Its key (PEM)."""
    schema_registry_ssl_key_password_file: Path | None = None
    """File with the password of that key, in place of the next."""
    schema_registry_ssl_key_password: SecretStr = SecretStr("")
    """Password of that key."""

    redis_url_file: Path | None = None
    """File with the URL of Redis, in place of the next."""
    redis_url: SecretStr = SecretStr("redis://127.0.0.1:6379/0")
    """Redis, `redis://`, `rediss://` or `unix://`; a URL may hold a password, so it is masked."""
    redis_username: str = ""
    """User of Redis's access control lists, when the URL names none."""
    redis_password_file: Path | None = None
    """File with the password of Redis, in place of the next."""
    redis_password: SecretStr = SecretStr("")
    """Password of Redis, when the URL holds none."""
    redis_ssl_ca_location: Path | None = None
    """File with the certificates to trust, with `rediss://`; the system's when unset."""
    redis_ssl_certificate_location: Path | None = None
    """Client certificate for Redis (PEM)."""
    redis_ssl_key_location: Path | None = None
    """Its key (PEM)."""
    redis_ssl_key_password_file: Path | None = None
    """File with the password of that key, in place of the next."""
    redis_ssl_key_password: SecretStr = SecretStr("")
    """Password of that key."""
    redis_timeout_ms: Annotated[int, Field(ge=10, le=60_000)] = 500
    """How long one Redis call may take before its facts count as unknown."""

    topic_prefix: Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]*$", max_length=100)] = ""
    """Stands before every topic and group name."""
    topic_partitions: Annotated[int, Field(ge=1, le=1000)] = 12
    """Partitions of the topics that `topics create` makes, single-partition topics apart."""
    topic_replication: Annotated[int, Field(ge=-1, le=10)] = -1
    """Replication factor of new topics; -1 takes the broker's default."""

    metrics_host: str = "127.0.0.1"
    """Where the worker serves /metrics and /health."""
    metrics_port: Port = 9464
    """Port of the worker's metrics; 0 takes a free one."""
    http_host: str = "127.0.0.1"
    """Where the web pages will listen; no command reads it yet."""
    http_port: Port = 8080
    """Port of the web pages; no command reads it yet."""

    evidence_url: str = "file://./evidence"
    """fsspec URL of the store for evidence; no command reads it yet."""

    policy_file: Path | None = None
    """Policy the worker judges by, whatever is published; unset: the published or default one."""

    batch_records: Annotated[int, Field(ge=1, le=100_000)] = 500
    """Most records of one partition in a batch."""
    batch_wait_ms: Annotated[float, Field(ge=0, le=1000)] = 3.0
    """How long the first record of a batch may wait for company."""
    batches_in_flight: Annotated[int, Field(ge=1, le=64)] = 4
    """Batches of one partition that may await their acknowledgement."""

    fetch_wait_ms: Annotated[int, Field(ge=1, le=10_000)] = 100
    """How long the broker may hold back a fetch that finds nothing."""
    session_timeout_s: Annotated[float, Field(ge=1, le=600)] = 10.0
    """After how long without a heartbeat Kafka gives a worker's partitions to the others."""
    max_record_bytes: Annotated[int, Field(ge=10_000)] = 1_000_000
    """A larger listing goes to the dead letters."""
    max_clock_ahead_s: Annotated[int, Field(ge=0)] = 900
    """A listing whose time is further in the future goes to the dead letters."""

    watchdog_s: Annotated[float, Field(ge=0, le=86_400)] = 180.0
    """Seconds with records waiting and none done after which a worker ends itself; 0: never."""

    sweep_rate: Annotated[int, Field(ge=0, le=1_000_000)] = 20_000
    """Records a second that a sweep reads *(start value)*; 0: no worker begins one by itself."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """How much is logged."""

    @field_validator(
        "kafka_sasl_password",
        "kafka_ssl_key_password",
        "schema_registry_password",
        "schema_registry_ssl_key_password",
        "redis_url",
        "redis_password",
        "redis_ssl_key_password",
        mode="before",
    )
    @classmethod
    def _from_file(cls, value: object, info: ValidationInfo) -> object:
        """Return a secret as it is given, or as its file holds it."""
        assert info.field_name is not None  # noqa: S101 - only of a root model
        path = info.data.get(f"{info.field_name}_file")
        if path is None:
            return value
        if "" != _revealed(value) != _revealed(cls.model_fields[info.field_name].default):
            raise ValueError(
                f"is given twice; set it or {ENV_PREFIX}{info.field_name.upper()}_FILE"
            )
        return _read_secret(path)

    @field_validator("schema_registry_url")
    @classmethod
    def _registry_url(cls, value: str) -> str:
        if not value.startswith(("http://", "https://", "mock://")):
            raise ValueError("must begin with http:// or https://")
        if "@" in urlsplit(value).netloc:  # it is shown by doctor, and in what is said of errors
            raise ValueError(
                "must hold no user or password; set ASSAYER_SCHEMA_REGISTRY_USERNAME and "
                "ASSAYER_SCHEMA_REGISTRY_PASSWORD"
            )
        return value.rstrip("/")

    @field_validator("kafka_bootstrap")
    @classmethod
    def _kafka_bootstrap(cls, value: str) -> str:
        hosts = [host.strip() for host in value.split(",")]
        if not all(_HOST_AND_PORT.fullmatch(host) for host in hosts):
            raise ValueError("must be host:port, several separated by commas")
        return ",".join(hosts)

    @field_validator("redis_url")
    @classmethod
    def _redis_url(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must begin with redis://, rediss:// or unix://")
        return value

    def topic(self, name: str) -> str:
        """Return the topic or group `name` with the prefix of this installation."""
        return self.topic_prefix + name


def _revealed(value: object) -> object:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _read_secret(path: Path) -> str:
    """Return what a file with a secret holds, without the end of its line."""
    try:
        if path.stat().st_size > MOST_SECRET_BYTES:
            raise ValueError(f"has a file of more than {MOST_SECRET_BYTES} bytes: {path}")
        text = path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise ValueError(f"can't be read from {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"can't be read from {path}: it is not UTF-8") from None
    if not text:
        raise ValueError(f"can't be read from {path}: it is empty")
    return text


def variables_of(settings: Settings) -> dict[str, str]:
    """Return the `ASSAYER_…` variables that lead another process to the same settings.

    A secret that stands in a file is named by its file, and is in no variable.
    """
    values = {name: getattr(settings, name) for name in Settings.model_fields}
    return {
        (ENV_PREFIX + name).upper(): str(_revealed(value))
        for name, value in values.items()
        if value is not None and values.get(f"{name}_file") is None
    }


def unknown_variables() -> list[str]:
    """Return the `ASSAYER_…` variables of the environment that no setting has: likely typos."""
    known = {(ENV_PREFIX + name).upper() for name in Settings.model_fields}
    return sorted(
        name
        for name in os.environ
        if name.upper().startswith(ENV_PREFIX) and name.upper() not in known
    )
