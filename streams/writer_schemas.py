"""Schemas other people registered: whether records written with them can be decoded safely.

A decoder follows the writer's schema, and a schema can make it follow for ever: fastavro recurses
in C, so that a megabyte of a recursive type ends the process, and an array whose items take no
bytes may claim any number of them. Neither is anything a listing needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

MOST_NODES: Final = 10_000
"""Types of a schema with every name written out; a few nested names can stand for billions."""

DEEPEST: Final = 60
"""Types within types."""

_LEAST_BYTES: Final[Mapping[str, int]] = {
    "null": 0,
    "boolean": 1,
    "int": 1,
    "long": 1,
    "float": 4,
    "double": 8,
    "bytes": 1,
    "string": 1,
}


class _DangerError(ValueError):
    """What is dangerous about a schema."""


def danger_of(schema: Any) -> str:
    """Return why records of a writer's schema must not be decoded; empty when they may."""
    try:
        _Walk().least(schema)
    except _DangerError as danger:
        return str(danger)
    return ""


class _Walk:
    """Computes how few bytes a type can take, by which the dangers show."""

    def __init__(self) -> None:
        self._least: dict[str, int] = {}
        self._weight: dict[str, int] = {}
        self._open: set[str] = set()
        self._nodes = 0

    def least(self, type_: Any, namespace: str = "", depth: int = 0) -> int:
        """Return the least bytes of a type within an enclosing namespace."""
        self._count(1)
        if depth > DEEPEST:
            raise _DangerError("it is nested too deeply")
        if isinstance(type_, list):
            return 1 + min((self.least(b, namespace, depth + 1) for b in type_), default=0)
        if isinstance(type_, str):
            return self._named(type_, namespace)
        if not isinstance(type_, dict):
            raise _DangerError(f"{type(type_).__name__} is no type")
        return self._complex(type_, namespace, depth)

    def _count(self, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > MOST_NODES:
            raise _DangerError("it is too large")

    def _named(self, name: str, namespace: str) -> int:
        if name in _LEAST_BYTES:
            return _LEAST_BYTES[name]
        full = _full_name(name, namespace)
        if full in self._open:
            raise _DangerError(f"it is recursive at '{full}'")
        if full not in self._least:
            raise _DangerError(f"it refers to '{full}', which it does not define")
        self._count(self._weight[full])
        return self._least[full]

    def _complex(self, type_: Mapping[str, Any], namespace: str, depth: int) -> int:
        kind = type_.get("type")
        if kind == "array":
            if self.least(type_.get("items"), namespace, depth + 1) == 0:
                raise _DangerError("it has an array whose items take no bytes")
            return 1
        if kind == "map":
            self.least(type_.get("values"), namespace, depth + 1)
            return 1
        if kind not in ("record", "enum", "fixed"):
            return self.least(kind, namespace, depth + 1)
        full = _full_name(str(type_.get("name")), str(type_.get("namespace", namespace)))
        before = self._nodes
        least = int(type_.get("size", 0)) if kind == "fixed" else 1
        if kind == "record":
            self._open.add(full)
            within = full.rpartition(".")[0]
            least = sum(self.least(f.get("type"), within, depth + 1) for f in type_["fields"])
            self._open.discard(full)
        self._least[full] = least
        self._weight[full] = self._nodes - before
        return least


def _full_name(name: str, namespace: str) -> str:
    return name if "." in name or not namespace else f"{namespace}.{name}"
