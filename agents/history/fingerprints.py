"""What a listing is recognised by when it comes again: its title, its pictures, its GTINs.

A title's sketch is a one-permutation MinHash (Li, Owen, Zhang, 2012) over the three-letter shingles
of its words: the order of the words makes no difference, a typo a small one. It costs 13 µs a title
of 110 characters, because words come again and their hashes are kept. The method stands in the
schema's doc as well: sketches live in Kafka longer than any version of a library, so none is used.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from agents.gtin import gtin_14
from agents.pdq import counts, is_hash, near
from agents.records import Fingerprint, Image

VERSION: Final = 2
"""Of version 1 the title's sketch counts the words of the mark as well."""
BINS: Final = 128
"""Standard error of an estimate of 0.8: 0.035."""
EMPTY: Final = 0xFFFF
MIN_SHINGLES: Final = 8
"""A title with fewer says too little: 'Zorvex' alone has six."""
ALIKE: Final = 0.7
"""Similarity from which two titles are near-duplicates *(start value)*.

On 1,800 real titles, edited: one word misspelt 99.8 % alike (97.6 % at 0.8), one added 99.9 %
(98.6 %), one dropped 98.8 % (94.9 %), 'free shipping hot' added 90 % (66 %). Of 6,928 pairs of
different goods of one seller 0.6 % are (0.4 %), and those are sizes and colours of one product."""
ALIKE_UNNAMED: Final = 0.84
"""The same where the listing does not name the mark, and nothing but its title speaks against it.

Of 45,552 pairs of real listings of one category, apart from those that differ in numbers only,
0.08 % are alike by so much, and 0.27 % by `ALIKE`; those are colours and cuts of one product. With
another name in the mark's place 93 % of real titles are found (99.8 %)."""
TELLING: Final = 24
"""Bins that such a title fills at least, four or five words: 'Leather wallet' is anybody's."""
MAX_WORDS: Final = 200
MAX_WORD: Final = 40

MAX_IMAGES: Final = 4
MAX_GTINS: Final = 4
STORED_IMAGES: Final = 2
"""Pictures of a removal that can be looked up; a listing looks all of its own up, so the order of
the pictures makes no difference while one of the first two comes again."""

_BANDS: Final = 24
_ROWS: Final = 4
_NO_ROWS: Final = b"\xff\xff" * _ROWS
_BAND_PLACES: Final = tuple(
    (f"t{band:02}", band * _ROWS * 2, (band + 1) * _ROWS * 2) for band in range(_BANDS)
)
_CHUNK_PLACES: Final = tuple((f"p{chunk:x}", chunk * 4, chunk * 4 + 4) for chunk in range(16))
_SKETCH: Final = struct.Struct(f">{BINS}H")
_WORD: Final = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Alike:
    """In what two listings are alike."""

    gtin: str = ""
    images: int = 0
    title: float = 0.0
    """Estimated similarity; 0 where it stays under `ALIKE`."""
    telling: bool = False
    """Whether the titles say enough to count where the mark is not named."""

    def __bool__(self) -> bool:
        return bool(self.gtin or self.images or self.title)


def fingerprint(
    title: str,
    images: Iterable[Image] = (),
    gtins: Iterable[str] = (),
    official: Collection[int] = (),
) -> Fingerprint | None:
    """Return the fingerprint of a listing, None where nothing of it can be recognised.

    `title` is the folded reading of what it says of the goods: without marks and words of copying.
    Pictures near the `official` ones (PDQ as integers) are left out: the manufacturer's own show
    nothing but the goods, and honest sellers share them.
    """
    sketch = title_sketch(title)
    hashes: dict[str, None] = {}
    for image in images:
        pdq = image.pdq.lower()
        if not counts(image.pdq_quality) or not is_hash(pdq):
            continue
        bits = int(pdq, 16)
        if not any(near(bits, known) for known in official):
            hashes[pdq] = None
        if len(hashes) == MAX_IMAGES:
            break
    numbers = dict.fromkeys(filter(None, map(gtin_14, gtins)))
    if not (sketch or hashes or numbers):
        return None
    return Fingerprint(VERSION, sketch, tuple(hashes), tuple(numbers)[:MAX_GTINS])


