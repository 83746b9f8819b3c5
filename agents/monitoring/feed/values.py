"""Reads the texts of a row as the values of a record."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final, get_args

import msgspec

from agents.gtin import digits_of, has_valid_check_digit
from agents.monitoring.feed.sources import Source, ValueKind
from agents.monitoring.reference import COUNTRIES, MINOR_UNIT_EXPONENT
from agents.records import ChangeKind, Condition, SellerKind, parse_time

Row = Mapping[str, str]
Value = object

_CHOICES: Final = frozenset(
    choice for names in (ChangeKind, Condition, SellerKind) for choice in get_args(names)
)
_FLAGS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)
_GROUPED: Final = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", re.ASCII)
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_TOO_LARGE: Final = Decimal(10) ** 15
"""No price or count in a marketplace's file is larger; one that is was misread."""


class UnreadableError(ValueError):
    """A text that can't be read as what it should be."""


def read(kind: ValueKind, source: Source, row: Row, currency: str = "") -> Value | None:
    """Return the value of a field in a row, in the form that the record takes; None if absent.

    `currency` is the ISO 4217 code that a price is counted in.

    Raises:
        UnreadableError: the row has a text for it that can't be read, and the source refuses that.
    """
    try:
        if kind == "pairs":
            return _pairs(source, row) or None
        if kind in _LISTS:
            return _LISTS[kind](source, row) or None
        text = _first(source, row)
        if text is None:
            return None
        if kind == "price":
            return _minor_units(text, source, currency)
        if kind == "time":
            return _time(text, source)
        if kind in ("integer", "decimal"):
            return _number(text, source, whole=kind == "integer")
        return _PLAIN[kind](text)
    except UnreadableError:
        if source.lenient:
            return None
        raise


def _first(source: Source, row: Row) -> str | None:
    """Return the first text of the source that says something, surrounding space dropped."""
    return next(
        (text for cell in _cells(source, row) if (text := _refine(cell, source, row))), None
    )


def _cells(source: Source, row: Row) -> Iterator[str]:
    """Yield the texts the source points at, as they stand."""
    if source.constant is not None:
        yield source.constant
    elif source.join:
        parts = [_first(part, row) for part in source.join]
        if all(part is not None for part in parts):
            yield source.joiner.join(part for part in parts if part is not None)
    for column in source.columns:
        cell = row.get(column, "")
        if not source.names:
            yield cell
            continue
        for name, value in _name_value_pairs(cell):
            if name.strip().casefold() in source.names:
                yield value


def _refine(text: str, source: Source, row: Row) -> str | None:
    """Return what a text means by the source's pattern, absent texts and table of values."""
    # Python's strip leaves zero-width characters: they are the seller's, and evidence.
    text = text.strip()
    if source.pattern is not None:
        match = source.pattern.search(text)
        if match is None:
            return None
        text = ((match[1] if match.re.groups else match[0]) or "").strip()
    if not text or _is_absent(text, source):
        return None
    if source.values is None:
        return text
    meaning = source.values.get(text.casefold())
    if meaning is not None:
        return meaning or None
    return _first(source.otherwise, row) if source.otherwise is not None else None


def _is_absent(text: str, source: Source) -> bool:
    if text.casefold() in source.absent:
        return True
    return bool(
        source.absent_numbers and _NUMBER.fullmatch(text) and Decimal(text) in source.absent_numbers
    )


def _items(source: Source, row: Row) -> Iterator[str]:
    """Yield every item of the lists the source points at, each refined, none twice."""
    seen: set[str] = set()
    for cell in _cells(source, row):
        for item in _split(cell, source.separator):
            text = _refine(item, source, row)
            if text and text not in seen:
                seen.add(text)
                yield text


def _split(cell: str, separator: str) -> Iterator[str]:
    cell = cell.strip()
    if cell == "null" or cell.startswith(("[", "{")):
        for item in _json_list(cell):
            if isinstance(item, dict):
                yield _as_text(item.get("name"))
            else:
                yield _as_text(item)
    elif separator:
        yield from cell.split(separator)
    else:
        yield cell


def _json_list(cell: str) -> list[Any]:
    """Return the items of a JSON array; of a JSON object, its name/value pairs."""
    try:
        value = msgspec.json.decode(cell)
    except msgspec.DecodeError as error:
        raise UnreadableError(f"not JSON: {error}") from None
    if value is None:
        return []
    if isinstance(value, dict):
        return [{"name": name, "value": item} for name, item in value.items()]
    if not isinstance(value, list):
        raise UnreadableError("expected a JSON array")
    return value


def _as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ", ".join(_as_text(item) for item in value)
    return msgspec.json.encode(value).decode()


