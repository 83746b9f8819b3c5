"""Sellers linked by what they share: bank, device, address, phone, tax id, as salted hashes.

    links-of:<seller>     what the marketplace knows of the seller, as '<kind>:<hash>'
    link:<kind>:<hash>    the sellers that have it

The rarer what they share, the stronger the link; what more than `MAX_SHARED` sellers have (the
address of a warehouse, the device of an agency) links none of them. A link says where to look for
earlier removals, and decides nothing by itself.
"""

from __future__ import annotations

import hashlib
import math
from typing import Any, Final

from agents.history.watched import functions
from streams import topics
from streams.views import Fold

MAX_SHARED: Final = 20
"""What more sellers than this share links none of them."""
KINDS: Final[dict[str, float]] = {
    "tax_id": 1.0,
    "bank": 1.0,
    "device": 0.8,
    "phone": 0.8,
    "address": 0.6,
}
"""Strength of a link by what only two sellers share, by kind *(start values)*."""
LINKED: Final = 0.5
"""Strength from which sellers count as linked *(start value)*: an address of two, a bank of six."""
NAMES: Final[dict[str, str]] = {
    "tax_id": "tax number",
    "bank": "bank account",
    "device": "device",
    "phone": "phone number",
    "address": "address",
}
MAX_HASHES: Final = 8
"""Hashes of one kind that are looked at; a seller has a few."""


def weight(kind: str, sellers: int) -> float:
    """Return the strength of what `sellers` sellers share: full for two, none above the limit.

    Independent reasons add up: a link's strength is one less the product of what each leaves open.
    """
    if not 2 <= sellers <= MAX_SHARED:
        return 0.0
    rarity = math.log((MAX_SHARED + 1) / sellers) / math.log((MAX_SHARED + 1) / 2)
    return KINDS.get(kind, 0.0) * rarity


def _change(key: bytes | None, record: dict[str, Any] | None) -> dict[str, Any] | None:
    if record is None:
        return {"id": (key or b"").decode("utf-8", "replace"), "links": []}
    links = []
    for kind in KINDS:
        hashes = sorted({h for h in record["identifiers"].get(kind, ()) if h})[:MAX_HASHES]
        links += [f"{kind}:{_bounded(each)}" for each in hashes]
    return {"id": record["seller_id"], "links": links}


def _bounded(text: str) -> str:
    return text if len(text) <= 64 else hashlib.sha256(text.encode()).hexdigest()


LINKS: Final = Fold(
    view="links",
    topic=topics.SELLERS,
    change=_change,
    body=functions(MAX_SHARED)
    + f"""
    local mine = P .. 'links-of:' .. r.id
    local left = {{}}
    for _, link in ipairs(redis.call('SMEMBERS', mine)) do
      redis.call('SREM', P .. 'link:' .. link, r.id)
      left[#left + 1] = link
    end
    redis.call('DEL', mine)
    for _, link in ipairs(r.links) do
      redis.call('SADD', mine, link)
      redis.call('SADD', P .. 'link:' .. link, r.id)
    end
    rewatch(r.id)
    local removed = last_removal(r.id)
    if removed >= 0 then
      for _, other in ipairs(tied_to(r.id)) do watch(other, removed) end
    end
    for _, link in ipairs(left) do
      -- What one seller too many had in common begins to link those that are left.
      if redis.call('SCARD', P .. 'link:' .. link) == {MAX_SHARED} then
        for _, seller in ipairs(redis.call('SMEMBERS', P .. 'link:' .. link)) do rewatch(seller) end
      end
    end
    """,
    keys=("links-of:*", "link:*"),
)
