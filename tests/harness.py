"""A worker in a process of its own, and the plain clients of the people around it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

import agents.monitoring.policies
from agents.alliance.rights_publish import publish_rights
from agents.monitoring.publishing import ListingPublisher
from agents.records import Listing, Right, Sale, Seller
from deploy.services.process import die_with_parent
from streams import topics
from streams.codec import Decoder
from streams.kafka import client_config
from streams.schema_registry import SchemaRegistry
from streams.settings import Settings, variables_of
from streams.topic_admin import TopicAdmin
from streams.topics import Topic

DEFAULT_POLICY = Path(agents.monitoring.policies.__file__).with_name("default.yaml")
COMMAND = [sys.executable, "-m", "agents.cli"]


def now_ms() -> int:
    """Return the time as listings have it."""
    return time.time_ns() // 1_000_000


def listing(listing_id: str, title: str, **values: Any) -> Listing:
    """Return a listing that changed just now."""
    return Listing(
        listing_id,
        values.pop("seller_id", "seller-1"),
        values.pop("occurred_at", now_ms()),
        title,
        **values,
    )


RIGHT = Right(
    "tm-1",
    "Zorvex Watches Ltd",
    mark="Zorvex",
    reference_price_minor=20_000,
    reference_currency="USD",
)


def environment(settings: Settings, **more: str) -> dict[str, str]:
    """Return the environment that leads a command to the servers of the settings."""
    variables = {**variables_of(settings), "ASSAYER_METRICS_PORT": "0"}
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("ASSAYER_")}
    return {**inherited, **variables, **more}


def policy_with(folder: Path, breaker: str) -> dict[str, str]:
    """Return the variable that leads a worker to the default policy with these quotas."""
    path = folder / "policy.yaml"
    text = DEFAULT_POLICY.read_text(encoding="utf-8")
    path.write_text(f"breaker: {breaker}\n{text}", encoding="utf-8")
    return {"ASSAYER_POLICY_FILE": str(path)}


_MOST = "per_minute: 1000000000, per_hour: 1000000000"
HOLDS_NOTHING = f"{{{_MOST}, brand: {{{_MOST}}}, rule: {{{_MOST}}}}}"
"""Quotas for a worker that a test floods with takedowns."""


def unlimited(folder: Path) -> dict[str, str]:
    """Return the variable that leads a worker to the default policy without a quota."""
    return policy_with(folder, HOLDS_NOTHING)


def run_command(
    settings: Settings, *arguments: str, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run an `assayer` command to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment(settings, **more),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def started(command: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
    """Start a process that ends with this one, also when this one is killed without a word."""
    return subprocess.Popen(command, preexec_fn=die_with_parent, **options)  # noqa: PLW1509


class WorkerProcess:
    """`assayer worker` as an SRE runs it. A context manager that kills what is left."""

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        command: Sequence[str] = (*COMMAND, "worker"),
        **more: str,
    ) -> None:
        self._settings = settings
        self._command = command
        self._more = more
        self._folder = folder
        self.log = folder / "worker.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def start(self) -> Self:
        """Start it and return once it says where its metrics are; each start has its own log."""
        self.log = self._folder / f"worker-{time.monotonic_ns()}.log"
        with self.log.open("wb") as log:
            self._process = started(
                self._command,
                env=environment(self._settings, **self._more),
                stdout=log,
                stderr=log,
            )
        self.url = wait_for(
            self._find_url, 90, lambda: f"the worker's metrics address\n{self.text}"
        )
        return self

    def _find_url(self) -> str:
        for line in self.text.splitlines():
            if "metrics and health at " in line:
                return line.rpartition(" ")[2]
        return ""

    @property
    def text(self) -> str:
        """What it has logged."""
        return self.log.read_text(errors="replace")

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def ended(self) -> int | None:
        """Its exit code; None while it runs."""
        assert self._process is not None
        return self._process.poll()

    def suspend(self) -> None:
        """Stop it where it is, without a word to anybody."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a suspended one go on."""
        os.kill(self.pid, signal.SIGCONT)

    def get(self, path: str) -> tuple[int, str]:
        """Return status and body of a page of its port."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as response:  # noqa: S310
                return int(response.status), response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    def ready(self) -> bool:
        """Return whether it is ready."""
        return self.get("/health/ready")[0] == 200

    def failing(self) -> dict[str, str]:
        """Return what it says it lacks; nothing while its port does not answer yet."""
        status, body = self.get("/health/ready")
        if not status:
            return {}
        checks: dict[str, str] = json.loads(body)["checks"]
        return {name: text for name, text in checks.items() if text != "ok"}

    def wait_ready(self, seconds: float = 60) -> Self:
        """Return once it is ready."""
        wait_for(
            self.ready, seconds, lambda: f"a ready worker: {self.get('/health/ready')}\n{self.text}"
        )
        return self

    def metric(self, name: str, **labels: str) -> float:
        """Return the sum of a metric's samples with these labels."""
        total = 0.0
        for line in self.get("/metrics")[1].splitlines():
            if line.startswith((name + "{", name + " ")):
                head, _, value = line.rpartition(" ")
                if all(f'{key}="{wanted}"' in head for key, wanted in labels.items()):
                    total += float(value)
        return total

    def handled(self) -> int:
        """Return how many listings it has handled."""
        return int(self.metric("assayer_listings_total"))

    def settle(self) -> None:
        """Return once everything that was published so far is handled."""

        def lag() -> float:
            time.sleep(1.2)  # the gauge is set once a second
            return self.metric("assayer_consumer_lag")

        wait_for(lambda: lag() == 0, 30, lambda: f"no lag\n{self.text}")

    def stop(self, seconds: float = 40) -> int:
        """Ask it to stop; return its exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(timeout=seconds)

    def kill(self) -> None:
        """End it with SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def exit_code(self, seconds: float) -> int:
        """Wait until it ends by itself; return its exit code."""
        assert self._process is not None
        return self._process.wait(timeout=seconds)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()


