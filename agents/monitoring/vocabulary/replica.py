"""Finds the words that call goods copies, and leaves alone those that say something else."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from agents.monitoring.folding import folded_reading
from agents.monitoring.vocabulary.denial import BEFORE, ENDS, PHRASE_ENDS, Denials
from agents.monitoring.vocabulary.expressions import Expressions, for_python
from agents.monitoring.vocabulary.phrases import Hit

NEAR: Final = 80
"""Characters between a mark and a strong word that still speaks of it *(start value)*."""
AROUND: Final = 24
"""The same for a word that is strong only in a title ('KW', '1:1'), and for imitation."""
BESIDE: Final = 3
"""Characters between a mark and a word that counts only right beside it."""
OPENING: Final = 40
"""Characters at the start of a description of the goods that speak as a title does: '1:1, box and
papers included', 'sold as an imitation'."""
CONTEXT: Final = 40
"""Characters around a word in which its innocent context is looked for."""
HEAD: Final = 6_000
"""Characters read from the start of a text, and as many from its end: the longest description in
1,800 real rows has 4,530. What lies between is read only near the mark."""
MENTIONS: Final = 50
"""Mentions of the mark around which the middle of an overlong text is read."""

OF_COPYING: Final = ("strong", "title", "beside")
"""Groups whose words call the goods copies."""

BACK: Final = 8
"""Words on one side of a word among which those are looked for that it stands with, at most."""
FEW: Final = 2
"""Words between a word and a neighbour beside it that excuses it, at most."""

LISTED: Final = 12
"""Characters between two words of one list: 'no fakes, and no copies'."""
REPEATED: Final = 12
"""Times that one word is looked at in a text; who denies it so often says nothing new after."""
EXAMINED: Final = 100
"""Words looked at in a text."""
MOST_WORDS: Final = 100
"""Words met in a listing, or in a part of an overlong text: of 1,800 real rows none has over 17."""

Kind = Literal["replica", "inspired"]

REPLICA_GROUPS: Final = ("strong", "title", "beside", "inspired", "style", "trade")
"""How far a word of copying reaches: see `en.yaml`."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A word of the vocabulary in a reading: its kind, its span there, what it says."""

    kind: Kind
    start: int
    end: int
    text: str


class Word(NamedTuple):
    """A word of copying, by the group it stands in."""

    group: str
    start: int
    end: int


class ReadText(NamedTuple):
    """The words of copying in a text, and what is known of them so far.

    Of a word by its index; by its span of what several words share, in several languages.
    """

    text: str
    words: list[Word]
    counts: dict[int, bool]
    negated: dict[int, bool]
    denied: dict[tuple[int, int], bool]
    innocent: dict[tuple[int, int], bool]


def _unread(text: str, words: list[Word]) -> ReadText:
    return ReadText(text, words, {}, {}, {}, {})


