"""The records of the contract as typed values, and their reading from JSON lines.

Names, defaults and meanings are those of `schemas/avro/*.avsc`; a test holds the two together.
Times are UTC milliseconds since 1970, money is minor units.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias, TypeVar

import msgspec

DAY_MS: Final = 86_400_000
"""A day, in milliseconds as times are."""
DAY_S: Final = 86_400
"""A day, in seconds as Redis has them."""
YEAR_2000_MS: Final = 946_684_800_000
"""A time from before is a producer's mistake."""

ChangeKind = Literal["CREATED", "UPDATED", "DELETED"]
Condition = Literal["NEW", "USED", "REFURBISHED", "UNKNOWN"]
SellerKind = Literal["BUSINESS", "PRIVATE"]
RightKind = Literal[
    "TRADEMARK", "COPYRIGHT", "DESIGN", "PATENT", "GEOGRAPHIC_INDICATION", "TRADE_SECRET"
]
Action = Literal["REMOVED", "REINSTATED", "REVIEW"]
Queue = Literal["WORK", "OVERFLOW"]
Source = Literal["MONITORING", "NOTICE", "INVESTIGATION", "SWEEP"]

# What an Avro long and int can hold: JSON has numbers of any size.
Long: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Int: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]


class Image(msgspec.Struct, frozen=True):
    """One picture of a listing."""

    url: str
    pdq: str = ""
    pdq_quality: Int | None = None


class Listing(msgspec.Struct, frozen=True):
    """A listing as it stands after one change."""

    listing_id: str
    seller_id: str
    occurred_at: Long
    title: str
    event_id: str = ""
    kind: ChangeKind = "UPDATED"
    revision: Long = 1
    description: str = ""
    brand: str = ""
    category_path: tuple[str, ...] = ()
    price_minor: Long | None = None
    currency: str = ""
    quantity: Long | None = None
    condition: Condition = "UNKNOWN"
    gtins: tuple[str, ...] = ()
    mpn: str = ""
    images: tuple[Image, ...] = ()
    attributes: dict[str, str] = {}
    ship_from: str = ""
    ships_to: tuple[str, ...] = ()
    language: str = ""


class Seller(msgspec.Struct, frozen=True):
    """A seller as the marketplace knows it; `upheld` and `cleared` only for `screen`."""

    seller_id: str
    created_at: Long | None = None
    kind: SellerKind = "PRIVATE"
    country: str = ""
    verified: bool = False
    identifiers: dict[str, tuple[str, ...]] = {}
    rating: float | None = None
    sales_12m: Long | None = None
    upheld: float = 0.0
    cleared: float = 0.0


class Sale(msgspec.Struct, frozen=True):
    """Units of a listing that were sold."""

    event_id: str
    listing_id: str
    seller_id: str
    quantity: Long
    occurred_at: Long


class AuthorisedSeller(msgspec.Struct, frozen=True):
    """A seller the owner of a right has authorised."""

    seller_id: str
    territories: tuple[str, ...] = ()
    until: Long | None = None


class Right(msgspec.Struct, frozen=True):
    """A registered right and what of it can be recognised in a listing."""

    right_id: str
    owner: str
    kind: RightKind = "TRADEMARK"
    member_id: str = ""
    brand: str = ""
    office: str = ""
    registration_number: str = ""
    mark: str = ""
    aliases: tuple[str, ...] = ()
    common_word: bool = False
    category_words: tuple[str, ...] = ()
    territories: tuple[str, ...] = ()
    nice_classes: tuple[Int, ...] = ()
    valid_from: Long | None = None
    valid_until: Long | None = None
    reference_price_minor: Long | None = None
    reference_currency: str = ""
    image_hashes: tuple[str, ...] = ()
    official_image_hashes: tuple[str, ...] = ()
    gtin_prefixes: tuple[str, ...] = ()
    authorised_sellers: tuple[AuthorisedSeller, ...] = ()


class Evidence(msgspec.Struct, frozen=True):
    """One reason: what was found, where it stood in the original text, and how it was read."""

    signal: str
    field: str = ""
    start: int = 0
    end: int = 0
    text: str = ""
    right_id: str = ""
    folds: tuple[str, ...] = ()
    note: str = ""


class Statement(msgspec.Struct, frozen=True):
    """The statement of reasons the seller gets (DSA Art. 17)."""

    ground: str
    facts: str
    redress: str


class Fingerprint(msgspec.Struct, frozen=True):
    """What a listing that was taken down is recognised by when it comes again."""

    version: int
    title: bytes = b""
    images: tuple[str, ...] = ()
    gtins: tuple[str, ...] = ()


class Inputs(msgspec.Struct, frozen=True):
    """What a verdict was made from, so that it can be made again."""

    topic: str
    partition: int
    offset: int
    listing: bytes | None = None
    """The record's value as it was read; None where it is too large to keep."""
    seller: str | None = None
    past: str | None = None


