"""The rights that generated listings are judged against: marks of `marks.txt`, else invented."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from agents.records import AuthorisedSeller, Right

FILE: Final = Path(__file__).parent / "marks.txt"
NOW: Final = 1_796_040_000_000
"""2026-11-30T12:00:00Z: when everything here is judged."""
YEAR_MS: Final = 365 * 86_400_000
KINDS: Final = ("plain", "short", "common", "longer", "expired", "future", "elsewhere")
MINOR_DIGITS: Final = {"JPY": 0, "CLP": 0, "VND": 0, "KRW": 0}
"""Digits of minor units where they are not two."""
THERE: Final = "MY"
"""Where a second seller is authorised."""
ABROAD: Final = "NZ"
"""Where no right of the kind 'elsewhere' is in force."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A registered mark, as listings use it."""

    name: str
    kind: str
    right: Right

    @property
    def authorised(self) -> str:
        """The seller whom the owner has authorised."""
        return self.right.authorised_sellers[0].seller_id

    @property
    def authorised_there(self) -> str:
        """The seller whom the owner has authorised in the country `THERE` only."""
        return self.right.authorised_sellers[1].seller_id

    @property
    def formerly_authorised(self) -> str:
        """The seller whose authorisation has lapsed."""
        return self.right.authorised_sellers[2].seller_id


@cache
def marks() -> tuple[Mark, ...]:
    """Return every mark. Raises ValueError for a malformed line of the file."""
    found = []
    for number, line in enumerate(FILE.read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip() and not line.startswith("#"):
            fields = [field.strip() for field in line.split("|")]
            if len(fields) != 6:
                raise ValueError(f"{FILE.name}:{number}: six fields are wanted")
            found.append(_mark(number, fields))
    return tuple(found)


def _mark(number: int, fields: list[str]) -> Mark:
    name, price, currency, aliases, territories, kind = fields
    kind = kind or "plain"
    if kind not in KINDS:
        raise ValueError(f"{FILE.name}:{number}: unknown kind '{kind}'")
    others, _, words = aliases.partition("/")
    since, until = NOW - 6 * YEAR_MS, NOW + 4 * YEAR_MS
    if kind == "expired":
        until = NOW - YEAR_MS // 12
    if kind == "future":
        since = NOW + YEAR_MS // 12
    right_id = f"tm-{number:03}"
    return Mark(
        name,
        kind,
        Right(
            right_id,
            f"Owner of {name}",
            brand=name,
            office="EUIPO",
            registration_number=f"BENCH-{number:04}",
            mark=name,
            aliases=_list(others),
            common_word=kind == "common",
            category_words=_list(words),
            territories=_list(territories),
            valid_from=since,
            valid_until=until,
            reference_price_minor=int(price) * 10 ** MINOR_DIGITS.get(currency, 2),
            reference_currency=currency,
            image_hashes=(_hash(f"known/{name}"),),
            official_image_hashes=(_hash(f"official/{name}"),),
            authorised_sellers=(
                AuthorisedSeller(f"dealer:{right_id}"),
                AuthorisedSeller(f"dealer-there:{right_id}", territories=(THERE,)),
                AuthorisedSeller(f"former-dealer:{right_id}", until=NOW - YEAR_MS),
            ),
        ),
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def hashes_of(mark: Mark) -> tuple[str, str]:
    """Return the hash of the known infringing picture, and that of the owner's own."""
    return mark.right.image_hashes[0], mark.right.official_image_hashes[0]


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def of_kind(*kinds: str) -> list[Mark]:
    """Return the marks of these kinds."""
    return [mark for mark in marks() if mark.kind in kinds]
