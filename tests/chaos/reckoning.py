"""What has to hold when the dust has settled."""

from __future__ import annotations

import math
import time
from collections import Counter
from dataclasses import dataclass, field

import redis
from confluent_kafka import Consumer, TopicPartition

from agents.monitoring.monitor import GROUP
from agents.takedowns import takedown_id
from streams import topics
from streams.kafka import client_config
from streams.settings import Settings
from streams.store import key_prefix
from tests.chaos.traffic import Published
from tests.harness import Bus, run_command, wait_for

READ_BY_WORKERS = (
    topics.LISTINGS,
    topics.REJUDGE,
    topics.TAKEDOWNS,
    topics.SIGHTINGS,
    topics.SELLERS,
    topics.SALES,
    topics.HELD,
    topics.RIGHTS,
)


@dataclass
class Findings:
    """What was found; `wrong` is a line for each thing that must not be."""

    wrong: list[str] = field(default_factory=list)
    takedowns: int = 0
    repeated: int = 0
    """Events beyond the first of an id: what at-least-once delivery costs."""
    replayed: int = 0
    """Listings that came in a schema which the worker could not look up, replayed afterwards."""


def lag(settings: Settings) -> dict[str, int]:
    """Return by topic the records that the workers' group has not committed, zeros left out."""
    group = settings.topic(GROUP)
    consumer = Consumer(client_config(settings, {"group.id": group, "enable.auto.commit": False}))
    found: Counter[str] = Counter()
    try:
        known = consumer.list_topics(timeout=10).topics
        for topic in READ_BY_WORKERS:
            name = settings.topic(topic.name)
            where = [TopicPartition(name, number) for number in known[name].partitions]
            for each in consumer.committed(where, timeout=10):
                low, end = consumer.get_watermark_offsets(each, timeout=10)
                if end > low:
                    found[topic.name] += end - max(each.offset, low)
    finally:
        consumer.close()
    return dict(+found)


def settled(settings: Settings, seconds: float) -> None:
    """Return once no topic that workers read has lag."""
    told: list[dict[str, int]] = [{}]

    def none() -> bool:
        told[0] = lag(settings)
        if told[0]:
            time.sleep(0.5)
        return not told[0]

    wait_for(none, seconds, lambda: f"no lag, but {told[0]}")


def reckon(bus: Bus, published: Published, sent: dict[str, set[str]], seconds: float) -> Findings:
    """Wait until everything is handled, and hold what came out against what went in.

    `sent` are keys of further poison, by the topic it was sent to.
    """
    findings = Findings()
    settled(bus.settings, seconds)
    _replay(bus, findings, seconds)
    _check_takedowns(bus, published, findings)
    _check_dead_letters(bus, published, sent, findings)
    _check_standing(bus, findings)
    return findings


def _replay(bus: Bus, findings: Findings, seconds: float) -> None:
    """Do as an operator does with what came while the registry was away."""
    reasons = Counter(letter["reason"] for letter in bus.records(topics.DEAD_LETTERS))
    findings.replayed = reasons["registry_unavailable"]
    if findings.replayed:
        done = run_command(
            bus.settings, "dead-letters", "replay", "--reason", "registry_unavailable"
        )
        assert done.returncode == 0, done.stderr
        settled(bus.settings, seconds)


def _check_takedowns(bus: Bus, published: Published, findings: Findings) -> None:
    broken = [message for message in bus.messages(topics.TAKEDOWNS) if _is_poison(message.key())]
    records = bus.records(topics.TAKEDOWNS, broken=[message.key() for message in broken])
    ids: dict[tuple[str, int], set[str]] = {}
    for record in records:
        which = (record["listing_id"], record["revision"])
        ids.setdefault(which, set()).add(record["takedown_id"])
    findings.takedowns = len(ids)
    findings.repeated = len(records) - len(ids)
    lost = published.infringing - ids.keys()
    if lost:
        findings.wrong.append(f"{len(lost)} infringing revisions lost, as {sorted(lost)[:3]}")
    honest = ids.keys() - published.infringing
    if honest:
        findings.wrong.append(f"{len(honest)} honest ones taken down, as {sorted(honest)[:3]}")
    other = [which for which, found in ids.items() if found != {takedown_id(*which)}]
    if other:
        findings.wrong.append(f"{len(other)} revisions under another id or two, as {other[:3]}")
    if any(not _is_poison(message.key()) for message in bus.messages(topics.HELD)):
        findings.wrong.append("takedowns were held, though there is no quota")


