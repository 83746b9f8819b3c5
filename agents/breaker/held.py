"""The queue of held takedowns: its records on `assayer.held`, and the view that counts them.

    held:<id>     the state of a held takedown: held, released, discarded
    held:open     how many wait for a person

A takedown's state follows from its records in order: `HELD` opens it, once however often it is
repeated; `RELEASED` and `DISCARDED` close it. `RELEASED` stands above all: it is written when the
takedown is on the broker.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from agents.breaker.quotas import Exceeded
from agents.records import DAY_S, Source, Takedown
from streams import topics
from streams.cloud_events import cloud_event
from streams.codec import Encoder
from streams.producer import Outgoing
from streams.store import Store, StoreUnavailable
from streams.views import Fold, ready_key

State = Literal["HELD", "RELEASED", "DISCARDED"]

RESOLVED_SECONDS: Final = 800 * DAY_S
"""How long it is remembered what became of a held takedown: as long as a case is."""
EVENT_TYPE: Final = "assayer.held.v1"


class Header(msgspec.Struct, frozen=True):
    """A header of the takedown's event."""

    key: str
    value: bytes | None = None


class Quota(msgspec.Struct, frozen=True):
    """The quota that held it."""

    key: str
    window: str
    limit: int
    baseline: float = 0.0


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A takedown that was held, or what a person decided about it: a record of `assayer.held`."""

    takedown_id: str
    state: State
    listing_id: str
    revision: int = 1
    seller_id: str
    source: Source = "MONITORING"
    rule: str = ""
    brand: str = ""
    listing_occurred_at: int
    quota: Quota | None = None
    reason: str = ""
    author: str = ""
    at: int
    value: bytes | None = None
    headers: tuple[Header, ...] = ()

    def takedown_event(self, topic: str) -> Outgoing:
        """Return the takedown's event as it would have been sent. Raises ValueError without one."""
        if self.value is None:
            raise ValueError(f"{self.takedown_id}: a {self.state} record holds no takedown")
        headers = [(header.key, header.value) for header in self.headers]
        return Outgoing(topic, self.listing_id.encode(), self.value, headers)


def hold(takedown: Takedown, event: Outgoing, exceeded: Exceeded, at: int) -> Held:
    """Return the record of a takedown that is held; `event` is its own, `at` UTC milliseconds."""
    return Held(
        takedown_id=takedown.takedown_id,
        state="HELD",
        listing_id=takedown.listing_id,
        revision=takedown.revision,
        seller_id=takedown.seller_id,
        source=takedown.source,
        rule=takedown.rules[0] if takedown.rules else "",
        brand=takedown.brand,
        listing_occurred_at=takedown.listing_occurred_at,
        quota=Quota(exceeded.key, exceeded.window, exceeded.limit, exceeded.baseline),
        reason=str(exceeded),
        at=at,
        value=event.value,
        headers=tuple(Header(name, value) for name, value in event.headers),
    )


def resolve(
    held: Held, state: Literal["RELEASED", "DISCARDED"], author: str, reason: str, at: int
) -> Held:
    """Return the record of what a person decided about a held takedown."""
    return msgspec.structs.replace(
        held, state=state, author=author, reason=reason, at=at, value=None, headers=()
    )


class HeldEvents:
    """Turns records into events for `assayer.held`."""

    def __init__(self, topic: str, encoder: Encoder) -> None:
        self._topic = topic
        self._encoder = encoder

    def event(self, held: Held) -> Outgoing:
        """Return the event of a record; the trace of the listing stays with its takedown."""
        return Outgoing(
            self._topic,
            held.listing_id.encode(),
            self._encoder.encode(msgspec.to_builtins(held, builtin_types=(bytes,))),
            cloud_event(f"{held.takedown_id}:{held.state}", EVENT_TYPE, held.at),
        )


def held_of(record: Mapping[str, Any]) -> Held:
    """Return a decoded record of the topic."""
    return msgspec.convert(record, Held)


def _change(_: bytes | None, record: dict[str, Any] | None) -> dict[str, Any] | None:
    if record is None:
        return None
    return {"id": record["takedown_id"], "state": record["state"].lower()}


HELD: Final = Fold(
    view="held",
    topic=topics.HELD,
    change=_change,
    body=f"""
    local key, open = P .. 'held:' .. r.id, P .. 'held:open'
    local before = redis.call('GET', key)
    if r.state == 'held' then
      if not before then
        redis.call('SET', key, r.state)
        redis.call('INCR', open)
      end
    else
      if before == 'held' then redis.call('DECR', open) end
      if before ~= 'released' then
        redis.call('SET', key, r.state, 'EX', {RESOLVED_SECONDS})
      end
    end
    """,
    keys=("held:*",),
)

FOLDS: Final = (HELD,)


async def count_open(store: Store) -> int:
    """Return how many held takedowns wait for a person, the same for every worker.

    Raises:
        StoreUnavailable: Redis does not answer, or the view is being rebuilt.
    """
    ready, count = await store.call(
        lambda client: client.mget(ready_key(store, HELD.view), f"{store.prefix}held:open")
    )
    if ready is None:
        raise StoreUnavailable("the view held is not complete")
    return int(count or 0)
