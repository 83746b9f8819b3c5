"""What rights would touch of recent listings, were they in the registry.

A right *touches* a listing where the worker would hold it against it: its mark is found by the
worker's own screen and reading, beside the goods where it is a common word, and it is in force
where the listing ships to. What then follows, by price or seller, is not asked.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from agents.monitoring.examination import examine_right
from agents.monitoring.listing_texts import ListingTexts, texts_of
from agents.monitoring.marks import Found, MarkMatch, words_of
from agents.monitoring.registry import compile_registry, in_force
from agents.monitoring.vocabulary import load as load_vocabulary
from agents.records import Listing, Right
from streams.texts import Texts


@dataclass(frozen=True, slots=True)
class Touched:
    """How many listings a right touches: in all, and by each of its marks and aliases."""

    listings: int = 0
    _by_words: Mapping[tuple[str, ...], int] = field(default_factory=dict)

    def by(self, mark: str) -> int:
        """Return how many listings a mark or alias of the right touches."""
        return self._by_words.get(words_of(mark), 0)

    def share_of(self, listings: int) -> float:
        """Return the share of so many listings that the right touches; 0 of none."""
        return self.listings / listings if listings else 0.0


_NOTHING = Touched()
_Marks = frozenset[tuple[int, int]]
"""What touches a listing: positions of rights, each with the number of its mark."""


class Reach:
    """Rights, and the listings they touch. Not for use from two threads at once.

    All rights are looked for at once, so a listing costs about what it costs the worker. As there,
    where marks overlap the longest stands: 'Pro' of one right is not found in 'Zorvex Pro' of
    another one.
    """

    def __init__(self, rights: Sequence[Right], now: int) -> None:
        """Compile the rights. `now` is UTC ms; a right that begins later counts as from then."""
        self._registry = compile_registry(rights, "reach")
        self._vocabulary = load_vocabulary()
        self._moments = [max(now, right.valid_from or now) for right in self._registry.rights]
        self._seen: dict[str, _Marks] = {}
        self._counts: dict[str, Touched] | None = None

    @property
    def listings(self) -> int:
        """How many listings were looked at: each once, as it was when it was given last."""
        return len(self._seen)

    def add(self, listings: Sequence[Listing]) -> None:
        """Look at listings, oldest first; one that was deleted counts no more."""
        self._counts = None
        texts = [texts_of(listing) for listing in listings]
        screened = self._registry.matcher.screen(
            Texts.of([[text.encode() for text in fields.values()] for fields in texts])
        )
        hits = [n for n in sorted(screened) if listings[n].kind != "DELETED"]
        found = dict(
            zip(hits, self._registry.matcher.find_all([texts[n] for n in hits]), strict=True)
        )
        for number, listing in enumerate(listings):
            self._seen.pop(listing.listing_id, None)
            if listing.kind == "DELETED":
                continue
            marks = found.get(number)
            self._seen[listing.listing_id] = (
                frozenset(self._touching(listing, marks)) if marks else frozenset()
            )

    def touched(self, right_id: str) -> Touched:
        """Return what a right touches of the listings looked at."""
        if self._counts is None:
            self._counts = self._count()
        return self._counts.get(right_id, _NOTHING)

    def _touching(self, listing: Listing, found: Found) -> Iterator[tuple[int, int]]:
        by_right: defaultdict[int, list[MarkMatch]] = defaultdict(list)
        for match in found.marks:
            for position in self._registry.rights_of_mark[match.mark]:
                by_right[position].append(match)
        texts = ListingTexts(listing, self._vocabulary, found.marks)
        for position, matches in by_right.items():
            right, moment = self._registry.rights[position], self._moments[position]
            if not in_force(right, listing, moment):
                continue
            if not self._registry.concerns_goods(position, texts):
                continue
            # What may be an honest word counts only where the listing calls its goods copies.
            sure = [match for match in matches if match.strength != "weak"]
            if not sure and not examine_right(
                right, texts, matches, self._vocabulary, moment, disguised=found.words
            ):
                continue
            yield from {(position, match.mark) for match in sure or matches}

    def _count(self) -> dict[str, Touched]:
        listings: Counter[int] = Counter()
        by_mark: defaultdict[int, Counter[tuple[str, ...]]] = defaultdict(Counter)
        for marks in self._seen.values():
            listings.update({right for right, _ in marks})
            for right, mark in marks:
                by_mark[right][self._names[mark]] += 1
        rights = self._registry.rights
        return {
            rights[position].right_id: Touched(count, dict(by_mark[position]))
            for position, count in listings.items()
        }

    @cached_property
    def _names(self) -> Sequence[tuple[str, ...]]:
        return [words_of(mark) for mark in self._registry.matcher.marks]


def measure(rights: Sequence[Right], batches: Iterable[Sequence[Listing]], now: int) -> Reach:
    """Return the reach of rights over batches of listings, oldest first; `now` is UTC ms."""
    reach = Reach(rights, now)
    for batch in batches:
        reach.add(batch)
    return reach