@lru_cache(maxsize=64)  # asked first whether it has one
def title_sketch(title: str) -> bytes:
    """Return the sketch of a folded title, `BINS` big-endian 16-bit numbers; empty if too short."""
    bins = [EMPTY] * BINS
    count = 0
    for word in {found[:MAX_WORD] for found in _WORD.findall(title)[:MAX_WORDS]}:
        for index, value in _shingles(word):
            count += 1
            if value < bins[index]:  # noqa: PLR1730 - min() would double the time
                bins[index] = value
    return _SKETCH.pack(*bins) if count >= MIN_SHINGLES else b""


@lru_cache(maxsize=65_536)
def _shingles(word: str) -> tuple[tuple[int, int], ...]:
    """Return bin and value of each three-letter shingle of a word with a space at each end."""
    padded = f" {word} "
    found = []
    for start in range(len(padded) - 2):
        hashed = zlib.crc32(padded[start : start + 3].encode()) * 0x9E3779B1 & 0xFFFFFFFF
        hashed = (hashed ^ hashed >> 15) * 0x85EBCA77 & 0xFFFFFFFF
        found.append((hashed >> 25, min(hashed >> 9 & 0xFFFF, EMPTY - 1)))
    return tuple(found)


def title_similarity(one: bytes, other: bytes) -> float:
    """Return the estimated Jaccard similarity, 0 to 1, of the shingles of two titles."""
    if len(one) != _SKETCH.size or len(other) != _SKETCH.size:
        return 0.0
    same = used = 0
    for a, b in zip(_SKETCH.unpack(one), _SKETCH.unpack(other), strict=True):
        if a != EMPTY or b != EMPTY:
            used += 1
            same += a == b
    return same / used if used else 0.0


def features(of: Fingerprint, images: int = MAX_IMAGES) -> tuple[str, ...]:
    """Return the keys under which near-duplicates meet: few in number, equal in at least one.

    Titles by 24 bands of four bins: of those alike by 0.7 one in 700 meets in none. The first
    `images` pictures by sixteen chunks of sixteen bits: up to a distance of 15 bits they share one
    always; where the bits differ by chance, of 20 one in 1,600 shares none, of 31 one in 11.
    """
    found: list[str] = []
    for prefix, start, end in _BAND_PLACES if of.title else ():
        rows = of.title[start:end]
        if rows != _NO_ROWS:
            found.append(f"{prefix}{zlib.crc32(rows):08x}")
    for pdq in of.images[:images]:
        found += [prefix + pdq[start:end] for prefix, start, end in _CHUNK_PLACES]
    found += [f"g{number}" for number in of.gtins]
    return tuple(dict.fromkeys(found))


def alike(one: Fingerprint, other: Fingerprint) -> Alike:
    """Return in what two listings are near-duplicates; false where they are none.

    One picture in common may be a size chart or the shop's logo: the first one of each has to be
    the same, or half of the pictures of the listing that has fewer.
    """
    gtin = next((number for number in one.gtins if number in other.gtins), "")
    title = 0.0
    if one.version == other.version:
        title = title_similarity(one.title, other.title)
    near = title >= ALIKE
    return Alike(
        gtin,
        same_images(one.images, other.images),
        round(title, 3) if near else 0.0,
        near and _telling(one.title) and _telling(other.title),
    )


def alone(likeness: Alike) -> bool:
    """Return whether a likeness to what was removed counts where the mark is not named."""
    if likeness.gtin or likeness.images:
        return True
    return likeness.telling and likeness.title >= ALIKE_UNNAMED


def _telling(sketch: bytes) -> bool:
    filled: int = sum(value != EMPTY for value in _SKETCH.unpack(sketch))
    return filled >= TELLING


def same_images(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many pictures are the same, 0 where that says nothing of the goods."""
    theirs = [int(pdq, 16) for pdq in other]
    same = [any(near(int(pdq, 16), their) for their in theirs) for pdq in one]
    if not any(same):
        return 0
    first = near(int(one[0], 16), theirs[0])
    return sum(same) if first or sum(same) * 2 >= min(len(one), len(other)) else 0
