"""How many takedowns may go through in a minute and in an hour, by number and by baseline.

A takedown counts for three: its deciding rule, its brand, and all. It goes through while each of
the three has let through fewer than its limits, in this minute and in this hour of the clock (UTC):

    limit of a minute = max(per_minute, ⌊factor × baseline / 60⌋)
    limit of an hour  = max(per_hour,   ⌊factor × baseline⌋)

The baseline is how many went through an hour, past hours counting half as much every 24 hours. At
the end of an hour, with k = 2^(−1/24):

    baseline ← k × baseline + (1 − k) × what went through in the hour

It begins at 0, so that a new installation learns slowly: half in a day. What is held teaches
nothing, or an accident would become usual by itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Window = Literal["minute", "hour"]

HALF_LIFE_HOURS: Final = 24
KEPT: Final = 2.0 ** (-1 / HALF_LIFE_HOURS)
"""What of the baseline is left after an hour in which nothing went through."""
MINUTE_S: Final = 60
HOUR_S: Final = 3600
ALL: Final = "all"
"""Key of the quota of all takedowns; the others are `rule:<name>` and `brand:<name>`."""


@dataclass(frozen=True, slots=True)
class Quota:
    """What goes through in any case, and how many times the baseline does."""

    per_minute: int
    per_hour: int
    factor: float
    """0 makes the two numbers fixed limits."""


FACTOR: Final = 3.0
RULE: Final = Quota(2_000, 10_000, FACTOR)
BRAND: Final = Quota(2_000, 10_000, FACTOR)
IN_ALL: Final = Quota(4_000, 20_000, FACTOR)
"""*(start values)*: room for a busy marketplace that has not learnt yet; an accident of one right
or rule ends at two thousand."""


@dataclass(frozen=True, slots=True)
class Quotas:
    """The quotas of a policy."""

    all: Quota = IN_ALL
    brand: Quota = BRAND
    """Of each brand."""
    rule: Quota = RULE
    """Of each rule that has none of its own."""
    rules: Mapping[str, Quota] = field(default_factory=dict)
    """Of rules that have one of their own, by name."""

    def of(self, rule: str, brand: str) -> tuple[tuple[str, Quota], ...]:
        """Return keys and quotas that a takedown counts for; the first that is full is named.

        `rule` is the deciding one. Brands are one brand however they are capitalised; without a
        brand nothing counts for one.
        """
        keys = [(f"rule:{rule}", self.rules.get(rule, self.rule)), (ALL, self.all)]
        name = brand_key(brand)
        return (keys[0], (name, self.brand), keys[1]) if name else tuple(keys)


def brand_key(brand: str) -> str:
    """Return the key of a brand's quota, empty where there is no brand."""
    name = " ".join(brand.casefold().split())
    return f"brand:{name}" if name else ""


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment by the clock: minutes and hours since 1970, UTC."""

    minute: int
    hour: int

    @classmethod
    def of(cls, seconds: float) -> Moment:
        """Return the moment of UTC seconds since 1970."""
        return cls(int(seconds // MINUTE_S), int(seconds // HOUR_S))


@dataclass(frozen=True, slots=True)
class Exceeded:
    """The quota that held a takedown: which, in which window, how many went through before."""

    key: str
    window: Window
    limit: int
    baseline: float

    def __str__(self) -> str:
        """Return it in words."""
        return (
            f"over the quota of {shown(self.key)}: {self.limit} a {self.window}, with a baseline "
            f"of {self.baseline:.1f} an hour"
        )


def shown(key: str) -> str:
    """Return a quota's key in words."""
    scope, _, name = key.partition(":")
    return f"{scope} '{name}'" if name else "all takedowns"


@dataclass(slots=True)
class Usage:
    """What went through of one quota, as of the moment, and its baseline an hour."""

    moment: Moment
    in_minute: int = 0
    in_hour: int = 0
    baseline: float = 0.0

    def roll(self, moment: Moment) -> None:
        """Bring the counts to a moment: a new minute or hour begins at none.

        Workers' clocks differ a little: what the moment lies one behind counts as it. Where it lies
        further behind, a clock was wrong, and the counts begin anew.
        """
        hours = moment.hour - self.moment.hour
        if hours > 0:
            self.baseline = (self.baseline * KEPT + self.in_hour * (1 - KEPT)) * KEPT ** (hours - 1)
        if hours > 0 or hours < -1:
            self.in_hour = 0
        minutes = moment.minute - self.moment.minute
        if minutes > 0 or minutes < -1:
            self.in_minute = 0
        self.moment = Moment(
            self.moment.minute if minutes == -1 else moment.minute,
            self.moment.hour if hours == -1 else moment.hour,
        )

    def exceeded(self, key: str, quota: Quota) -> Exceeded | None:
        """Return which window of the quota is full, None where another takedown goes through."""
        minute, hour = limits(quota, self.baseline)
        if self.in_minute >= minute:
            return Exceeded(key, "minute", minute, self.baseline)
        if self.in_hour >= hour:
            return Exceeded(key, "hour", hour, self.baseline)
        return None

    def count(self) -> None:
        """Count one that goes through."""
        self.in_minute += 1
        self.in_hour += 1


def limits(quota: Quota, baseline: float) -> tuple[int, int]:
    """Return how many go through in a minute and in an hour."""
    learnt = quota.factor * baseline
    return (
        max(quota.per_minute, math.floor(learnt / 60)),
        max(quota.per_hour, math.floor(learnt)),
    )
