"""Walks over an Avro schema and makes a program of it: what to do with each of its values in turn.

The programs are run by loops in C, which share what unions, arrays and maps are made into. What
becomes of single values each says itself: `projection.py` skips them or notes where they lie,
`transcoding.py` writes them in another form.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

PRIMITIVES: Final = {"null", "boolean", "int", "long", "float", "double", "bytes", "string"}
# Instructions of all programs; see `projection.c` and `transcoding.c`.
END, UNION, JUMP, BLOCKS, END_OF_ITEM = 0, 4, 5, 6, 7


class SchemaWalk(ABC):
    """The steps of a program, so far."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self._named: dict[str, Any] = {}
        self._open: list[str] = []

    def value(self, type_: Any) -> None:
        """Do what is done with a value.

        Raises:
            ValueError: a recursive schema, or an unknown type.
        """
        if isinstance(type_, list):
            self._union(type_)
        elif isinstance(type_, str):
            if type_ in PRIMITIVES:
                self.primitive(type_)
            else:
                self.value(self.lookup(type_))
        else:
            self._complex(type_)

    @abstractmethod
    def primitive(self, kind: str) -> None:
        """Do what is done with a value of one of `PRIMITIVES`."""

    @abstractmethod
    def enum(self, symbols: Sequence[str]) -> None:
        """Do what is done with one of these symbols."""

    @abstractmethod
    def fixed(self, size: int) -> None:
        """Do what is done with so many bytes."""

    def record(self, fields: Sequence[Mapping[str, Any]]) -> None:
        """Do what is done with a record."""
        for field in fields:
            self.value(field["type"])

    def blocks(self, item: Callable[[], None], *, keyed: bool) -> None:
        """Do the same with every item of an array or a map."""
        self.steps += (BLOCKS, keyed, 0)
        behind = len(self.steps) - 1
        item()
        self.steps.append(END_OF_ITEM)
        self.steps[behind] = len(self.steps)

    def remember(self, type_: Mapping[str, Any]) -> None:
        """Know a type by its name from here on."""
        name = str(type_["name"])
        if name in self._open:
            raise ValueError(f"the schema is recursive at {name!r}")
        if self._named.setdefault(name, type_) is not type_:
            raise ValueError(f"two types are called {name!r}")
        if "namespace" in type_:
            self._named[f"{type_['namespace']}.{name}"] = type_

    def lookup(self, name: str) -> Any:
        """Return the type of a name."""
        short = name.rpartition(".")[2]
        if short in self._open:
            raise ValueError(f"the schema is recursive at {name!r}")
        found = self._named.get(name) or self._named.get(short)
        if found is None:
            raise ValueError(f"unknown type {name!r}")
        return found

    def within(self, type_: Mapping[str, Any], do: Callable[[], None]) -> None:
        """Do something within a record of this type."""
        self._open.append(str(type_["name"]))
        do()
        self._open.pop()

    def _complex(self, type_: Mapping[str, Any]) -> None:
        kind = type_["type"]
        if kind in ("record", "enum", "fixed"):
            self.remember(type_)
        if kind == "record":
            self.within(type_, lambda: self.record(type_["fields"]))
        elif kind == "enum":
            self.enum(type_["symbols"])
        elif kind == "fixed":
            self.fixed(int(type_["size"]))
        elif kind == "array":
            self.blocks(lambda: self.value(type_["items"]), keyed=False)
        elif kind == "map":
            self.blocks(lambda: self.value(type_["values"]), keyed=True)
        else:
            self.value(kind)

    def _union(self, branches: Sequence[Any]) -> None:
        self.steps += (UNION, len(branches), *(0 for _ in branches))
        first = len(self.steps) - len(branches)
        jumps = []
        for number, branch in enumerate(branches):
            self.steps[first + number] = len(self.steps)
            self.value(branch)
            self.steps += (JUMP, 0)
            jumps.append(len(self.steps) - 1)
        for jump in jumps:
            self.steps[jump] = len(self.steps)