class Takedown(msgspec.Struct, frozen=True, kw_only=True):
    """A listing taken down or put up again; with `action` REVIEW, one a person has to see."""

    takedown_id: str
    action: Action
    listing_id: str
    revision: int
    seller_id: str
    source: Source = "MONITORING"
    notice_id: str | None = None
    rules: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    score: float = 0.0
    automated: bool = True
    policy_version: str
    registry_version: str
    brand: str = ""
    right_ids: tuple[str, ...] = ()
    listing_occurred_at: int
    received_at: int
    decided_at: int
    units_sold_before: int | None = None
    statement: Statement
    fingerprint: Fingerprint | None = None
    inputs: Inputs | None = None


class Review(Takedown, frozen=True, kw_only=True):
    """A listing that a person has to see, if there is time for its case."""

    priority: float = 0.0
    group_id: str = ""
    queue: Queue = "WORK"
    budget_asked: bool = False


TIME_FIELDS: Final[dict[type, tuple[str, ...]]] = {
    Listing: ("occurred_at",),
    Seller: ("created_at",),
    Sale: ("occurred_at",),
    Right: ("valid_from", "valid_until"),
    AuthorisedSeller: ("until",),
    Takedown: ("listing_occurred_at", "received_at", "decided_at"),
}

T = TypeVar("T")


class RowError(ValueError):
    """A row that cannot be read: names the field and the reason."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A row of a file that was refused."""

    path: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}"


FIRST_TIME: Final = -62_135_596_800_000
LAST_TIME: Final = 253_402_300_799_999
"""The years 1 to 9999, which ISO 8601 can write."""


def parse_time(value: object) -> int:
    """Return UTC milliseconds of an ISO 8601 text or of a number of milliseconds.

    A text without an offset is UTC. Raises ValueError for anything else, and for a number that lies
    outside the years 1 to 9999.
    """
    if isinstance(value, bool):
        raise ValueError("expected a time, got a boolean")  # noqa: TRY004 - a bad value of a row
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int):
        if not FIRST_TIME <= value <= LAST_TIME:
            raise ValueError("not within the years 1 to 9999, as milliseconds since 1970")
        return value
    if isinstance(value, str):
        moment = datetime.fromisoformat(value.strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
        return (delta.days * 86_400 + delta.seconds) * 1000 + delta.microseconds // 1000
    raise ValueError(f"expected ISO 8601 or milliseconds, got {type(value).__name__}")


def format_time(millis: int) -> str:
    """Return ISO 8601 UTC with milliseconds; the bare number outside the years 1 to 9999."""
    if not FIRST_TIME <= millis <= LAST_TIME:
        return f"{millis} ms"
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=millis)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_mapping(data: Any, type_: type[T]) -> T:
    """Return the record of `type_` with the values of a JSON object.

    Times may be ISO 8601 or milliseconds; a null stands for an absent field; names that the
    record does not have are ignored.

    Raises:
        RowError: naming the field and what is wrong with it.
    """
    if not isinstance(data, dict):
        raise RowError("expected a JSON object")
    try:
        return msgspec.convert(_with_times(data, type_), type_)
    except msgspec.ValidationError as error:
        raise RowError(_explain(error)) from None


def _with_times(data: dict[str, Any], type_: type) -> dict[str, Any]:
    values = {key: value for key, value in data.items() if value is not None}
    for name in TIME_FIELDS.get(type_, ()):
        if name in values:
            try:
                values[name] = parse_time(values[name])
            except ValueError as error:
                raise RowError(f"field '{name}': {error}") from None
    if type_ is Right and isinstance(values.get("authorised_sellers"), list):
        values["authorised_sellers"] = [
            _with_times(item, AuthorisedSeller) if isinstance(item, dict) else item
            for item in values["authorised_sellers"]
        ]
    return values


def _explain(error: msgspec.ValidationError) -> str:
    """Turn msgspec's `… - at `$.images[0].url`` into `field 'images[0].url': …`."""
    text, _, path = str(error).partition(" - at `$.")
    if path:
        return f"field '{path.rstrip('`')}': {text}"
    if "missing required field" in text:
        name = text.rsplit(" ", 1)[-1].strip("`")
        return f"field '{name}': missing, and it is required"
    return text


def read_jsonl(path: Path, type_: type[T]) -> Iterator[T | Refused]:
    """Yield each row of a JSON Lines file as a record, or why it was refused. Blank lines pass.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as lines:
        yield from parse_lines(lines, type_, str(path))


def parse_lines(lines: Iterable[bytes], type_: type[T], name: str) -> Iterator[T | Refused]:
    """Yield each JSON line as a record, or why it was refused; `name` stands in the reasons.

    A byte order mark before the first line is passed over.
    """
    for number, text in enumerate(lines, start=1):
        line = text.removeprefix(codecs.BOM_UTF8) if number == 1 else text
        if not line.strip():
            continue
        try:
            yield from_mapping(msgspec.json.decode(line), type_)
        except (RowError, msgspec.DecodeError, UnicodeDecodeError) as error:
            yield Refused(name, number, str(error))
        except RecursionError:
            yield Refused(name, number, "lists or objects within one another without an end")
