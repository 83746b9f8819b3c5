"""How to reach Kafka: the client settings of confluent-kafka and of Faust, from one place."""

from __future__ import annotations

import socket
import ssl
from typing import Any, Final

from streams.settings import Settings

CONNECT_SECONDS: Final = 10.0


class KafkaUnavailableError(ConnectionError):
    """No broker answers."""


def client_config(settings: Settings, extra: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the librdkafka configuration to connect with, and `extra` over it."""
    config: dict[str, Any] = {
        "bootstrap.servers": settings.kafka_bootstrap,
        "security.protocol": settings.kafka_security_protocol,
        "client.id": "assayer",
        "socket.keepalive.enable": True,
        # librdkafka writes to stderr on its own otherwise; errors reach us through the calls.
        "log_level": 2,
    }
    if settings.kafka_security_protocol.startswith("SASL"):
        config |= {
            "sasl.mechanism": settings.kafka_sasl_mechanism,
            "sasl.username": settings.kafka_sasl_username,
            "sasl.password": settings.kafka_sasl_password.get_secret_value(),
        }
    if settings.kafka_security_protocol.endswith("SSL"):
        for name, path in (
            ("ssl.ca.location", settings.kafka_ssl_ca_location),
            ("ssl.certificate.location", settings.kafka_ssl_certificate_location),
            ("ssl.key.location", settings.kafka_ssl_key_location),
        ):
            if path is not None:
                config[name] = str(path)
        password = settings.kafka_ssl_key_password.get_secret_value()
        if password:
            config["ssl.key.password"] = password
    return config | (extra or {})


def faust_credentials(settings: Settings) -> Any:
    """Return Faust's credentials object, or None for an open connection."""
    import faust

    protocol = settings.kafka_security_protocol
    if protocol == "PLAINTEXT":
        return None
    context = _ssl_context(settings) if protocol.endswith("SSL") else None
    if protocol == "SSL":
        return faust.SSLCredentials(context)
    return faust.SASLCredentials(
        username=settings.kafka_sasl_username,
        password=settings.kafka_sasl_password.get_secret_value(),
        mechanism=settings.kafka_sasl_mechanism,
        ssl_context=context,
    )


def _ssl_context(settings: Settings) -> ssl.SSLContext:
    ca = settings.kafka_ssl_ca_location
    context = ssl.create_default_context(cafile=str(ca) if ca else None)
    if settings.kafka_ssl_certificate_location:
        context.load_cert_chain(
            str(settings.kafka_ssl_certificate_location),
            str(settings.kafka_ssl_key_location) if settings.kafka_ssl_key_location else None,
            settings.kafka_ssl_key_password.get_secret_value() or None,
        )
    return context


def check_port(settings: Settings) -> None:
    """Return unless every broker named in the settings refuses a connection, which is told at once.

    The client itself goes on trying until its time is up.

    Raises:
        KafkaUnavailableError
    """
    for address in settings.kafka_bootstrap.split(","):
        host, _, port = address.strip().rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=2.0).close()
        except ConnectionRefusedError:
            continue
        except OSError:
            return  # a name that is not known yet, a slow network: the client's own time counts
        return
    raise KafkaUnavailableError(
        f"Kafka at {settings.kafka_bootstrap} does not answer (connection refused); "
        "check ASSAYER_KAFKA_BOOTSTRAP"
    )


def ping(settings: Settings, timeout: float = CONNECT_SECONDS) -> int:
    """Return how many brokers answer; blocks up to `timeout` seconds.

    Raises:
        KafkaUnavailableError: none does.
    """
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    check_port(settings)
    try:
        return len(AdminClient(client_config(settings)).list_topics(timeout=timeout).brokers)
    except KafkaException as error:
        raise KafkaUnavailableError(
            f"Kafka at {settings.kafka_bootstrap} does not answer "
            f"({error.args[0].name()}); check ASSAYER_KAFKA_BOOTSTRAP and the security settings"
        ) from None
