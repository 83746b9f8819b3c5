"""Reads a few fields of many Avro records and walks over the rest, far quicker than decoding them.

Most listings are screened by their raw bytes and never decoded. What is still needed of each — when
it happened, where its texts lie, and whether the record is whole — is read for a whole batch by one
call of `projection.c`, which follows a program made here of the *writer's* schema. How quick that
is, beside fastavro: tests/benchmarks/projection.py.
"""

from __future__ import annotations

import ctypes
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from streams.native import Strings, address, load
from streams.schema_walk import END, SchemaWalk
from streams.texts import Texts

_UNBOUNDED: Final = 2**60
_ROOM: Final = 10_000
_ROOM_EACH: Final = 20
"""Strings for which there is room in a batch, and in each of its records."""
# What a record of a program may be, and its instructions: see `projection.c`.
_BROKEN, _WHOLE, _TOO_MANY_ITEMS = range(3)
_SKIP_NUMBER, _SKIP_BYTES, _SKIP_FIXED = range(1, 4)
_NUMBER, _ENUM, _STRING, _TEXT, _ITEM = range(8, 13)


class BrokenRecordError(ValueError):
    """A record is not whole, or none of the schema."""


class TooManyItemsError(Exception):
    """The arrays and maps of a record hold more items than they may together."""


@dataclass(frozen=True)
class Projected:
    """What was read of some records."""

    whole: npt.NDArray[np.bool_]
    """Which records are; of the others everything else is without meaning."""
    too_many_items: npt.NDArray[np.bool_]
    fields: tuple[list[Any], ...]
    """The wanted fields in the order asked for, each for all records."""
    texts: Texts
    items: Texts
    """The strings of item fields."""


