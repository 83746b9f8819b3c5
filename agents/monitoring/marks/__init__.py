"""Marks in text: what is written, disguised or not, and where.

The way of a text: `characters` says what each character reads as, `decoding` and `skeleton` fold
the texts of a batch (`sheet`) to their letters, `matcher` scans those for the `spellings` of all
marks, and `disguise` looks at each place and says whether a mark stands there, how it is hidden and
how surely; `struck` reads letters that are struck out.
"""

from agents.monitoring.marks.alphabets import has_odd_letters
from agents.monitoring.marks.letters import ACCENT, DOUBLED, LOOK_ALIKE, SEQUENCE
from agents.monitoring.marks.matcher import Found, MarkMatch, MarkMatcher, Seen
from agents.monitoring.marks.sheet import MOST_CHARACTERS, first_texts
from agents.monitoring.marks.spellings import words_of

__all__ = [
    "ACCENT",
    "DOUBLED",
    "LOOK_ALIKE",
    "MOST_CHARACTERS",
    "SEQUENCE",
    "Found",
    "MarkMatch",
    "MarkMatcher",
    "Seen",
    "first_texts",
    "has_odd_letters",
    "words_of",
]
