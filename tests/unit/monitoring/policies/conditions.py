"""Conditions and facts for property tests."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st

from agents.monitoring.signals import SIGNALS, Facts

NUMBERS: Final = [name for name, signal in SIGNALS.items() if signal.type == "number"]
FLAGS: Final = [name for name, signal in SIGNALS.items() if signal.type == "bool"]
FEW: Final = (0.0, 0.25, 0.35, 0.5, 1.0, 2.0, 4.0)
"""Numbers that meet each other often."""

numbers = st.sampled_from(FEW)


def values() -> st.SearchStrategy[str]:
    """Return arithmetic over signals."""
    leaves = st.sampled_from(NUMBERS) | numbers.map(str)
    return st.recursive(
        leaves,
        lambda inner: st.builds(lambda a, op, b: f"({a} {op} {b})", inner,
                                st.sampled_from("+-*/"), inner)
        | inner.map(lambda a: f"(-{a})"),
        max_leaves=4,
    )  # fmt: skip


def comparisons() -> st.SearchStrategy[str]:
    """Return comparisons, simple ones most of all."""
    symbols = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
    simple = st.builds(lambda a, op, b: f"{a} {op} {b}", st.sampled_from(NUMBERS), symbols, numbers)
    chained = st.builds(
        lambda a, x, b, y, c: f"{a} {x} {b} {y} {c}", numbers, symbols,
        st.sampled_from(NUMBERS), symbols, numbers,
    )  # fmt: skip
    any_ = st.builds(lambda a, op, b: f"{a} {op} {b}", values(), symbols, values())
    return simple | simple | chained | any_


def conditions(names: tuple[str, ...] = ()) -> st.SearchStrategy[str]:
    """Return conditions; `names` are those of definitions."""
    leaves = st.sampled_from([*FLAGS, *names, "True", "False"]) | comparisons()
    return st.recursive(
        leaves,
        lambda inner: (
            st.builds(
                lambda parts, word: "(" + f" {word} ".join(parts) + ")",
                st.lists(inner, min_size=2, max_size=3),
                st.sampled_from(["and", "or"]),
            )
            | inner.map(lambda part: f"(not {part})")
        ),
        max_leaves=8,
    )


def facts() -> st.SearchStrategy[Facts]:
    """Return facts that can be: within bounds, and with what they imply and exclude."""
    fields: dict[str, st.SearchStrategy[Any]] = {}
    for name, signal in SIGNALS.items():
        known: st.SearchStrategy[Any] = st.booleans()
        if signal.type == "number":
            known = st.sampled_from([n for n in FEW if signal.low <= n <= signal.high])
        fields[name] = st.none() | known if signal.optional else known
    return st.fixed_dictionaries(fields).map(_possible)


def _possible(fields: dict[str, Any]) -> Facts:
    for name, signal in SIGNALS.items():
        if fields[name] is True:
            fields |= dict.fromkeys(signal.implies, True) | dict.fromkeys(signal.excludes, False)
    return Facts(**fields)
