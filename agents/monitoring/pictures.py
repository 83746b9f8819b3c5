"""Which pictures of a listing are known to show infringing goods, and of which right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agents.monitoring.images.hashes import MAX_PICTURES
from agents.pdq import counts
from agents.records import Listing

if TYPE_CHECKING:
    from agents.monitoring.images.known import NearImages


@dataclass(frozen=True, slots=True)
class ImageMatch:
    """A picture of the listing near a known infringing one: its place, hash, bits apart."""

    index: int
    pdq: str
    distance: int


def hashes_of(listing: Listing) -> list[bytes]:
    """Return what the listing gives as hashes of its pictures, as far as they are compared."""
    return [image.pdq.encode() for image in listing.images if image.pdq][:MAX_PICTURES]


def pictures_of(listing: Listing, near: NearImages) -> Mapping[int, tuple[ImageMatch, ...]]:
    """Return the known pictures of a listing by the position of the right they concern.

    A picture whose hash has no quality, or one below 50, says nothing.
    """
    found: dict[int, tuple[ImageMatch, ...]] = {}
    if not near:
        return found
    hashed = [(index, image) for index, image in enumerate(listing.images) if image.pdq]
    for index, image in hashed[:MAX_PICTURES]:
        if not counts(image.pdq_quality):
            continue
        for right, distance in near.get(image.pdq.encode(), ()):
            found[right] = (*found.get(right, ()), ImageMatch(index, image.pdq, distance))
    return found
