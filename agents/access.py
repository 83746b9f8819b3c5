"""Who may do what in Kafka: the least that each role needs, out of the declaration of topics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from agents.monitoring.monitor import GROUP
from agents.monitoring.sweeping.automatic import SWEEPS_GROUP
from streams.kafka import KafkaRefusesError, client_config, describe, unavailable
from streams.log_reader import READER_GROUP
from streams.settings import Settings
from streams.topics import TOPICS, Role

Operation = Literal["READ", "WRITE", "DESCRIBE", "DESCRIBE_CONFIGS", "CREATE"]
TIMEOUT: Final = 20.0


@dataclass(frozen=True, slots=True, order=True)
class Acl:
    """One thing that somebody may do. `prefixed`: with all whose names begin so."""

    principal: str
    resource: Literal["TOPIC", "GROUP"]
    name: str
    operation: Operation
    prefixed: bool = False

    @property
    def pattern(self) -> str:
        """How Kafka calls the way the name is compared."""
        return "PREFIXED" if self.prefixed else "LITERAL"


def access_of(settings: Settings, role: Role, principal: str) -> list[Acl]:
    """Return what a role needs, for a principal such as `User:assayer`, and no more.

    READ and WRITE bring DESCRIBE along. Who reads for themselves has groups of their own, whose
    names begin with that of the principal.
    """
    allowed = [
        Acl(principal, "TOPIC", settings.topic(topic.name), operation)
        for topic in TOPICS
        for operation in _on_topics(role, role in topic.readers, role in topic.writers)
    ]
    allowed += [Acl(principal, "GROUP", name, op) for name, op in _on_groups(settings, role)]
    if role in ("downstream", "moderator"):
        own = settings.topic(principal.partition(":")[2])
        allowed.append(Acl(principal, "GROUP", own, "READ", prefixed=True))
    return sorted(allowed)


def _on_topics(role: Role, reads: bool, writes: bool) -> Iterable[Operation]:
    if role == "setup":
        return ("CREATE", "DESCRIBE", "DESCRIBE_CONFIGS")
    return (*(("READ",) if reads else ()), *(("WRITE",) if writes else ()))


def _on_groups(settings: Settings, role: Role) -> Iterable[tuple[str, Operation]]:
    if role in ("worker", "operator"):
        yield settings.topic(READER_GROUP), "DESCRIBE"
    if role == "worker":
        yield settings.topic(GROUP), "READ"
        yield settings.topic(SWEEPS_GROUP), "READ"
    if role == "operator":  # a sweep asks how far live traffic is
        yield settings.topic(GROUP), "DESCRIBE"


def grant(settings: Settings, acls: Sequence[Acl]) -> None:
    """Create the entries in Kafka; one that is there already stays as it is.

    Raises:
        KafkaUnavailableError; KafkaRefusesError: who asks may not alter them.
    """
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    describe(settings)
    admin: Any = AdminClient(client_config(settings))
    futures = admin.create_acls([_binding(acl) for acl in acls], request_timeout=TIMEOUT)
    for future in futures.values():
        try:
            future.result(TIMEOUT)
        except KafkaException as error:
            told = unavailable(settings, error.args[0])
            if isinstance(told, KafkaRefusesError):
                raise KafkaRefusesError(
                    f"access can't be granted: {told}; ask as one who may alter the cluster"
                ) from None
            raise type(told)(f"access can't be granted: {error.args[0].str()}") from None


def _binding(acl: Acl) -> Any:
    from confluent_kafka.admin import (  # type: ignore[attr-defined]
        AclBinding,
        AclOperation,
        AclPermissionType,
        ResourcePatternType,
        ResourceType,
    )

    return AclBinding(
        ResourceType[acl.resource],
        acl.name,
        ResourcePatternType[acl.pattern],
        acl.principal,
        "*",
        AclOperation[acl.operation],
        AclPermissionType.ALLOW,
    )
