"""Rules that are muted for a seller, a brand or a listing, until a date."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from agents.records import Listing, Long, Right

SnoozeSubject = Literal["SELLER", "BRAND", "LISTING"]


class Snooze(msgspec.Struct, frozen=True):
    """A rule that does not count for somebody until a moment, UTC milliseconds."""

    snooze_id: str
    rule: str
    subject: SnoozeSubject
    subject_id: str
    until: Long
    reason: str = ""


class Snoozes:
    """The snoozes of a policy version, ready to be asked. They end by the time they are asked at.

    A brand goes by the `brand` of a right, or by its mark where it has none, in any case.
    """

    def __init__(self, snoozes: Iterable[Snooze] = ()) -> None:
        self.all: tuple[Snooze, ...] = tuple(snoozes)
        self._by_rule: dict[str, list[tuple[SnoozeSubject, str, int]]] = {}
        for each in self.all:
            subject = each.subject_id.casefold() if each.subject == "BRAND" else each.subject_id
            self._by_rule.setdefault(each.rule, []).append((each.subject, subject, each.until))

    @classmethod
    def of(cls, given: Iterable[Snooze | None]) -> Snoozes:
        """Return the snoozes in force: of those with the same id the last one."""
        newest = {each.snooze_id: each for each in given if each is not None}
        return cls(newest.values())

    def __bool__(self) -> bool:
        return bool(self._by_rule)

    def muted(self, rule: str, listing: Listing, right: Right, now: int) -> bool:
        """Return whether a rule does not count for this listing and right at this moment."""
        given = self._by_rule.get(rule)
        if given is None:
            return False
        names = {
            "SELLER": listing.seller_id,
            "LISTING": listing.listing_id,
            "BRAND": (right.brand or right.mark).casefold(),
        }
        return any(names[subject] == id_ and now < until for subject, id_, until in given)

    def running(self, now: int) -> list[Snooze]:
        """Return those that have not ended."""
        return [each for each in self.all if now < each.until]


NO_SNOOZES: Final = Snoozes()
