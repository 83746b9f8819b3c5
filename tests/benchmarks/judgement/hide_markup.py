"""Ways to hide a mark in HTML, which a shop's page draws and a search does not read."""

from __future__ import annotations

import html.entities
from typing import Final

from tests.benchmarks.judgement.halves import Hand
from tests.benchmarks.judgement.hide_letters import Trick

NAMED: Final = {
    "a": ("&aacute;", "&agrave;", "&auml;", "&alpha;", "&acy;"),
    "e": ("&eacute;", "&egrave;", "&iecy;", "&ecirc;"),
    "i": ("&iacute;", "&inodot;", "&imath;", "&iukcy;"),
    "o": ("&oacute;", "&omicron;", "&ouml;", "&ocy;"),
    "u": ("&uacute;", "&uuml;", "&upsilon;"),
    "c": ("&ccedil;", "&scy;", "&cacute;"),
    "n": ("&ntilde;", "&ncaron;"),
    "p": ("&rho;", "&rcy;"),
    "s": ("&dscy;", "&scaron;"),
    "k": ("&kcy;", "&kappa;"),
    "A": ("&Aacute;", "&Alpha;", "&Acy;", "&Aopf;", "&Ascr;"),
    "N": ("&Nu;", "&Ntilde;", "&Nopf;", "&Nfr;"),
    "R": ("&Ropf;", "&Rcaron;"),
    "S": ("&DScy;", "&Scaron;", "&Sopf;"),
    "C": ("&Ccedil;", "&Copf;"),
    "G": ("&Gopf;", "&Gbreve;"),
    "P": ("&Rho;", "&Popf;"),
    "L": ("&Lopf;", "&Lstrok;"),
}
EMPTY: Final = (
    "&shy;", "&zwnj;", "&zwj;", "&ZeroWidthSpace;", "&NoBreak;", "&lrm;", "&rlm;", "&#8203;",
    "&#x200b;", "&#173;", "&InvisibleComma;",
)  # fmt: skip
TAGS: Final = (
    "<b></b>", "<span></span>", "<i/>", "<wbr>", "<!-- -->", "<!--x-->", "<font color=red></font>",
)  # fmt: skip

if any(name[1:] not in html.entities.html5 for names in NAMED.values() for name in names):
    raise ValueError("NAMED: a name that HTML does not have")


def _some(mark: str, hand: Hand) -> set[int]:
    letters = [index for index, letter in enumerate(mark) if letter != " "]
    count = hand.pick((1, 2, len(letters)))
    return set(hand.chance.sample(letters, min(count, len(letters))))


def decimal(mark: str, hand: Hand) -> str | None:
    """N&#105;ke, with leading zeros or without the semicolon at times."""
    at, zeros, end = _some(mark, hand), hand.pick(("", "", "00")), hand.pick((";", ";", ";", ""))
    written = []
    for index, letter in enumerate(mark):
        digit_follows = mark[index + 1 : index + 2].isdigit()
        close = ";" if digit_follows else end
        written.append(f"&#{zeros}{ord(letter)}{close}" if index in at else letter)
    return "".join(written)


def hexadecimal(mark: str, hand: Hand) -> str | None:
    """N&#x69;ke."""
    at, x = _some(mark, hand), hand.pick(("x", "X"))
    code = "{:X}" if hand.odds(0.5) else "{:x}"
    return "".join(
        f"&#{x}{code.format(ord(letter))};" if index in at else letter
        for index, letter in enumerate(mark)
    )


def named(mark: str, hand: Hand) -> str | None:
    """N&iacute;ke, or N&shy;ike."""
    at = [index for index, letter in enumerate(mark) if letter in NAMED]
    if at and hand.odds(0.5):
        chosen = hand.chance.choice(at)
        return mark[:chosen] + hand.draw(NAMED[mark[chosen]]) + mark[chosen + 1 :]
    cut = hand.chance.randint(1, len(mark) - 1)
    return mark[:cut] + hand.draw(EMPTY) + mark[cut:]


def twice(mark: str, hand: Hand) -> str | None:
    """N&amp;#105;ke: escaped twice, as exports do."""
    once = decimal(mark, Hand(hand.chance, hand.half))
    return once.replace("&", "&amp;") if once else None


def tagged(mark: str, hand: Hand) -> str | None:
    """Ni<b></b>ke, N<b>i</b>ke."""
    cut = hand.chance.randint(1, len(mark) - 1)
    if hand.odds(0.4):
        name = hand.draw(("b", "i", "span", "em", "strong", "u", "font"))
        return f"{mark[:cut]}<{name}>{mark[cut]}</{name}>{mark[cut + 1 :]}"
    return mark[:cut] + hand.draw(TAGS) + mark[cut:]


TRICKS: Final[dict[str, Trick]] = {
    "entities, decimal": decimal,
    "entities, hexadecimal": hexadecimal,
    "entities, named": named,
    "entities, escaped twice": twice,
    "tags": tagged,
}
