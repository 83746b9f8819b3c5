"""A Kafka that denies what no access list allows, and roles that have exactly what is printed."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer
from pydantic import SecretStr

from agents.access import Acl, access_of, grant
from agents.records import Seller
from deploy.services import Redis, SchemaRegistryServer, SecureKafka
from streams import topics
from streams.kafka import client_config
from streams.settings import Settings
from streams.topics import ROLES
from tests.certificates import Authority
from tests.harness import (
    DEFAULT_POLICY,
    RIGHT,
    Bus,
    WorkerProcess,
    json_lines,
    listing,
    now_ms,
    policy_with,
    wait_for,
)

SUPER = "super"
TIGHT = "{brand: {per_minute: 2, per_hour: 2}}"
DECISION = re.compile(
    r"Principal = (\S+) is (Allowed|Denied) operation = (\S+) .*? "
    r"on resource = (\w+):LITERAL:(\S+)"
)
USERS = (SUPER, *ROLES)


@pytest.fixture(scope="module")
def broker(authority: Authority) -> Iterator[SecureKafka]:
    identity = authority.vouch("broker").both
    users = {name: f"{name}-password" for name in USERS}
    with SecureKafka(identity, authority.path, ["broker", SUPER], users) as service:
        yield service


@pytest.fixture
def own_redis() -> Iterator[Redis]:
    with Redis() as server:
        yield server


@pytest.fixture
def installation(
    broker: SecureKafka,
    authority: Authority,
    schema_registry: SchemaRegistryServer,
    own_redis: Redis,
) -> Settings:
    """Settings of the one who may do everything."""
    return Settings(
        kafka_bootstrap=broker.bootstrap,
        kafka_security_protocol="SASL_SSL",
        kafka_sasl_mechanism="SCRAM-SHA-512",
        kafka_sasl_username=SUPER,
        kafka_sasl_password=SecretStr(f"{SUPER}-password"),
        kafka_ssl_ca_location=authority.path,
        schema_registry_url=schema_registry.url,
        redis_url=SecretStr(own_redis.url),
        topic_prefix=f"a{uuid.uuid4().hex[:10]}.",
        topic_partitions=2,
        session_timeout_s=6.0,
    )


def _as(settings: Settings, role: str) -> Settings:
    return settings.model_copy(
        update={
            "kafka_sasl_username": role,
            "kafka_sasl_password": SecretStr(f"{role}-password"),
        }
    )


def _asked(broker: SecureKafka, verdict: str, user: str) -> set[tuple[str, str, str]]:
    """Return the operations on resources that a user was allowed or denied so far."""
    return {
        (operation, resource.upper(), name)
        for principal, said, operation, resource, name in DECISION.findall(
            broker.decisions.read_text()
        )
        if said == verdict and principal == f"User:{user}"
    }


def _named(acl: Acl) -> tuple[str, str, str]:
    return acl.operation, acl.resource, acl.name


def test_a_worker_needs_exactly_what_is_printed(
    installation: Settings,
    broker: SecureKafka,
    own_redis: Redis,
    run: Any,
    tmp_path: Path,
) -> None:
    """Through takedowns, reviews, held ones, sightings, dead letters, a sweep and Redis away.

    Nothing is denied; and each entry is one that the broker was asked for, so that none is more
    than what is needed.
    """
    bus = Bus(installation)
    done = run(installation, "topics", "acls", "worker", "--apply", "--json")
    assert done.returncode == 0, done.stderr
    granted = set(access_of(installation, "worker", "User:worker"))
    assert {(a["operation"], a["resource"], a["name"]) for a in json_lines(done.stdout)} == {
        _named(acl) for acl in granted
    }
    needed = {_named(acl) for acl in granted}

    variables = policy_with(tmp_path, TIGHT)
    with WorkerProcess(_as(installation, "worker"), tmp_path, **variables) as worker:
        worker.wait_ready()
        bus.publish(sellers=[Seller("s-new", created_at=now_ms(), verified=False)])
        bus.publish(rights=[RIGHT])
        wait_for(lambda: worker.metric("assayer_registry_rights") == 1, 30, "the right")
        bus.publish(
            [listing(f"l-{n}", f"Zorvex {n} replica", seller_id=f"s-{n}") for n in range(4)]
            + [
                listing(f"b-{n}", f"Zorvex watch {n}", seller_id="s-new", kind="CREATED")
                for n in range(8)
            ]
        )
        bus.send(topics.LISTINGS, [("broken", b"\x00nonsense")])
        wait_for(lambda: len(bus.takedowns()) == 2, 30, "two takedowns")
        wait_for(lambda: len(bus.messages(topics.HELD)) == 2, 20, "two held takedowns")
        wait_for(lambda: bus.messages(topics.DEAD_LETTERS), 20, "a dead letter")
        wait_for(lambda: bus.messages(topics.SIGHTINGS), 20, "sightings")
        worker.settle()
        own_redis.kill()
        bus.publish([listing("l-away", "Zor\u200bvex", seller_id="s-9")])
        bus.publish([listing("l-bare", "Zorvex watch 1", seller_id="s-1")])
        bus.review("l-away")
        wait_for(lambda: bus.messages(topics.REJUDGE), 20, "what is judged again")
        own_redis.start()
        wait_for(
            lambda: needed <= _asked(broker, "Allowed", "worker"),
            30,
            lambda: f"never asked for: {needed - _asked(broker, 'Allowed', 'worker')}",
        )
        assert worker.text.count("does not allow") == 0, worker.text
    assert _asked(broker, "Denied", "worker") == set()


def test_without_an_entry_a_worker_says_what_it_may_not(
    installation: Settings, run: Any, tmp_path: Path
) -> None:
    Bus(installation)
    lacking = installation.topic(topics.RIGHTS.name)
    acls = [acl for acl in access_of(installation, "worker", "User:worker") if acl.name != lacking]
    grant(installation, acls)
    with WorkerProcess(_as(installation, "worker"), tmp_path) as worker:
        wait_for(
            lambda: "does not allow this to user 'worker'" in worker.text,
            30,
            lambda: worker.text,
        )
        assert "assayer topics acls" in worker.text
        assert not worker.ready()
    done = run(_as(installation, "worker"), "rights", "list")
    assert done.returncode == 3
    assert "TOPIC_AUTHORIZATION_FAILED" in done.stderr


def test_the_other_roles_do_their_work_and_no_more(
    installation: Settings, broker: SecureKafka, run: Any, tmp_path: Path
) -> None:
    """Who publishes can't read, who reads can't write, a person's commands make no topics."""
    rights, rows = tmp_path / "rights.jsonl", tmp_path / "rows.jsonl"
    rights.write_text(
        json.dumps(
            {"right_id": "tm-1", "owner": "Zorvex Ltd", "kind": "TRADEMARK", "mark": "Zorvex"}
        )
        + "\n"
    )
    rows.write_text(
        json.dumps(
            {"listing_id": "l-1", "seller_id": "s", "occurred_at": now_ms(), "title": "Zorvex"}
        )
        + "\n"
    )
    assert run(installation, "topics", "acls", "--apply").returncode == 0
    setup, operator, platform = (_as(installation, name) for name in ("setup", "operator", "bus"))
    for settings, command in (
        (setup, ["topics", "create"]),
        (setup, ["topics", "check"]),
        (platform, ["feed", str(rows)]),
        (operator, ["rights", "load", str(rights)]),
        (operator, ["rights", "list"]),
        (operator, ["policy", "push", str(DEFAULT_POLICY)]),
        (operator, ["policy", "list"]),
        (operator, ["dead-letters", "list"]),
        (operator, ["breaker", "status"]),
        (operator, ["sweep", "--right", "tm-1"]),
        (operator, ["views", "rebuild"]),
    ):
        done = run(settings, *command)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
    for name in ("setup", "operator", "bus"):
        assert _asked(broker, "Denied", name) == set()
    done = run(_as(installation, "downstream"), "rights", "load", str(rights))
    assert done.returncode in (1, 3), done.stdout
    assert "assayer topics acls" in done.stderr
    assert _read(_as(installation, "downstream"), "downstream.mine", topics.TAKEDOWNS) == ""
    assert "AUTHORIZATION" in _read(_as(installation, "downstream"), "elsewhere", topics.TAKEDOWNS)
    assert "AUTHORIZATION" in _read(platform, "bus", topics.LISTINGS)
    assert "AUTHORIZATION" in _written(_as(installation, "downstream"), topics.TAKEDOWNS)
    assert _written(_as(installation, "moderator"), topics.TAKEDOWNS) == ""


def _read(settings: Settings, group: str, topic: topics.Topic) -> str:
    """Return the error of whoever reads a topic in a group; empty when there is none."""
    name = settings.topic(group)
    consumer = Consumer(client_config(settings, {"group.id": name, "auto.offset.reset": "latest"}))
    consumer.subscribe([settings.topic(topic.name)])
    try:
        for _ in range(50):
            message = consumer.poll(0.2)
            error = message.error() if message is not None else None
            if error is not None:
                return str(error.name())
            if consumer.assignment():
                return ""
        return "nothing assigned"
    finally:
        consumer.close()


def _written(settings: Settings, topic: topics.Topic) -> str:
    """Return the error of whoever writes to a topic; empty when there is none."""
    failed: list[str] = []
    producer = Producer(client_config(settings, {"delivery.timeout.ms": 5000}))
    producer.produce(
        settings.topic(topic.name),
        value=b"",
        on_delivery=lambda error, _: failed.append(error.name() if error is not None else ""),
    )
    producer.flush(10)
    return failed[0]
