"""Kafka by TLS, by SCRAM and by certificates; and what is said where it lets nobody in."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    ScramMechanism,
    UserScramCredentialDeletion,
)
from pydantic import SecretStr

from deploy.services import Redis, SchemaRegistryServer, SecureKafka
from streams.kafka import KafkaRefusesError, client_config, describe
from streams.settings import Settings
from tests.certificates import Authority, Identity
from tests.harness import RIGHT, Bus, WorkerProcess, listing, wait_for
from tests.tcp_proxy import TcpProxy

PASSWORD = "scram-9f2c51"  # noqa: S105 - of a server that ends with the test
KEY_PASSWORD = "key-77ab31"  # noqa: S105
USER = "super"
LEAVER = "leaver"


@pytest.fixture(scope="module")
def client(authority: Authority) -> Identity:
    """A client's certificate whose key is opened by a password."""
    return authority.vouch("certified", password=KEY_PASSWORD)


@pytest.fixture(scope="module")
def secure_kafka(authority: Authority) -> Iterator[SecureKafka]:
    broker = authority.vouch("broker").both
    supers = ["broker", USER, LEAVER, "certified"]
    users = {USER: PASSWORD, LEAVER: LEAVER}
    with SecureKafka(broker, authority.path, supers, users) as service:
        yield service


@pytest.fixture(scope="module")
def password_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("secrets") / "password"
    path.write_text(PASSWORD + "\n")
    return path


@pytest.fixture
def scram(
    secure_kafka: SecureKafka,
    schema_registry: SchemaRegistryServer,
    redis_server: Redis,
    authority: Authority,
    password_file: Path,
) -> Settings:
    """Settings that lead to the broker by SCRAM, the password from a file."""
    return Settings(
        kafka_bootstrap=secure_kafka.bootstrap,
        kafka_security_protocol="SASL_SSL",
        kafka_sasl_mechanism="SCRAM-SHA-512",
        kafka_sasl_username=USER,
        kafka_sasl_password_file=password_file,
        kafka_ssl_ca_location=authority.path,
        schema_registry_url=schema_registry.url,
        redis_url=redis_server.url,  # type: ignore[arg-type]
        topic_prefix=f"s{uuid.uuid4().hex[:10]}.",
        topic_partitions=2,
        session_timeout_s=6.0,
    )


@pytest.fixture
def mutual(scram: Settings, secure_kafka: SecureKafka, client: Identity) -> Settings:
    """Settings that lead to the broker by a certificate."""
    return scram.model_copy(
        update={
            "kafka_bootstrap": secure_kafka.mutual,
            "kafka_security_protocol": "SSL",
            "kafka_sasl_username": "",
            "kafka_sasl_password": SecretStr(""),
            "kafka_sasl_password_file": None,
            "kafka_ssl_certificate_location": client.certificate,
            "kafka_ssl_key_location": client.key,
            "kafka_ssl_key_password": SecretStr(KEY_PASSWORD),
        }
    )


@pytest.mark.parametrize("way", ["scram", "mutual"])
def test_everything_reaches_a_broker_that_demands_an_identity(
    way: str, tmp_path: Path, run: Any, request: pytest.FixtureRequest
) -> None:
    """Administration, producers, consumers, Faust's transport and commands, from end to end."""
    settings: Settings = request.getfixturevalue(way)
    bus = Bus(settings)
    bus.publish(rights=[RIGHT])
    with WorkerProcess(settings, tmp_path) as worker:
        worker.wait_ready()
        bus.publish([listing("l-1", "Zorvex replica")])
        taken = bus.takedown("l-1")
        told = run(settings, "explain", taken["takedown_id"])
        assert told.returncode == 0, told.stderr
        assert worker.stop() == 0
    for command in (["topics", "check"], ["rights", "list"], ["dead-letters", "list"], ["doctor"]):
        done = run(settings, *command)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
    assert PASSWORD not in worker.text
    assert KEY_PASSWORD not in worker.text


def _wrong_password(_: Settings) -> dict[str, Any]:
    return {"kafka_sasl_password": SecretStr("wrong"), "kafka_sasl_password_file": None}


def _wrong_mechanism(_: Settings) -> dict[str, Any]:
    return {"kafka_sasl_mechanism": "PLAIN"}


def _wrong_authority(settings: Settings) -> dict[str, Any]:
    folder = settings.kafka_ssl_ca_location
    assert folder is not None
    return {"kafka_ssl_ca_location": Authority(folder.parent / "other", "other").path}


def _wrong_name(settings: Settings) -> dict[str, Any]:
    return {"kafka_bootstrap": settings.kafka_bootstrap.replace("127.0.0.1", "localhost")}


def _no_certificate(_: Settings) -> dict[str, Any]:
    return {
        "kafka_ssl_certificate_location": None,
        "kafka_ssl_key_location": None,
        "kafka_ssl_key_password": SecretStr(""),
    }


