"""Real servers for tests, started when a test first asks and stopped when the run ends."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator

import pytest
from hypothesis import settings as hypothesis_settings

from deploy.services import Kafka, Redis, SchemaRegistryServer
from streams.settings import Settings

# No test is timed: the machine may be busy with something else.
hypothesis_settings.register_profile("untimed", deadline=None)
hypothesis_settings.load_profile("untimed")


LONGEST_FIRST = (
    "integration/test_sweep",
    "chaos/test_servers_away",
    "integration/test_automatic_sweep",
    "integration/test_policies",
    "integration/test_policy_diff",
    "integration/test_breaker",
    "integration/test_recovery",
    "integration/test_explain",
    "integration/test_secure_kafka",
    "integration/test_secure_stores",
    "integration/test_access",
    "chaos/test_nothing_lost",
)
"""Files that take minutes: who runs several at once begins with them, so that none is left over."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order files: the longest first, the rest as they were found."""
    rank = {name: number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(
        key=lambda item: rank.get(f"{item.path.parent.name}/{item.path.stem}", len(LONGEST_FIRST))
    )


@pytest.fixture(scope="session")
def kafka() -> Iterator[Kafka]:
    """A real broker for the whole run; tests keep apart by topic prefix."""
    with Kafka() as service:
        yield service


@pytest.fixture(scope="session")
def schema_registry() -> Iterator[SchemaRegistryServer]:
    """A real schema registry for the whole run."""
    with SchemaRegistryServer() as service:
        yield service


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Redis]:
    """A real Redis for the whole run; keys begin with the topic prefix."""
    with Redis() as service:
        yield service


@pytest.fixture
def topic_prefix() -> str:
    """A prefix no other test has."""
    return f"t{uuid.uuid4().hex[:10]}."


@pytest.fixture
def settings(
    kafka: Kafka, schema_registry: SchemaRegistryServer, redis_server: Redis, topic_prefix: str
) -> Settings:
    """Settings that lead to the real servers, under a prefix of the test's own."""
    return Settings(
        kafka_bootstrap=kafka.bootstrap,
        schema_registry_url=schema_registry.url,
        redis_url=redis_server.url,  # type: ignore[arg-type]
        topic_prefix=topic_prefix,
        topic_partitions=4,
        metrics_port=0,
        session_timeout_s=6.0,
    )


@pytest.fixture(autouse=True)
def no_swallowed_errors(
    caplog: pytest.LogCaptureFixture, request: pytest.FixtureRequest
) -> Iterator[None]:
    """Fail a test during which an error was logged, unless it says that it expects errors."""
    yield
    if request.node.get_closest_marker("expects_errors"):
        return
    errors = [
        record.getMessage()
        for when in ("setup", "call")
        for record in caplog.get_records(when)
        # aiokafka calls it an error when it has to try again.
        if record.levelno >= logging.ERROR and not record.name.startswith("aiokafka")
    ]
    assert not errors, f"errors were logged: {errors}"
