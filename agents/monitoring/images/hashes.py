"""PDQ hashes as text: 64 hexadecimal digits, as the records carry them."""

from __future__ import annotations

import re
from binascii import unhexlify
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agents.monitoring.images.hamming import Hashes

MIN_QUALITY: Final = 50
"""PDQ quality from which a hash says something; its authors discard 49 and below."""
HEX_DIGITS: Final = 64
MAX_PICTURES: Final = 128
"""Pictures of a listing that are compared, the first ones: more than marketplaces allow, so that no
listing takes long."""

_HASH: Final = re.compile(rb"[0-9a-fA-F]{64}")


def is_hash(text: bytes) -> bool:
    """Return whether a text is a PDQ hash."""
    return _HASH.fullmatch(text) is not None


def counts(quality: int | None) -> bool:
    """Return whether a picture's hash is good enough to say something."""
    return quality is not None and quality >= MIN_QUALITY


def to_rows(texts: Sequence[bytes]) -> Hashes:
    """Return the hashes of texts that are hashes, a row of four words each.

    Raises:
        ValueError: a text is no hash.
    """
    import numpy as np

    if any(len(text) != HEX_DIGITS for text in texts):
        raise ValueError(f"a hash has {HEX_DIGITS} hexadecimal digits")
    return np.frombuffer(unhexlify(b"".join(texts)), np.uint64).reshape(-1, 4)
