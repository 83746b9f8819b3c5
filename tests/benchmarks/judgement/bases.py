"""Base listings: rows of a folder, or the shipped sample, that say nothing of their own on rights.

A generated case is a base with a mark and words put in, so that the rest is what shops write.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

import msgspec

from agents.demo import sample
from agents.monitoring.feed import load_mapping, read_listings
from agents.records import Listing
from tests.benchmarks.judgement.halves import Half, half_of
from tests.benchmarks.judgement.rights import NOW, marks
from tests.benchmarks.judgement.speak import CURRENCY, all_replica_words, speech

MARKETPLACES: Final = ("lazada", "shein", "shopee")

_ACCESSORY: Final = re.compile(
    r"\b(for|fits?|compatib\w*|kompatib\w*|replacement|case|casing|cover|strap|tali|untuk|buat|para|"
    r"compat[ií]ve\w*|funda|capa|capinha|p/|repuesto|refil\w*|spare|parts?|sparepart|sticker|stiker|"
    r"stickers|pegatinas|soporte|exhaust|knalpot|gundam|hguc|pegatina|decal|adesivo|cho|dành|pour|per|für|with|use|used|adapter|charger|cable|"
    r"protector|inspired|style|estilo|gaya|model|vintage|retro|toner|ink|tinta|filter|holder|stand|"
    r"pack|pcs|pc|set|isi|lot|lote|kit|x\d+|\d+x|bundle|piezas|peças|bekas|usado|second|preloved|"
    r"like|alternative|custom|diy|mirror|copy|clone|kw|premium|import)\b"
    r"|สำหรับ|ของเล่น|ใช้กับ|รองรับ|เคส|ฟิล์ม|สาย|มือสอง|ชุด|แพ็ค|อะไหล่|适用|適用|兼容|相容|专用|專用|用于|手機殼"
    r"|配件|套|二手|組|组|款|风|風|仿|ốp|phụ kiện|tương thích|dùng|combo|bộ",
    re.IGNORECASE,
)
"""Words of titles that say the goods go with others', come in packs or are used."""


@dataclass(frozen=True, slots=True)
class Base:
    """A listing into which a mark can be put, and its language."""

    listing: Listing
    language: str
    plain_goods: bool
    """Nothing says that the goods go with others', come in packs or are used."""


def real_rows(folder: Path) -> list[Listing]:
    """Return every row of the marketplaces' files in a folder that can be read as a listing."""
    found = []
    for marketplace in MARKETPLACES:
        for path in sorted(folder.glob(f"{marketplace}*.csv")):
            rows = read_listings(path, load_mapping(marketplace), NOW)
            found += [row for row in rows if isinstance(row, Listing)]
    if not found:
        names = ", ".join(f"{name}*.csv" for name in MARKETPLACES)
        raise SystemExit(f"{folder}: no {names} with rows that can be read")
    return found


def sample_rows() -> list[Listing]:
    """Return the listings of the shipped sample in which none of its own marks can be read."""
    names = [_bare(name) for right in sample.rights() for name in (right.mark, *right.aliases)]
    found = []
    for step in sample.steps():
        text = _bare(f"{step.listing.title} {step.listing.description} {step.listing.brand}")
        if not any(name in text for name in names):
            found.append(step.listing)
    return found


def bases(rows: Iterable[Listing], half: Half) -> list[Base]:
    """Return the half's rows that name no mark of ours and use no replica vocabulary.

    Titles that begin alike are of one half: shops list the same goods many times.
    """
    found = []
    for row in rows:
        if row.kind == "DELETED" or half_of(_bare(row.title)[:24]) != half:
            continue
        text = " ".join((row.title, row.description, row.brand, *row.attributes.values()))
        if _names_a_mark(text) or _speaks_of_copies(text):
            continue
        plain = not _ACCESSORY.search(row.title) and row.condition in ("NEW", "UNKNOWN")
        found.append(Base(row, _language(row), plain))
    return found


