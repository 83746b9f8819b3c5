"""What is known of sellers and sales: three views, and one reading of them a batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from agents.records import DAY_MS, DAY_S, YEAR_2000_MS, Seller
from streams import topics
from streams.codec import DecodeError
from streams.store import Store, StoreUnavailable
from streams.views import Fold, ready_key

HALF_LIFE_MS: Final = 180 * DAY_MS
"""A case counts half after this time."""
EPOCH_MS: Final = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp() * 1000)
CASE_SECONDS: Final = 800 * DAY_S
"""How long a case is remembered by its id: after four half-lives it counts a twentieth."""
SALE_SECONDS: Final = 7 * DAY_S
"""How long a sale's id is remembered, to count a sale delivered twice once."""
SOLD_SECONDS: Final = 400 * DAY_S
MOST_UNITS: Final = 1_000_000_000
"""Units of one sale: more is a producer's mistake, and a few such would overflow the sum."""
YEAR_2100_MS: Final = 4_102_444_800_000
"""No case is from later: its weight doubles every half-life and has to stay a number, and Redis
refuses to keep what would end much later."""
PRIOR_UPHELD: Final = 1.0
PRIOR_CLEARED: Final = 3.0
"""Beta(1, 3) *(start value)*: of a seller without cases one case in four is expected to hold."""


class Standing(msgspec.Struct, frozen=True):
    """Cases against a seller, decayed: upheld ones, and those that were reversed."""

    upheld: float = 0.0
    cleared: float = 0.0

    @property
    def score(self) -> float:
        """Probability, 0 to 1, that a case is upheld: the mean of the Beta posterior."""
        cases = self.upheld + self.cleared
        return round((PRIOR_UPHELD + self.upheld) / (PRIOR_UPHELD + PRIOR_CLEARED + cases), 6)


class SellerFacts(msgspec.Struct, frozen=True):
    """What is known of a seller; None is unknown."""

    seller_id: str
    created_at: int | None = None
    verified: bool | None = None
    standing: Standing | None = None

    @property
    def known(self) -> bool:
        """Whether anything is."""
        return (self.created_at, self.verified, self.standing) != (None, None, None)


def facts_of(seller_id: str, seller: Seller | None) -> SellerFacts:
    """Return the facts of a seller from a file; of one that is not in it nothing is known."""
    if seller is None:
        return SellerFacts(seller_id)
    return SellerFacts(
        seller_id,
        seller.created_at,
        seller.verified,
        Standing(float(seller.upheld), float(seller.cleared)),
    )


def weight_at(millis: int) -> float:
    """Return the weight with which a case of this moment enters a sum.

    Weights grow by two every half-life, so a sum of them decays by one multiplication at reading:
    `sum / weight_at(now)`, and a reversal takes away exactly what was added.
    """
    return float(2.0 ** ((millis - EPOCH_MS) / HALF_LIFE_MS))


def case_time(takedown: Mapping[str, Any]) -> int:
    """Return when a takedown was decided. Raises DecodeError where that can't be."""
    decided: int = takedown["decided_at"]
    if not YEAR_2000_MS <= decided < YEAR_2100_MS:
        raise DecodeError("bad_time", f"decided_at {decided} ms lies outside 2000 to 2100")
    return decided


def _seller_change(key: bytes | None, record: dict[str, Any] | None) -> dict[str, Any] | None:
    if record is None:
        return {"id": (key or b"").decode("utf-8", "replace")}
    fields = {"verified": "1" if record["verified"] else "0"}
    if record["created_at"] is not None:
        fields["created_at"] = str(record["created_at"])
    return {"id": record["seller_id"], "fields": fields}


SELLERS: Final = Fold(
    view="sellers",
    topic=topics.SELLERS,
    change=_seller_change,
    body="""
    local key = P .. 'seller:' .. r.id
    redis.call('DEL', key)
    if r.fields then
      for name, value in pairs(r.fields) do redis.call('HSET', key, name, value) end
    end
    """,
    keys=("seller:*",),
)


def _sale_change(_: bytes | None, record: dict[str, Any] | None) -> dict[str, Any] | None:
    if record is None or record["quantity"] <= 0:
        return None
    if record["quantity"] > MOST_UNITS:
        raise DecodeError("bad_quantity", f"quantity {record['quantity']}: no sale is that large")
    return {
        "event": record["event_id"],
        "listing": record["listing_id"],
        "quantity": str(record["quantity"]),
    }


SALES: Final = Fold(
    view="sales",
    topic=topics.SALES,
    change=_sale_change,
    body=f"""
    if redis.call('SET', P .. 'sale:' .. r.event, '1', 'NX', 'EX', {SALE_SECONDS}) then
      local key = P .. 'sold:' .. r.listing
      redis.call('INCRBY', key, r.quantity)
      redis.call('EXPIRE', key, {SOLD_SECONDS})
    end
    """,
    keys=("sale:*", "sold:*"),
)


def _standing_change(_: bytes | None, record: dict[str, Any] | None) -> dict[str, Any] | None:
    if record is None or record["action"] not in ("REMOVED", "REINSTATED"):
        return None
    return {
        "id": record["takedown_id"],
        "action": record["action"],
        "seller": record["seller_id"],
        "weight": repr(weight_at(case_time(record))),
    }


