"""Writes words of copying plainly that a title disguises: 'r3plica', 'r e p l i c a', 'repl*ca'.

Known are the single words that the vocabulary's expressions are made of. A word of a title that has
signs, digits or look-alikes for letters is compared with them, by look-ups that take as long as the
word; letters that stand apart are put together and divided into words. What comes out is a title in
which the vocabulary finds what it would have found without the disguise. A word that stands there
plainly is never changed, so nothing is found that no disguise explains.
"""

from __future__ import annotations

import itertools
import math
import re
import string
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from agents.monitoring.confusables import load_table
from agents.monitoring.folding import folded_reading
from agents.monitoring.vocabulary.other_scripts import OtherScripts
from agents.monitoring.vocabulary.word_letters import (
    LONGEST,
    SHORTEST,
    Letter,
    apart_letters,
    fold_of,
    is_apart,
    letter_of,
)

READ: Final = 600
"""Characters of a title that are read."""
LOOKED_AT: Final = 60
"""Words of a title that are compared."""
WAYS: Final = 16
"""Readings of one word that are tried."""

ALONE: Final = 4
"""Letters that have to be read undisguised or in disguise for a phrase to count."""
APART: Final = 5
"""Letters of a word that is put together: 'A.A.A.' is an abbreviation."""

MOST: Final = 3
"""Characters that a letter of a word takes, at most, with signs and what shows nothing."""
REMEMBERED: Final = 4_096
"""Words of titles whose comparison is remembered: 'iPhone15' comes again."""

_TOKEN: Final = re.compile(r"\S+")
_GRADE: Final = re.compile(r"(?<!\S)(?:4{3,5}|@{3,5})(?!\S)")
_SIGNS: Final = string.punctuation
_FIRST: Final = str.maketrans("0134578269@$!|+#", "oieastbzggasilth")
_SECOND: Final = str.maketrans("0134578269@$!|+#", "oleastbzbqaslith")
_SEVERAL: Final = "169!|"
"""What reads as more than one letter."""
_CLOSED: Final = str.maketrans("", "", _SIGNS)
_BLANKED: Final = str.maketrans(dict.fromkeys(_SIGNS, "?"))
_READ_AS: Final = "@$!|+#?_•●■×"

LEFT_OVER: Final = 1
"""Letters beside words that were put together, at most: 'size M r e p l i c a'."""

_WRAPPING: Final = "()[]{}<>«»【】「」『』\"'“”‘’.,;:!?-–—_~🔥✨"
_BLANK: Final = "?"


class Found(NamedTuple):
    """A word in disguise: its span, how it is written plainly, and what disguises it."""

    start: int
    end: int
    word: str
    fold: str
    """As `folds` in a verdict has it: README, "What is taken down"."""
    sure: bool = True
    """Whether it can be nothing else: 'R3P5' may be a number of a part."""


class Written(NamedTuple):
    """A word that was in disguise, as it stands in the title that is read."""

    start: int
    end: int
    found: Found


