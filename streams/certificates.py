"""When the certificates of the settings end."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

from streams.settings import Settings

OWN: Final = "_certificate_location"
"""Ending of settings that name a certificate of ours, with those it rests on."""
TRUSTED: Final = "_ca_location"
"""Ending of settings that name the certificates to trust."""


def expiries(settings: Settings) -> dict[str, float]:
    """Return by setting when its certificates end, in seconds since 1970.

    Of a certificate with its chain the first end counts, for then nobody believes it. Of those to
    trust the last one: an old authority stands beside its successor. NaN for what can't be read.
    """
    return {
        name: expiry(path, last=name.endswith(TRUSTED))
        for name, path in settings
        if name.endswith((OWN, TRUSTED)) and isinstance(path, Path)
    }


def expiry(path: Path, *, last: bool) -> float:
    """Return when the certificates of a PEM file end, the last or else the first of them."""
    from cryptography import x509

    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
        ends = [certificate.not_valid_after_utc.timestamp() for certificate in found]
    except (OSError, ValueError):
        return math.nan
    return max(ends) if last else min(ends)
