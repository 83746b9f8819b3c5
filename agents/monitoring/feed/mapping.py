"""Mappings: which column of a marketplace's rows each field of a listing comes from.

A mapping is a YAML file. `marketplace` stands before every id it makes (`lazada:123`); `listing`
names, for each field of the Listing schema, its source; `seller` does the same for the Seller
schema, where the rows say something about sellers; `encoding` (default UTF-8) and `delimiter`
(default a comma) are for CSV files that need them.

    marketplace: acme
    listing:
      listing_id: sku                                 # short for {column: sku}
      seller_id: {join: [country, shop], with: "/"}
      title: name
      price_minor: {column: price, decimal: ","}      # 1.299,90 → 129990, by the currency's digits
      currency: {value: EUR}
      condition: {column: state, values: {neu: NEW, gebraucht: USED}}

A source is a column's name, or one of

- `column`, `columns` (the first that says something; for a list, all of them), `value` (a
  constant), `join` (sources put together, absent if one of them is; `with` stands between them);

and what is done to the text, in this order:

- `names`: the cell holds name/value pairs as JSON; take the values of these names;
- `pattern`: a regular expression; its first group, or all of it, is kept; no match is absent;
- `absent`: texts that mean nothing is known, such as "No Brand"; numbers match by value;
- `values`: a table from texts, case ignored, to what they mean; for a text that it does not have,
  the source `otherwise` is read, and without one the field is absent.

The field decides how the text is read: money in minor units of the field `currency` (ISO 4217),
numbers, times (ISO 8601, milliseconds, or as `format` says in the words of `strptime`), lists
(JSON, or text split at `separator`), GTINs (those with a wrong check digit are dropped), pictures
(http addresses only), name/value pairs (`without` drops some). `decimal` is the decimal sign, and
`times` a factor. A text that can't be read refuses the row, unless the source says
`unreadable: absent`.
"""

from __future__ import annotations

import codecs
import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Final, NoReturn

import yaml

from agents.monitoring.feed.sources import (
    LISTING_FIELDS,
    REQUIRED,
    SELLER_FIELDS,
    FeedError,
    FeedMapping,
    MappingError,
    Source,
    ValueKind,
)

__all__ = ["FeedError", "FeedMapping", "MappingError", "load_mapping", "parse_mapping"]

_SHIPPED: Final = ("lazada", "shopee", "shein")
_TOP: Final = ("marketplace", "listing", "seller", "encoding", "delimiter", "about")
_ORIGINS: Final = ("column", "columns", "value", "join")
_ANY: Final = (*_ORIGINS, "with", "names", "pattern", "absent", "values", "otherwise", "unreadable")
_NUMBER: Final = ("decimal", "times")
_EXTRA: Final[Mapping[ValueKind, tuple[str, ...]]] = {
    "price": _NUMBER,
    "decimal": _NUMBER,
    "integer": _NUMBER,
    "time": ("format",),
    "names": ("separator",),
    "countries": ("separator",),
    "images": ("separator",),
    "gtins": ("separator",),
    "pairs": ("without",),
}
_DEEPEST: Final = 6