class ReplicaWords:
    """The words of copying of all languages, with what turns them round."""

    def __init__(
        self,
        words: Expressions,
        denials: Denials,
        between: Expressions,
        innocent: Expressions,
    ) -> None:
        """Take the compiled groups of the vocabulary files."""
        self._words = words
        self._denials = denials
        self._between = between
        self._innocent = innocent
        self._groups = [entry.group.removeprefix("replica.") for entry in words.entries]
        self._excuses = [
            for_python(entry.excuses) if entry.excuses else None for entry in innocent.entries
        ]
        self._most_between = [
            0 if entry.next else FEW if entry.beside else None for entry in innocent.entries
        ]
        # A listing is asked about once for each right that it names: the words are the same.
        self._read = lru_cache(maxsize=16)(self._words_of)

    def read(self, listings: Sequence[Sequence[str]]) -> list[dict[int, ReadText]]:
        """Return the words of copying of the texts of listings, of those that have any.

        By the position of each in its listing; all are read at once. The texts are originals. An
        overlong one is there without words: it is read around the marks, when they are known.
        """
        texts = [text for listing in listings for text in listing]
        long: set[int] = set()
        if max(map(len, texts), default=0) > 2 * HEAD:
            long = {number for number, text in enumerate(texts) if _is_long(text)}
            texts = ["" if number in long else text for number, text in enumerate(texts)]
        hits = self._words.hits_of(texts)
        found: list[dict[int, ReadText]] = []
        first = 0
        for listing in listings:
            numbers = range(first, first + len(listing))
            first += len(listing)
            found.append({})
            left = MOST_WORDS
            for number, text in zip(numbers, listing, strict=True):
                if number not in hits and number not in long:
                    continue
                folded = folded_reading(text)
                words = self._few(folded, hits.get(number, ()), left)
                left -= len(words)
                if words or number in long:
                    found[-1][number - numbers.start] = _unread(folded, words)
        return found

    def find(
        self,
        text: str,
        marks: Sequence[tuple[int, int]],
        *,
        title: bool,
        whole: bool,
        read: ReadText | None = None,
    ) -> list[Finding]:
        """Return what calls the goods copies; see `Vocabulary.replica_words`."""
        reach = {
            "strong": None if title or whole else NEAR,
            "title": None if title else AROUND,
            "beside": BESIDE,
            "inspired": AROUND,
            # 'You will always look like a star' names no style of the mark 'Always'.
            "style": BESIDE if title or whole else 0,
            "trade": None if title or whole else NEAR,
        }
        spans = sorted(marks)
        said: list[Word] = []
        for offset, part in self._parts(text, spans, read):
            opens = whole and offset == 0
            wanted = [
                index
                for index, (group, start, end) in enumerate(part.words)
                if _reaches(
                    text,
                    start + offset,
                    end + offset,
                    spans,
                    None if opens and group == "title" and start < OPENING else reach[group],
                )
            ]
            said.extend(
                Word(part.words[index].group, part.words[index].start + offset,
                     part.words[index].end + offset)
                for index in wanted[:EXAMINED]
                if self._counts(part, index)
                and not self._is_negated_over(part, index, offset, text, spans)
            )  # fmt: skip
        # The longest says most: a 'replica jersey' is no 'replica'.
        said.sort(key=lambda word: (word.start - word.end, REPLICA_GROUPS.index(word.group)))
        kept: list[Word] = []
        for word in said:
            if not any(word.start < other.end and other.start < word.end for other in kept):
                kept.append(word)
        kept.sort(key=lambda word: word.start)
        return [
            Finding(
                "replica" if word.group in OF_COPYING else "inspired",
                word.start,
                word.end,
                text[word.start : word.end],
            )
            for word in kept
        ]

    def _parts(
        self, text: str, marks: Sequence[tuple[int, int]], read: ReadText | None
    ) -> Iterable[tuple[int, ReadText]]:
        """Return the parts of a text that are read, each with its offset."""
        if read is not None and len(text) <= 2 * HEAD:
            return ((0, read),)
        return ((offset, self._read(piece)) for offset, piece in _pieces(text, marks))

    def denied(self, text: str, start: int, end: int) -> bool:
        """Return whether what stands there is negated, or all words of copying there are innocent.

        In disguise it is no word: what stands before and behind it tells.
        """
        for offset, piece in _pieces(text, [(start, end)]):
            if offset <= start and end <= offset + len(piece):
                read = self._read(piece)
                there = [
                    index
                    for index, (_, first, last) in enumerate(read.words)
                    if first + offset < end and start < last + offset
                ][:EXAMINED]
                if not there:
                    return self._denials.hold(piece, start - offset, end - offset)
                return not any(self._counts(read, index) for index in there)
        return False

    def _words_of(self, text: str) -> ReadText:
        return _unread(text, self._few(text, self._words.hits(text), MOST_WORDS))

    def _few(self, text: str, hits: Iterable[Hit], most: int) -> list[Word]:
        """Return `most` of the words, each as often as it says something new."""
        words: list[Word] = []
        repeated: Counter[tuple[int, str]] = Counter()
        for entry, start, end in hits:
            if len(words) >= most:
                break
            repeated[entry, text[start:end]] += 1
            if repeated[entry, text[start:end]] <= REPEATED:
                words.append(Word(self._groups[entry], start, end))
        return words

    def _counts(self, read: ReadText, index: int) -> bool:
        """Return whether a word is neither negated nor innocent."""
        if index not in read.counts:
            read.counts[index] = not (
                self._is_negated(read, index) or self._is_innocent(read, index)
            )
        return read.counts[index]

    def _is_negated(self, read: ReadText, index: int) -> bool:
        """Return whether a word is turned round ('not a replica'), itself or with one before it."""
        # back to the first that may turn the others round: 'no [fakes] or [copies]'
        chain = [index]
        while chain[-1] not in read.negated and (leader := self._leader(read, chain[-1])) >= 0:
            chain.append(leader)
        negated = False
        for position in reversed(chain):
            if position not in read.negated:
                read.negated[position] = (
                    negated
                    or self._is_denied(read, position)
                    or self._is_refused_with_next(read, position)
                )
            negated = read.negated[position]
        return negated

    def _is_negated_over(
        self, read: ReadText, index: int, offset: int, text: str, marks: Sequence[tuple[int, int]]
    ) -> bool:
        """Return whether a negation reaches a word, or one before it, over a mark.

        `text` is the whole one, in which the part that was read begins at `offset`.
        """
        for _ in range(BACK):
            if index < 0:
                break
            if self._denials.negated_over(text, read.words[index].start + offset, marks):
                return True
            index = self._leader(read, index)
        return False

    def _is_refused_with_next(self, read: ReadText, index: int) -> bool:
        """Return whether what stands behind a list refuses its first word with its last.

        'replika ve [çakma] satılmaz', as verbs stand last; a mere comma makes no list here.
        """
        _, _, end = read.words[index]
        for word in read.words[index + 1 : index + 1 + BACK]:
            if word.start < end:
                continue
            gap = read.text[end : word.start]
            return (
                len(gap) <= LISTED
                and "," not in gap
                and bool(self._between.hits(gap))
                and self._denials.refused(read.text, word.end)
            )
        return False

    def _is_denied(self, read: ReadText, index: int) -> bool:
        """Return whether a word is denied where it stands."""
        _, start, end = read.words[index]
        if (start, end) not in read.denied:
            read.denied[start, end] = self._denials.hold(read.text, start, end)
        return read.denied[start, end]

    def _leader(self, read: ReadText, index: int) -> int:
        """Return the word before that turns this one round with itself; -1 without one.

        In 'not a clone 1:1' the grade is part of the words that are denied.
        """
        word = read.words[index]
        for before in range(index - 1, max(-1, index - 1 - BACK), -1):
            other = read.words[before]
            if other.start < word.start and word.end <= other.end:
                return before
        return index - 1 if index > 0 and self._goes_with(read, index - 1, index) else -1

    def _goes_with(self, read: ReadText, before: int, index: int) -> bool:
        """Return whether a word is part of the one before it, or stands in one list with it.

        'fake replicas', 'fakes or AAA copies', 'fakes, copies, replicas'; a grade, or what stands
        behind a mere comma, is said for itself: 'not a fake 1:1', 'not a fake, replica'.
        """
        first, word = read.words[before], read.words[index]
        if word.start < first.end:
            return True
        gap = read.text[first.end : word.start]
        if len(gap) > LISTED:
            return False
        if not gap.strip(" '\""):
            return any(
                read.text[other.start : other.end].isalpha()
                for other in read.words[index:]
                if other.start < word.end and other.end <= word.end and other.group != "beside"
            )
        return bool(self._between.hits(gap)) and (
            gap.strip() != "," or self._enumerates(read, first, word)
        )

    def _enumerates(self, read: ReadText, first: Word, word: Word) -> bool:
        """Return whether two plain words with a comma between are part of a longer list."""
        if not read.text[word.start : word.end].isalpha():
            return False
        ahead = max((other.end for other in read.words if other.end <= first.start), default=None)
        behind = min((other.start for other in read.words if other.start >= word.end), default=None)
        gaps = (
            read.text[ahead : first.start] if ahead else "",
            read.text[word.end : behind] if behind else "",
        )
        return any(len(gap) <= LISTED and self._between.hits(gap) for gap in gaps)

    def _is_innocent(self, read: ReadText, index: int) -> bool:
        """Return whether a word is part of an innocent phrase, or near what excuses it."""
        _, start, end = read.words[index]
        if (start, end) not in read.innocent:
            read.innocent[start, end] = self._is_excused(read.text, start, end)
        return read.innocent[start, end]

    def _is_excused(self, text: str, start: int, end: int) -> bool:
        offset = max(0, start - CONTEXT)
        for entry, begin, close in self._innocent.hits(text[offset : end + CONTEXT]):
            first, last = begin + offset, close + offset
            excuses = self._excuses[entry]
            if excuses is None:
                # What holds the phrase says more: 'hoa giả' are flowers, 'nước hoa giả' is perfume.
                more = start <= first and last <= end and (start, end) != (first, last)
                if first < end and start < last and not more:
                    return True
            elif excuses.fullmatch(text, start, end) and (
                (few := self._most_between[entry]) is None
                or _few_between(text, (first, last), (start, end), few)
            ):
                return True
        return False


