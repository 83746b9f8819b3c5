"""What goes wrong: each fault begins, lasts and ends within one call; its docstring says the rest.

Nothing that a fault does may lose, double or invent a takedown; `reckoning.py` looks at the end.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from confluent_kafka.admin import AdminClient, NewPartitions  # type: ignore[attr-defined]
from redis import Redis as RedisClient

from streams import topics
from streams.kafka import client_config
from tests.chaos.fleet import Fleet
from tests.chaos.reckoning import POISON_KEY
from tests.chaos.servers import Servers
from tests.harness import Bus, WorkerProcess, alter_topic

STOP_SECONDS: Final = 10.0
"""Within which a worker that is told to stop has to have ended."""
MOST_PARTITIONS: Final = 12


@dataclass
class Scene:
    """Where a fault happens. `steady` is a worker that no fault ends: its memory is watched."""

    servers: Servers
    fleet: Fleet
    bus: Bus
    chance: random.Random
    poison: dict[str, set[str]] = field(default_factory=dict)
    """Keys of the poison that was sent, by topic."""
    slow_stops: list[float] = field(default_factory=list)
    """Seconds of the stops that took longer than they may."""
    steady: int = 0

    def victim(self) -> int:
        """Return the number of a worker that may be ended."""
        return self.chance.choice([n for n in self.fleet.workers if n != self.steady])

    def pause(self, least: float, most: float) -> None:
        """Let some time pass."""
        time.sleep(self.chance.uniform(least, most))

    def stop(self, worker: WorkerProcess) -> None:
        """Tell a worker to stop; it has ten seconds, and ends with 0."""
        began = time.monotonic()
        code = worker.stop(60)
        took = time.monotonic() - began
        assert code == 0, f"exit {code}\n{worker.text}"
        if took > STOP_SECONDS:
            self.slow_stops.append(took)


Fault = Callable[[Scene], None]
FAULTS: Final[dict[str, Fault]] = {}


def _fault(act: Fault) -> Fault:
    FAULTS[act.__name__] = act
    return act


# -- workers


@_fault
def worker_killed(scene: Scene) -> None:
    """SIGKILL at a random point: what it had in flight is read again by the others."""
    with scene.fleet.held(scene.victim()) as worker:
        worker.kill()


@_fault
def worker_frozen(scene: Scene) -> None:
    """SIGSTOP for longer than the session timeout: it comes back to partitions that others have."""
    with scene.fleet.held(scene.victim()) as worker:
        worker.suspend()
        try:
            scene.pause(7, 10)
        finally:
            worker.resume()


@_fault
def worker_stopped(scene: Scene) -> None:
    """SIGTERM at a random point: it ends within ten seconds with exit 0, and is started again."""
    with scene.fleet.held(scene.victim()) as worker:
        scene.stop(worker)


@_fault
def rolling_restart(scene: Scene) -> None:
    """Every worker but the steady one is stopped and started, one after the other."""
    for number in scene.fleet.workers:
        if number != scene.steady:
            with scene.fleet.held(number) as worker:
                scene.stop(worker)
                worker.start()
            scene.pause(0.2, 1)


@_fault
def worker_joins_and_leaves(scene: Scene) -> None:
    """One more worker gets partitions, and gives them back."""
    with scene.fleet.guest() as guest:
        scene.pause(2, 6)
        scene.stop(guest)


@_fault
def workers_flap(scene: Scene) -> None:
    """A worker dies three times while it starts: the group is rebalanced all the time."""
    for _ in range(3):
        with scene.fleet.guest():
            scene.pause(0.1, 3)


# -- Kafka


@_fault
def partitions_added(scene: Scene) -> None:
    """The listings' topic grows: what comes to new partitions is read from their first record."""
    name = scene.servers.settings.topic(topics.LISTINGS.name)
    admin = AdminClient(client_config(scene.servers.settings))
    count = len(admin.list_topics(name, timeout=20).topics[name].partitions) + 1
    if count <= MOST_PARTITIONS:
        for future in admin.create_partitions([NewPartitions(name, count)]).values():
            future.result(timeout=20)


@_fault
def broker_killed(scene: Scene) -> None:
    """The broker is killed and started again with its data."""
    scene.servers.kafka.kill()
    scene.pause(0, 3)
    scene.servers.kafka.start()


@_fault
def broker_frozen(scene: Scene) -> None:
    """The broker hangs for some seconds, with every connection open."""
    scene.servers.kafka.suspend()
    try:
        scene.pause(3, 9)
    finally:
        scene.servers.kafka.resume()


@_fault
def kafka_cut(scene: Scene) -> None:
    """No worker reaches the broker."""
    with _bad(scene.servers.kafka_link.cut, scene.servers.kafka_link.mend):
        scene.pause(2, 9)


@_fault
def kafka_slow(scene: Scene) -> None:
    """Every piece between workers and broker takes a tenth of a second or two more."""
    link, delay = scene.servers.kafka_link, scene.chance.uniform(0.05, 0.2)
    with _bad(lambda: link.slow(delay), link.mend):
        scene.pause(3, 8)