@dataclass(frozen=True, slots=True)
class Undone:
    """A title as it reads once words are written plainly; spans are of code points."""

    text: str
    words: tuple[Written, ...]
    """What was written plainly, in order."""

    def marks(self, original: str, spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
        """Return spans of the original, none of them within a word, where they stand in `text`."""
        found = []
        for start, end in spans:
            behind = [word for word in self.words if word.found.end <= start]
            begin, source = (behind[-1].end, behind[-1].found.end) if behind else (0, 0)
            first = begin + len(folded_reading(original[source:start]))
            found.append((first, first + len(folded_reading(original[start:end]))))
        return found


class DisguisedWords:
    """The words of the vocabulary, to be compared with words in disguise."""

    def __init__(self, words: Iterable[str], alone: Container[str] = ()) -> None:
        """Index words, each as often as expressions have it.

        `alone` are those that say all by themselves: only they are read where an accent is all that
        disguises them, as words of other languages have too ('giấy' is paper, not 'giay').
        """
        every = Counter(words)
        self._alone = alone
        counts = Counter({w: n for w, n in every.items() if w.isascii() and w.isalnum()})
        self._written = frozenset(every)
        # A title is read once for each right that it names.
        self._found = lru_cache(maxsize=16)(self._all)
        self._others = OtherScripts(every)
        self._words = frozenset(counts)
        self._single = frozenset(word for word in self._words if not _is_compound(word, counts))
        self._compared = lru_cache(maxsize=REMEMBERED)(self._compare)
        self._kind_of = lru_cache(maxsize=REMEMBERED)(self._token_kind)
        self._longest = max(map(len, self._words), default=0)
        self._struck: defaultdict[str, list[str]] = defaultdict(list)
        self._of_length: defaultdict[int, list[str]] = defaultdict(list)
        for word in sorted(counts, key=lambda word: (-counts[word], word)):
            if len(word) >= SHORTEST and word.isalpha():
                self._of_length[len(word)].append(word)
                for place in range(len(word)):
                    self._struck[f"{word[:place]}{_BLANK}{word[place + 1 :]}"].append(word)

    def undone(self, original: str, taken: Sequence[tuple[int, int]]) -> Undone | None:
        """Return a title with its disguised words written plainly; None where it has none.

        What overlaps a span that is `taken`, where marks stand, is left as it is.
        """
        found = [
            item
            for item in self._found(original[:READ])
            if not any(item.start < end and start < item.end for start, end in taken)
        ]
        if not found:
            return None
        found = sorted([*found, *_grades(original, found)])
        text = ""
        behind = 0
        words: list[Written] = []
        for item in found:
            between = folded_reading(original[behind : item.start])
            text += between if any(map(str.isalnum, between)) or not words else " "
            words.append(Written(len(text), len(text) + len(item.word), item))
            text += item.word
            behind = item.end
        return Undone(text + folded_reading(original[behind:]), tuple(words))

    def _all(self, original: str) -> tuple[Found, ...]:
        """Return the words of a title that are in disguise, none over another."""
        found = [Found(*span, "spaced") for span in self._others.found(original)]
        found += [
            other
            for other in self._in_latin(original)
            if not any(other.start < item.end and item.start < other.end for item in found)
        ]
        return tuple(found)

    def _in_latin(self, original: str) -> list[Found]:
        """Return the words of Latin letters in a title that are in disguise."""
        if self._is_plain(original):
            return []
        found: list[Found] = []
        run: list[tuple[int, int, Letter]] = []
        count = 0
        for match in _TOKEN.finditer(original):
            token = match[0]
            if single := _single(token):
                letter = letter_of(single)
                if letter is not None and letter.readings:
                    place = match.start() + token.find(single)
                    run.append((place, place + 1, letter))
                if letter is None or not (letter.readings or letter.sign):
                    found += self._divided(run)
                    run = []
                continue
            if token.isalpha() and token.isascii():
                if run:
                    found += self._divided(run)
                    run = []
                continue
            count += 1
            if count > LOOKED_AT:
                break
            compared = self._compared(token)
            if not compared and (apart := apart_letters(token)):
                run += [(match.start() + place, match.start() + place + 1, c) for place, c in apart]
                continue
            if run:
                found += self._divided(run)
                run = []
            found += [
                item._replace(start=match.start() + item.start, end=match.start() + item.end)
                for item in compared
            ]
        return found + self._divided(run)

    def _is_plain(self, original: str) -> bool:
        """Return whether nothing in a title can be in disguise: a third of the time of looking."""
        singles = 0
        for token in original.split():
            if not (token.isalpha() and token.isascii() and len(token) > 1):
                kind = self._kind_of(token)
                singles += kind == "single"
                if kind == "disguise" or singles >= ALONE:
                    return False
        return True

    def _token_kind(self, token: str) -> str:
        """Return what a token may be part of: 'single' letters, a 'disguise', or '' for nothing."""
        if _single(token):
            return "single"
        return "disguise" if self._compared(token) or apart_letters(token) else ""

    def _is_accented(self, letters: Sequence[Letter]) -> bool:
        """Return whether letters with accents are a word that says all by itself: 'ḟaké'."""
        return len(letters) >= ALONE and (
            all(letter.plain for letter in letters)
            and "".join(letter.readings[0] for letter in letters) in self._alone
        )

    def _compare(self, token: str) -> tuple[Found, ...]:
        """Return the words that a token is in disguise, with their spans in it."""
        bare = token.strip(_WRAPPING)
        if len(token) > MOST * LONGEST or not any(map(str.isalpha, token)):
            return ()
        if bare.isascii() and bare.isalpha() and not any(c in _READ_AS for c in token):
            return ()
        if folded_reading(token.rstrip("?!")) in self._written:
            return ()  # 'Fake? No' asks
        for text in dict.fromkeys((token, bare)):
            least = SHORTEST if text.isascii() else SHORTEST - 1
            if len(text) < least or folded_reading(text) in self._written:
                continue
            if text.isascii() and not self._may_be(text.lower()):
                continue
            letters: list[Letter] = []
            for character in text:
                if ord(character) in load_table().invisible:
                    continue
                letter = letter_of(character)
                if letter is None:
                    break
                letters.append(letter)
            else:
                start = token.find(text)
                short = len(letters) < APART and (self._read(letters) or self._struck_out(letters))
                if not short and len(letters) == len(text) and is_apart(letters):
                    run = [
                        (start + place, start + place + 1, letter)
                        for place, letter in enumerate(letters)
                        if letter.readings and not letter.sign
                    ]
                    if parts := self._divided(run, shortest=2):
                        return tuple(parts)
                accented = self._is_accented(letters)
                stacked = accented or len(letters) < len(text)
                word, fold = self._read(letters, stacked=stacked), fold_of(letters)
                if not word:
                    word, fold = self._closed_up(letters), "spaced"
                if not word:
                    word, fold = self._struck_out(letters), "censored"
                if word:
                    digits = sum(bool(letter.digit) for letter in letters)
                    sure = len(word) >= APART or (len(word) >= ALONE and digits < 2)
                    return (Found(start, start + len(text), word, fold, sure),)
        return ()

    def _may_be(self, text: str) -> bool:
        """Return whether an ASCII word is worth a closer look: most titles have 'V5.3', 'wi-fi'.

        1 µs against 20.
        """
        closed = text.translate(_CLOSED)
        if len(closed) == len(text):
            return (
                text.translate(_FIRST) in self._words
                or text.translate(_SECOND) in self._words
                or sum(map(text.count, _SEVERAL)) > 1
            )
        signs = len(text) - len(closed)
        return (
            closed in self._words
            or closed.translate(_FIRST) in self._words
            or text.translate(_FIRST) in self._words
            or text.translate(_SECOND) in self._words
            or signs > 1
            or text.translate(_BLANKED) in self._struck
        )

    def _read(self, letters: Sequence[Letter], *, stacked: bool = False) -> str:
        """Return the word that these are, letter for letter: 'r3plica', '$uper'.

        With `stacked`, marks stood on the letters, or what shows nothing between them.
        """
        if len(letters) > LONGEST or any(not letter.readings for letter in letters):
            return ""
        if all(letter.plain for letter in letters) and not stacked:
            return ""
        if math.prod(len(letter.readings) for letter in letters) > WAYS:
            return next(
                (
                    word
                    for word in self._of_length.get(len(letters), ())
                    if all(w in letter.readings for w, letter in zip(word, letters, strict=True))
                ),
                "",
            )
        for way in itertools.product(*(letter.readings for letter in letters)):
            word = "".join(way)
            if word in self._words:
                return word
        return ""

    def _closed_up(self, letters: Sequence[Letter]) -> str:
        """Return the word that these are without the signs: 're-plica', 'r_e_p_l_i_c_a'."""
        kept = [letter for letter in letters if not letter.sign]
        tight = all(letter.strikes or letter.low_line for letter in letters if letter.sign)
        if len(kept) == len(letters) or len(kept) < (ALONE if tight else APART):
            return ""
        for way in itertools.islice(itertools.product(*(k.readings for k in kept)), WAYS):
            word = "".join(way)
            if word in self._single:
                return word
        return ""

    def _struck_out(self, letters: Sequence[Letter]) -> str:
        """Return the word that these are with signs for one or two letters: 'repl*ca'."""
        if len(letters) > LONGEST:
            return ""
        places = [place for place, letter in enumerate(letters) if letter.sign]
        strikes = all(letters[place].strikes for place in places)
        ends = all(letters[place].strikes or letters[place].low_line for place in places)
        inside = places and (ends or (places[0] > 0 and places[-1] < len(letters) - 1))
        least = SHORTEST if strikes else ALONE if ends else APART
        if (
            not inside
            or len(letters) < least
            or any(not letter.sign and not letter.plain for letter in letters)
        ):
            return ""
        known = "".join(_BLANK if letter.sign else letter.readings[0] for letter in letters)
        if len(places) == 1:
            return next(iter(self._struck.get(known, ())), "")
        if len(places) > 2 or len(letters) < APART:
            return ""
        return next(
            (
                word
                for word in self._of_length.get(len(known), ())
                if all(k in (_BLANK, w) for k, w in zip(known, word, strict=True))
            ),
            "",
        )

    def _divided(
        self, run: Sequence[tuple[int, int, Letter]], shortest: int = ALONE
    ) -> list[Found]:
        """Return the words that letters standing apart make: 'm i r r o r c o p y'."""
        if len(run) < shortest:
            return []
        run = run[:LONGEST]
        text = "".join(letter.digit or letter.readings[0] for _, _, letter in run)
        read = "".join(letter.readings[0] for _, _, letter in run)
        best: list[tuple[int, int]] = [(0, 0)]  # letters left over and words, where it was cut
        cuts = [0]
        for end in range(1, len(text) + 1):
            loss, words = best[end - 1]
            choice, cut = (loss + 1, words), end - 1
            for start in range(max(0, end - self._longest), end - 1):
                if text[start:end] in self._single or read[start:end] in self._single:
                    loss, words = best[start]
                    if (loss, words + 1) < choice:
                        choice, cut = (loss, words + 1), start
            best.append(choice)
            cuts.append(cut)
        found = []
        end = len(text)
        while end:
            start = cuts[end]
            if end - start > 1:
                word = text[start:end]
                word = word if word in self._words else read[start:end]
                sure = len(word) >= ALONE
                found.append(Found(run[start][0], run[end - 1][1], word, "spaced", sure))
            end = start
        found.reverse()
        longest = max((len(item.word) for item in found), default=0)
        return found if longest >= min(ALONE, shortest) and best[-1][0] <= LEFT_OVER else []


def _single(token: str) -> str:
    """Return the one character that a token is, with what wraps it; '' where there are others."""
    single = token if len(token) < 2 else token.strip(_WRAPPING) if len(token) < 4 else ""
    return single if len(single) == 1 else ""


def _is_compound(word: str, words: Container[str]) -> bool:
    """Return whether a word is two others written together: 'primeiralinha'."""
    return any(
        word[:place] in words and word[place:] in words
        for place in range(SHORTEST, len(word) - SHORTEST + 1)
    )


def _grades(original: str, found: Sequence[Found]) -> Iterator[Found]:
    """Yield what reads as 'AAA' beside other words in disguise: 'qu4l1ty 444'."""
    for match in _GRADE.finditer(original, 0, READ):
        if not any(item.start < match.end() and match.start() < item.end for item in found):
            yield Found(match.start(), match.end(), "a" * len(match[0]), "digit", sure=False)
