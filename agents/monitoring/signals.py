"""What a rule may ask about a listing and a right that it may infringe, and what that costs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

SignalType = Literal["bool", "number", "text"]


class Facts(msgspec.Struct):
    """The signals of one listing against one right. None is unknown: a rule that needs it abstains.

    Every field is declared in `SIGNALS`; a test holds the two together. Of a listing that was
    examined those that are `late` there are read when a rule asks for them: `LateFacts`.
    """

    mark: bool = False
    mark_hidden: bool = False
    mark_plain: bool = False
    mark_doubtful: bool = False
    in_force: bool = False
    authorised: bool = False
    partly_authorised: bool = False
    replica_words: bool = False
    inspired_words: bool = False
    nominative: bool = False
    used: bool = False
    image_known: bool = False
    multi_pack: bool = False
    part: bool = False
    gtin_own: bool | None = None
    gtin_foreign: bool | None = None
    gtin_invalid: bool = False
    category_outside: bool | None = None
    price_ratio: float | None = None
    seller_age_days: float | None = None
    seller_verified: bool | None = None
    seller_standing: float | None = None
    seller_upheld: float | None = None
    relisted: bool | None = None
    linked_relisted: bool | None = None
    branded_burst: float | None = None
    replaced_parts: float | None = None

    @property
    def quoted_ratio(self) -> float | None:
        """`price_ratio`, before it is known whether the price can be compared."""
        return self.price_ratio


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal as rule authors see it."""

    name: str
    type: SignalType
    doc: str
    unit: str = ""
    optional: bool = False
    from_store: bool = False
    cost: int = 1
    """What getting it costs, against a fact that is there once a listing was examined *(start
    values)*: a condition is compiled so that what costs less is asked first. What is late comes
    last: by then the store was asked."""
    late: bool = False
    """Whether it is read only when a rule comes to it, which costs more than all others together.
    """
    early: str = ""
    """Of a late number: the attribute of `Facts` that has it before it is known whether it counts.
    What is compared is asked of that first."""
    low: float = 0.0
    high: float = math.inf
    """The smallest and the largest number it can be."""
    implies: tuple[str, ...] = ()
    """What holds wherever it holds."""
    excludes: tuple[str, ...] = ()
    """What never holds where it holds."""