class Projection:
    """Reads the same fields of records that were written with one schema."""

    def __init__(
        self,
        program: _Program,
        wanted: Sequence[str],
        defaults: Mapping[str, Any],
        most_items: int | None,
    ) -> None:
        """Take the program of the schema; `compile_projection` makes it."""
        self._steps = np.array(program.steps, np.int32)
        self._numbers, self._strings = program.numbers, program.strings
        self._known = {*program.numbers, *program.strings}
        self._symbols = program.symbols
        self._wanted = [(name, defaults.get(name)) for name in wanted]
        self._most_items = _UNBOUNDED if most_items is None else most_items

    def __call__(self, value: bytes, head: int = 0) -> tuple[Any, ...]:
        """Return what stands in a record `head` bytes into a value: fields, texts, items.

        Raises:
            BrokenRecordError, TooManyItemsError
        """
        found = self.read([value], head)
        if found.too_many_items[0]:
            raise TooManyItemsError
        if not found.whole[0]:
            raise BrokenRecordError("the bytes are not one whole record of the schema")
        fields = [values[0] for values in found.fields]
        return (*fields, found.texts.of_record(0), found.items.of_record(0))

    def read(self, values: Sequence[bytes], head: int = 0, *, room: int = 0) -> Projected:
        """Return what stands in the records that begin `head` bytes into each value.

        `room` is for how many strings there is room at first.
        """
        count = len(values)
        data = b"".join(values)
        lengths = np.array([len(value) for value in values], np.int64)
        numbers = np.empty((count, len(self._numbers)), np.int64)
        strings = np.empty((count, len(self._strings), 2), np.int64)
        # A string that is not empty takes two bytes; real listings have seven texts.
        room = min(len(data) // 2 + 1, room or _ROOM + _ROOM_EACH * count)
        texts, items = (Strings.room_for(room, count) for _ in range(2))
        status = np.empty(count, np.uint8)
        library().assayer_project(
            address(self._steps), data, address(lengths), count, head, self._most_items,
            address(numbers), numbers.shape[1], address(strings), strings.shape[1],
            ctypes.byref(texts), ctypes.byref(items), address(status),
        )  # fmt: skip
        whole = status == _WHOLE
        if texts.full or items.full:
            return self.read(values, head, room=len(data))
        # What was not read of the others is no span and no symbol.
        numbers[~whole], strings[~whole] = 0, 0
        fields = tuple(
            self._field(name, numbers, strings, data) if name in self._known else [default] * count
            for name, default in self._wanted
        )
        return Projected(
            whole, status == _TOO_MANY_ITEMS, fields, _texts(data, texts), _texts(data, items)
        )

    def _field(
        self,
        name: str,
        numbers: npt.NDArray[np.int64],
        strings: npt.NDArray[np.int64],
        data: bytes,
    ) -> list[Any]:
        """Return a field of all records."""
        if name in self._numbers:
            column = numbers[:, self._numbers.index(name)].tolist()
            symbols = self._symbols.get(name)
            return column if symbols is None else [symbols[at] for at in column]
        spans = strings[:, self._strings.index(name)].tolist()
        return [data[start : start + size] for start, size in spans]


def _texts(data: bytes, strings: Strings) -> Texts:
    starts, lengths = (strings.arrays[name][: strings.count] for name in ("starts", "lengths"))
    return Texts(data, starts, lengths, strings.arrays["counts"])


@cache
def library() -> ctypes.CDLL:
    """Return what `projection.c` was built into. Raises RuntimeError where it was not."""
    library = load(Path(__file__).with_suffix(".c"))
    pointer, number = ctypes.c_void_p, ctypes.c_int64
    library.assayer_project.argtypes = (
        pointer, ctypes.c_char_p, pointer, number, number, number, pointer, number, pointer, number,
        pointer, pointer, pointer,
    )  # fmt: skip
    library.assayer_project.restype = None
    return library


def compile_projection(
    writer: Mapping[str, Any],
    wanted: Sequence[str],
    defaults: Mapping[str, Any],
    texts: Collection[str] = (),
    item_texts: Sequence[tuple[str, str]] = (),
    *,
    most_items: int | None = None,
) -> Projection:
    """Return what reads the top-level fields `wanted` of records written by `writer`.

    Wanted fields must be of type int, long, enum or string, which is read as its UTF-8 bytes; a
    field the writer does not have takes its value from `defaults`. `texts` are fields of type
    string or map of strings: their strings that are not empty, keys apart, are read as UTF-8 bytes.
    `item_texts` are pairs of an array of records and a string field of those: such strings that are
    not empty are read too. A record's arrays and maps may hold `most_items` together: each item
    takes as long to decode as a thousand bytes of text.

    Raises:
        ValueError: a wanted field has another type, a recursive schema, an unknown type.
        KeyError: the writer lacks a wanted field and there is no default.
    """
    program = _Program()
    for field in writer["fields"]:
        name, type_ = field["name"], field["type"]
        if name in wanted:
            program.read(name, type_)
        elif name in texts:
            program.collect(type_)
        elif found := [item for array, item in item_texts if array == name]:
            program.collect_items(type_, found)
        else:
            program.value(type_)
    program.steps.append(END)
    for name in {*wanted} - {*program.numbers, *program.strings}:
        if name not in defaults:
            raise KeyError(name)
    return Projection(program, wanted, defaults, most_items)


class _Program(SchemaWalk):
    """What to do with the fields of a record, and which columns that fills."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers: list[str] = []
        self.strings: list[str] = []
        self.symbols: dict[str, tuple[str, ...]] = {}

    def read(self, name: str, type_: Any) -> None:
        """Read a field into a column of its own."""
        kind = type_["type"] if isinstance(type_, dict) else type_
        if kind in ("int", "long"):
            self.steps += (_NUMBER, len(self.numbers))
            self.numbers.append(name)
        elif kind == "string":
            self.steps += (_STRING, len(self.strings))
            self.strings.append(name)
        elif kind == "enum":
            self.remember(type_)
            self.symbols[name] = tuple(type_["symbols"])
            self.steps += (_ENUM, len(self.numbers), len(self.symbols[name]))
            self.numbers.append(name)
        else:
            raise ValueError(f"a field of type {kind!r} cannot be projected")

    def collect(self, type_: Any) -> None:
        """Add a string, or the strings of a map, to the texts."""
        if type_ == "string":
            self.steps.append(_TEXT)
        elif isinstance(type_, dict) and type_["type"] == "map" and type_["values"] == "string":
            self.blocks(lambda: self.steps.append(_TEXT), keyed=True)
        else:
            raise ValueError("texts are strings or maps of strings")

    def collect_items(self, type_: Any, wanted: Collection[str]) -> None:
        """Add the string fields `wanted` of an array's records to the items."""
        record = type_["items"] if isinstance(type_, dict) and type_["type"] == "array" else None
        if isinstance(record, str):
            record = self.lookup(record)
        if not isinstance(record, dict) or record["type"] != "record":
            raise ValueError("item texts are string fields of an array of records")

        def item() -> None:
            for field in record["fields"]:
                if field["name"] not in wanted:
                    self.value(field["type"])
                elif field["type"] == "string":
                    self.steps.append(_ITEM)
                else:
                    raise ValueError("item texts are strings")

        self.remember(record)
        self.blocks(lambda: self.within(record, item), keyed=False)

    def primitive(self, kind: str) -> None:
        """Walk over it."""
        if kind in ("int", "long"):
            self.steps.append(_SKIP_NUMBER)
        elif kind in ("string", "bytes"):
            self.steps.append(_SKIP_BYTES)
        elif kind != "null":
            self.steps += (_SKIP_FIXED, {"boolean": 1, "float": 4, "double": 8}[kind])

    def enum(self, symbols: Sequence[str]) -> None:  # noqa: ARG002 - which it is does not matter
        """Walk over it."""
        self.steps.append(_SKIP_NUMBER)

    def fixed(self, size: int) -> None:
        """Walk over it."""
        self.steps += (_SKIP_FIXED, size)