def _is_long(text: str) -> bool:
    """Return whether the folded reading of a text is too long to be read whole."""
    return len(text) > 2 * HEAD and len(folded_reading(text)) > 2 * HEAD


def _few_between(text: str, one: tuple[int, int], other: tuple[int, int], few: int) -> bool:
    """Return whether `few` words stand between two spans at most, all of one phrase."""
    gap = text[min(one[1], other[1]) : max(one[0], other[0])].strip(" :")  # 'ratio: 1:1'
    words = gap.replace("-", " ").split()
    return len(words) <= few and not any(mark in PHRASE_ENDS for mark in gap)


def _reaches(
    text: str, start: int, end: int, marks: Sequence[tuple[int, int]], distance: int | None
) -> bool:
    """Return whether a word is that near a mark, and no part of it; None is any distance.

    Right beside a mark it also has to stand in the same sentence. `marks` are in order.
    """
    position = bisect_left(marks, (start, end))
    near = distance is None
    for first, last in marks[max(0, position - 1) : position + 2]:
        if start < last and first < end:
            return False  # the word is the mark's own
        if distance is not None and start <= last + distance and end >= first - distance:
            gap = text[last:start] if last <= start else text[end:first]
            near = near or distance > BESIDE or not any(mark in ENDS for mark in gap)
    return near


def _pieces(text: str, marks: Sequence[tuple[int, int]]) -> Iterator[tuple[int, str]]:
    """Yield the parts of a text that are read, each with its offset: all of it, unless overlong."""
    if len(text) <= 2 * HEAD:
        yield 0, text
        return
    tail = len(text) - HEAD
    yield 0, text[:HEAD]
    read = HEAD
    for first, last in marks[:MENTIONS]:
        start, end = max(read, first - NEAR - BEFORE), min(tail, last + NEAR + BEFORE)
        if start < end:
            yield start, text[start:end]
            read = end
    yield tail, text[tail:]
