"""Makes the topics, and compares them with what they have to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from streams.kafka import (
    KafkaRefusesError,
    KafkaUnavailableError,
    client_config,
    describe,
    unavailable,
)
from streams.schema_registry import SchemaRegistry
from streams.settings import Settings
from streams.topics import TOPICS, Topic

TIMEOUT: Final = 20.0
CHECKED: Final = ("cleanup.policy", "retention.ms", "retention.bytes", "max.message.bytes")


class TopicRefusedError(ValueError):
    """Kafka answers, and will not make or describe a topic."""


@dataclass(frozen=True, slots=True)
class TopicState:
    """A topic as it was found or made."""

    topic: str
    state: str
    """created, exists, missing, differs or ok."""
    differences: tuple[str, ...] = ()
    schema_id: int | None = None


class _AlreadyExistsError(Exception):
    """There is such a topic."""


_AWAY: Final = (
    KafkaError._TRANSPORT,  # noqa: SLF001 - the client's public names of its own errors
    KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
    KafkaError._TIMED_OUT,  # noqa: SLF001
    KafkaError.REQUEST_TIMED_OUT,
)


class TopicAdmin:
    """Administers the topics of one installation. Calls block."""

    def __init__(self, settings: Settings, registry: SchemaRegistry) -> None:
        self._settings = settings
        self._registry = registry
        self._admin = AdminClient(client_config(settings))

    def create(self, topics: Sequence[Topic] = TOPICS) -> list[TopicState]:
        """Make what is missing, register every value schema; return what was done.

        Raises:
            KafkaUnavailableError, RegistryUnavailableError, IncompatibleSchemaError,
            TopicRefusedError
        """
        self._registry.ping()
        existing = self._existing()
        missing = [topic for topic in topics if self._settings.topic(topic.name) not in existing]
        futures = (
            self._admin.create_topics(
                [self._new(topic) for topic in missing], operation_timeout=TIMEOUT
            )
            if missing
            else {}
        )
        made = set()
        for name, future in futures.items():
            try:
                self._result(future, f"topic '{name}' could not be made")
                made.add(name)
            except _AlreadyExistsError:
                continue  # another one made it a moment ago
        states = []
        for topic in topics:
            name = self._settings.topic(topic.name)
            schema_id = self._registry.register(name, topic.schema)
            states.append(TopicState(name, "created" if name in made else "exists", (), schema_id))
        return states

    def check(self, topics: Sequence[Topic] = TOPICS) -> list[TopicState]:
        """Compare the topics with their declaration.

        Raises:
            KafkaUnavailableError, TopicRefusedError
        """
        existing = self._existing()
        names = [self._settings.topic(topic.name) for topic in topics]
        found = [name for name in names if name in existing]
        configs = self._configs(found)
        states = []
        for topic, name in zip(topics, names, strict=True):
            if name not in existing:
                states.append(TopicState(name, "missing"))
                continue
            differences = self._differences(topic, existing[name], configs.get(name, {}))
            states.append(TopicState(name, "differs" if differences else "ok", tuple(differences)))
        return states

    def _differences(self, topic: Topic, partitions: int, config: dict[str, str]) -> list[str]:
        differences = []
        if topic.partitions is not None and partitions != topic.partitions:
            differences.append(f"{partitions} partitions, has to be {topic.partitions}")
        wanted = topic.configuration()
        differences += [
            f"{key} is {config[key]}, has to be {wanted[key]}"
            for key in CHECKED
            if key in config and config[key] != wanted[key]
        ]
        return differences

    def _new(self, topic: Topic) -> NewTopic:
        return NewTopic(
            self._settings.topic(topic.name),
            num_partitions=topic.partitions or self._settings.topic_partitions,
            replication_factor=self._settings.topic_replication,
            config=topic.configuration(),
        )

    def _existing(self) -> dict[str, int]:
        metadata = describe(self._settings, timeout=TIMEOUT / 2)
        return {name: len(topic.partitions) for name, topic in metadata.topics.items()}

    def _result(self, future: Any, what: str) -> Any:
        try:
            return future.result(timeout=TIMEOUT)
        except TimeoutError:
            raise KafkaUnavailableError(
                f"{what}: Kafka at {self._settings.kafka_bootstrap} did not answer within "
                f"{TIMEOUT:.0f} s"
            ) from None
        except KafkaException as error:
            kafka_error: KafkaError = error.args[0]
            if kafka_error.code() == KafkaError.TOPIC_ALREADY_EXISTS:
                raise _AlreadyExistsError from None
            if kafka_error.retriable() or kafka_error.code() in _AWAY:
                raise KafkaUnavailableError(f"{what}: {kafka_error.str()}") from None
            told = unavailable(self._settings, kafka_error)
            if isinstance(told, KafkaRefusesError):
                raise KafkaRefusesError(f"{what}: {told}") from None
            raise TopicRefusedError(f"{what}: {kafka_error.str()}") from None

    def _configs(self, names: Sequence[str]) -> dict[str, dict[str, str]]:
        if not names:
            return {}
        resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
        found: dict[str, dict[str, str]] = {}
        for resource, future in self._admin.describe_configs(resources).items():
            entries = self._result(future, f"topic '{resource.name}' could not be described")
            found[resource.name] = {key: str(entry.value) for key, entry in entries.items()}
        return found
