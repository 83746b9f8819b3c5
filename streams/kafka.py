"""How to reach Kafka: the client settings of confluent-kafka and of Faust, from one place."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any, Final

from streams.settings import Settings
from streams.tls import TlsFiles

if TYPE_CHECKING:
    from confluent_kafka import KafkaError
    from confluent_kafka.admin import AdminClient, ClusterMetadata  # type: ignore[attr-defined]

CONNECT_SECONDS: Final = 10.0
_TURN_SECONDS: Final = 0.5
# As librdkafka numbers them: to import the client takes as long as many a command.
_SSL: Final = -181
_AUTHENTICATION: Final = -169
_NOT_ALLOWED: Final = (29, 30, 31, 53)
"""Not authorised: a topic, a group, the cluster, a transactional id."""
_SILENCE: Final = (-195, -187, -185)
"""Errors after which an answer may still come: no connection, all brokers down, timed out."""


class KafkaUnavailableError(ConnectionError):
    """No broker answers."""


class KafkaRefusesError(KafkaUnavailableError):
    """The broker answers, and lets us not in: credentials, certificates, what we may do."""


def client_config(settings: Settings, extra: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the librdkafka configuration to connect with, and `extra` over it."""
    config: dict[str, Any] = {
        "bootstrap.servers": settings.kafka_bootstrap,
        "security.protocol": settings.kafka_security_protocol,
        "client.id": "assayer",
        "socket.keepalive.enable": True,
        # A connection that a firewall forgot says nothing: the client's own minute is long.
        "socket.timeout.ms": 15_000,
        # What a broker that refuses us is tried at: the pauses grow only where none listens.
        "reconnect.backoff.ms": 1000,
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
        files = TlsFiles.of(settings, "kafka")
        files.context()  # says what is wrong with a file, which the client does not
        for name, path in (
            ("ssl.ca.location", files.ca),
            ("ssl.certificate.location", files.certificate),
            ("ssl.key.location", files.key),
        ):
            if path is not None:
                config[name] = str(path)
        if files.password:
            config["ssl.key.password"] = files.password
    return config | (extra or {})


def faust_credentials(settings: Settings) -> Any:
    """Return Faust's credentials object, or None for an open connection."""
    import faust

    protocol = settings.kafka_security_protocol
    if protocol == "PLAINTEXT":
        return None
    context = TlsFiles.of(settings, "kafka").context() if protocol.endswith("SSL") else None
    if protocol == "SSL":
        return faust.SSLCredentials(context)
    return faust.SASLCredentials(
        username=settings.kafka_sasl_username,
        password=settings.kafka_sasl_password.get_secret_value(),
        mechanism=settings.kafka_sasl_mechanism,
        ssl_context=context,
    )


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
        KafkaUnavailableError: none does. KafkaRefusesError: it does not let us in.
    """
    return len(describe(settings, timeout=timeout).brokers)


def describe(
    settings: Settings, topic: str | None = None, timeout: float = CONNECT_SECONDS
) -> ClusterMetadata:
    """Return the cluster's brokers and topics (all, or one); blocks up to `timeout` seconds.

    Raises:
        KafkaUnavailableError: no broker answers. KafkaRefusesError: it does not let us in, which is
            told as soon as it is known.
    """
    from confluent_kafka.admin import AdminClient

    check_port(settings)
    told: list[KafkaError] = []
    admin = AdminClient(client_config(settings, {"error_cb": told.append}))
    deadline = time.monotonic() + timeout
    while True:
        # In short turns: the client tries to the end of its time whatever it is told.
        left = max(0.1, min(_TURN_SECONDS, deadline - time.monotonic()))
        answer: ClusterMetadata
        answer, error = _ask(admin, topic, left)
        if error is None:
            return answer
        admin.poll(0)
        final = [each for each in told if _refusal(settings, each) is not None]
        if final or time.monotonic() >= deadline or error.code() not in _SILENCE:
            # Not by a name: the frame would hold the error, the error the frame, both the client.
            raise unavailable(settings, final[0] if final else error)


def _ask(admin: AdminClient, topic: str | None, seconds: float) -> Any:
    """Return the cluster and no error, or none and what went wrong.

    A value, because an exception would hold the client, which tries on for as long as it is held.
    """
    from confluent_kafka import KafkaException

    try:
        if topic is None:
            return admin.list_topics(timeout=seconds), None
        return admin.list_topics(topic, timeout=seconds), None
    except KafkaException as error:
        return None, error.args[0]


def unavailable(settings: Settings, error: KafkaError) -> KafkaUnavailableError:
    """Return what to raise for an error of the client that is nobody's bug."""
    where = f"Kafka at {settings.kafka_bootstrap}"
    if error.code() in _NOT_ALLOWED:
        return KafkaRefusesError(
            f"{where} does not allow this to {identity(settings)} ({error.name()}); what each role "
            "needs is listed by: assayer topics acls"
        )
    return _refusal(settings, error) or KafkaUnavailableError(
        f"{where} does not answer ({error.name()}); check ASSAYER_KAFKA_BOOTSTRAP and the security "
        "settings"
    )


def identity(settings: Settings) -> str:
    """Return who we are to Kafka, in words."""
    if settings.kafka_security_protocol.startswith("SASL"):
        return f"user '{settings.kafka_sasl_username}'"
    if settings.kafka_security_protocol == "SSL" and settings.kafka_ssl_certificate_location:
        return f"the holder of {settings.kafka_ssl_certificate_location}"
    return "nobody in particular"


def _refusal(settings: Settings, error: KafkaError) -> KafkaRefusesError | None:
    """Return what to say of an error that means: not with this identity. None for the others."""
    where = f"Kafka at {settings.kafka_bootstrap}"
    text = error.str()
    if error.code() == _AUTHENTICATION and "Unsupported SASL mechanism" in text:
        return KafkaRefusesError(
            f"{where} knows no {settings.kafka_sasl_mechanism}; set ASSAYER_KAFKA_SASL_MECHANISM"
        )
    if error.code() == _AUTHENTICATION:
        user = settings.kafka_sasl_username
        return KafkaRefusesError(
            f"{where} refuses user '{user}' by {settings.kafka_sasl_mechanism}; check "
            "ASSAYER_KAFKA_SASL_USERNAME, _PASSWORD and _MECHANISM"
        )
    if "SSL alert" in text:  # a broker that speaks TLS 1.3 says so behind the handshake
        return KafkaRefusesError(
            f"{where} does not accept our certificate, or wants one; check "
            "ASSAYER_KAFKA_SSL_CERTIFICATE_LOCATION and ASSAYER_KAFKA_SSL_KEY_LOCATION"
        )
    if error.code() != _SSL:
        return None
    if "certificate verify failed" in text:
        return KafkaRefusesError(
            f"{where} shows a certificate that is not trusted, or is another host's; check "
            "ASSAYER_KAFKA_SSL_CA_LOCATION, and that ASSAYER_KAFKA_BOOTSTRAP names the host as "
            "its certificate does"
        )
    return KafkaRefusesError(
        f"{where} does not answer by TLS; check ASSAYER_KAFKA_SECURITY_PROTOCOL and the port in "
        "ASSAYER_KAFKA_BOOTSTRAP"
    )
