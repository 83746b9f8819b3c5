"""The rights registry, compiled for judging: immutable, built aside and swapped between batches."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import msgspec

from agents.gtin import GtinPrefixes, prefix_table
from agents.monitoring.folding import folded_reading
from agents.monitoring.layered_rights import LayeredRights
from agents.monitoring.marks import MarkMatcher, words_of
from agents.monitoring.reference import countries
from agents.monitoring.vocabulary import load as load_vocabulary
from agents.records import Listing, Right
from streams.aside import giving_way

if TYPE_CHECKING:
    from agents.monitoring.images.known import KnownImages
    from agents.monitoring.listing_texts import ListingTexts


@dataclass(frozen=True)
class Registry:
    """Every right in force or not, under one version, with the matcher of all their marks."""

    version: str
    rights: Sequence[Right]
    """Ascending by id."""
    matcher: MarkMatcher = field(repr=False)
    rights_of_mark: Sequence[tuple[int, ...]] = field(repr=False)
    """By mark, the positions of the rights that have it, ascending."""
    images: KnownImages | None = field(default=None, repr=False)
    """The pictures known to show infringing goods; None where none is registered."""
    gtin_prefixes: GtinPrefixes = field(default_factory=dict, repr=False)

    @cached_property
    def _category_words(self) -> dict[int, re.Pattern[str]]:
        return {}

    @cached_property
    def positions(self) -> Mapping[str, int]:
        """Where each right stands among `rights`, by its id."""
        if isinstance(self.rights, LayeredRights):
            return self.rights.positions
        return {right.right_id: position for position, right in enumerate(self.rights)}

    def concerns_goods(self, right: int, texts: ListingTexts) -> bool:
        """Return whether a common-word mark stands beside a word of the goods it covers.

        Always true for a mark that is no common word.
        """
        if not self.rights[right].common_word:
            return True
        pattern = self._category_words.get(right)
        if pattern is None:
            readings = (folded_reading(w).strip() for w in self.rights[right].category_words)
            # An empty one would stand beside everything.
            words = [re.escape(reading) for reading in readings if reading]
            ending = r"(?:s|es)?(?!\w)"
            pattern = re.compile(rf"(?<!\w)(?:{'|'.join(words)}){ending}" if words else r"(?!)")
            self._category_words[right] = pattern
        return bool(pattern.search(texts.goods))


def compile_registry(
    rights: Iterable[Right], version: str, former: Registry | None = None
) -> Registry:
    """Return the registry of these rights; their order does not matter.

    1,200 rights take about a quarter of a second: call it off the loop. Where `former` has the same
    marks, as when a seller was authorised, its matcher serves on, and no mark is compiled.
    """
    ordered = tuple(sorted(rights, key=lambda right: right.right_id))
    owners: defaultdict[tuple[str, ...], set[int]] = defaultdict(set)
    spelled: dict[tuple[str, ...], str] = {}
    for index, right in enumerate(giving_way(ordered)):
        for mark in (right.mark, *right.aliases):
            words = words_of(mark)
            if words:
                owners[words].add(index)
                spelled.setdefault(words, mark)
    marks = sorted(owners)
    written = tuple(spelled[words] for words in marks)
    return Registry(
        version,
        ordered,
        former.matcher
        if former is not None and former.matcher.marks == written
        else MarkMatcher(written, load_vocabulary().literals()),
        tuple(tuple(sorted(owners[words])) for words in marks),
        _images(ordered),
        prefix_table(enumerate(ordered)),
    )


def _images(rights: Sequence[Right]) -> KnownImages | None:
    if not any(right.image_hashes for right in rights):
        return None
    from agents.monitoring.images.known import KnownImages

    return KnownImages(rights)


def content_version(rights: Sequence[Right]) -> str:
    """Return the version of rights that come from a file: a hash of what they say."""
    encoded = msgspec.json.encode(sorted(rights, key=lambda right: right.right_id))
    return f"sha256:{hashlib.sha256(encoded).hexdigest()[:16]}"


def in_force(right: Right, listing: Listing, now: int) -> bool:
    """Return whether the right holds at `now` (UTC ms) somewhere the listing ships to."""
    if right.valid_from is not None and now < right.valid_from:
        return False
    if right.valid_until is not None and now >= right.valid_until:
        return False
    return bool(_territories(right, listing))


@lru_cache(maxsize=4_096)
def _countries(codes: tuple[str, ...]) -> frozenset[str]:
    """Return the countries of codes; most listings of a seller ship to the same."""
    return countries(codes)


_EVERYWHERE = frozenset({"*"})
MAX_CODES = 1000
"""Countries a listing may say it ships to, so that none takes long."""


def _territories(right: Right, listing: Listing) -> frozenset[str]:
    """Return where the right is in force and the listing ships to; {'*'} means everywhere."""
    # Where none of the codes is a country's, nobody knows where it ships to: it may be anywhere.
    # The same where there are more codes than countries, four times over.
    many = len(listing.ships_to) > MAX_CODES
    shipped = frozenset() if many else _countries(listing.ships_to)
    if not right.territories:
        return shipped or _EVERYWHERE
    held = _countries(right.territories)
    return held & shipped if shipped else held


def authorisation(right: Right, listing: Listing, now: int) -> tuple[bool, bool]:
    """Return whether the owner has authorised the seller everywhere, and at least somewhere.

    'Everywhere' is every territory in which the right is in force and the listing ships to.
    """
    wanted = _territories(right, listing)
    granted: set[str] = set()
    for seller in right.authorised_sellers:
        if seller.seller_id != listing.seller_id:
            continue
        if seller.until is not None and now >= seller.until:
            continue
        if not seller.territories:
            return True, True
        granted |= _countries(seller.territories)
    if not granted:
        return False, False
    if wanted == _EVERYWHERE:
        return False, True
    return wanted <= granted, bool(wanted & granted)
