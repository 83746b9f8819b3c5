"""What the store knows of the listings of a batch that have to be judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agents.history.recall import Ask, Past
from agents.monitoring.judge import Examination
from agents.monitoring.policies import Policy
from agents.monitoring.remembering import ask_of, needs_of, read
from agents.monitoring.screening import Screened
from agents.monitoring.signals import SELLER
from agents.reputation import SellerFacts
from streams.store import Store


async def known_of(
    store: Store, screened: Screened, policies: Sequence[Policy], now: int
) -> tuple[Mapping[str, SellerFacts], Mapping[str, int | None], Mapping[int, Past]]:
    """Return what the store knows of the sellers that matter, units sold, and the past.

    The past goes by the position among the examined. One round trip a batch, two where sellers had
    something removed; none where no listing has to be judged. `now` is UTC
    milliseconds.

    Raises:
        StoreUnavailable: Redis does not answer, or a view of sellers and sales is being rebuilt.
    """
    listings = {
        item.listing.listing_id for _, item in screened.examined if item.matches or item.watched
    }
    if not listings:
        return {}, {}, {}
    sellers: set[str] = set()
    asks: dict[int, tuple[Ask, Examination]] = {}
    for position, (_, item) in enumerate(screened.examined):
        needs = frozenset[str]().union(*(needs_of(each, item) for each in policies))
        if needs & SELLER:
            sellers.add(item.listing.seller_id)
        ask = ask_of(item, needs)
        if ask is not None:
            asks[position] = (ask, item)
    return await read(store, sorted(sellers), sorted(listings), asks, now)
