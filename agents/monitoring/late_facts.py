"""The facts of a listing against one right, of which the late ones are read when they are asked.

Whether a mark only names what the goods are for, or they are used, or a part, changes nothing about
a listing that asks an honest price and calls nothing a copy, as nearly all do. To read that costs
as much as all else that is asked of a listing, so it is left until a rule comes to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

from agents.monitoring.goods import PriceCheck, compare_price
from agents.monitoring.listing_texts import ListingTexts, names_maker
from agents.monitoring.marks import MarkMatch
from agents.monitoring.quantities import says_part, says_several
from agents.monitoring.signals import SIGNALS, Facts
from agents.records import Evidence, Right


class Late:
    """What the late signals of a listing against a right say, each read once."""

    def __init__(
        self,
        right: Right,
        texts: ListingTexts,
        marks: Sequence[MarkMatch],
        *,
        copies: bool,
        shown: bool,
        piece: Callable[[Sequence[MarkMatch], ListingTexts], str],
        alone: bool = False,
    ) -> None:
        """Take the listing's texts and the mentions of the right in them.

        `copies` says that words call the goods copies, `shown` that something else than a mark
        shows that they are the right's; `piece` returns the word that says they are a piece of
        them. With `alone`, a 'for' that another name follows first is none of the mark.
        """
        self._right = right
        self._texts = texts
        self._marks = marks
        self._said = copies or not any(not match.hidden for match in marks)
        self._alone = alone
        self._find_piece = piece
        sold = (
            shown
            or all(match.hidden for match in marks)
            or any(names_maker(match.field) for match in marks)
        )
        self.quoted = compare_price(texts.listing, right) if sold else PriceCheck()
        """The price, before it is known whether it can be compared."""

    @cached_property
    def nominative(self) -> bool:
        """Whether every mention that says what the goods are only says what they are for.

        The title speaks first; a brand field alone claims the brand. Where goods are called copies,
        and of marks in disguise, the name of an accessory beside the mark is not enough.
        """
        for fields in (("title",), ("brand",), ()):
            asked = [match for match in self._marks if not fields or match.field in fields]
            if asked:
                return all(
                    match.field != "brand"
                    and self._texts.nominative(match, said=self._said, alone=self._alone)
                    for match in asked
                )
        return False

    @cached_property
    def used(self) -> bool:
        """Whether the goods are used, by condition or by words."""
        return self._texts.listing.condition in ("USED", "REFURBISHED") or self._texts.says_used

    @cached_property
    def price(self) -> PriceCheck:
        """The price as it counts: that of used goods and accessories is not compared."""
        quoted = self.quoted
        if (quoted.ratio is None and not quoted.abstains) or self.nominative or self.used:
            return PriceCheck()
        return quoted

    @property
    def _below(self) -> bool:
        """Whether the price lies below the reference: else nothing has to excuse it."""
        return self.price.ratio is not None and self.price.ratio < 1

    @cached_property
    def piece(self) -> str:
        """The words that say that a piece of the goods is offered; '' without."""
        return self._find_piece(self._marks, self._texts) if self._below else ""

    @cached_property
    def part(self) -> str:
        """The words that say that a part is offered; '' without."""
        return says_part(self._texts.listing.title) if self._below and not self.piece else ""

    @cached_property
    def several(self) -> str:
        """The words that say that several pieces are offered; '' without."""
        return says_several(self._texts.listing.title) if self._below else ""

    def __eq__(self, other: object) -> bool:
        """Return whether both say the same."""
        if not isinstance(other, Late):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in _READ)

    __hash__ = None  # type: ignore[assignment] # what is read is not known yet

    def notes(self) -> list[Evidence]:
        """Return what they say, in words."""
        right_id = self._right.right_id
        notes: list[Evidence] = []

        def note(signal: str, field: str, text: str) -> None:
            notes.append(Evidence(signal, field, right_id=right_id, note=text))

        if self.price.abstains:
            note("price_ratio", "price_minor", self.price.abstains)
        if self.piece:
            note("part", "title", _part_note(self.piece))
        if self.several:
            note("multi_pack", "title", f"Offers several pieces ('{self.several[:40]}').")
        if self.part:
            note("part", "title", _part_note(self.part))
        return notes


_READ: Final = ("nominative", "used", "price", "piece", "part", "several")


def _part_note(words: str) -> str:
    return f"Offers a part ('{words[:40]}'), not the goods themselves."


class LateFacts(Facts, kw_only=True):
    """The facts of a listing that was examined.

    Of the signals that are late the fields are empty, and what `late` says stands for them.
    """

    late: Late

    if not TYPE_CHECKING:  # by their types these are the fields of `Facts`
        nominative = property(lambda self: self.late.nominative)
        used = property(lambda self: self.late.used)
        price_ratio = property(lambda self: self.late.price.ratio)
        quoted_ratio = property(lambda self: self.late.quoted.ratio)
        part = property(lambda self: bool(self.late.piece or self.late.part))
        multi_pack = property(lambda self: bool(self.late.several))

    def read(self) -> Facts:
        """Return the facts with all of it read."""
        return Facts(**{name: getattr(self, name) for name in SIGNALS})