SIGNALS: Final[dict[str, Signal]] = {
    signal.name: signal
    for signal in (
        Signal("mark", "bool", "The listing names the mark, plainly or hidden."),
        Signal(
            "mark_hidden",
            "bool",
            "The mark can be read only after folding, nowhere plainly.",
            implies=("mark",),
            excludes=("mark_plain",),
        ),
        Signal(
            "mark_plain",
            "bool",
            "The mark stands there for all to see.",
            implies=("mark",),
            excludes=("mark_hidden",),
        ),
        Signal(
            "mark_doubtful",
            "bool",
            "The mark can be read only in what may be an honest word: 'Marla' for 'Maria'.",
        ),
        Signal("in_force", "bool", "The right is in force now, in a territory it ships to."),
        Signal(
            "authorised",
            "bool",
            "The owner has authorised the seller wherever the right is in force and the listing "
            "ships to.",
            excludes=("partly_authorised",),
        ),
        Signal(
            "partly_authorised",
            "bool",
            "The same, in some of those territories only.",
            excludes=("authorised",),
        ),
        Signal("replica_words", "bool", "Words near the mark call the goods copies."),
        Signal("inspired_words", "bool", "Words near the mark call the goods inspired or dupes."),
        Signal(
            "nominative",
            "bool",
            "The mark names what the goods are for, not what they are.",
            implies=("mark",),
            late=True,
            cost=200,
        ),
        Signal(
            "used",
            "bool",
            "The goods are used or refurbished, by condition or by words.",
            late=True,
            cost=100,
        ),
        Signal(
            "image_known",
            "bool",
            "A picture is within PDQ distance 31 (quality 50 or more) of one registered as showing "
            "infringing goods, and of none of the owner's own.",
        ),
        Signal(
            "multi_pack",
            "bool",
            "The title offers several pieces ('pack of 10', 'x2', 'grosir'), at less than the "
            "reference price.",
            late=True,
            cost=100,
        ),
        Signal(
            "part",
            "bool",
            "The title offers a part ('spare part', 'repuesto', 'suku cadang'), or is short and "
            "offers a piece ('watch crown', 'empty box'), at less than the reference price.",
            late=True,
            cost=100,
        ),
        Signal(
            "gtin_own",
            "bool",
            "A valid trade number carries a company prefix of the right's owner. Unknown where no "
            "prefix of the number is registered.",
            optional=True,
            excludes=("gtin_foreign",),
        ),
        Signal(
            "gtin_foreign",
            "bool",
            "A valid trade number carries the prefix of an owner whose mark the listing does not "
            "name, and none carries one of the right's owner. Unknown like gtin_own.",
            optional=True,
            excludes=("gtin_own",),
        ),
        Signal("gtin_invalid", "bool", "A trade number has a wrong check digit."),
        Signal(
            "category_outside",
            "bool",
            "The category lies outside the right's Nice classes; lowers the score whatever the "
            "rules say. Unknown where the right has no classes or the category is not understood.",
            optional=True,
        ),
        Signal(
            "price_ratio",
            "number",
            "Price over the reference price of the genuine goods, new, in the same currency. "
            "Unknown for used goods, accessories and other currencies. Of several pieces it is the "
            "price of all.",
            unit="ratio",
            optional=True,
            late=True,
            early="quoted_ratio",
        ),
        Signal(
            "seller_age_days",
            "number",
            "Age of the seller's account.",
            unit="days",
            optional=True,
            from_store=True,
            cost=20,
        ),
        Signal(
            "seller_verified",
            "bool",
            "The marketplace has verified who the seller is.",
            optional=True,
            from_store=True,
            cost=20,
        ),
        Signal(
            "seller_standing",
            "number",
            "Probability that a case against the seller is upheld: mean of Beta(1 + upheld, "
            "3 + cleared), cases decayed with a half-life of 180 days.",
            unit="0 to 1",
            optional=True,
            from_store=True,
            cost=20,
            high=1.0,
        ),
        Signal(
            "seller_upheld",
            "number",
            "Upheld cases against the seller, decayed.",
            unit="cases",
            optional=True,
            from_store=True,
            cost=20,
        ),
        Signal(
            "relisted",
            "bool",
            "Nearly the same, by title, pictures or GTIN, as a listing of the same seller that was "
            "taken down in the last 180 days and not put up again. A listing that does not name "
            "the mark is asked about the rights of that takedown, if its title is 84 % alike.",
            optional=True,
            from_store=True,
            cost=40,
        ),
        Signal(
            "linked_relisted",
            "bool",
            "The same, of a seller who shares a bank account, device, phone, address or tax number "
            "with this one. What more than 20 sellers share does not count.",
            optional=True,
            from_store=True,
            cost=60,
        ),
        Signal(
            "branded_burst",
            "number",
            "New branded listings of the seller in this hour over the mean of those of the last 14 "
            "days on which it listed any; accessories and authorised brands apart. 0 under 20 an "
            "hour; unknown for a seller with fewer than three such days, as in a first import.",
            unit="ratio",
            optional=True,
            from_store=True,
            cost=80,
        ),
        Signal(
            "replaced_parts",
            "number",
            "How many of brand, category, pictures and title this update replaced by others. Typos "
            "and price changes do not count. Unknown for a new listing, and where no revision that "
            "named a mark was seen before.",
            unit="0 to 4",
            optional=True,
            from_store=True,
            cost=80,
            high=4.0,
        ),
    )
}

FROM_STORE: Final = frozenset(signal.name for signal in SIGNALS.values() if signal.from_store)
LATE: Final = frozenset(signal.name for signal in SIGNALS.values() if signal.late)
SELLER: Final = frozenset(name for name in FROM_STORE if name.startswith("seller_"))
REMOVALS: Final = frozenset({"relisted", "linked_relisted"})
PACE: Final = frozenset({"branded_burst"})
UPDATES: Final = frozenset({"replaced_parts"})
"""Signals by what has to be asked for them."""
