"""Where partitions end, asked for beside the consumer: one that fetches no more does not know."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from confluent_kafka import IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]
from faust.types import TP

from streams.kafka import client_config, unavailable
from streams.settings import Settings

SECONDS: Final = 5.0


class PartitionEnds:
    """Asks a broker for the ends of partitions, all in one request to each leader."""

    def __init__(self, settings: Settings) -> None:
        """Prepare a client; nothing is sent yet."""
        self._settings = settings
        self._admin = AdminClient(client_config(settings))

    def ask(self, partitions: Collection[TP]) -> Mapping[TP, int]:
        """Return the offset behind the last record of each partition; blocks for 5 s at most.

        What a leader does not tell is left out.

        Raises:
            KafkaUnavailableError: none tells.
        """
        if not partitions:
            return {}
        latest: Any = OffsetSpec
        asked = {TopicPartition(tp.topic, tp.partition): latest.latest() for tp in partitions}
        futures = self._admin.list_offsets(
            asked, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=SECONDS
        )
        found, failed = {}, None
        for where, future in futures.items():
            try:
                found[TP(where.topic, where.partition)] = int(future.result(SECONDS + 1).offset)
            except KafkaException as error:
                failed = error.args[0]
            except TimeoutError:
                continue
        if failed is not None and not found:
            raise unavailable(self._settings, failed)
        return found