def _name_value_pairs(cell: str) -> Iterator[tuple[str, str]]:
    if not cell.strip():
        return
    for item in _json_list(cell.strip()):
        if not isinstance(item, dict):
            raise UnreadableError("expected name/value pairs")
        name, value = _as_text(item.get("name")).strip(), _as_text(item.get("value")).strip()
        if name and value:
            yield name, value


def _pairs(source: Source, row: Row) -> dict[str, str]:
    """Return name/value pairs; the values of a name that stands twice are joined by a comma."""
    found: dict[str, list[str]] = {}
    for column in source.columns:
        for name, value in _name_value_pairs(row.get(column, "")):
            if name.casefold() not in source.without and not _is_absent(value, source):
                values = found.setdefault(name, [])
                if value not in values:
                    values.append(value)
    return {name: ", ".join(values) for name, values in found.items()}


def _decimal(text: str, source: Source) -> Decimal:
    plain = "".join(text.split())
    if source.decimal == ",":
        plain = plain.translate(str.maketrans(",.", ".,"))
    if _GROUPED.fullmatch(plain):
        plain = plain.replace(",", "")
    if not _NUMBER.fullmatch(plain):
        raise UnreadableError(f"expected a number, got {_quoted(text)}")
    number = Decimal(plain) * source.times
    if abs(number) > _TOO_LARGE:
        raise UnreadableError(f"{_quoted(text)} is too large to be meant")
    return number


def _number(text: str, source: Source, *, whole: bool) -> int | float:
    number = _decimal(text, source)
    if number < 0:
        raise UnreadableError(f"{_quoted(text)} is below zero")
    if not whole:
        return float(number)
    if number != number.to_integral_value():
        raise UnreadableError(f"expected a whole number, got {_quoted(text)}")
    return int(number)


def _minor_units(text: str, source: Source, currency: str) -> int:
    """Return the price in minor units, rounded half to even (files carry binary fractions)."""
    if not currency:
        raise UnreadableError("a price without a currency")
    number = _decimal(text, source)
    if number < 0:
        raise UnreadableError(f"{_quoted(text)} is below zero")
    units = number.scaleb(MINOR_UNIT_EXPONENT[currency])
    return int(units.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


def _time(text: str, source: Source) -> int:
    if source.format:
        try:
            moment = datetime.strptime(text, source.format)  # noqa: DTZ007 set right below
        except ValueError:
            raise UnreadableError(
                f"expected a time as {source.format!r}, got {_quoted(text)}"
            ) from None
        return parse_time((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat())
    try:
        return parse_time(int(text) if text.isascii() and text.isdigit() else text)
    except ValueError:
        raise UnreadableError(
            f"expected a time as ISO 8601 or milliseconds, got {_quoted(text)}"
        ) from None


def _choice(text: str) -> str:
    choice = text.upper()
    if choice not in _CHOICES:
        raise UnreadableError(
            f"unknown {_quoted(text)}; the mapping can say what it means in 'values'"
        )
    return choice


def _flag(text: str) -> bool:
    flag = _FLAGS.get(text.casefold())
    if flag is None:
        raise UnreadableError(f"expected true or false, got {_quoted(text)}")
    return flag


def _currency(text: str) -> str:
    code = text.upper()
    if code not in MINOR_UNIT_EXPONENT:
        raise UnreadableError(f"{_quoted(text)} is no ISO 4217 code")
    return code


def _country(text: str) -> str:
    code = text.upper()
    if code not in COUNTRIES:
        raise UnreadableError(f"{_quoted(text)} is no ISO 3166-1 alpha-2 code")
    return code


def _language(text: str) -> str:
    if not _LANGUAGE.fullmatch(text):
        raise UnreadableError(f"{_quoted(text)} is no BCP 47 tag")
    return text


def _gtins(source: Source, row: Row) -> tuple[str, ...]:
    digits = map(digits_of, _items(source, row))
    return tuple(dict.fromkeys(filter(has_valid_check_digit, digits)))


def _images(source: Source, row: Row) -> tuple[dict[str, str], ...]:
    urls = (item for item in _items(source, row) if item.startswith(("https://", "http://")))
    return tuple({"url": url} for url in urls)


def _quoted(text: str) -> str:
    return f"'{text}'" if len(text) <= 40 else f"'{text[:39]}…'"


_PLAIN: Final[dict[ValueKind, Callable[[str], Value]]] = {
    "id": str,
    "text": str,
    "language": _language,
    "choice": _choice,
    "flag": _flag,
    "currency": _currency,
    "country": _country,
}
_LISTS: Final[dict[ValueKind, Callable[[Source, Row], tuple[Value, ...]]]] = {
    "names": lambda source, row: tuple(_items(source, row)),
    "countries": lambda source, row: tuple(_country(item) for item in _items(source, row)),
    "gtins": _gtins,
    "images": _images,
}
