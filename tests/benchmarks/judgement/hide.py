"""Every way this benchmark hides a mark, by name, alone and mixed."""

from __future__ import annotations

from typing import Final

from tests.benchmarks.judgement import hide_between, hide_letters, hide_markup
from tests.benchmarks.judgement.halves import Hand
from tests.benchmarks.judgement.hide_letters import Trick

ALONE: Final[dict[str, Trick]] = {
    **hide_letters.TRICKS,
    **hide_between.TRICKS,
    **hide_markup.TRICKS,
}
MIXED: Final = "mixed"
TECHNIQUES: Final = (*ALONE, MIXED)

_LETTERS: Final = (
    "Cyrillic letters", "Greek letters", "small capitals", "full-width", "mathematical styles",
    "leet digits", "symbols", "accents", "dotless i", "doubled letters",
)  # fmt: skip
_BETWEEN: Final = (
    "zero-width", "soft hyphen", "variation selectors", "bidi controls", "tag characters",
    "combining stacks", "spaced apart", "dotted apart", "dashed apart", "starred apart",
    "emoji apart", "exotic spaces", "cut by a sign",
)  # fmt: skip


def disguise(mark: str, technique: str, hand: Hand) -> str | None:
    """Return the mark in disguise, or None where that way does not work for it.

    What a trick happens to leave as it was counts as None, so a disguise always changes the mark.
    """
    found = _mixed(mark, hand) if technique == MIXED else ALONE[technique](mark, hand)
    return found if found and found != mark else None


def _mixed(mark: str, hand: Hand) -> str | None:
    """One or two ways for letters, then one for what stands between them."""
    text = mark
    for name in hand.chance.sample(_LETTERS, hand.pick((1, 2))):
        text = ALONE[name](text, hand) or text
    if text == mark:
        return None
    return ALONE[hand.pick(_BETWEEN)](text, hand) if hand.odds(0.8) else text