def wait_for(check: Callable[[], Any], seconds: float, what: str | Callable[[], str]) -> Any:
    """Return what `check` returns once it is true."""
    deadline = time.monotonic() + seconds
    while True:
        result = check()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(
                f"not within {seconds} s: {what if isinstance(what, str) else what()}"
            )
        time.sleep(0.05)


@dataclass
class Bus:
    """The platform's side and the downstream side of one installation."""

    settings: Settings
    registry: SchemaRegistry = field(init=False)

    def __post_init__(self) -> None:
        self.registry = SchemaRegistry.connect(self.settings)
        TopicAdmin(self.settings, self.registry).create()

    def publish(
        self,
        listings: Iterable[Listing] = (),
        sellers: Iterable[Seller] = (),
        sales: Iterable[Sale] = (),
        rights: Sequence[Right] = (),
    ) -> None:
        """Publish records and return when the broker has them."""

        async def work() -> None:
            if rights:
                await publish_rights(self.settings, rights, registry=self.registry)
            publisher = await ListingPublisher.connect(self.settings, self.registry)
            try:
                await publisher.sellers(sellers)
                await publisher.sales(sales)
                chunk = list(listings)
                for start in range(0, len(chunk), 2000):
                    await publisher.listings(chunk[start : start + 2000])
            finally:
                publisher.close()

        asyncio.run(work())

    def send(
        self,
        topic: Topic,
        values: Iterable[tuple[str, bytes | None]],
        *,
        partition: int = -1,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> None:
        """Send raw values, each with its key, as they are and in one go."""
        producer = Producer(
            client_config(self.settings, {"message.max.bytes": 16_000_000, "linger.ms": 100})
        )
        for key, value in values:
            producer.produce(
                self.settings.topic(topic.name),
                key=key.encode(),
                value=value,
                partition=partition,
                headers=list(headers),
            )
        assert producer.flush(20) == 0

    def messages(self, topic: Topic) -> list[Any]:
        """Return every message of a topic, as a plain consumer gets them."""
        consumer = Consumer(
            client_config(
                self.settings,
                {
                    "group.id": f"{self.settings.topic_prefix}reader",
                    "enable.auto.commit": False,
                    "auto.offset.reset": "earliest",
                    "fetch.message.max.bytes": 16_777_216,
                },
            )
        )
        name = self.settings.topic(topic.name)
        found: list[Any] = []
        try:
            for partition in consumer.list_topics(name, timeout=10).topics[name].partitions:
                where = TopicPartition(name, partition, 0)
                _, end = _watermarks(consumer, where)
                if not end:
                    continue
                consumer.assign([where])
                last = -1
                while last < end - 1:
                    message = consumer.poll(10)
                    assert message is not None, f"{name}:{partition} ended at {last} of {end}"
                    assert message.error() is None, message.error()
                    last = message.offset() or 0
                    found.append(message)
        finally:
            consumer.close()
        return found

    def records(self, topic: Topic, *, broken: Sequence[bytes] = ()) -> list[dict[str, Any]]:
        """Return every record of a topic, decoded; `broken` are keys of those that are none."""
        decoder = Decoder(self.registry, topic.schema)
        messages = self.messages(topic)
        values = [message.value() for message in messages if message.key() not in broken]
        decoder.fetch(decoder.unknown(values))
        return [decoder.decode(value) for value in values]

    def takedowns(self, *, broken: Sequence[bytes] = ()) -> list[dict[str, Any]]:
        """Return every takedown event; `broken` are keys of records that are none."""
        return self.records(topics.TAKEDOWNS, broken=broken)

    def newest(
        self, topic: Topic, listing_id: str, *, broken: Sequence[bytes] = ()
    ) -> dict[str, Any]:
        """Return the newest record about a listing, once there is one."""

        def look() -> list[dict[str, Any]]:
            records = self.records(topic, broken=broken)
            return [record for record in records if record["listing_id"] == listing_id]

        found: list[dict[str, Any]] = wait_for(look, 30, f"{listing_id} on {topic.name}")
        return found[-1]

    def takedown(self, listing_id: str) -> dict[str, Any]:
        """Return the newest takedown event of a listing, once there is one."""
        return self.newest(topics.TAKEDOWNS, listing_id)

    def review(self, listing_id: str) -> dict[str, Any]:
        """Return the newest review of a listing, once there is one."""
        return self.newest(topics.REVIEWS, listing_id)

    def committed(self, group: str, topic: Topic) -> Mapping[int, int]:
        """Return the committed offsets of a group."""
        name = self.settings.topic(topic.name)
        consumer = Consumer(
            client_config(
                self.settings,
                {"group.id": self.settings.topic(group), "enable.auto.commit": False},
            )
        )
        try:
            partitions = consumer.list_topics(name, timeout=10).topics[name].partitions
            found = consumer.committed([TopicPartition(name, p) for p in partitions], timeout=10)
            return {tp.partition: tp.offset for tp in found}
        finally:
            consumer.close()


def _watermarks(consumer: Consumer, where: TopicPartition) -> tuple[int, int]:
    """Return a partition's first offset and its end, also while a broker finds its feet."""

    refused: list[KafkaException] = []

    def ask() -> tuple[int, int] | None:
        try:
            return consumer.get_watermark_offsets(where, timeout=10)
        except KafkaException as error:  # librdkafka does not say which of these pass
            refused.append(error)
            return None

    found: tuple[int, int] = wait_for(ask, 20, lambda: f"the offsets of {where}: {refused[-1]}")
    return found


def alter_topic(settings: Settings, topic: Topic, name: str, value: str) -> None:
    """Set an entry of a topic's configuration behind the assayer's back."""
    admin = AdminClient(client_config(settings))
    entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(
        ResourceType.TOPIC, settings.topic(topic.name), incremental_configs=[entry]
    )
    for future in admin.incremental_alter_configs([resource]).values():
        future.result(timeout=20)


def json_lines(text: str) -> list[Any]:
    """Return the records of JSON lines."""
    return [json.loads(line) for line in text.splitlines() if line.strip()]
