"""Sends records and tells when the broker has them."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka import Producer as LibrdkafkaProducer

from streams.kafka import KafkaUnavailableError, client_config, ping
from streams.settings import Settings

log = logging.getLogger(__name__)

Headers = Sequence[tuple[str, bytes | None]]

PATIENCE_SECONDS: Final = 600.0
"""After which a batch that the broker does not take ends the worker; it is read again."""

_NEVER: Final = {
    KafkaError.MSG_SIZE_TOO_LARGE,
    KafkaError.INVALID_MSG_SIZE,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.INVALID_RECORD,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001 - the client's public name of its own error
    KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001
}
"""Failures that another try will not mend."""


_CREATE: Final = "; make it with: assayer topics create"
_HINTS: Final = {
    KafkaError.UNKNOWN_TOPIC_OR_PART: _CREATE,
    KafkaError._UNKNOWN_TOPIC: _CREATE,  # noqa: SLF001
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "; what each role needs: assayer topics acls",
}


class DeliveryError(RuntimeError):
    """A record the broker will not take, however often it is sent."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record on its way to a topic."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    partition: int = -1
    """Chosen by the key's hash when -1."""


class _Delivery:
    """Counts down the acknowledgements of one call; touched by the poll thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, count: int) -> None:
        self.future: asyncio.Future[None] = loop.create_future()
        self.failed: list[tuple[Outgoing, KafkaError]] = []
        self._loop = loop
        self._left = count
        self._lock = threading.Lock()

    def done(self, outgoing: Outgoing, error: KafkaError | None) -> None:
        with self._lock:
            if error is not None:
                self.failed.append((outgoing, error))
            self._left -= 1
            last = self._left == 0
        if last and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._resolve)

    def _resolve(self) -> None:
        if not self.future.done():
            self.future.set_result(None)


class Producer:
    """confluent-kafka's producer for an event loop.

    In a prototype 4 µs a record inside an agent, against 150 to 160 for the ways of sending of
    faust-streaming 0.15.3.
    """

    def __init__(self, settings: Settings, **extra: Any) -> None:
        """Start the client and its polling thread; nothing is sent yet."""
        self._producer = LibrdkafkaProducer(
            client_config(
                settings,
                {
                    "enable.idempotence": True,
                    # What follows from a batch is handed over at once; nothing more comes of it.
                    "linger.ms": 0,
                    "compression.type": "lz4",
                    # As large as the largest topic takes: a dead letter carries a whole record.
                    "message.max.bytes": 16_777_216,
                    "delivery.timeout.ms": 60_000,
                    "request.timeout.ms": 8_000,
                    **extra,
                },
            )
        )
        self._waiting: dict[object, float] = {}
        self._closing = threading.Event()
        self._poller = threading.Thread(target=self._poll, name="producer-poll", daemon=True)
        self._poller.start()

    @classmethod
    def connected(cls, settings: Settings) -> Producer:
        """Return a producer whose broker has answered; blocks up to ten seconds.

        For commands: they say at once that Kafka is away instead of waiting for it.

        Raises:
            KafkaUnavailableError
        """
        ping(settings)
        return cls(settings)

    def _poll(self) -> None:
        while not self._closing.is_set():
            self._producer.poll(0.1)

    async def deliver(self, outgoing: Sequence[Outgoing]) -> None:
        """Send the records and return when the broker has acknowledged every one.

        A broker that is away is waited for: what timed out is sent again until it is taken.

        Raises:
            DeliveryError: the broker refuses a record for good.
        """
        call = object()
        self._waiting[call] = time.monotonic()
        try:
            await self._deliver(list(outgoing))
        finally:
            del self._waiting[call]

    def waiting_seconds(self) -> float:
        """Return how long the oldest delivery has been under way; 0 when none is."""
        oldest = next(iter(self._waiting.values()), None)
        return 0.0 if oldest is None else time.monotonic() - oldest

    async def _deliver(self, waiting: list[Outgoing]) -> None:
        backoff = 0.5
        while waiting:
            failed = await self._send_once(waiting)
            if not failed:
                return
            for record, error in failed:
                if error.code() in _NEVER or error.fatal():
                    hint = _HINTS.get(error.code(), "")
                    raise DeliveryError(
                        f"{record.topic} refuses a record of {len(record.value or b'')} bytes: "
                        f"{error.str()}{hint}"
                    )
            log.warning(
                "%d records to %s not acknowledged (%s); sending them again in %.1f s",
                len(failed),
                failed[0][0].topic,
                failed[0][1].name(),
                backoff,
            )
            await asyncio.sleep(backoff)
            backoff = min(backoff * 2, 10.0)
            waiting = [record for record, _ in failed]

    async def deliver_within(self, outgoing: Sequence[Outgoing], seconds: float) -> None:
        """Deliver, and give up after `seconds`: for commands, where a person waits.

        Raises:
            KafkaUnavailableError: not everything was acknowledged in time.
            DeliveryError: the broker refuses a record for good.
        """
        try:
            async with asyncio.timeout(seconds):
                await self.deliver(outgoing)
        except TimeoutError:
            raise KafkaUnavailableError(
                f"Kafka did not acknowledge {len(outgoing)} records within {seconds:.0f} s; "
                "some may have arrived"
            ) from None

    async def _send_once(self, outgoing: Sequence[Outgoing]) -> list[tuple[Outgoing, KafkaError]]:
        delivery = _Delivery(asyncio.get_running_loop(), len(outgoing))
        for record in outgoing:
            await self._produce(record, delivery)
        await delivery.future
        return delivery.failed

    async def _produce(self, record: Outgoing, delivery: _Delivery) -> None:
        def acknowledged(error: KafkaError | None, _: object) -> None:
            delivery.done(record, error)

        while True:
            try:
                self._producer.produce(
                    record.topic,
                    value=record.value,
                    key=record.key,
                    partition=record.partition,
                    headers=list(record.headers),
                    on_delivery=acknowledged,
                )
            except BufferError:
                await asyncio.sleep(0.01)  # the local queue is full: the broker is behind
            except KafkaException as error:
                delivery.done(record, error.args[0])
                return
            else:
                return

    def close(self, timeout: float = 10.0) -> int:
        """Send what is queued, bounded by `timeout` seconds; return how many records were left."""
        left = self._producer.flush(timeout)
        self._closing.set()
        self._poller.join(timeout=1.0)
        return int(left)