def composed(language: str, half: Half) -> list[Base]:
    """Return bases made of a language's own goods, for languages with few rows."""
    words = speech(language)
    made = []
    for number, goods in enumerate(words.goods):
        made.append(
            Base(
                Listing(
                    listing_id=f"composed:{language}:{number}",
                    seller_id="composed:seller",
                    occurred_at=NOW,
                    title=goods,
                    description=" ".join(words.plain[: number % (len(words.plain) + 1)]),
                    price_minor=50_00 * (number + 1),
                    currency=CURRENCY[language],
                    condition="NEW",
                    language=language,
                ),
                language,
                plain_goods=True,
            )
        )
    return [base for base in made if half_of(base.listing.title) == half] or made


class Shelf:
    """The bases of one half, by language."""

    def __init__(self, rows: Sequence[Listing], half: Half) -> None:
        """Sort the rows' bases; a language with few of them gets composed ones too."""
        self.half = half
        self.all = bases(rows, half)
        self._plain: dict[str, list[Base]] = {}
        for base in self.all:
            if base.plain_goods:
                self._plain.setdefault(base.language, []).append(base)

    def plain_goods(self, language: str) -> list[Base]:
        """Return bases in a language that are single new goods and no accessories."""
        found = self._plain.get(language, [])
        return found if len(found) >= 25 else [*found, *composed(language, self.half)]


def with_values(listing: Listing, **values: object) -> Listing:
    """Return the listing with fields changed."""
    return msgspec.structs.replace(listing, **values)


@cache
def _mark_patterns() -> re.Pattern[str]:
    names = {_bare(name) for mark in marks() for name in (mark.right.mark, *mark.right.aliases)}
    latin = sorted((re.escape(n) for n in names if n.isascii()), key=len, reverse=True)
    other = sorted((re.escape(n) for n in names if not n.isascii()), key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(latin)})\b|{'|'.join(other)}")


@lru_cache(maxsize=50_000)
def _bare(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in folded if not unicodedata.combining(c))


def _names_a_mark(text: str) -> bool:
    return bool(_mark_patterns().search(_bare(text)))


_FURTHER_COPIES: Final = ("bootleg", "knock off", "reproduction", "grade ori", "copy", "mirror")


@cache
def _copies() -> re.Pattern[str]:
    found = (*all_replica_words(), *_FURTHER_COPIES)
    words = sorted(map(re.escape, found), key=len, reverse=True)
    return re.compile("|".join(words))


def _speaks_of_copies(text: str) -> bool:
    return bool(_copies().search(text.casefold()))


_SCRIPTS: Final = (("THAI", "th"), ("CJK", "zh"), ("ARABIC", "ar"), ("CYRILLIC", "ru"))
_WORDS: Final = {
    "id": frozenset(["untuk", "dan", "dengan", "bahan", "wanita", "pria", "anak", "bisa", "yang",
                     "warna", "baju", "celana", "tas"]),
    "es": frozenset(["de", "para", "con", "mujer", "hombre", "del", "los", "las", "y", "niños"]),
    "pt": frozenset(["de", "para", "com", "feminino", "masculino", "do", "da", "e", "em", "não"]),
    "vi": frozenset(["và", "cho", "của", "có", "không", "hàng", "nam", "nữ"]),
}  # fmt: skip


def _language(row: Listing) -> str:
    """Return the row's language, or what its title looks like."""
    if row.language:
        return row.language.split("-")[0].lower()
    for letter in row.title:
        if letter.isalpha() and not letter.isascii():
            name = unicodedata.name(letter, "")
            for script, language in _SCRIPTS:
                if name.startswith(script):
                    return language
    words = set(row.title.casefold().split())
    best = max(_WORDS, key=lambda language: len(words & _WORDS[language]))
    return best if len(words & _WORDS[best]) >= 2 else "en"
