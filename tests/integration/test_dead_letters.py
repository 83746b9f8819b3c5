"""Dead letters of the rights' topic, which every worker reads whole at each start."""

from __future__ import annotations

from pathlib import Path

from confluent_kafka import Producer

from streams import topics
from streams.settings import Settings
from tests.harness import RIGHT, Bus, WorkerProcess, wait_for


def _publish_no_right(bus: Bus, key: str) -> None:
    producer = Producer({"bootstrap.servers": bus.settings.kafka_bootstrap})
    producer.produce(bus.settings.topic(topics.RIGHTS.name), key=key, value=b"no right")
    assert producer.flush(20) == 0


def _buried(bus: Bus) -> list[str]:
    return [record["key"].decode() for record in bus.records(topics.DEAD_LETTERS)]


def test_what_is_no_right_is_buried_once_by_all_workers_and_starts(
    settings: Settings, tmp_path: Path
) -> None:
    """Two workers, one of them started twice; the last letter shows that no other is on its way."""
    bus = Bus(settings)
    bus.publish(rights=[RIGHT])
    _publish_no_right(bus, "before any start")
    with WorkerProcess(settings, tmp_path) as one:
        one.wait_ready()
        wait_for(lambda: _buried(bus), 30, lambda: f"a letter\n{one.text}")
        with WorkerProcess(settings, tmp_path) as other:
            other.wait_ready()
            _publish_no_right(bus, "with two workers")
            wait_for(
                lambda: "with two workers" in _buried(bus),
                30,
                lambda: f"a letter of either\n{one.text}\n{other.text}",
            )
            assert (one.stop(), other.stop()) == (0, 0), one.text + other.text
    with WorkerProcess(settings, tmp_path) as again:
        again.wait_ready()
        _publish_no_right(bus, "after another start")
        wait_for(
            lambda: "after another start" in _buried(bus), 30, lambda: f"a letter\n{again.text}"
        )
        wait_for(
            lambda: again.metric("assayer_registry_version") == 3,
            20,
            "a registry version that counts what is no right",
        )
    assert _buried(bus) == ["before any start", "with two workers", "after another start"]
