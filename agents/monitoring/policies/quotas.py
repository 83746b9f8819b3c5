"""Reads how many takedowns may go through: the `quota` of a rule, the `breaker` of a policy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from agents.breaker.quotas import Quota, Quotas
from agents.monitoring.policies import document
from agents.monitoring.policies.declarations import (
    BREAKER_KEYS,
    MAX_FACTOR,
    MAX_QUOTA,
    QUOTA_HINT,
    QUOTA_KEYS,
    Outcome,
)
from agents.monitoring.policies.document import Node
from agents.monitoring.policies.fields import Tell, mapping

About = Callable[[str], Tell]
"""Returns what tells problems of the key it is given."""


def read_breaker(node: Node, about: About) -> Quotas:
    """Return the quotas of `breaker`; what it does not say is as without it."""
    keys = _keys(node, BREAKER_KEYS, about("breaker"))
    default = Quotas()
    factor = default.all.factor
    if "factor" in keys:
        factor = _factor(keys["factor"], factor, about("breaker: factor"))

    def part(key: str, otherwise: Quota) -> Quota:
        otherwise = replace(otherwise, factor=factor)
        what = f"breaker: {key}"
        if key not in keys:
            return otherwise
        return _quota(_keys(keys[key], QUOTA_KEYS, about(what)), otherwise, about, what)

    return Quotas(
        all=_quota(keys, replace(default.all, factor=factor), about, "breaker"),
        brand=part("brand", default.brand),
        rule=part("rule", default.rule),
    )


def read_quota(node: Node, default: Quota, outcome: Outcome, about: About) -> Quota:
    """Return the quota of a rule; what it does not say is as for every rule."""
    tell = about("quota")
    quota = _quota(_keys(node, QUOTA_KEYS, tell), default, about, "quota")
    if outcome != "remove":
        tell(
            node,
            "it does nothing: only takedowns are held, and the outcome is review",
            "drop it",
            "warning",
        )
    return quota


def _keys(node: Node, known: Sequence[str], tell: Tell) -> dict[str, Node]:
    if node.kind != "mapping" or not node.items:
        tell(node, "expected how many takedowns go through", QUOTA_HINT)
        return {}
    return mapping(node, known, tell)


def _quota(keys: Mapping[str, Node], default: Quota, about: About, what: str) -> Quota:
    def count(key: str, otherwise: int) -> int:
        return _count(keys[key], otherwise, about(f"{what}: {key}")) if key in keys else otherwise

    factor = default.factor
    if "factor" in keys and what != "breaker":
        factor = _factor(keys["factor"], factor, about(f"{what}: factor"))
    quota = Quota(
        count("per_minute", default.per_minute), count("per_hour", default.per_hour), factor
    )
    if {"per_minute", "per_hour"} <= keys.keys() and quota.per_hour < quota.per_minute:
        about(f"{what}: per_minute")(
            keys["per_minute"],
            f"it never matters: an hour lets through {quota.per_hour:,}",
            "raise per_hour, or drop per_minute",
            "warning",
        )
    return quota


def _count(node: Node, default: int, tell: Tell) -> int:
    given = document.builtin(node)
    if isinstance(given, int) and not isinstance(given, bool) and 0 <= given <= MAX_QUOTA:
        return given
    tell(node, f"expected a whole number from 0 to {MAX_QUOTA:,}", "0 holds every takedown")
    return default


def _factor(node: Node, default: float, tell: Tell) -> float:
    given = document.builtin(node)
    if isinstance(given, int | float) and given is not True and 0 <= given <= MAX_FACTOR:
        return float(given)
    tell(
        node,
        f"expected a number from 0 to {MAX_FACTOR:,}",
        "how many times the baseline goes through; 0 makes the numbers fixed limits",
    )
    return default
