"""What can be asked of the vocabulary of all languages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from agents.monitoring.vocabulary.disguised import ALONE, APART, DisguisedWords
from agents.monitoring.vocabulary.expressions import Expressions
from agents.monitoring.vocabulary.nominative import NominativeUse
from agents.monitoring.vocabulary.pieces import Pieces
from agents.monitoring.vocabulary.replica import Finding, ReadText, ReplicaWords
from agents.monitoring.vocabulary.undressed import (
    Undressed,
    ends_of,
    passages,
    undressed,
)


@dataclass(frozen=True)
class Vocabulary:
    """All languages, compiled. Texts are folded readings; spans are in them.

    Not for use from two threads at once: see `Expressions`.
    """

    versions: Mapping[str, int]
    """The version of each language's file."""
    _replica: ReplicaWords = field(repr=False)
    _nominative: NominativeUse = field(repr=False)
    _pieces: Pieces = field(repr=False)
    _unoriginal: Expressions = field(repr=False)
    _disguised: DisguisedWords = field(repr=False)
    _used: Expressions = field(repr=False)
    _new_too: Expressions = field(repr=False)
    _literals: tuple[str, ...] = field(repr=False)

    def read(self, listings: Sequence[Sequence[str]]) -> list[dict[int, ReadText]]:
        """Return what `replica_words` reads in the original texts of each listing.

        By the position of a text, of those that have words of copying. A call for all the listings
        of a batch costs a third of one for each.
        """
        return self._replica.read(listings)

    def replica_words(
        self,
        text: str,
        marks: Sequence[tuple[int, int]],
        *,
        title: bool = False,
        whole: bool = False,
        read: ReadText | None = None,
    ) -> list[Finding]:
        """Return what calls the goods copies, in order, none within another.

        `marks` are the spans of the mark in `text`. In a title a word counts wherever it stands;
        elsewhere it has to stand near a mark, unless `whole` says that all of the text is about the
        goods of the mark: then strong words count anywhere. Words under a negation ('not a
        replica') or in an innocent context ('1:18 scale model', 'AAA batteries') do not count. With
        what `read` returned of it the text is not read again.
        """
        return self._replica.find(text, marks, title=title, whole=whole, read=read)

    def denies(self, text: str, start: int, end: int) -> bool:
        """Return whether what stands at this span is negated, or an innocent word of copying.

        So it is asked of a word that is written in disguise, whether it can be read or not.
        """
        return self._replica.denied(text, start, end)

    def disguised_words(
        self, title: str, marks: Sequence[tuple[int, int]]
    ) -> list[tuple[int, int, tuple[str, ...]]]:
        """Return where an original title calls the goods copies in words that it disguises.

        `marks` and the spans returned are of the original; with each, the folds that it takes to
        read. Only what takes one: 'r3plica', 'r e p l i c a', 'repl*ca'. Negations and innocent
        contexts count as ever.
        """
        undone = self._disguised.undone(title, marks)
        if undone is None:
            return []
        found = []
        for finding in self._replica.find(
            undone.text, undone.marks(title, marks), title=True, whole=True
        ):
            words = [
                word.found
                for word in undone.words
                if word.start < finding.end and finding.start < word.end
            ]
            letters = sum(map(str.isalnum, finding.text))
            surest = max((len(word.word) for word in words if word.sure), default=0)
            # Two ideographs are a word.
            foreign = any(not word.word.isascii() for word in words)
            enough = foreign or letters >= APART or surest >= ALONE
            if finding.kind == "replica" and words and enough:
                folds = tuple(sorted({word.fold for word in words}))
                found.append((words[0].start, words[-1].end, folds))
        return found

    def undressed_words(
        self, original: str, marks: Sequence[tuple[int, int]]
    ) -> list[tuple[int, int, tuple[str, ...]]]:
        """Return where an original text calls the goods copies once all its disguises are undone.

        As `disguised_words`, of any text of a listing that hides the mark, at its beginning and
        its end. What overlaps a mark is left out.
        """
        return [
            (start, end, folds)
            for start, end, folds in self._undressed(original)
            if not any(start < last and first < end for first, last in marks)
        ]

    @cached_property
    def _undressed(self) -> Callable[[str], list[tuple[int, int, tuple[str, ...]]]]:
        """The words of copying of a text, undressed: the same for each right that it names."""
        return lru_cache(maxsize=4)(self._undress)

    def _undress(self, original: str) -> list[tuple[int, int, tuple[str, ...]]]:
        for offset, part in ends_of(original):
            found = list(self._disguised_in(part))
            for way in () if found else undressed(part):
                found += (
                    (*way.span(start, end), folds) for start, end, folds in self._shown_in(way)
                )
            if found:
                return [(start + offset, end + offset, folds) for start, end, folds in found]
        return []

    def _shown_in(self, way: Undressed) -> Iterator[tuple[int, int, tuple[str, ...]]]:
        """Yield the words of copying of a text as it shows that take a fold to read."""
        for finding in self._replica.find(way.text, [], title=True, whole=True):
            folds = way.folds(finding.start, finding.end)
            if folds and finding.kind == "replica":
                yield finding.start, finding.end, folds
        yield from self._disguised_in(way.text)

    def _disguised_in(self, text: str) -> Iterator[tuple[int, int, tuple[str, ...]]]:
        for offset, passage in passages(text):
            for start, end, folds in self.disguised_words(passage, []):
                yield start + offset, end + offset, folds

    def nominative(
        self, text: str, start: int, end: int, *, said: bool = False, alone: bool = False
    ) -> bool:
        """Return whether the mark at this span names what the goods are *for*.

        With `said` only where the text says so of an accessory or with a word like 'compatible
        with': neither 'MARK case' nor 'sneakers for MARK' is enough. So it is asked of goods that
        are called copies, which a 'for' must not save. With `alone` no other name may stand before
        it either: in 'cable for X, Y MARK replica' the copy is the mark's.
        """
        return self._nominative.holds(text, start, end, said=said, alone=alone)

    def piece(self, title: str, start: int, end: int) -> tuple[int, int] | None:
        """Return where a short title offers a piece of the goods of the mark at this span.

        'MARK watch crown', 'boucle MARK', 'empty box MARK': what is sold is not the whole goods.
        None where it may be.
        """
        return self._pieces.find(title, start, end)

    def says_unoriginal(self, words: str) -> bool:
        """Return whether words of copying say no more than that a thing is not the mark owner's.

        'Not original' is what an honest seller says of a filter that fits the mark's goods.
        """
        return bool(self._unoriginal.hits(words))

    def says_used(self, text: str, *, new: bool = False) -> bool:
        """Return whether the text says that the goods are second-hand.

        Of goods that are declared `new`, words that describe new ones too say nothing: 'vintage',
        'can be used as'.
        """
        hits = self._used.hits(text)
        if not hits or not new:
            return bool(hits)
        excused = self._new_too.hits(text)
        return not all(
            any(other.start <= hit.start and hit.end <= other.end for other in excused)
            for hit in hits
        )

    def literals(self) -> tuple[str, ...]:
        """Return strong words, plain letters, that are safe to look for under disguise too."""
        return self._literals