POISON_KEY = b"poison-"
"""What the keys of poison in topics other than that of the listings begin with."""


def _is_poison(key: bytes | None) -> bool:
    return key is not None and key.startswith(POISON_KEY)


def _check_dead_letters(
    bus: Bus, published: Published, sent: dict[str, set[str]], findings: Findings
) -> None:
    """Dead letters are exactly the poison, whole, by the topic it came from."""
    wanted = {bus.settings.topic(name): keys for name, keys in sent.items() if keys}
    listings = bus.settings.topic(topics.LISTINGS.name)
    wanted[listings] = published.poison | wanted.get(listings, set())
    found: dict[str, set[str]] = {}
    for letter in bus.records(topics.DEAD_LETTERS):
        if letter["reason"] != "registry_unavailable":
            found.setdefault(letter["topic"], set()).add((letter["key"] or b"").decode())
    for topic in wanted.keys() | found.keys():
        missing = wanted.get(topic, set()) - found.get(topic, set())
        excess = found.get(topic, set()) - wanted.get(topic, set())
        if missing:
            findings.wrong.append(f"{topic}: {len(missing)} dead letters missing")
        if excess:
            findings.wrong.append(
                f"{topic}: {len(excess)} dead letters that are no poison, as {sorted(excess)[:3]}"
            )


def _check_standing(bus: Bus, findings: Findings) -> None:
    """What Redis holds of sellers' standing is what a rebuild makes of Kafka."""
    kept = standing(bus.settings)
    done = run_command(bus.settings, "views", "rebuild", "standing")
    assert done.returncode == 0, done.stderr
    rebuilt = standing(bus.settings)
    different = [
        key
        for key in kept.keys() | rebuilt.keys()
        if not math.isclose(kept.get(key, 0.0), rebuilt.get(key, 0.0), rel_tol=1e-9)
    ]
    if different:
        findings.wrong.append(
            f"{len(different)} entries of standing differ from a rebuild, as {different[:3]}"
        )


def standing(settings: Settings) -> dict[str, float]:
    """Return what Redis holds of standing: upheld and cleared by seller, weights by case."""
    client = redis.Redis.from_url(settings.redis_url.get_secret_value(), decode_responses=True)
    prefix = key_prefix(settings)
    found: dict[str, float] = {}
    try:
        for key in map(str, client.scan_iter(match=f"{prefix}standing:*", count=1000)):
            for name in ("upheld", "cleared"):
                found[f"{key} {name}"] = float(str(client.hget(key, name) or 0))
        for key in map(str, client.scan_iter(match=f"{prefix}case:*", count=1000)):
            found[key] = float(str(client.get(key)).lstrip("c") or 0)
    finally:
        client.close()
    return found


class Progress:
    """How far the workers' group is with the listings, asked for by whoever wants to know."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._topic = settings.topic(topics.LISTINGS.name)
        self._consumer = Consumer(
            client_config(
                settings,
                {"group.id": settings.topic(GROUP), "enable.auto.commit": False},
            )
        )

    def now(self) -> tuple[int, int]:
        """Return how many listings are committed, and how many are on the bus.

        Raises:
            KafkaException: no broker answers.
        """
        # By the client that asks for the ends: another's metadata would not tell it of partitions.
        known = self._consumer.list_topics(self._topic, timeout=5)
        partitions = known.topics[self._topic].partitions
        where = [TopicPartition(self._topic, number) for number in partitions]
        committed = self._consumer.committed(where, timeout=5)
        ends = [self._consumer.get_watermark_offsets(each, timeout=5)[1] for each in where]
        return sum(max(0, each.offset) for each in committed), sum(ends)

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()
