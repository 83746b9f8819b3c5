"""The tests that a rule brings along: what is given, what has to come out, and when.

A case gives `facts`, the signals themselves, or a `listing` and a `right` as `screen` reads them.
What is not said of a listing, a right or a seller takes the schema's default; the clock stands at
`now`, and `then` moves it on.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

from agents.alliance.rights_check import problems_of
from agents.monitoring.policies.document import Node, builtin
from agents.monitoring.policies.fields import Tell, mapping
from agents.monitoring.policies.problems import did_you_mean, short
from agents.monitoring.signals import SIGNALS
from agents.records import Listing, Right, RowError, Seller, from_mapping, parse_time
from streams.aside import giving_way

Outcome = Literal["allow", "review", "remove"]

DEFAULT_NOW: Final = parse_time("2026-01-01T00:00:00Z")
"""When a case without `now` is judged: the same on every day that it is run."""
MAX_STEPS: Final = 20
CASE_OUTCOMES: Final[tuple[Outcome, ...]] = ("allow", "review", "remove")
CASE_KEYS: Final = (
    "name", "facts", "listing", "right", "seller", "now", "fires", "outcome", "then"
)  # fmt: skip
STEP_KEYS: Final = ("after", "fires", "outcome")
DURATION: Final = r"([0-9]{1,6}) ?(minute|hour|day)s?"
_UNITS: Final = {"minute": 60_000, "hour": 3_600_000, "day": 86_400_000}

T = TypeVar("T", Listing, Right, Seller)


@dataclass(frozen=True, slots=True)
class Step:
    """What has to come out at a moment, UTC milliseconds; None is not asked."""

    now: int
    fires: bool | None
    outcome: Outcome | None
    line: int


@dataclass(frozen=True, slots=True)
class Case:
    """A test of a rule."""

    name: str
    line: int
    facts: Mapping[str, bool | float | str | None]
    """Signals that are given: alone, or over what a listing says."""
    listing: Listing | None
    right: Right | None
    seller: Seller | None
    steps: tuple[Step, ...]


def read_cases(node: Node, tell: Tell, line_of: Callable[[int], int]) -> tuple[Case, ...]:
    """Return the cases of a rule's `tests`; what is wrong with the others is told."""
    if node.kind != "sequence":
        tell(node, "expected a list of cases", "each begins with '- '")
        return ()
    read = (_case(item, tell, line_of) for item in giving_way(node.items))
    return tuple(case for case in read if case is not None)


def _case(node: Node, tell: Tell, line_of: Callable[[int], int]) -> Case | None:
    keys = mapping(node, CASE_KEYS, tell, "a test: expected a mapping")
    if not keys:
        return None
    if "facts" not in keys and "listing" not in keys:
        tell(node, "a test without 'facts' or 'listing'", "say what is judged")
    if ("listing" in keys) != ("right" in keys):
        tell(node, "'listing' and 'right' go together", "a listing is judged against a right")
    if "seller" in keys and "listing" not in keys:
        tell(keys["seller"], "'seller' goes with 'listing'", "or say seller_… under 'facts'")
    now = _time(keys["now"], tell) if "now" in keys else DEFAULT_NOW
    facts = _facts(keys["facts"], tell, alone="listing" not in keys) if "facts" in keys else {}
    listing = _record(keys.get("listing"), Listing, _listing_defaults(now), tell)
    right = _record(keys.get("right"), Right, {"right_id": "right", "owner": "The owner"}, tell)
    for problem in problems_of(right) if right is not None else ():
        tell(keys["right"], problem)
    seller_id = listing.seller_id if listing is not None else "seller"
    return Case(
        keys["name"].text.strip() if "name" in keys else "",
        line_of(node.start),
        facts,
        listing,
        right,
        _record(keys.get("seller"), Seller, {"seller_id": seller_id}, tell),
        _steps(node, keys, now, tell, line_of),
    )


def _listing_defaults(now: int) -> dict[str, Any]:
    return {"listing_id": "listing", "seller_id": "seller", "occurred_at": now, "title": ""}