@_fault
def kafka_half_open(scene: Scene) -> None:
    """Connections to the broker stay open and say nothing; then they turn out to be gone."""
    with _bad(scene.servers.kafka_link.hang, scene.servers.kafka_link.mend):
        scene.pause(3, 12)


@_fault
def kafka_silent(scene: Scene) -> None:
    """Connections to the broker say nothing, also when new ones are good again."""
    link = scene.servers.kafka_link
    with _bad(link.hang, lambda: link.mend(silently=True)):
        scene.pause(1, 4)


@_fault
def dead_letters_refused(scene: Scene) -> None:
    """The topic of the dead letters takes no record: workers end and say so, and start again."""
    whole = str(topics.DEAD_LETTERS.max_message_bytes)
    alter_topic(scene.servers.settings, topics.DEAD_LETTERS, "max.message.bytes", "50")
    try:
        poison_everywhere(scene)
        scene.pause(3, 6)
    finally:
        alter_topic(scene.servers.settings, topics.DEAD_LETTERS, "max.message.bytes", whole)


@_fault
def poison_everywhere(scene: Scene) -> None:
    """A record that can't be read in every topic that workers read: a dead letter for each."""
    for topic in (
        topics.LISTINGS,
        topics.REJUDGE,
        topics.SELLERS,
        topics.SALES,
        topics.TAKEDOWNS,
        topics.SIGHTINGS,
        topics.HELD,
        topics.RIGHTS,
    ):
        key = f"{POISON_KEY.decode()}{scene.chance.getrandbits(60):x}"
        scene.poison.setdefault(topic.name, set()).add(key)
        scene.bus.send(topic, [(key, b"\x07nonsense")])


# -- Redis


@_fault
def redis_lost(scene: Scene) -> None:
    """Redis dies and comes back with nothing in it: the views are made again from Kafka."""
    scene.servers.redis.kill()
    scene.pause(0, 4)
    scene.servers.redis.start()


@_fault
def redis_frozen(scene: Scene) -> None:
    """Redis hangs for some seconds."""
    scene.servers.redis.suspend()
    try:
        scene.pause(2, 8)
    finally:
        scene.servers.redis.resume()


@_fault
def redis_full(scene: Scene) -> None:
    """Redis takes no write (`noeviction`): what is read is still told, views wait."""
    client = RedisClient(port=scene.servers.redis.port)
    with _bad(lambda: client.config_set("maxmemory", 1), lambda: client.config_set("maxmemory", 0)):
        scene.pause(3, 8)
    client.close()


@_fault
def redis_cut(scene: Scene) -> None:
    """No worker reaches Redis."""
    with _bad(scene.servers.redis_link.cut, scene.servers.redis_link.mend):
        scene.pause(2, 8)


@_fault
def redis_slow(scene: Scene) -> None:
    """Redis answers later than is waited for, or just in time."""
    link, delay = scene.servers.redis_link, scene.chance.choice((0.05, 0.2, 0.6))
    with _bad(lambda: link.slow(delay), link.mend):
        scene.pause(3, 8)


@_fault
def redis_half_open(scene: Scene) -> None:
    """Connections to Redis stay open and say nothing; then they turn out to be gone."""
    with _bad(scene.servers.redis_link.hang, scene.servers.redis_link.mend):
        scene.pause(3, 8)


@_fault
def redis_silent(scene: Scene) -> None:
    """Connections to Redis say nothing, also when new ones are good again."""
    link = scene.servers.redis_link
    with _bad(link.hang, lambda: link.mend(silently=True)):
        scene.pause(1, 4)


# -- the registry


@_fault
def registry_cut(scene: Scene) -> None:
    """No worker reaches the registry, and one is started meanwhile: it waits."""
    with (
        _bad(scene.servers.registry_link.cut, scene.servers.registry_link.mend),
        scene.fleet.held(scene.victim()) as worker,
    ):
        worker.kill()
        worker.start()
        scene.pause(2, 6)


@_fault
def registry_half_open(scene: Scene) -> None:
    """Connections to the registry stay open and say nothing."""
    with _bad(scene.servers.registry_link.hang, scene.servers.registry_link.mend):
        scene.pause(3, 8)


class _bad:  # noqa: N801 - reads as `with _bad(…)`
    """Something is bad within, and good again afterwards."""

    def __init__(self, begin: Callable[[], object], end: Callable[[], object]) -> None:
        self._begin, self._end = begin, end

    def __enter__(self) -> None:
        self._begin()

    def __exit__(self, *_: object) -> None:
        self._end()


def plan(chance: random.Random, count: int, names: list[str] | None = None) -> Iterator[str]:
    """Yield the names of `count` faults: every one before any comes again, in random order."""
    left: list[str] = []
    for _ in range(count):
        if not left:
            left = sorted(names or FAULTS)
            chance.shuffle(left)
        yield left.pop()
