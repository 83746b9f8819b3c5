"""The Faust app: one place for every setting that measurements or traps have decided."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Final

import mode

from streams.batch_topics import BatchApp, BatchSettings
from streams.kafka import faust_credentials
from streams.settings import Settings
from streams.transport import broker_url

METADATA_MS: Final = 10_000
"""How long until partitions that were added are read: Faust's five minutes are an age."""

REBALANCE_SECONDS: Final = 10.0
"""How long the others wait for a worker that has to give its partitions back: it drains for 5 s and
commits for as long at most."""
REQUEST_SECONDS: Final = 12.0
"""How long an answer is waited for on a connection that may be dead: Faust waits 90 s. Who joins a
group is answered when all have joined, so it is more than the rebalance."""


def create_app(settings: Settings, group: str, batch_topics: Collection[str]) -> BatchApp:
    """Return the app of a consumer group; `batch_topics` are full names, prefixes included.

    The settings that differ from Faust's defaults:

    - CrashingSupervisor: an exception that leaves an agent ends the process, and the offset stays.
      Every other supervisor commits the event that failed.
    - No internal topics are declared: ours are made by `topics create`, and there are no tables.
    - stream_buffer_maxsize: at 80 % of the default, Faust's fetcher sleeps a whole second.
    """
    app = BatchApp(
        settings.topic(group),
        broker=broker_url(settings.kafka_bootstrap),
        broker_credentials=faust_credentials(settings),
        agent_supervisor=mode.CrashingSupervisor,
        autodiscover=False,
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        processing_guarantee="at_least_once",
        table_standby_replicas=0,
        stream_buffer_maxsize=65536,
        stream_wait_empty=True,
        broker_commit_interval=1.0,
        broker_session_timeout=settings.session_timeout_s,
        broker_request_timeout=max(REQUEST_SECONDS, settings.session_timeout_s + 2.0),
        broker_rebalance_timeout=REBALANCE_SECONDS,
        broker_heartbeat_interval=max(0.3, settings.session_timeout_s / 10),
        broker_max_poll_records=settings.batch_records,
        consumer_auto_offset_reset="earliest",
        consumer_metadata_max_age_ms=METADATA_MS,
    )
    app.batches = BatchSettings(
        topics=frozenset(batch_topics),
        records=settings.batch_records,
        wait=settings.batch_wait_ms / 1000,
        in_flight=settings.batches_in_flight,
        fetch_wait_ms=settings.fetch_wait_ms,
    )
    # One line per rebalance is enough.
    logging.getLogger("aiokafka").setLevel(logging.WARNING)
    return app
