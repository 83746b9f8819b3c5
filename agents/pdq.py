"""PDQ, the hash of a picture: 256 bits, in the records 64 hexadecimal digits.

The thresholds are its authors': Facebook, 'The TMK+PDQF Video-Hashing Algorithm and the PDQ
Image-Hashing Algorithm', 2019.
"""

from __future__ import annotations

import re
from typing import Final

MAX_DISTANCE: Final = 31
"""Bits by which two hashes of one picture may differ."""
MIN_QUALITY: Final = 50
"""Quality, 0 to 100, from which a hash says something; 49 and below are discarded."""
HEX_DIGITS: Final = 64

_TEXT: Final = re.compile(rf"[0-9a-fA-F]{{{HEX_DIGITS}}}")
_BYTES: Final = re.compile(_TEXT.pattern.encode())


def is_hash(text: str | bytes) -> bool:
    """Return whether a text is a hash."""
    found = _TEXT.fullmatch(text) if isinstance(text, str) else _BYTES.fullmatch(text)
    return found is not None


def is_stored_hash(text: str) -> bool:
    """Return whether a text is a hash as a fingerprint holds it: in small digits."""
    return is_hash(text) and text == text.lower()


def counts(quality: int | None) -> bool:
    """Return whether the hash of a picture of this quality says something."""
    return quality is not None and quality >= MIN_QUALITY


def near(one: int, other: int) -> bool:
    """Return whether two hashes, as integers, are of one picture."""
    return (one ^ other).bit_count() <= MAX_DISTANCE
