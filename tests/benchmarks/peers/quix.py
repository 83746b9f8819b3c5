"""Quix Streams as its documentation shows it: a dataframe over a topic, to a topic."""

from __future__ import annotations

from tempfile import TemporaryDirectory
from typing import Any

import quixstreams
from quixstreams import Application
from quixstreams.models.serializers.avro import AvroDeserializer
from quixstreams.models.serializers.schema_registry import SchemaRegistryClientConfig

from tests.benchmarks.peers.work import Clock, Job, Outcome, Screening, main


def scan(job: Job) -> Outcome:
    """Scan the raw value, decode what names a mark, send its takedown."""
    return _run(job, "bytes")


def decode_first(job: Job) -> Outcome:
    """Decode everything with its deserialiser for Avro, scan the texts, send the takedown."""
    return _run(
        job,
        AvroDeserializer(
            schema_registry_client_config=SchemaRegistryClientConfig(url=job.registry)
        ),
    )


def _run(job: Job, deserializer: Any) -> Outcome:
    clock, screening = Clock(job), Screening(job)
    judge = screening.raw if deserializer == "bytes" else screening.decoded
    with TemporaryDirectory() as folder:
        app = Application(
            broker_address=job.bootstrap,
            consumer_group=job.group,
            auto_offset_reset="earliest",
            auto_create_topics=False,
            state_dir=folder,
            loglevel="ERROR",
        )
        listings = app.topic(job.topic, value_deserializer=deserializer)
        takedowns = app.topic(job.takedowns, value_serializer="bytes")

        def screen(value: Any) -> bytes | None:
            takedown = judge(value)
            if clock.count():
                app.stop()
            return takedown

        frame = app.dataframe(listings)
        frame = frame.apply(screen).filter(lambda takedown: takedown is not None)
        frame.to_topic(takedowns)
        app.run()
    return clock.outcome(quixstreams.__version__, screening.named, screening.acted)


if __name__ == "__main__":
    main({"scan": scan, "decode first": decode_first})
