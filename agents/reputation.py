"""Placeholder values until the views are written."""

from __future__ import annotations

import msgspec


class Standing(msgspec.Struct, frozen=True):
    """Standing."""

    upheld: float = 0.0
    cleared: float = 0.0

    @property
    def score(self) -> float:
        """Beta posterior mean."""
        return round((1 + self.upheld) / (4 + self.upheld + self.cleared), 6)


class SellerFacts(msgspec.Struct, frozen=True):
    """Facts."""

    seller_id: str
    known: bool = False
    created_at: int | None = None
    verified: bool | None = None
    standing: Standing | None = None
