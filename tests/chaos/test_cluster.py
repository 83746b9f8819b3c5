"""A cluster of three loses its leaders while listings stream by."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.monitoring.monitor import GROUP
from deploy.services import KafkaCluster
from streams import topics
from streams.settings import Settings
from tests.chaos.reckoning import settled
from tests.chaos.traffic import Traffic
from tests.harness import RIGHT, Bus, WorkerProcess, unlimited, wait_for


@pytest.fixture
def cluster() -> Iterator[KafkaCluster]:
    with KafkaCluster() as nodes:
        yield nodes


@pytest.mark.long
@pytest.mark.timeout(400)
def test_leaders_are_killed_and_others_take_over(
    settings: Settings, cluster: KafkaCluster, tmp_path: Path
) -> None:
    """The node that leads the listings is killed, then the one that leads the workers' group.

    Nothing waits for a node to come back: listings are handled while one is away. At the end every
    infringing revision has its takedown, under one id.
    """
    bus = Bus(settings.model_copy(update={"kafka_bootstrap": cluster.bootstrap}))
    bus.publish(rights=[RIGHT])
    listings = bus.settings.topic(topics.LISTINGS.name)
    with (
        WorkerProcess(bus.settings, tmp_path, **unlimited(tmp_path)) as worker,
        Traffic(bus.settings, "leaders", 50) as traffic,
    ):
        worker.wait_ready(120)
        wait_for(lambda: worker.handled() > 100, 60, "first listings")
        for topic, partition in ((listings, 0), ("__consumer_offsets", _coordinates(bus.settings))):
            leader = cluster.leader(topic, partition)
            leader.kill()
            before = worker.handled()
            wait_for(
                lambda before=before: worker.handled() > before + 200,  # type: ignore[misc]
                60,
                lambda: f"listings while a node is away\n{worker.text}",
            )
            leader.start()
            cluster.wait_whole()
        published = traffic.stop()
        settled(bus.settings, 60)
        assert worker.ended is None, worker.text
    ids = {(each["listing_id"], each["revision"]) for each in bus.takedowns()}
    assert ids == published.infringing


def _coordinates(settings: Settings) -> int:
    """Return the partition of the offsets whose leader coordinates the workers' group."""
    digest = 0
    for character in settings.topic(GROUP):  # Java's String.hashCode, a signed number
        digest = (31 * digest + ord(character)) & 0xFFFFFFFF
    return min(digest, 2**32 - digest) % 4
