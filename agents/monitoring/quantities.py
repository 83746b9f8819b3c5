"""Whether a title offers several pieces, or a part: their price says little about that of one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

import re2

from agents.monitoring.folding import folded_reading
from agents.monitoring.reference import UNSPACED, UNSPACED_RANGES, load, refusal

_NAME: Final = "quantity_words.yaml"
_NUMBER: Final = re.compile(r"(?<![\d.,])\d{1,4}(?![\d.,]\d|\d)")
_LOOKED_AT: Final = 500
"""Characters of a title that are read: more than marketplaces allow, so that none takes long."""
_REACH: Final = 24
"""Characters before a number in which the words before it stand."""
_EDGES: Final = re.compile(
    # 'x2' and '2x' only where they can be no model ('X5') and no zoom ('10x').
    r"[(\[]\s?(?:[x×]\s?(?:[2-9]|[1-9]\d{1,2})|(?:[2-9]|[1-9]\d{1,2})\s?[x×])\s?[)\]]"
    r"|(?<!\w)[x×](?:[2-9]|[1-9]\d{1,2})$"
    r"|^(?:[2-9]|[1-9]\d{1,2})\s?[x×]\s(?=[^\W\d])(?!zoom|opti|ópti|digital|magnif|telephoto)"
)
# A word ends here. The alternatives before it are tried until one does.
_END: Final = rf"(?:(?<=[{UNSPACED_RANGES}])|(?![^\W{UNSPACED_RANGES}]))"


class _Whole:
    """Words that are looked for as whole words."""

    def __init__(self, either: str) -> None:
        """Take their alternation."""
        self._whole = re.compile(either + _END)
        # RE2 tells in a tenth of the time that none of them is there, as in nearly every title.
        # It knows no letters and digits but ASCII's.
        self._met = re2.compile(re.sub(r"\\[wd]", r"\\S", either))

    def first(self, text: str) -> str:
        """Return the first of them in a text; '' where there is none."""
        if self._met.search(text) is not None:
            for hit in self._whole.finditer(text):
                if _begins(text, hit.start()):
                    return hit[0]
        return ""


@dataclass(frozen=True, slots=True)
class _Words:
    after_number: re.Pattern[str]
    before_number: re.Pattern[str]
    alone: _Whole
    parts: _Whole


@cache
def _words() -> _Words:
    return _Words(
        re.compile(rf"[ -]?{_either('packs', 'after_number')}{_END}"),
        re.compile(rf"{_either('packs', 'before_number')} ?$"),
        _Whole(_either("packs", "alone")),
        _Whole(_either("parts")),
    )


def _either(*keys: str) -> str:
    """Return the alternation of the entries under these keys. Raises ReferenceDataError."""
    entries: object = load(_NAME)
    for key in keys:
        entries = entries.get(key) if isinstance(entries, dict) else None
    if not isinstance(entries, list) or not all(isinstance(e, str) and e for e in entries):
        raise refusal(_NAME, f"'{keys[-1]}': expected a list of texts", *keys)
    for entry in entries:
        try:
            re.compile(entry)
            re2.compile(entry)
        except (re.error, re2.error) as error:
            raise refusal(_NAME, f"'{entry}': {error}", *keys) from None
    return f"(?:{'|'.join(entries)})"


def says_several(title: str) -> str:
    """Return the words of a title that say it offers several pieces; '' where it doesn't.

    They are given as they read: '10 pcs', 'pack of 3', 'grosir'.
    """
    text = folded_reading(title[:_LOOKED_AT])
    words = _words()
    for number in _NUMBER.finditer(text):
        if int(number[0]) < 2:
            continue
        unit = words.after_number.match(text, number.end())
        if unit and _begins(text, number.start()):
            return text[number.start() : unit.end()]
        before = words.before_number.search(text, max(0, number.start() - _REACH), number.start())
        if before and _begins(text, before.start()) and not text[number.end() :][:1].isalpha():
            return text[before.start() : number.end()]
    alone = words.alone.first(text)
    if alone:
        return alone
    edge = _EDGES.search(text.strip())
    return edge[0] if edge else ""


def says_part(title: str) -> str:
    """Return the words of a title that say it offers a part of the goods; '' where it doesn't."""
    return _words().parts.first(folded_reading(title[:_LOOKED_AT]))


def _begins(text: str, start: int) -> bool:
    """Return whether a word begins here.

    Looked at after the match: an expression that begins with a look-behind is tried at every
    character, 89 µs a title against 43.
    """
    if start == 0 or UNSPACED.match(text, start):
        return True
    return not text[start - 1].isalnum() or UNSPACED.match(text, start - 1) is not None