def load_mapping(name_or_path: str) -> FeedMapping:
    """Return a shipped mapping by its name, or the one in a YAML file.

    Raises:
        MappingError: there is no such mapping, or it can't be used; names file and line.
    """
    if name_or_path in _SHIPPED:
        shipped = resources.files(__package__) / "mappings" / f"{name_or_path}.yaml"
        return parse_mapping(shipped.read_text(encoding="utf-8"), name_or_path)
    path = Path(name_or_path)
    if path.suffix not in (".yaml", ".yml"):
        raise MappingError(
            f"no mapping '{name_or_path}'{_suggestion(name_or_path, _SHIPPED)}: "
            f"give one of {', '.join(_SHIPPED)}, or a .yaml file of your own"
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise MappingError(f"{name_or_path}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise MappingError(f"{name_or_path}: not UTF-8: {error.reason}") from None
    return parse_mapping(text, name_or_path)


def parse_mapping(text: str, name: str) -> FeedMapping:
    """Return the mapping that a YAML text describes; `name` stands in the errors.

    Raises:
        MappingError: names the line and what is wrong.
    """
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise MappingError(f"{name}:{line}: not YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise MappingError(f"{name}: not YAML: {error}") from None
    except RecursionError:
        raise MappingError(
            f"{name}: nested too deeply; sources may stand {_DEEPEST} deep within sources"
        ) from None
    if node is None:
        raise MappingError(f"{name}: empty; a mapping has 'marketplace' and 'listing'")
    return _Parser(name).mapping(node)


def _suggestion(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean '{near[0]}'?)" if near else ""


class _Parser:
    """Reads YAML nodes, so that every error has its line and every text is taken as written."""

    def __init__(self, name: str) -> None:
        self._name = name

    def mapping(self, node: yaml.Node) -> FeedMapping:
        top = self._items(node, "a mapping", _TOP, "unknown key")
        for required in ("marketplace", "listing"):
            if required not in top:
                self._fail(node, f"'{required}' is missing")
        marketplace = self._text(top["marketplace"], "marketplace")
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", marketplace):
            self._fail(top["marketplace"], "'marketplace' takes letters, digits, '-', '_' and '.'")
        listing = self._fields(top["listing"], LISTING_FIELDS)
        for required in REQUIRED:
            if required not in listing:
                self._fail(top["listing"], f"field '{required}' has no source, and it is required")
        if "price_minor" in listing and "currency" not in listing:
            self._fail(top["listing"], "field 'price_minor' needs a source for 'currency' as well")
        return FeedMapping(
            name=self._name,
            marketplace=marketplace,
            listing=listing,
            seller=self._fields(top["seller"], SELLER_FIELDS) if "seller" in top else {},
            encoding=self._encoding(top.get("encoding")),
            delimiter=self._character(top.get("delimiter"), "delimiter", ","),
        )

    def _fields(self, node: yaml.Node, kinds: Mapping[str, ValueKind]) -> dict[str, Source]:
        items = self._items(node, "fields", kinds, "unknown field")
        return {
            name: self._source(items[name], f"field '{name}'", kinds[name])
            for name in kinds
            if name in items
        }

    def _source(self, node: yaml.Node, where: str, kind: ValueKind, depth: int = 0) -> Source:
        if depth > _DEEPEST:
            self._fail(node, f"{where}: sources within sources deeper than {_DEEPEST}")
        if isinstance(node, yaml.ScalarNode):
            return Source(columns=(self._text(node, where),))
        known = (*_ANY, *_EXTRA.get(kind, ()))
        items = self._items(node, where, known, f"{where}: unknown option")
        origins = [name for name in _ORIGINS if name in items]
        if len(origins) != 1:
            has = " and ".join(f"'{name}'" for name in origins) or "none of them"
            self._fail(node, f"{where}: takes one of {', '.join(_ORIGINS)}, and has {has}")
        if "otherwise" in items and "values" not in items:
            self._fail(items["otherwise"], f"{where}: 'otherwise' is for a table of 'values'")
        columns = (
            (self._text(items["column"], where),)
            if "column" in items
            else self._texts(items.get("columns"), where)
        )
        absent = self._texts(items.get("absent"), where)
        return Source(
            columns=columns,
            constant=self._text(items["value"], where) if "value" in items else None,
            join=tuple(
                self._source(part, where, "text", depth + 1)
                for part in self._sequence(items.get("join"), where)
            ),
            joiner=self._text(items["with"], where) if "with" in items else ":",
            names=self._caseless(self._texts(items.get("names"), where)),
            pattern=self._pattern(items.get("pattern"), where),
            absent=self._caseless(absent),
            absent_numbers=frozenset(_numbers(absent)),
            values=self._table(items.get("values"), where),
            otherwise=(
                self._source(items["otherwise"], where, kind, depth + 1)
                if "otherwise" in items
                else None
            ),
            decimal=self._one_of(items.get("decimal"), where, (".", ",")),
            times=self._factor(items.get("times"), where),
            format=self._text(items["format"], where) if "format" in items else "",
            separator=self._text(items["separator"], where) if "separator" in items else "",
            without=self._caseless(self._texts(items.get("without"), where)),
            lenient=self._one_of(items.get("unreadable"), where, ("refused", "absent")) == "absent",
        )

    def _items(
        self, node: yaml.Node, where: str, known: Iterable[str], unknown: str
    ) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            self._fail(node, f"{where}: expected 'name: value' lines")
        found: dict[str, yaml.Node] = {}
        known = tuple(known)
        for key, value in node.value:
            name = self._text(key, where)
            if name not in known:
                self._fail(key, f"{unknown} '{name}'{_suggestion(name, known)}")
            if name in found:
                self._fail(key, f"'{name}' stands here twice")
            found[name] = value
        return found

    def _table(self, node: yaml.Node | None, where: str) -> Mapping[str, str] | None:
        if node is None:
            return None
        if not isinstance(node, yaml.MappingNode):
            self._fail(node, f"{where}: 'values' takes 'text: meaning' lines")
        table: dict[str, str] = {}
        for key, value in node.value:
            text = self._text(key, where).strip().casefold()
            if text in table:
                self._fail(key, f"{where}: '{text}' stands here twice")
            table[text] = self._text(value, where)
        return MappingProxyType(table)

    def _sequence(self, node: yaml.Node | None, where: str) -> list[yaml.Node]:
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            self._fail(node, f"{where}: expected a list, such as [a, b]")
        return list(node.value)

    def _texts(self, node: yaml.Node | None, where: str) -> tuple[str, ...]:
        return tuple(self._text(item, where) for item in self._sequence(node, where))

    def _text(self, node: yaml.Node, where: str) -> str:
        # The text as written, not as YAML 1.1 types it: `NO` is Norway, `0.10` is not 0.1.
        if not isinstance(node, yaml.ScalarNode) or (
            node.tag == "tag:yaml.org,2002:null" and node.value in ("", "~")
        ):
            self._fail(node, f"{where}: expected a text")
        return str(node.value)

    def _pattern(self, node: yaml.Node | None, where: str) -> re.Pattern[str] | None:
        if node is None:
            return None
        try:
            return re.compile(self._text(node, where))
        except re.error as error:
            self._fail(node, f"{where}: the pattern is no regular expression: {error}")

    def _factor(self, node: yaml.Node | None, where: str) -> Decimal:
        if node is None:
            return Decimal(1)
        found = list(_numbers([self._text(node, where)]))
        if not found or found[0] <= 0:
            self._fail(node, f"{where}: 'times' takes a number above 0")
        return found[0]

    def _one_of(self, node: yaml.Node | None, where: str, choices: tuple[str, str]) -> str:
        """Return the text, which has to be one of the choices; the first without a node."""
        if node is None:
            return choices[0]
        text = self._text(node, where)
        if text not in choices:
            self._fail(node, f"{where}: expected '{choices[0]}' or '{choices[1]}', not '{text}'")
        return text

    def _character(self, node: yaml.Node | None, where: str, default: str) -> str:
        if node is None:
            return default
        text = self._text(node, where)
        if len(text) != 1:
            self._fail(node, f"'{where}' takes one character")
        return text

    def _encoding(self, node: yaml.Node | None) -> str:
        if node is None:
            return ""
        text = self._text(node, "encoding")
        try:
            codecs.lookup(text)
        except LookupError:
            self._fail(
                node, f"unknown encoding '{text}'; utf-8, utf-16, cp1252 and gb18030 are usual"
            )
        return text

    @staticmethod
    def _caseless(texts: Iterable[str]) -> frozenset[str]:
        return frozenset(text.strip().casefold() for text in texts)

    def _fail(self, node: yaml.Node, text: str) -> NoReturn:
        raise MappingError(f"{self._name}:{node.start_mark.line + 1}: {text}")


def _numbers(texts: Iterable[str]) -> Iterator[Decimal]:
    for text in texts:
        try:
            number = Decimal(text)
        except InvalidOperation:
            continue
        if number.is_finite():
            yield number
