"""Publishes changes of policies."""

from __future__ import annotations

import asyncio
import time

import msgspec

from agents.monitoring.policies import Policy
from agents.monitoring.policy_log import PolicyChange, PolicyKind, content_hash
from agents.monitoring.snoozes import Snooze
from streams import topics
from streams.cloud_events import cloud_event
from streams.codec import Encoder
from streams.producer import Outgoing, Producer
from streams.schema_registry import SchemaRegistry
from streams.settings import Settings

PATIENCE = 60.0
"""Seconds a change may take to be on the broker."""


def policy_change(
    kind: PolicyKind, name: str, text: str, *, author: str = "", comment: str = ""
) -> PolicyChange:
    """Return the change that puts a policy on the topic, made now."""
    return PolicyChange(name, kind, _now(), text, content_hash(text), author, comment)


def withdrawal(name: str, hash_: str, *, author: str, comment: str) -> PolicyChange:
    """Return the change that ends the candidate."""
    return PolicyChange(
        name, "WITHDRAWN", _now(), content_hash=hash_, author=author, comment=comment
    )


def snooze_change(snooze: Snooze, *, author: str) -> PolicyChange:
    """Return the change that mutes a rule."""
    return PolicyChange(snooze.rule, "SNOOZE", _now(), author=author, snooze=snooze)


async def publish_change(
    settings: Settings, registry: SchemaRegistry, change: PolicyChange
) -> None:
    """Return when the broker has the change.

    Raises:
        KafkaUnavailableError, RegistryUnavailableError
    """
    topic = settings.topic(topics.POLICIES.name)
    encoder = await asyncio.to_thread(Encoder, registry, topic, topics.POLICIES.schema)
    now = change.published_at
    outgoing = Outgoing(
        topic,
        change.policy.encode(),
        encoder.encode(msgspec.to_builtins(change)),
        cloud_event(f"{change.policy}:{change.kind}:{now}", "assayer.policy.v1", now),
        partition=0,
    )
    producer = Producer.connected(settings)
    try:
        await producer.deliver_within([outgoing], PATIENCE)
    finally:
        producer.close()


async def record_policy(
    settings: Settings, registry: SchemaRegistry, policy: Policy, *, author: str
) -> None:
    """Keep the text of a policy that is not of the topic, so that verdicts can be made again.

    Nothing changes by it. Two that do it at once may both do it: as well.

    Raises:
        KafkaUnavailableError, RegistryUnavailableError
    """
    comment = "taken from a file" if settings.policy_file else "as shipped"
    change = policy_change("RECORDED", policy.name, policy.text, author=author, comment=comment)
    await publish_change(settings, registry, change)


def _now() -> int:
    return time.time_ns() // 1_000_000
