"""Redis and the schema registry by TLS, certificate and password; and what refusals say."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from pydantic import SecretStr

from agents.records import Sale, Seller
from deploy.services import Kafka, SchemaRegistryServer, SecureRedis
from streams.settings import Settings
from streams.store_access import access_list
from tests.certificates import Authority, Identity
from tests.harness import RIGHT, Bus, WorkerProcess, listing, now_ms, wait_for
from tests.registry_gate import RegistryGate
from tests.tcp_proxy import TcpProxy

PASSWORD = "stores-5d1c"  # noqa: S105 - of servers that end with the test
ADMIN = "admin-5d1c"
KEY_PASSWORD = "key-41aa9"  # noqa: S105
PREFIX = f"r{uuid.uuid4().hex[:10]}."


@pytest.fixture(scope="module")
def client(authority: Authority) -> Identity:
    return authority.vouch("client", password=KEY_PASSWORD)


@pytest.fixture(scope="module")
def secure_redis(authority: Authority) -> Iterator[SecureRedis]:
    """A Redis that knows an administrator and, by its access list, the assayer."""
    server = authority.vouch("redis")
    assayer = access_list(Settings(topic_prefix=PREFIX)).removeprefix("user ")
    digest = hashlib.sha256(PASSWORD.encode()).hexdigest()
    users = [
        "default off",
        f"admin on >{ADMIN} ~* &* +@all",
        f"{assayer} #{digest}",
    ]
    with SecureRedis(server.certificate, server.key, authority.path, users) as service:
        yield service


@pytest.fixture(scope="module")
def gate(schema_registry: SchemaRegistryServer, authority: Authority) -> Iterator[RegistryGate]:
    server = authority.vouch("registry")
    with RegistryGate(schema_registry.url, server, authority.path, f"assayer:{PASSWORD}") as opened:
        yield opened


@pytest.fixture(scope="module")
def secure(  # noqa: PLR0917 - fixtures
    kafka: Kafka,
    secure_redis: SecureRedis,
    gate: RegistryGate,
    authority: Authority,
    client: Identity,
    tmp_path_factory: pytest.TempPathFactory,
) -> Settings:
    """Settings that lead to both, passwords from files."""
    folder = tmp_path_factory.mktemp("secrets")
    for name, text in {"password": PASSWORD, "key": KEY_PASSWORD}.items():
        (folder / name).write_text(text + "\n")
    return Settings(
        kafka_bootstrap=kafka.bootstrap,
        schema_registry_url=gate.url,
        schema_registry_username="assayer",
        schema_registry_password_file=folder / "password",
        schema_registry_ssl_ca_location=authority.path,
        schema_registry_ssl_certificate_location=client.certificate,
        schema_registry_ssl_key_location=client.key,
        schema_registry_ssl_key_password_file=folder / "key",
        redis_url=SecretStr(secure_redis.url),
        redis_username="assayer",
        redis_password_file=folder / "password",
        redis_ssl_ca_location=authority.path,
        redis_ssl_certificate_location=client.certificate,
        redis_ssl_key_location=client.key,
        redis_ssl_key_password_file=folder / "key",
        topic_prefix=PREFIX,
        topic_partitions=2,
        session_timeout_s=6.0,
    )


@pytest.fixture(scope="module")
def admin(
    secure_redis: SecureRedis, authority: Authority, client: Identity
) -> Iterator[redis.Redis]:
    connection = redis.Redis(
        port=secure_redis.port,
        host="127.0.0.1",
        ssl=True,
        ssl_ca_certs=str(authority.path),
        ssl_certfile=str(client.certificate),
        ssl_keyfile=str(client.key),
        ssl_password=KEY_PASSWORD,
        username="admin",
        password=ADMIN,
        decode_responses=True,
    )
    yield connection
    connection.close()


def test_a_worker_needs_no_more_of_redis_than_its_access_list_says(
    secure: Settings, admin: redis.Redis, run: Any, tmp_path: Path
) -> None:
    """A takedown, a review, sightings, a sweep and rebuilt views: nothing is denied."""
    bus = Bus(secure)
    bus.publish(
        rights=[RIGHT],
        sellers=[Seller("seller-1", created_at=now_ms()), Seller("seller-2")],
        sales=[Sale("e-1", "l-1", "seller-1", 1, now_ms())],
    )
    with WorkerProcess(secure, tmp_path) as worker:
        worker.wait_ready()
        bus.publish(
            [
                listing("l-1", "Zorvex replica"),
                listing("l-2", "Z0rvex watch", seller_id="seller-2"),
                listing("l-3", "Watch, never mind the name"),
            ]
        )
        assert bus.takedown("l-1")["action"] == "REMOVED"
        bus.review("l-2")
        for command in (
            ["sweep", "--right", RIGHT.right_id],
            ["breaker", "status"],
            ["views", "rebuild"],
            ["doctor"],
        ):
            done = run(secure, *command, ASSAYER_METRICS_PORT="0")
            assert done.returncode == 0, (command, done.stdout, done.stderr)
        assert worker.ready()
    assert admin.acl_log() == []
    assert PASSWORD not in worker.text
    assert KEY_PASSWORD not in worker.text


def test_the_access_list_lets_nobody_at_other_keys(secure: Settings, admin: redis.Redis) -> None:
    for command in (("GET", "other"), ("SET", "other", "1"), ("EVAL", "return 1", "1", "other")):
        assert "no permissions" in str(admin.acl_dryrun("assayer", *command))
    key = f"{PREFIX}assayer:x"
    for forbidden in (("FLUSHALL",), ("CONFIG", "GET", "*"), ("KEYS", "*"), ("GETDEL", key)):
        assert "no permissions" in str(admin.acl_dryrun("assayer", *forbidden))
    assert admin.acl_dryrun("assayer", "GET", key) == "OK"
    assert secure.redis_username == "assayer"


def _other_authority(tmp_path: Path) -> Path:
    return Authority(tmp_path, "other").path


@pytest.mark.parametrize("server", ["redis", "schema_registry"])
@pytest.mark.parametrize("what", ["password", "user", "authority", "certificate", "name"])
def test_what_is_refused_is_said_with_what_to_do(
    server: str, what: str, secure: Settings, run: Any, tmp_path: Path
) -> None:
    url = secure.redis_url.get_secret_value() if server == "redis" else secure.schema_registry_url
    wrong_name: Any = url.replace("127.0.0.1", "localhost")
    changes: dict[str, dict[str, Any]] = {
        "password": {
            f"{server}_password": SecretStr("wrong"),
            f"{server}_password_file": None,
        },
        "user": {f"{server}_username": "somebody"},
        "authority": {f"{server}_ssl_ca_location": _other_authority(tmp_path)},
        "certificate": {
            f"{server}_ssl_certificate_location": None,
            f"{server}_ssl_key_location": None,
            f"{server}_ssl_key_password_file": None,
            f"{server}_ssl_key_password": SecretStr(""),
        },
        "name": {f"{server}_url": SecretStr(wrong_name) if server == "redis" else wrong_name},
    }
    words = {
        "password": f"ASSAYER_{server.upper()}_PASSWORD",
        "user": "user 'somebody'",
        "authority": "its certificate is not trusted",
        "certificate": f"ASSAYER_{server.upper()}_SSL_",
        "name": "is not valid for 'localhost'",
    }
    settings = secure.model_copy(update=changes[what])
    command = ["views", "rebuild", "links"] if server == "redis" else ["topics", "create"]
    for arguments in (command, ["doctor"]):
        done = run(settings, *arguments)
        assert done.returncode == 3, (done.stdout, done.stderr)
        assert words[what] in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        assert "wrong" not in done.stderr


def test_redis_is_trusted_by_the_authority_of_the_settings_alone(
    secure: Settings, authority: Authority, run: Any, tmp_path: Path
) -> None:
    """redis-py by itself trusts the system's authorities beside the one it is given."""
    settings = secure.model_copy(update={"redis_ssl_ca_location": _other_authority(tmp_path)})
    done = run(settings, "doctor", SSL_CERT_FILE=str(authority.path))
    assert "its certificate is not trusted" in done.stdout


def test_a_worker_with_a_wrong_password_asks_redis_ever_more_seldom(
    secure: Settings, secure_redis: SecureRedis, admin: redis.Redis, tmp_path: Path
) -> None:
    Bus(secure)
    with TcpProxy(secure_redis.port) as proxy:
        wrong = {
            "redis_url": SecretStr(f"rediss://127.0.0.1:{proxy.port}/0"),
            "redis_password": SecretStr("wrong"),
            "redis_password_file": None,
        }
        with WorkerProcess(secure.model_copy(update=wrong), tmp_path) as worker:
            told = "refuses user 'assayer'; check ASSAYER_REDIS_USERNAME"
            wait_for(lambda: told in worker.text, 60, lambda: worker.text)
            before = proxy.connections
            time.sleep(6)
            # 1, 2 and 4 s between them; every half second it would be twelve.
            assert proxy.connections - before <= 8
            assert not worker.ready()
    admin.acl_log_reset()