STANDING: Final = Fold(
    view="standing",
    topic=topics.TAKEDOWNS,
    change=_standing_change,
    # A case key holds what the case added, so that a reversal takes away just that; 'c' in front
    # says that it was reversed. Each takedown counts once, however often its event is repeated.
    body=f"""
    local case = P .. 'case:' .. r.id
    local key = P .. 'standing:' .. r.seller
    local before = redis.call('GET', case)
    if r.action == 'REMOVED' then
      if not before then
        redis.call('SET', case, r.weight, 'EX', {CASE_SECONDS})
        redis.call('HINCRBYFLOAT', key, 'upheld', r.weight)
      end
    elseif not before then
      redis.call('SET', case, 'c', 'EX', {CASE_SECONDS})
    elseif string.sub(before, 1, 1) ~= 'c' then
      redis.call('SET', case, 'c' .. before, 'EX', {CASE_SECONDS})
      redis.call('HINCRBYFLOAT', key, 'upheld', '-' .. before)
      redis.call('HINCRBYFLOAT', key, 'cleared', r.weight)
    end
    redis.call('EXPIRE', key, {CASE_SECONDS})
    """,
    keys=("case:*", "standing:*"),
)

FOLDS: Final = (SELLERS, SALES, STANDING)


class IncompleteView(StoreUnavailable):
    """A view was dropped and not rebuilt yet: what it would say is unknown."""


async def read_facts(
    store: Store, seller_ids: Sequence[str], listing_ids: Sequence[str], now: int
) -> tuple[dict[str, SellerFacts], dict[str, int | None]]:
    """Return facts by seller and units sold by listing, in one round trip.

    `now` is UTC milliseconds, for the decay of standing.

    Raises:
        StoreUnavailable: Redis does not answer.
        IncompleteView: a view is being rebuilt.
    """

    async def ask(client: Any) -> list[Any]:
        pipe = client.pipeline(transaction=False)
        ask_facts(pipe, store, seller_ids, listing_ids)
        result: list[Any] = await pipe.execute()
        return result

    return take_facts(iter(await store.call(ask)), seller_ids, listing_ids, now)


async def known_cases(store: Store, takedown_ids: Sequence[str]) -> frozenset[str]:
    """Return which of these takedowns were made, whether they were reversed since or not.

    Raises:
        StoreUnavailable
    """
    if not takedown_ids:
        return frozenset()
    cases = await store.call(
        lambda client: client.mget([f"{store.prefix}case:{each}" for each in takedown_ids])
    )
    return frozenset(
        each for each, case in zip(takedown_ids, cases, strict=True) if case is not None
    )


def ask_facts(
    pipe: Any, store: Store, seller_ids: Sequence[str], listing_ids: Sequence[str]
) -> None:
    """Queue the commands whose answers `take_facts` takes."""
    prefix = store.prefix
    pipe.mget([ready_key(store, fold.view) for fold in FOLDS])
    for seller in seller_ids:
        pipe.hmget(f"{prefix}seller:{seller}", "created_at", "verified")
        pipe.hmget(f"{prefix}standing:{seller}", "upheld", "cleared")
    if listing_ids:
        pipe.mget([f"{prefix}sold:{listing}" for listing in listing_ids])


def take_facts(
    answers: Iterator[Any], seller_ids: Sequence[str], listing_ids: Sequence[str], now: int
) -> tuple[dict[str, SellerFacts], dict[str, int | None]]:
    """Return what `read_facts` does from the answers to `ask_facts`.

    Raises:
        IncompleteView: a view is being rebuilt.
    """
    ready = next(answers)
    if None in ready:
        missing = [fold.view for fold, there in zip(FOLDS, ready, strict=True) if there is None]
        raise IncompleteView(f"the views {', '.join(missing)} are not complete")
    weight = weight_at(now)
    sellers = {}
    for seller in seller_ids:
        created, verified = next(answers)
        upheld, cleared = next(answers)
        sellers[seller] = SellerFacts(
            seller,
            _whole(created),
            None if verified is None else verified == b"1",
            _standing(upheld, cleared, weight),
        )
    sold = next(answers) if listing_ids else ()
    units = {
        listing: _whole(count or b"0") for listing, count in zip(listing_ids, sold, strict=True)
    }
    return sellers, units


def _standing(upheld: bytes | None, cleared: bytes | None, weight: float) -> Standing | None:
    cases = (_decayed(upheld, weight), _decayed(cleared, weight))
    return None if cases[0] is None or cases[1] is None else Standing(cases[0], cases[1])


def _whole(text: bytes | None) -> int | None:
    """Return a stored number; None where there is none, or something else stands there."""
    try:
        return None if text is None else int(text)
    except ValueError:
        return None


def _decayed(total: bytes | None, weight: float) -> float | None:
    try:
        # Rounded, so that the same state and moment give the same verdict to the byte.
        return max(0.0, round(float(total or 0) / weight, 6))
    except ValueError:
        return None
