"""confluent-kafka's consumer by itself: what librdkafka costs from Python."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version

from confluent_kafka import Consumer, TopicPartition

from tests.benchmarks.peers.work import Clock, Job, Outcome, Screening, main

BATCH = 1000


def consume_only(job: Job) -> Outcome:
    """Consume, and do nothing with it."""
    clock = Clock(job)
    _consume(job, clock, lambda _value: None)
    return clock.outcome(version("confluent-kafka"), 0, 0)


def scan(job: Job) -> Outcome:
    """Consume, scan the raw value, decode what names a mark; no record is written."""
    clock, screening = Clock(job), Screening(job)
    _consume(job, clock, screening.raw)
    return clock.outcome(version("confluent-kafka"), screening.named, screening.acted)


def _consume(job: Job, clock: Clock, handle: Callable[[bytes], bytes | None]) -> None:
    consumer = Consumer({
        "bootstrap.servers": job.bootstrap,
        "group.id": job.group,
        "enable.auto.commit": False,
    })  # fmt: skip
    consumer.assign([TopicPartition(job.topic, number, 0) for number in range(job.partitions)])
    done = False
    while not done:
        messages = consumer.consume(BATCH, timeout=5.0)
        for message in messages:
            handle(message.value() or b"")
        done = clock.count(len(messages))
    consumer.close()


if __name__ == "__main__":
    main({"consume only": consume_only, "scan": scan})
