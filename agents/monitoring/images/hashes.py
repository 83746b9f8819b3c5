"""PDQ hashes of a listing: how many are compared, and their bits as words."""

from __future__ import annotations

from binascii import unhexlify
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from agents.pdq import HEX_DIGITS

if TYPE_CHECKING:
    from agents.monitoring.images.hamming import Hashes

MAX_PICTURES: Final = 128
"""Pictures of a listing that are compared, the first ones: more than marketplaces allow, so that no
listing takes long."""


def to_rows(texts: Sequence[bytes]) -> Hashes:
    """Return the hashes of texts that are hashes, a row of four words each.

    Raises:
        ValueError: a text is no hash.
    """
    import numpy as np

    if any(len(text) != HEX_DIGITS for text in texts):
        raise ValueError(f"a hash has {HEX_DIGITS} hexadecimal digits")
    return np.frombuffer(unhexlify(b"".join(texts)), np.uint64).reshape(-1, 4)