WRONG = {
    "wrong password": ("scram", _wrong_password, "ASSAYER_KAFKA_SASL_USERNAME"),
    "wrong authority": ("scram", _wrong_authority, "ASSAYER_KAFKA_SSL_CA_LOCATION"),
    "wrong name": ("scram", _wrong_name, "ASSAYER_KAFKA_BOOTSTRAP names the host"),
    "wrong mechanism": ("scram", _wrong_mechanism, "set ASSAYER_KAFKA_SASL_MECHANISM"),
    "no certificate": ("mutual", _no_certificate, "ASSAYER_KAFKA_SSL_CERTIFICATE_LOCATION"),
}


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("command", [["topics", "check"], ["doctor"], ["rights", "list"]], ids=str)
def test_a_command_says_what_is_refused_and_what_to_do(
    what: str, command: list[str], run: Any, request: pytest.FixtureRequest
) -> None:
    way, change, words = WRONG[what]
    settings: Settings = request.getfixturevalue(way)
    settings = settings.model_copy(update=change(settings))
    began = time.monotonic()
    done = run(settings, *command)
    assert done.returncode == 3, (done.stdout, done.stderr)
    assert words in done.stdout + done.stderr
    assert time.monotonic() - began < 8
    assert "Traceback" not in done.stderr
    if command != ["doctor"]:
        assert done.stderr.count("\n") == 1


def test_plain_text_to_a_port_of_tls_and_tls_to_one_of_plain_text_end_in_time(
    scram: Settings, redis_server: Redis
) -> None:
    plain = scram.model_copy(update={"kafka_security_protocol": "PLAINTEXT"})
    with pytest.raises(ConnectionError, match="security settings"):
        describe(plain, timeout=2.0)
    elsewhere = scram.model_copy(update={"kafka_bootstrap": f"127.0.0.1:{redis_server.port}"})
    with pytest.raises(ConnectionError, match="ASSAYER_KAFKA_BOOTSTRAP"):
        describe(elsewhere, timeout=2.0)


def test_refused_credentials_are_told_at_once(scram: Settings) -> None:
    began = time.monotonic()
    with pytest.raises(KafkaRefusesError, match="user 'super' by SCRAM-SHA-512"):
        describe(scram.model_copy(update=_wrong_password(scram)), timeout=10.0)
    assert time.monotonic() - began < 5


def test_a_worker_that_is_refused_waits_and_tries_seldom(
    scram: Settings, secure_kafka: SecureKafka, tmp_path: Path
) -> None:
    """Pauses grow, so that a wrong password is no storm of log-ins; it still stops at once."""
    with TcpProxy(secure_kafka.port) as proxy:
        settings = scram.model_copy(
            update={
                **_wrong_password(scram),
                "kafka_bootstrap": f"127.0.0.1:{proxy.port}",
            }
        )
        with WorkerProcess(settings, tmp_path) as worker:
            began = time.monotonic()
            wait_for(lambda: worker.text.count("trying again in") >= 3, 60, lambda: worker.text)
            assert time.monotonic() - began > 1, "0.5 and 1 s are between the first three"
            tries = worker.text.count("trying again in")
            assert "refuses user 'super' by SCRAM-SHA-512" in worker.text
            # For each try one look whether the port answers, and a log-in or two.
            assert proxy.connections <= 4 * (tries + 1)
            assert not worker.ready()
            assert worker.stop(seconds=10) == 0


def test_a_worker_whose_password_is_revoked_is_no_storm(
    scram: Settings, secure_kafka: SecureKafka, tmp_path: Path
) -> None:
    """All its clients are refused at once, in the middle of its work.

    With the clients' own pauses they tried 14 to 23 times a second, ever more often.
    """
    Bus(scram)
    leaver = {
        "kafka_sasl_username": LEAVER,
        "kafka_sasl_password": SecretStr(LEAVER),
        "kafka_sasl_password_file": None,
    }
    with WorkerProcess(scram.model_copy(update=leaver), tmp_path) as worker:
        worker.wait_ready()
        admin: Any = AdminClient(client_config(scram))
        deletion: Any = UserScramCredentialDeletion(LEAVER, ScramMechanism.SCRAM_SHA_512)
        for future in admin.alter_user_scram_credentials([deletion]).values():
            future.result(10)
        secure_kafka.kill()
        secure_kafka.start()
        wait_for(lambda: _failed_log_ins(secure_kafka), 20, "a log-in that fails")
        before, seconds = _failed_log_ins(secure_kafka), 4
        time.sleep(seconds)
        assert 0 < _failed_log_ins(secure_kafka) - before < 12 * seconds
        assert not worker.ready()


def _failed_log_ins(kafka: SecureKafka) -> int:
    return kafka.decisions.read_text().count("Failed authentication")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"kafka_ssl_ca_location": Path("/nowhere/ca.pem")},
            "ASSAYER_KAFKA_SSL_CA_LOCATION: /nowhere/ca.pem can't be read: No such file",
        ),
        ({"kafka_ssl_ca_location": Path(__file__)}, "holds no certificate in PEM"),
        (
            {"kafka_ssl_key_password": SecretStr("wrong")},
            "check ASSAYER_KAFKA_SSL_KEY_PASSWORD",
        ),
        ({"kafka_ssl_key_password": SecretStr("")}, "check ASSAYER_KAFKA_SSL_KEY_PASSWORD"),
        ({"kafka_ssl_key_location": Path(__file__)}, "check ASSAYER_KAFKA_SSL_KEY_LOCATION"),
        ({"kafka_ssl_certificate_location": None}, "is a key without a certificate"),
    ],
    ids=str,
)
def test_a_file_that_cant_be_used_is_named(
    changes: dict[str, Any], words: str, mutual: Settings, run: Any
) -> None:
    done = run(mutual.model_copy(update=changes), "topics", "check")
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_key_of_somebody_else_is_named(mutual: Settings, authority: Authority, run: Any) -> None:
    other = authority.vouch("other")
    changes = {"kafka_ssl_key_location": other.key, "kafka_ssl_key_password": SecretStr("")}
    done = run(mutual.model_copy(update=changes), "topics", "check")
    assert done.returncode == 2
    assert "does not belong to the key" in done.stderr
