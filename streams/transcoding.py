"""Turns Avro records into Python objects by way of MessagePack, far quicker than by decoding them.

A loop in C (`transcoding.c`) writes the records of a batch as MessagePack, by a program that is
made of the schema they were written with, and msgspec makes structures of that. Beside fastavro:
tests/benchmarks/projection.py.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import msgspec
import numpy as np

from streams.native import address, load
from streams.schema_walk import END, SchemaWalk

# Instructions: see `transcoding.c`.
_NUMBER, _TEXT, _FIXED = range(1, 4)
_BYTES, _BOOLEAN, _FLOAT, _CONSTANT, _ENUM = range(8, 13)
_SINGLE: Final = {
    "int": (_NUMBER,), "long": (_NUMBER,), "string": (_TEXT,), "bytes": (_BYTES,),
    "boolean": (_BOOLEAN,), "float": (_FLOAT, 4), "double": (_FLOAT, 8),
}  # fmt: skip
_UNBOUNDED: Final = 2**60
_ROOM_EACH: Final = 1_000
"""Bytes that a record takes more than it has, at first."""

Made = TypeVar("Made")


class Transcoding(Generic[Made]):
    """Makes objects of one type of records that were written with one schema."""

    def __init__(
        self, writer: Mapping[str, Any], type_: type[Made], *, most_items: int | None = None
    ) -> None:
        """Take the writer's schema, and the type whose fields are called like the record's.

        A record's arrays and maps may hold `most_items` together.

        Raises:
            ValueError: a recursive schema, or an unknown type.
        """
        program = _Program()
        program.value(writer)
        program.steps.append(END)
        self._steps = np.array(program.steps, np.int32)
        self._constants = np.frombuffer(bytes(program.constants), np.uint8)
        self._most_items = _UNBOUNDED if most_items is None else most_items
        self._decoder = msgspec.msgpack.Decoder(type_)
        self._library = library()

    def read(self, values: Sequence[bytes], head: int = 0) -> list[Made | None]:
        """Return what stands in the records that begin `head` bytes into each value.

        None where a value is not one whole record, or none of the type.
        """
        data = b"".join(values)
        lengths = np.array([len(value) for value in values], np.int64)
        ends = np.empty(len(values), np.int64)
        room = 2 * len(data) + _ROOM_EACH * len(values)
        while True:
            written = np.empty(room, np.uint8)
            if self._library.assayer_transcode(
                address(self._steps), address(self._constants), data, address(lengths),
                len(values), head, self._most_items, address(written), room, address(ends),
            ):  # fmt: skip
                break
            room *= 2
        found: list[Made | None] = []
        start = 0
        view = memoryview(written.data)
        for end in ends.tolist():
            found.append(self._made(view[start:end]) if end > start else None)
            start = end
        return found

    def _made(self, written: memoryview) -> Made | None:
        try:
            return self._decoder.decode(written)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None


class _Program(SchemaWalk):
    """How the values of a record are written, and what is the same in every one."""

    def __init__(self) -> None:
        super().__init__()
        self.constants = bytearray()

    def primitive(self, kind: str) -> None:
        """Write it."""
        self.steps += _SINGLE.get(kind) or self._constant(None)

    def enum(self, symbols: Sequence[str]) -> None:
        """Write the symbol as a text."""
        places = [place for symbol in symbols for place in self._constant(symbol)[1:]]
        self.steps += (_ENUM, len(symbols), *places)

    def fixed(self, size: int) -> None:
        """Write the bytes."""
        self.steps += (_FIXED, size)

    def record(self, fields: Sequence[Mapping[str, Any]]) -> None:
        """Write a map by the names of its fields."""
        head = msgspec.msgpack.encode(dict.fromkeys(range(len(fields))))[: _head_of(len(fields))]
        self.steps += self._place(head)
        for field in fields:
            self.steps += self._constant(str(field["name"]))
            self.value(field["type"])

    def _constant(self, value: str | None) -> tuple[int, int, int]:
        return self._place(msgspec.msgpack.encode(value))

    def _place(self, written: bytes) -> tuple[int, int, int]:
        start = len(self.constants)
        self.constants += written
        return _CONSTANT, start, len(written)


def _head_of(items: int) -> int:
    """Return how many bytes stand before the items of a map."""
    return 1 if items < 16 else 3 if items < 65_536 else 5


@cache
def library() -> ctypes.CDLL:
    """Return what `transcoding.c` was built into. Raises RuntimeError where it was not."""
    library = load(Path(__file__).with_suffix(".c"))
    pointer, number = ctypes.c_void_p, ctypes.c_int64
    library.assayer_transcode.argtypes = (
        pointer, pointer, ctypes.c_char_p, pointer, number, number, number, pointer, number,
        pointer,
    )  # fmt: skip
    library.assayer_transcode.restype = number
    return library
