"""Reads the values of nodes (mappings, texts, choices) and tells what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from agents.monitoring.policies.document import Node
from agents.monitoring.policies.problems import Report, Severity, did_you_mean, short

Choice = TypeVar("Choice", bound=str)


class Tell(Protocol):
    """Reports a problem of a node."""

    def __call__(self, node: Node, text: str, hint: str = "", severity: Severity = "error") -> None:
        """Report `text`, with a way out in `hint`."""


def about(report: Report, what: str) -> Tell:
    """Return what tells problems of `what`, such as `rule 'cheap-mark'`, to the report."""

    def tell(node: Node, text: str, hint: str = "", severity: Severity = "error") -> None:
        report.add(text, hint, what=what, start=node.start, end=node.end, severity=severity)

    return tell


def mapping(
    node: Node,
    known: Sequence[str] | None,
    tell: Tell,
    what: str = "expected a mapping",
    hints: Mapping[str, str] | None = None,
) -> dict[str, Node]:
    """Return the values of a mapping by key; keys that are not known or stand twice are told.

    Where `known` is None any key is; `hints` has ways out for keys that are not.
    """
    found: dict[str, Node] = {}
    if node.kind != "mapping":
        tell(node, what, "keys with values: 'key: value'")
        return found
    for key, value in node.pairs():
        if key.kind != "scalar":
            tell(key, "a key has to be a text")
        elif key.text in found:
            tell(key, f"'{short(key.text)}' stands twice", "keep one of them")
        elif known is not None and key.text not in known:
            hint = (hints or {}).get(key.text) or did_you_mean(key.text, known)
            tell(key, f"unknown key '{short(key.text)}'", hint or f"known: {', '.join(known)}")
        else:
            found[key.text] = value
    return found


def text(node: Node, tell: Tell) -> str:
    """Return a text without blanks around it; empty where there is none, which is told."""
    if node.kind != "scalar" or not node.text.strip():
        tell(node, "expected a text")
        return ""
    return node.text.strip()


def choice(node: Node, choices: Sequence[Choice], default: Choice, tell: Tell) -> Choice:
    """Return which of the choices it is; the default where it is none of them, which is told."""
    for each in choices:
        if node.text == each:
            return each
    hint = did_you_mean(node.text, choices)
    tell(node, f"'{short(node.text)}' is none of {', '.join(choices)}", hint)
    return default
