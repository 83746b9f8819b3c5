"""Ways to hide a mark by what is put between its letters, or into them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from tests.benchmarks.judgement.halves import Hand, of_half
from tests.benchmarks.judgement.hide_letters import Trick

ZERO_WIDTH: Final = (
    "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u180e", "\u2061", "\u2063", "\u034f",
)  # fmt: skip
SELECTORS: Final = ("\ufe0e", "\ufe0f", "\ufe00", "\ufe01", "\U000e0100", "\U000e01ef")
BIDI: Final = (
    "\u200e", "\u200f", "\u202a", "\u202c", "\u202d", "\u2066", "\u2068", "\u2069", "\u061c",
)  # fmt: skip
TAGS: Final = ("\U000e0061", "\U000e0065", "\U000e0073", "\U000e0020", "\U000e007f", "\U000e0001")
FILLERS: Final = ("\u3164", "\u115f", "\u1160", "\uffa0", "\u2800", "\u17b4", "\u17b5", "\u2064")
STACKS: Final = (
    "\u0336", "\u0335", "\u0332", "\u0323", "\u0307", "\u0301", "\u0308", "\u034e", "\u0489",
    "\u20dd", "\u20de", "\u20e3", "\u0330", "\u0353", "\u031b",
)  # fmt: skip
SPACES: Final = (
    "\u00a0", "\u2002", "\u2003", "\u2009", "\u200a", "\u202f", "\u205f", "\u3000", "\u1680",
    "\t",
)  # fmt: skip
BREAKS: Final = ("\n", "\r\n", "\u2028", "\u2029", "\u0085", "\v", "\f")
DOTS: Final = (".", "·", "•", "‧", "∙", "・", "｡")
DASHES: Final = ("-", "–", "—", "_", "‐", "‑", "~", "−")
STARS: Final = ("*", "＊", "★", "✱", "⁎", "#", "^", "'", "`", "+", "=", "|", "/", "\\", ",", ":")
EMOJI: Final = ("🔥", "✨", "❤️", "👟", "💎", "⭐", "✅", "🇺🇸", "👍🏽", "1️⃣", "💯", "🌸")
RANDOM_STOPS: Final = ("*", ".", "_", "-", "#", "•", "?", "■", "×")


def _between(
    mark: str, fillers: Iterable[str], hand: Hand, *, most: int = 1, whole: float = 0.5
) -> str | None:
    """Put fillers between the letters of the mark: everywhere, or in a few places."""
    of = of_half(fillers, hand.half)
    gaps = [
        i
        for i in range(1, len(mark))
        if not {mark[i - 1], mark[i]} & set(" .&'-")  # cut there, it would still be plain
    ]
    if not gaps:
        return None
    at = set(
        gaps
        if hand.odds(whole)
        else hand.chance.sample(gaps, hand.chance.randint(1, min(2, len(gaps))))
    )
    one = hand.chance.choice(of)
    varied = hand.odds(0.3)
    parts = []
    for index, letter in enumerate(mark):
        if index in at:
            times = hand.chance.randint(1, most)
            parts += [hand.chance.choice(of) if varied else one for _ in range(times)]
        parts.append(letter)
    return "".join(parts)


def _invisible(fillers: Sequence[str], most: int = 3) -> Trick:
    return lambda mark, hand: _between(mark, fillers, hand, most=most)


def _apart(fillers: Sequence[str]) -> Trick:
    """Set every letter apart by the same sign; a gap between words is a wider one."""

    def trick(mark: str, hand: Hand) -> str | None:
        sign = hand.draw(fillers)
        words = [sign.join(word) for word in mark.split(" ") if word]
        return hand.pick((sign, " ", f" {sign} ", "  ")).join(words) if len(mark) > 2 else None

    return trick


def _cut(fillers: Sequence[str]) -> Trick:
    """Cut the mark in one or two places only."""
    return lambda mark, hand: _between(mark, fillers, hand, whole=0)


def stacked(mark: str, hand: Hand) -> str | None:
    """Strike through, underline, enclose letters, or pile marks on them."""
    stack = of_half(STACKS, hand.half)
    height = hand.pick((1, 1, 2, 6))
    every = hand.odds(0.7)
    first = hand.chance.randrange(len(mark))
    return "".join(
        letter + "".join(hand.chance.choice(stack) for _ in range(height))
        if letter != " " and (every or index == first)
        else letter
        for index, letter in enumerate(mark)
    )


def doubled(mark: str, hand: Hand) -> str | None:
    """Nikke, Niikee: a letter too many."""
    at = [i for i, letter in enumerate(mark) if letter.isalpha() and i > 0]
    if len(at) < 3:
        return None
    chosen = set(hand.chance.sample(at, hand.pick((1, 1, 2))))
    times = hand.pick((2, 2, 3))
    return "".join(letter * times if i in chosen else letter for i, letter in enumerate(mark))


def censored(mark: str, hand: Hand) -> str | None:
    """N*ke: a sign in a letter's place; never the first letter, one in four at most."""
    at = [i for i, letter in enumerate(mark) if letter.isalpha() and i > 0]
    if len(at) < 3:
        return None
    chosen = set(hand.chance.sample(at, max(1, min(2, len(mark) // 5))))
    sign = hand.draw(RANDOM_STOPS)
    return "".join(sign if i in chosen else letter for i, letter in enumerate(mark))


def reversed_by_override(mark: str, hand: Hand) -> str | None:
    """A right-to-left override before the mark written backwards: it is read forwards."""
    end = hand.pick(("\u202c", "\u202c", ""))
    return f"\u202e{mark[::-1]}{end}"


TRICKS: Final[dict[str, Trick]] = {
    "zero-width": _invisible(ZERO_WIDTH),
    "soft hyphen": _invisible(("\u00ad",)),
    "variation selectors": _invisible(SELECTORS, 2),
    "bidi controls": _invisible(BIDI, 2),
    "written backwards under an override": reversed_by_override,
    "tag characters": _invisible(TAGS),
    "fillers": _invisible(FILLERS, 1),
    "combining stacks": stacked,
    "spaced apart": _apart((" ", "  ")),
    "dotted apart": _apart(DOTS),
    "dashed apart": _apart(DASHES),
    "starred apart": _apart(STARS),
    "emoji apart": _apart(EMOJI),
    "exotic spaces": _apart(SPACES),
    "line breaks": _apart(BREAKS),
    "cut by a sign": _cut((*DOTS, *DASHES, *STARS)),
    "cut by a space": _cut((" ", "\u00a0", "\u2009", "\u3000")),
    "cut by emoji": _cut(EMOJI),
    "doubled letters": doubled,
    "censored (N*ke)": censored,
}
