"""A node of Apache Kafka in KRaft mode: all of a cluster, unless it is told of others."""

from __future__ import annotations

import base64
import subprocess
import uuid
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from deploy.services.downloads import kafka_libraries
from deploy.services.process import (
    LASTING_JVM,
    SHORT_LIVED_JVM,
    Service,
    ServiceError,
    accepts,
    free_port,
)

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
log.dirs={data}
auto.create.topics.enable=false
message.max.bytes=17825792
replica.fetch.max.bytes=17825792
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
log.retention.check.interval.ms=600000
"""


class Kafka(Service):
    """A real broker; `bootstrap` is its address."""

    name = "kafka"

    def __init__(self, *, detached: bool = False, heap: str = "1g", cpus: str = "") -> None:
        """Prepare a broker; `cpus` pins it to processors, as `taskset -c` takes them.

        One that is pinned is to be fast, one that is detached to last.
        """
        super().__init__(detached=detached)
        self._jvm = LASTING_JVM if detached or cpus else SHORT_LIVED_JVM
        self._libraries = kafka_libraries() / "libs"
        self._heap = heap
        self._cpus = cpus
        self.port = free_port()
        self.cluster_id = new_cluster_id()
        self._formatted = False

    @property
    def bootstrap(self) -> str:
        """`host:port` of the broker."""
        return f"127.0.0.1:{self.port}"

    def launch(self) -> None:
        """Format the storage at the first start, then start. Raises ServiceError."""
        if not self._formatted:
            (self.folder / "server.properties").write_text(self.properties())
            done = subprocess.run(
                self._java(
                    "256m",
                    "kafka.tools.StorageTool",
                    # With '=': one id in 64 begins with a hyphen and would be taken for an option.
                    *("format", f"--cluster-id={self.cluster_id}", "-c", "server.properties"),
                    *self.quorum_options(),
                    *self.format_options(),
                ),
                cwd=self.folder,
                check=False,
                capture_output=True,
                text=True,
            )
            if done.returncode != 0:
                raise ServiceError(f"Kafka's storage: {(done.stdout + done.stderr)[-2000:]}")
            self._formatted = True
        super().launch()

    def properties(self) -> str:
        """Return the broker's configuration."""
        return _PROPERTIES.format(port=self.port, controller=free_port(), data=self.folder / "data")

    def quorum_options(self) -> list[str]:
        """Return what the storage tool is told of the nodes that vote: there is no other."""
        return ["--standalone"]

    def format_options(self) -> list[str]:
        """Return what the storage tool is told beside the cluster's id."""
        return []

    def _java(self, heap: str, *arguments: str) -> list[str]:
        pinned = ["taskset", "-c", self._cpus] if self._cpus else []
        return [
            *pinned,
            *("java", f"-Xmx{heap}", *self._jvm),
            *("-cp", f"{self._libraries}/*"),
            *arguments,
        ]

    def command(self) -> list[str]:
        """Return the command line."""
        return self._java(self._heap, "kafka.Kafka", "server.properties")

    def answers(self) -> bool:
        """Return whether the broker lists its cluster and coordinates groups.

        The first group of a new broker makes it create the topic of the offsets, which takes longer
        than the rest.
        """
        if not accepts(self.port):
            return False
        admin: Any = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        try:
            if not admin.list_topics(timeout=2).brokers:
                return False
        except KafkaException:
            return False
        consumer = Consumer(
            {"bootstrap.servers": self.bootstrap, "group.id": "assayer-probe", "log_level": 0}
        )
        try:
            consumer.committed([TopicPartition("__consumer_offsets", 0)], timeout=10)
        except KafkaException:
            return False
        finally:
            consumer.close()
        return True


def new_cluster_id() -> str:
    """Return an id that no other cluster has."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
