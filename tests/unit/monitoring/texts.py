"""Texts for properties: whatever Unicode has, and what sellers do with it on purpose."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, Final

from hypothesis import strategies as st

from agents.monitoring.confusables import load_table
from agents.monitoring.marks.characters import BOUNDARY
from tests.benchmarks.judgement.halves import HALVES, Hand
from tests.benchmarks.judgement.hide import TECHNIQUES, disguise
from tests.benchmarks.judgement.hide_between import (
    BIDI,
    EMOJI,
    FILLERS,
    SELECTORS,
    STACKS,
    TAGS,
    ZERO_WIDTH,
)
from tests.benchmarks.judgement.speak import LANGUAGES, speech

_TABLE: Final = load_table()
CONFUSABLES: Final = [chr(code) for code in sorted(_TABLE.readings)]
INVISIBLE: Final = [chr(code) for code in sorted(_TABLE.invisible)]
SEQUENCES: Final = [each.text for each in _TABLE.sequences]
MARKUP: Final = ("&#105;", "&amp;", "&shy;", "&#x69;", "<b>", "</b>", "&", ";", "<", "&#0;", "&lt;")
TURNS: Final = ("\u202e", "\u202c", "\u202d", "\u2066", "\u2069", "\u200f")

PIECES: Final = st.one_of(
    st.sampled_from([*BIDI, *EMOJI, *FILLERS, *SELECTORS, *STACKS, *TAGS, *ZERO_WIDTH]),
    st.sampled_from(CONFUSABLES),
    st.sampled_from(INVISIBLE),
    st.sampled_from(SEQUENCES),
    st.sampled_from([*MARKUP, *TURNS]),
    st.sampled_from(list("aeilnorstvxzZORVEX01345 |.-_*'’&/\\()\n\t")),
    st.characters(exclude_categories=["Cs"]).filter(lambda c: c != BOUNDARY),
)
HOSTILE: Final = st.lists(PIECES, max_size=40).map("".join)
"""Letters of other alphabets, invisible and stacked ones, markup, overrides, in any order."""

REPLICA: Final = sorted({word for one in LANGUAGES for word in speech(one).replica})
SENTENCES: Final = sorted({line for one in LANGUAGES for line in speech(one).plain})
"""Honest sentences of all languages."""
USES: Final = sorted({line for one in LANGUAGES for line in speech(one).nominative})
DENIALS: Final = sorted({line for one in LANGUAGES for line in speech(one).negated})


@st.composite
def disguised(draw: Any, marks: Sequence[str]) -> str:
    """Draw a mark, disguised by one of the benchmark's tricks; plain where that does not work."""
    mark = draw(st.sampled_from(list(marks)))
    technique = draw(st.sampled_from(TECHNIQUES))
    half = draw(st.sampled_from(HALVES))
    hand = Hand(random.Random(draw(st.integers(0, 2**32))), half)
    return disguise(mark, technique, hand) or str(mark)


def titles(marks: Sequence[str]) -> st.SearchStrategy[str]:
    """Return a strategy of titles: marks plain and disguised, words of copying, uses, anything."""
    named = st.sampled_from(list(marks))
    part = st.one_of(
        named,
        disguised(marks),
        st.sampled_from(REPLICA),
        st.sampled_from(SENTENCES),
        st.tuples(st.sampled_from([*USES, *DENIALS]), named).map(
            lambda pair: pair[0].format(m=pair[1], g="watch", r="replica")
        ),
        st.sampled_from(["1:1", "AAA", "case", "for", "2 pcs", "★", "size M", "Tea", "diver"]),
        HOSTILE,
    )
    return st.lists(part, min_size=1, max_size=5).map(" ".join)
