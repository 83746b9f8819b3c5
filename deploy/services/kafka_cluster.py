"""Three Kafka nodes that keep every topic three times and take a record when two have it."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Any, Final, Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from deploy.services.kafka import Kafka, new_cluster_id
from deploy.services.process import START_SECONDS, ServiceError, accepts, free_port

NODES: Final = 3
_REPLICATED: Final = {
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    # A leader that is gone is told by its silence: nine seconds by default.
    "broker.session.timeout.ms": "4000",
    "broker.heartbeat.interval.ms": "500",
}


class _Node(Kafka):
    """One of several; it answers as soon as it listens, for it needs the others to do more."""

    name = "kafka-node"

    def __init__(self, number: int, controllers: list[int], cluster_id: str) -> None:
        super().__init__(heap="384m")
        self.number = number
        self.cluster_id = cluster_id
        self._controllers = controllers

    def properties(self) -> str:
        """Return the node's configuration."""
        controller = f"127.0.0.1:{self._controllers[self.number - 1]}"
        voters = ",".join(f"{n}@127.0.0.1:{port}" for n, port in enumerate(self._controllers, 1))
        own = {
            "node.id": str(self.number),
            "controller.quorum.voters": voters,
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://{controller}",
            **_REPLICATED,
        }
        replaced = {*own, "controller.quorum.bootstrap.servers"}
        kept = [
            line
            for line in super().properties().splitlines()
            if line.partition("=")[0] not in replaced
        ]
        return "\n".join([*kept, *(f"{name}={value}" for name, value in own.items())]) + "\n"

    def quorum_options(self) -> list[str]:
        """Return nothing: the configuration names who votes."""
        return []

    def answers(self) -> bool:
        """Return whether it listens."""
        return accepts(self.port)


class KafkaCluster:
    """A real cluster; `bootstrap` names all nodes. A context manager."""

    def __init__(self) -> None:
        """Prepare the nodes."""
        controllers = [free_port() for _ in range(NODES)]
        cluster_id = new_cluster_id()
        self.nodes = [_Node(n, controllers, cluster_id) for n in range(1, NODES + 1)]
        self._stack = ExitStack()

    @property
    def bootstrap(self) -> str:
        """`host:port` of every node."""
        return ",".join(node.bootstrap for node in self.nodes)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for node in self.nodes:
                stack.callback(node.close)
            for node in self.nodes:
                node.launch()
            for node in self.nodes:  # none answers before two of them vote
                node.wait_answering()
            self.wait_whole()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def wait_whole(self) -> None:
        """Return once every node is there and every partition has all its copies in step.

        Raises:
            ServiceError: not within the time that a server has to start.
        """
        deadline = time.monotonic() + START_SECONDS
        while not self._is_whole():
            if time.monotonic() > deadline:
                raise ServiceError("the nodes of Kafka do not come together")
            time.sleep(0.2)

    def leader(self, topic: str, partition: int) -> _Node:
        """Return the node that leads a partition."""
        found: int = self._metadata().topics[topic].partitions[partition].leader
        return self.nodes[found - 1]

    def _metadata(self) -> Any:
        admin: Any = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        return admin.list_topics(timeout=5)

    def _is_whole(self) -> bool:
        try:
            known = self._metadata()
        except KafkaException:
            return False
        return len(known.brokers) == NODES and all(
            len(partition.isrs) == len(partition.replicas) and partition.leader > 0
            for topic in known.topics.values()
            for partition in topic.partitions.values()
        )