def _record(node: Node | None, type_: type[T], defaults: dict[str, Any], tell: Tell) -> T | None:
    if node is None:
        return None
    keys = mapping(node, type_.__struct_fields__, tell)
    try:
        return from_mapping({**defaults, **{key: builtin(keys[key]) for key in keys}}, type_)
    except RowError as error:
        named = re.match(r"field '(\w+)", str(error))
        tell(keys.get(named[1], node) if named else node, str(error))
        return None


def _time(node: Node, tell: Tell) -> int:
    try:
        return parse_time(builtin(node) if node.kind == "scalar" else None)
    except ValueError as error:
        tell(node, f"'now': {error}", "try 2026-01-31T12:00:00Z")
        return DEFAULT_NOW


def _facts(node: Node, tell: Tell, *, alone: bool) -> dict[str, bool | float | str | None]:
    """Return what is given, and what follows from it.

    Where facts stand alone, the right is in force unless they say otherwise: few rules ask.
    """
    keys = mapping(node, None, tell)
    found: dict[str, bool | float | str | None] = {}
    for name, value in keys.items():
        signal = SIGNALS.get(name)
        if signal is None:
            hint = did_you_mean(name, SIGNALS) or "see: assayer policy signals"
            tell(value, f"unknown signal '{short(name)}'", hint)
            continue
        given = builtin(value) if value.kind == "scalar" else ...
        if given is None:
            if not signal.optional:
                tell(value, f"'{name}' is never unknown", "true or false")
            found[name] = None
        elif signal.type == "bool" and isinstance(given, bool):
            found[name] = given
        elif signal.type == "number" and isinstance(given, int | float) and given is not True:
            if not signal.low <= given <= signal.high or math.isinf(given):
                tell(value, f"'{name}' lies between {signal.low:g} and {signal.high:g}")
            found[name] = float(given)
        elif signal.type == "text" and isinstance(given, str):
            found[name] = given
        else:
            wanted = {"bool": "true or false", "number": "a number", "text": "a text"}[signal.type]
            tell(value, f"'{name}': expected {wanted}", "null where it is unknown")
    for name in [name for name, value in found.items() if value is True]:
        for implied in SIGNALS[name].implies:
            if found.setdefault(implied, True) is not True:
                tell(keys[name], f"'{name}' holds only where '{implied}' does")
        for excluded in SIGNALS[name].excludes:
            if found.get(excluded) is True:
                tell(keys[name], f"'{name}' and '{excluded}' never hold together")
    if alone:
        found.setdefault("in_force", True)
    return found


def _steps(
    node: Node, keys: Mapping[str, Node], now: int, tell: Tell, line_of: Callable[[int], int]
) -> tuple[Step, ...]:
    steps = [_step(node, keys, now, tell, line_of)]
    if "then" not in keys:
        return tuple(steps)
    later = keys["then"]
    if later.kind != "sequence" or len(later.items) > MAX_STEPS:
        tell(later, f"'then': expected a list of {MAX_STEPS} steps at most")
        return tuple(steps)
    if "listing" not in keys:
        tell(later, "'then' goes with 'listing'", "facts do not change with time")
    for item in later.items:
        given = mapping(item, STEP_KEYS, tell)
        after = re.fullmatch(DURATION, given["after"].text) if "after" in given else None
        if after is None:
            tell(given.get("after", item), "'after': expected a time", "try '30 days' or '2 hours'")
            continue
        now += int(after[1]) * _UNITS[after[2]]
        steps.append(_step(item, given, now, tell, line_of))
    return tuple(steps)


def _step(
    node: Node, keys: Mapping[str, Node], now: int, tell: Tell, line_of: Callable[[int], int]
) -> Step:
    fires: bool | None = None
    outcome: Outcome | None = None
    if "fires" in keys:
        given = builtin(keys["fires"])
        if isinstance(given, bool):
            fires = given
        else:
            tell(keys["fires"], "'fires': expected true or false")
    if "outcome" in keys:
        outcome = next((each for each in CASE_OUTCOMES if each == keys["outcome"].text), None)
        if outcome is None:
            tell(keys["outcome"], f"'outcome': expected one of {', '.join(CASE_OUTCOMES)}")
    if "fires" not in keys and "outcome" not in keys:
        tell(node, "nothing is expected", "say 'fires: true' or 'outcome: review'")
    return Step(now, fires, outcome, line_of(node.start))
