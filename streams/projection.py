"""Reads a few fields of an Avro record and walks over the rest, at a fraction of a full decode.

Most listings are screened by their raw bytes and never decoded. What is still needed of each — when
it happened, and whether the record is whole — is read by a function generated from the *writer's*
schema: straight-line Python over the bytes. fastavro's full decode takes 2.7 times as long, and
fastavro with a reader schema of the same few fields 2.6 times: see tests/benchmarks/projection.py.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

Projection = Callable[[bytes, int], tuple[Any, ...]]
"""`projection(value, start)` returns the wanted fields in the order asked for, then the texts, and
the strings of item fields if any were asked for.

Raises IndexError or ValueError when the bytes are not one whole record of the schema, and
TooManyItemsError when its arrays and maps hold more than they may.
"""


class TooManyItemsError(Exception):
    """The arrays and maps of a record hold more items than they may together."""


_PRIMITIVES: Final = {"null", "boolean", "int", "long", "float", "double", "bytes", "string"}


def compile_projection(
    writer: Mapping[str, Any],
    wanted: Sequence[str],
    defaults: Mapping[str, Any],
    texts: Collection[str] = (),
    item_texts: Sequence[tuple[str, str]] = (),
    *,
    most_items: int | None = None,
) -> Projection:
    """Return a function that reads the top-level fields `wanted` of records written by `writer`.

    Wanted fields must be of type int, long, enum or string, which is read as its UTF-8 bytes; a
    field the writer does not have takes its value from `defaults`. `texts` are fields of type
    string or map of strings: the UTF-8 bytes of their strings, keys apart, are returned as one list
    behind the wanted fields. `item_texts` are pairs of an array of records and a string field of
    those: the bytes of such strings that are not empty are returned as one more list, behind the
    texts. A record's arrays and maps may hold `most_items` together: each item takes as long to
    decode as a thousand bytes of text.

    Raises:
        ValueError: a wanted field has another type, a recursive schema, an unknown type.
        KeyError: the writer lacks a wanted field and there is no default.
    """
    code = _Code(bounded=most_items is not None)
    for name in wanted:
        code.constants[f"v_{name}"] = None
    present = set()
    for field in writer["fields"]:
        name, type_ = field["name"], field["type"]
        if name in wanted:
            present.add(name)
            code.read(type_, f"v_{name}")
        elif name in texts:
            code.collect(type_)
        elif found := [item for array, item in item_texts if array == name]:
            code.collect_items(type_, found)
        else:
            code.skip(type_)
    results = []
    for name in wanted:
        if name in present:
            results.append(f"v_{name}")
        else:
            code.constants[f"d_{name}"] = defaults[name]
            results.append(f"d_{name}")
    for name in wanted:
        code.constants.pop(f"v_{name}", None)
    source = "\n".join(
        [
            "def projection(b, p):",
            "    texts = []",
            *(["    items = []"] if item_texts else []),
            *([f"    left = {2 * most_items}"] if most_items is not None else []),
            *code.lines,
            "    if p != len(b):",
            "        raise ValueError(f'{len(b) - p} bytes too many or too few')",
            f"    return ({', '.join([*results, 'texts', *(['items'] if item_texts else [])])},)",
        ]
    )
    scope: dict[str, Any] = {
        **code.constants,
        "_long": _long,
        "_size": _size,
        "_count": _count,
        "TooManyItemsError": TooManyItemsError,
    }
    # The source is generated here from the schema's shape: no text of the schema enters it.
    exec(source, scope)  # noqa: S102
    function: Projection = scope["projection"]
    return function


def _long(b: bytes, p: int) -> tuple[int, int]:
    """Return the zigzag varint at `p` and the position behind it."""
    shift = value = 0
    while True:
        byte = b[p]
        p += 1
        value |= (byte & 127) << shift
        if byte < 128:
            value &= 0xFFFF_FFFF_FFFF_FFFF  # as a full decode reads it
            return (value >> 1) ^ -(value & 1), p
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than 64 bits")


def _size(b: bytes, p: int) -> tuple[int, int]:
    """Return the length prefix at `p`, doubled as the short form has it, and what lies behind."""
    value, p = _long(b, p)
    if value < 0:
        raise ValueError("a negative length")
    return value << 1, p


def _count(b: bytes, p: int) -> tuple[int, int]:
    """Return the item count at `p`, doubled like a size, and the position of the first item."""
    value, p = _long(b, p)
    if value < 0:
        _, p = _long(b, p)  # the block's size in bytes, which is not needed
        value = -value
    if value > len(b):
        raise ValueError("more items than bytes")
    return value << 1, p


class _Code:
    """Lines of the generated function, and the constants it refers to."""

    def __init__(self, *, bounded: bool) -> None:
        self._bounded = bounded
        self.lines: list[str] = []
        self.constants: dict[str, Any] = {}
        self._named: dict[str, Any] = {}
        self._open: list[str] = []
        self._indent = 1
        self._names = 0

    def _add(self, line: str) -> None:
        self.lines.append("    " * self._indent + line)

    def _new(self, stem: str) -> str:
        self._names += 1
        return f"{stem}{self._names}"

    def read(self, type_: Any, target: str) -> None:
        kind = type_["type"] if isinstance(type_, dict) else type_
        if kind in ("int", "long"):
            self._add(f"{target}, p = _long(b, p)")
        elif kind == "string":
            self._string_size()
            self._add(f"{target} = b[p - (n >> 1):p]")
        elif kind == "enum":
            self._remember(type_)
            symbols = self._new("symbols")
            self.constants[symbols] = tuple(type_["symbols"])
            self._add("n, p = _long(b, p)")
            self._add("if n < 0:")
            self._add("    raise ValueError('a negative enum index')")
            self._add(f"{target} = {symbols}[n]")
        else:
            raise ValueError(f"a field of type {kind!r} cannot be projected")

    def collect(self, type_: Any) -> None:
        """Add the bytes of a string, or of a map's strings, to the texts."""
        if type_ == "string":
            self._append("texts")
        elif isinstance(type_, dict) and type_["type"] == "map" and type_["values"] == "string":
            self._blocks(lambda: self.collect("string"), keyed=True)
        else:
            raise ValueError("texts are strings or maps of strings")

    def collect_items(self, type_: Any, wanted: Collection[str]) -> None:
        """Add the bytes of the string fields `wanted` of an array's records to the items."""
        record = type_["items"] if isinstance(type_, dict) and type_["type"] == "array" else None
        if isinstance(record, str):
            record = self._lookup(record)
        if not isinstance(record, dict) or record["type"] != "record":
            raise ValueError("item texts are string fields of an array of records")

        def item() -> None:
            self._open.append(str(record["name"]))
            for field in record["fields"]:
                if field["name"] not in wanted:
                    self.skip(field["type"])
                elif field["type"] == "string":
                    self._append("items")
                else:
                    raise ValueError("item texts are strings")
            self._open.pop()
            if not record["fields"]:
                self._add("pass")

        self._remember(record)
        self._blocks(item, keyed=False)

    def _append(self, collected: str) -> None:
        self._string_size()
        self._add("if n:")
        self._add(f"    {collected}.append(b[p - (n >> 1):p])")

    def _string_size(self) -> None:
        self._add("n = b[p]")
        # One test for both rarer cases: more than one byte (bit 7) and a negative length (bit 0).
        self._add("if n & 129:")
        self._add("    if n & 1 == 0 and b[p + 1] < 128:")
        self._add("        n += (b[p + 1] << 7) - 128")
        self._add("        p += 2 + (n >> 1)")
        self._add("    else:")
        self._add("        n, p = _size(b, p)")
        self._add("        p += n >> 1")
        self._add("else:")
        self._add("    p += 1 + (n >> 1)")

    def skip(self, type_: Any) -> None:
        if isinstance(type_, list):
            self._skip_union(type_)
        elif isinstance(type_, str):
            if type_ in _PRIMITIVES:
                self._skip_primitive(type_)
            else:
                self.skip(self._lookup(type_))
        else:
            self._skip_complex(type_)

    def _skip_primitive(self, kind: str) -> None:
        if kind in ("int", "long"):
            self._skip_varint()
        elif kind in ("string", "bytes"):
            self._string_size()
        elif kind != "null":
            self._add(f"p += {({'boolean': 1, 'float': 4, 'double': 8})[kind]}")

    def _skip_varint(self) -> None:
        self._add("while b[p] > 127:")
        self._add("    p += 1")
        self._add("p += 1")

    def _skip_complex(self, type_: Mapping[str, Any]) -> None:
        kind = type_["type"]
        if kind == "record":
            self._remember(type_)
            self._open.append(str(type_["name"]))
            for field in type_["fields"]:
                self.skip(field["type"])
            self._open.pop()
        elif kind == "enum":
            self._remember(type_)
            self._skip_varint()
        elif kind == "fixed":
            self._remember(type_)
            self._add(f"p += {int(type_['size'])}")
        elif kind in ("array", "map"):
            self._skip_blocks(type_)
        else:
            self.skip(kind)

    def _skip_blocks(self, type_: Mapping[str, Any]) -> None:
        items = type_["items"] if type_["type"] == "array" else type_["values"]
        self._blocks(lambda: self._or_pass(items), keyed=type_["type"] == "map")

    def _blocks(self, item: Callable[[], None], *, keyed: bool) -> None:
        count = self._new("count")
        self._add(f"{count} = b[p]")
        self._add("p += 1")
        self._add(f"while {count}:")
        self._indent += 1
        self._add(f"if {count} & 129:")
        self._add(f"    {count}, p = _count(b, p - 1)")
        if self._bounded:
            self._add(f"left -= {count}")
            self._add("if left < 0:")
            self._add("    raise TooManyItemsError")
        self._add(f"for _ in range({count} >> 1):")
        self._indent += 1
        if keyed:
            self._string_size()
        item()
        self._indent -= 1
        self._add(f"{count} = b[p]")
        self._add("p += 1")
        self._indent -= 1

    def _or_pass(self, type_: Any) -> None:
        before = len(self.lines)
        self.skip(type_)
        if len(self.lines) == before:
            self._add("pass")

    def _skip_union(self, branches: Sequence[Any]) -> None:
        self._add("n = b[p]")
        self._add("p += 1")
        for index, branch in enumerate(branches):
            self._add(f"{'if' if index == 0 else 'elif'} n == {index * 2}:")
            self._indent += 1
            self._or_pass(branch)
            self._indent -= 1
        self._add("else:")
        self._add("    raise ValueError('no such branch of a union')")

    def _remember(self, type_: Mapping[str, Any]) -> None:
        name = str(type_["name"])
        if name in self._open:
            raise ValueError(f"the schema is recursive at {name!r}")
        if self._named.setdefault(name, type_) is not type_:
            raise ValueError(f"two types are called {name!r}")
        if "namespace" in type_:
            self._named[f"{type_['namespace']}.{name}"] = type_

    def _lookup(self, name: str) -> Any:
        short = name.rpartition(".")[2]
        if short in self._open:
            raise ValueError(f"the schema is recursive at {name!r}")
        found = self._named.get(name) or self._named.get(short)
        if found is None:
            raise ValueError(f"unknown type {name!r}")
        return found
