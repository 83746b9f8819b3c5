"""A Bytewax dataflow as its documentation shows it: a Kafka source, a map, a Kafka sink.

Where Bytewax offers an operator over batches (`flat_map_batch`), it is used: it is the quickest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib.metadata import version
from typing import Any

import bytewax.operators as op
from bytewax._bytewax import cli_main
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource
from bytewax.connectors.kafka import operators as kop
from bytewax.dataflow import Dataflow
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer

from tests.benchmarks.peers.work import Clock, Job, Outcome, Screening, main


def scan(job: Job) -> Outcome:
    """Scan the raw value, decode what names a mark, send its takedown."""
    clock, screening = Clock(job), Screening(job)
    flow = Dataflow("screening")
    listings = op.input("listings", flow, _source(job))
    _judge(job, clock, listings, screening.raw)
    cli_main(flow)
    return clock.outcome(version("bytewax"), screening.named, screening.acted)


def decode_first(job: Job) -> Outcome:
    """Decode everything by `deserialize_value`, scan the texts, send the takedown."""
    clock, screening = Clock(job), Screening(job)
    flow = Dataflow("screening")
    listings = op.input("listings", flow, _source(job))
    decoder = AvroDeserializer(SchemaRegistryClient({"url": job.registry}))
    decoded = kop.deserialize_value("decode", listings, decoder)
    op.inspect("errors", decoded.errs).then(op.raises, "crash")
    _judge(job, clock, decoded.oks, screening.decoded)
    cli_main(flow)
    return clock.outcome(version("bytewax"), screening.named, screening.acted)


def _source(job: Job) -> KafkaSource:
    """Return a source that ends where the topic does."""
    return KafkaSource(brokers=[job.bootstrap], topics=[job.topic], tail=False)


def _judge(job: Job, clock: Clock, listings: Any, judge: Callable[[Any], bytes | None]) -> None:
    def screen(messages: list[Any]) -> Iterable[Any]:
        takedowns = [
            KafkaSinkMessage(message.key, takedown)
            for message in messages
            if (takedown := judge(message.value)) is not None
        ]
        clock.count(len(messages))
        return takedowns

    takedowns = op.flat_map_batch("screen", listings, screen)
    op.output("takedowns", takedowns, KafkaSink([job.bootstrap], job.takedowns))


if __name__ == "__main__":
    main({"scan": scan, "decode first": decode_first})
