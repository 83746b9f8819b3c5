"""Rights that would be a disaster: what of a right would name honest listings by the thousand.

What is said here follows from the right alone; what it would touch of recent listings is measured
in `reach.py`. Each danger can be confirmed by whoever publishes the right: a brand may be called
'Only'.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from agents.alliance.rights_check import shown
from agents.monitoring.folding import folded_reading
from agents.monitoring.marks import words_of
from agents.monitoring.reach import Reach, Touched
from agents.monitoring.reference import nice_classes
from agents.monitoring.reference.stop_words import stop_words
from agents.monitoring.vocabulary import load as load_vocabulary
from agents.records import Right

FEWEST_LISTINGS: Final = 200
"""Recent listings below which a share says nothing *(start value)*: 2 % of them are four."""
MOST_PERCENT: Final = 2
"""Share of recent listings that a right may touch without being confirmed."""


@dataclass(frozen=True, slots=True)
class Danger:
    """Something of a right that would name honest listings by the thousand."""

    field: str
    problem: str
    mark: str | None = None
    """The mark or alias it lies in; None for a word of a category, or the right as a whole."""
    remedy: str = ""
    counted: bool = False
    """The problem says how many listings it would have touched."""


def dangers_of(right: Right) -> Iterator[Danger]:
    """Yield what is dangerous about a right's marks and category words, whatever is listed.

    A mark that is a stop word is none where the right is a common word's with category words: it
    counts only beside its goods. One letter is dangerous all the same; so is one Chinese, Japanese
    or Korean character, since those scripts have no spaces to look between.
    """
    beside_goods = right.common_word and bool(right.category_words)
    marks = [("mark", right.mark)] if right.mark.strip() else []
    for field, mark in (*marks, *(("aliases", alias) for alias in right.aliases)):
        called = "mark" if field == "mark" else "alias"
        problem, remedy = _of_mark(mark, called, beside_goods=beside_goods)
        if problem:
            yield Danger(field, problem, mark, remedy)
    for word in right.category_words:
        problem = _of_category_word(word)
        if problem:
            remedy = "name the goods" if word.strip() else "leave it out"
            yield Danger("category_words", problem, remedy=remedy)


def _letters(text: str) -> int:
    """Return how many letters and digits a text has as it reads."""
    return sum(map(str.isalnum, folded_reading(text)))


def _of_mark(mark: str, called: str, *, beside_goods: bool) -> tuple[str, str]:
    """Return what is dangerous about a mark or alias, and what to do; '' for nothing."""
    if not mark.strip():
        return f"an empty {called} names nothing, or everything", "leave it out"
    letters = _letters(mark)
    if not letters:
        return f"{called} {shown(mark)} has no letter or digit", "leave it out"
    if letters == 1:
        problem = f"{called} {shown(mark)} has a single letter or digit"
        return problem, "register it with what stands beside it"
    why = "" if beside_goods else _stop_word(mark)
    if why:
        problem = f"{called} {shown(mark)} is {why}"
        return problem, "make the right a common_word with category_words"
    return "", ""


def _of_category_word(word: str) -> str:
    """Return why a category word stands beside anything; '' where it names goods."""
    letters = _letters(word)
    if not letters:
        return "an empty category word stands beside everything"
    if letters == 1:
        return f"category word {shown(word)} has a single letter or digit"
    language = _everywhere(word)
    if language:
        return (
            f"category word {shown(word)} is a stop word ({language}): it stands beside everything"
        )
    return ""


def _everywhere(word: str) -> str:
    """Return the language in which a word stands beside any goods; '' where it names some.

    'Car' is a function word in French, and goods all the same.
    """
    if stop_words().language_of(word, ("goods",)) or nice_classes((word,)):
        return ""
    return stop_words().language_of(word, ("function", "market"))


def _stop_word(mark: str) -> str:
    """Return why a mark is a word of any listing, in words; '' where it is none."""
    language = stop_words().language_of(mark)
    if language:
        several = len(words_of(mark)) > 1
        return f"nothing but stop words ({language})" if several else f"a stop word ({language})"
    reading = folded_reading(mark).strip()
    found = load_vocabulary().replica_words(reading, [], title=True)
    if any((word.start, word.end) == (0, len(reading)) for word in found):
        return "what sellers call copies of any brand"
    return ""


def share_danger(right: Right, reach: Reach) -> Danger | None:
    """Return the danger of a right that touches too many of the listings measured; None if not.

    None below `FEWEST_LISTINGS` too: the share of a few listings says nothing.
    """
    touched = reach.touched(right.right_id)
    if reach.listings < FEWEST_LISTINGS or touched.share_of(reach.listings) <= MOST_PERCENT / 100:
        return None
    mark = max((right.mark, *right.aliases), key=touched.by)
    field = "mark" if mark == right.mark else "aliases"
    of_mark = touched.by(mark)
    called = "mark" if field == "mark" else "alias"
    told = f"{called} {shown(mark)} would have touched {counted(of_mark, reach.listings)}"
    if of_mark < touched.listings:
        told += f", all marks of the right together {counted(touched.listings, reach.listings)}"
    return Danger(
        field,
        f"{told}; more than {MOST_PERCENT} % is a disaster",
        mark,
        remedy="narrow it, by a common_word with category_words or territories",
        counted=True,
    )


def counted(touched: int, listings: int) -> str:
    """Return a count as people read it: '812 of 10,000 recent listings (8.1 %)'."""
    share = 100 * touched / listings if listings else 0.0
    return f"{touched:,} of {listings:,} recent listings ({share:.1f} %)"


def told(danger: Danger, touched: Touched | None, listings: int) -> str:
    """Return a danger in words, with the count of listings it would have touched where measured."""
    text = danger.problem
    mark = None if danger.counted else danger.mark
    if mark and words_of(mark) and touched is not None and listings:
        text += f"; it would have touched {counted(touched.by(mark), listings)}"
    return f"field '{danger.field}': {text}"
