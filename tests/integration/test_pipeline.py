"""A change goes in, a takedown comes out: seen by the bus, by downstream and by an SRE."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
import uuid
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

import schemas
from agents.alliance.rights_publish import withdraw_rights
from agents.records import DAY_MS, AuthorisedSeller, Right, Sale, Seller
from agents.takedowns import takedown_id
from agents.worker import Worker
from deploy.services import Prometheus
from streams import topics
from streams.settings import Settings
from streams.transport import BatchTransport
from tests.harness import RIGHT, Bus, WorkerProcess, listing, now_ms, run_command, wait_for


@pytest.mark.usefixtures("worker")
def test_a_foreign_producer_and_consumer_need_only_the_contract(bus: Bus) -> None:
    """Confluent's own Avro serialiser writes the listing, and reads the takedown."""
    client = SchemaRegistryClient({"url": bus.settings.schema_registry_url})
    topic = bus.settings.topic("marketplace.listings")
    serializer = AvroSerializer(client, json.dumps(schemas.load("listing")))
    occurred = now_ms()
    value = serializer(
        {
            "event_id": str(uuid.uuid4()),
            "listing_id": "foreign-1",
            "revision": 7,
            "seller_id": "s-foreign",
            "occurred_at": occurred,
            "title": "Luxury Zorvex replica, best AAA quality",
        },
        SerializationContext(topic, MessageField.VALUE),
    )
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    producer = Producer({"bootstrap.servers": bus.settings.kafka_bootstrap})
    producer.produce(topic, key="foreign-1", value=value, headers=[("traceparent", trace.encode())])
    assert producer.flush(10) == 0
    bus.takedown("foreign-1")
    message = next(m for m in bus.messages(topics.TAKEDOWNS) if m.key() == b"foreign-1")
    headers = dict(message.headers())
    assert headers["ce_specversion"] == b"1.0"
    assert headers["ce_type"] == b"assayer.takedown.v1"
    assert headers["ce_source"]
    assert headers["ce_time"].endswith(b"Z")
    assert trace.split("-")[1].encode() in headers["traceparent"]
    record: Any = AvroDeserializer(client)(
        message.value(), SerializationContext(message.topic(), MessageField.VALUE)
    )
    assert record["takedown_id"] == takedown_id("foreign-1", 7)
    assert record["action"] == "REMOVED"
    assert record["rules"][0] == "replica-words"
    assert record["right_ids"] == ["tm-1"]
    assert record["policy_version"].startswith("default-")
    assert int(record["registry_version"]) >= 0
    assert record["automated"] is True
    assert record["statement"]["ground"]
    assert "s-foreign" not in json.dumps(record["statement"])
    mark = next(e for e in record["evidence"] if e["signal"] == "mark")
    assert (mark["field"], mark["start"], mark["end"], mark["text"]) == ("title", 7, 13, "Zorvex")


def test_honest_listings_pass_and_cheap_ones_of_known_sellers_are_reviewed(
    bus: Bus, worker: WorkerProcess
) -> None:
    old = now_ms() - 900 * DAY_MS
    before = worker.metric("assayer_listings_total", outcome="allow")
    bus.publish(sellers=[Seller("s-old", created_at=old, verified=True)])
    worker.settle()
    bus.publish(
        [
            listing("honest-1", "Zorvex Diver 300", price_minor=19_000, currency="USD"),
            listing("honest-2", "Oak dining table"),
            listing("honest-3", "Strap for Zorvex Diver", price_minor=900, currency="USD"),
            listing(
                "cheap-old",
                "Zorvex Diver 300",
                seller_id="s-old",
                price_minor=3_000,
                currency="USD",
            ),
        ]
    )
    assert bus.review("cheap-old")["rules"] == ["cheap-mark"]
    wait_for(
        lambda: worker.metric("assayer_listings_total", outcome="allow") >= before + 3,
        20,
        "three honest listings",
    )
    removed = {record["listing_id"] for record in bus.takedowns()}
    assert not removed & {"honest-1", "honest-2", "honest-3", "cheap-old"}


def test_sales_before_the_takedown_are_counted_once(bus: Bus, worker: WorkerProcess) -> None:
    """A sale that is delivered twice counts once; the ratio is live in the metrics."""
    sale = Sale("sale-1", "sold-1", "s-9", 3, now_ms())
    bus.publish(sales=[sale, sale])
    worker.settle()
    bus.publish([listing("sold-1", "Zorvex super clone"), listing("unsold-1", "Zorvex replica")])
    assert bus.takedown("sold-1")["units_sold_before"] == 3
    assert bus.takedown("unsold-1")["units_sold_before"] == 0
    wait_for(
        lambda: 0 < worker.metric("assayer_before_first_sale_ratio", window="1h") < 1,
        10,
        "a ratio between none and all",
    )


def test_standing_follows_from_takedowns(bus: Bus, worker: WorkerProcess) -> None:
    """Two upheld takedowns make a seller's standing bad: a hidden mark alone then is removed."""
    bus.publish([listing("hidden-1", "Zor\u200bvex watch", seller_id="s-repeat")])
    assert bus.review("hidden-1")["rules"] == ["hidden-mark"]
    bus.publish(
        [
            listing("repeat-1", "Zorvex replica watch", seller_id="s-repeat"),
            listing("repeat-2", "Zorvex replica watch", seller_id="s-repeat"),
        ]
    )
    bus.takedown("repeat-1")
    bus.takedown("repeat-2")
    worker.settle()
    bus.publish([listing("hidden-2", "Zor\u200bvex watch", seller_id="s-repeat")])
    assert bus.takedown("hidden-2")["rules"][0] == "hidden-mark-supported"


async def _withdraw(bus: Bus) -> None:
    await withdraw_rights(bus.settings, ["tm-late"])


def test_rights_come_and_go_while_listings_stream(bus: Bus, worker: WorkerProcess) -> None:
    """A new right counts within seconds, its authorised seller is left alone, a null ends it."""

    version = worker.metric("assayer_registry_version")
    right = Right(
        "tm-late", "Quandrel", mark="Quandrel", authorised_sellers=(AuthorisedSeller("s-auth"),)
    )
    bus.publish(rights=[right])
    wait_for(
        lambda: worker.metric("assayer_registry_version") == version + 1, 20, "the new version"
    )
    bus.publish(
        [
            listing("late-1", "Quandrel replica bag"),
            listing("late-2", "Quandrel replica bag", seller_id="s-auth"),
        ]
    )
    assert bus.takedown("late-1")["registry_version"] == str(int(version) + 1)
    asyncio.run(_withdraw(bus))
    wait_for(lambda: worker.metric("assayer_registry_version") == version + 2, 20, "the withdrawal")
    bus.publish([listing("late-3", "Quandrel replica bag"), listing("last", "Zorvex replica bag")])
    bus.takedown("last")
    removed = {record["listing_id"] for record in bus.takedowns()}
    assert not removed & {"late-2", "late-3"}
    listed = run_command(bus.settings, "rights", "list", "--json").stdout
    assert [json.loads(line)["right_id"] for line in listed.splitlines()] == [RIGHT.right_id]


def test_a_real_prometheus_scrapes_it(bus: Bus, worker: WorkerProcess) -> None:
    bus.publish([listing("scraped", "Zorvex replica")])
    bus.takedown("scraped")
    with Prometheus(worker.url.removeprefix("http://")) as prometheus:
        result = wait_for(
            lambda: prometheus.query('assayer_takedowns_total{rule="replica-words"} > 0'),
            30,
            "a scraped takedown",
        )
        assert result[0]["metric"]["source"] == "MONITORING"
        quantile = "histogram_quantile(0.5, assayer_handling_seconds_bucket)"
        assert float(prometheus.query(quantile)[0]["value"][1]) > 0


@pytest.mark.usefixtures("worker")
def test_the_same_listing_again_gets_the_same_id(bus: Bus) -> None:
    """At least once underneath, once as seen from downstream."""
    again = listing("twice", "Zorvex replica", revision=4)
    bus.publish([again, again])
    wait_for(
        lambda: sum(r["listing_id"] == "twice" for r in bus.takedowns()) == 2, 20, "both events"
    )
    ids = {r["takedown_id"] for r in bus.takedowns() if r["listing_id"] == "twice"}
    assert ids == {takedown_id("twice", 4)}


@pytest.mark.parametrize("path", ["/", "/nothing"])
def test_other_pages_say_where_to_look(worker: WorkerProcess, path: str) -> None:
    status, body = worker.get(path)
    assert status == 404
    assert "/metrics" in body


def test_a_worker_makes_one_consumer_however_often_it_is_asked_whether_it_is_ready(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Health is asked for in threads of its own, also in the moment when the consumer is made."""
    Bus(settings).publish(rights=[RIGHT])
    made: list[Any] = []
    make = BatchTransport.create_consumer

    def make_slowly(transport: Any, *args: Any, **kwargs: Any) -> Any:
        time.sleep(0.3)
        made.append(make(transport, *args, **kwargs))
        return made[-1]

    monkeypatch.setattr(BatchTransport, "create_consumer", make_slowly)

    async def serve() -> None:
        stop = asyncio.Event()
        worker = Worker(settings)

        def ask() -> None:
            while worker.url and not worker.ready.is_set() and not stop.is_set():
                urllib.request.urlopen(worker.url + "/health/live", timeout=30)  # noqa: S310
                time.sleep(0.02)

        serving = asyncio.create_task(worker.run(stop))
        await asyncio.sleep(0)
        asking = [asyncio.to_thread(ask) for _ in range(4)]
        try:
            await asyncio.wait_for(asyncio.gather(worker.ready.wait(), *asking), 60)
        finally:
            stop.set()
            await serving

    asyncio.run(serve())
    assert len(made) == 1
