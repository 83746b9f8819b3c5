"""Listings that cost as much as a listing can: each kind of work driven to its limit."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Final

from agents.monitoring.screening import MOST_ITEMS
from agents.records import Image, Listing
from tests.benchmarks.examination import NOW

_AROUND: Final = 2_000
"""Bytes that are left for the other fields of the record."""


def hostile_listings(marks: Sequence[str], size: int) -> dict[str, Listing]:
    """Return listings by what they are made of, none larger than `size` bytes as a record.

    `marks` are names that rights are registered for.
    """
    room = size - _AROUND
    title = {name: _cut(text, room) for name, text in _texts(marks, room).items()}
    found = {f"title: {name}": _listing(text) for name, text in title.items()}
    found |= {
        f"description: {name}": _listing(
            marks[0], description=text, price_minor=100, currency="USD"
        )
        for name, text in title.items()
    }
    found |= _hidden(marks, room)
    return found | _lists(marks[0], room) | _attributes(marks, room)


def _hidden(marks: Sequence[str], room: int) -> dict[str, Listing]:
    """Return listings that hide marks: these are read for words of copying in every disguise."""
    mark = _hide(marks[0])
    texts = {
        "'replica' apart in Cyrillic": "\u0440 \u0435 \u043f \u043b \u0438 \u043a \u0430 ",
        "styled words": "\U0001d598\U0001d58a\U0001d599 \U0001d594\U0001d58b ",
        "entities": "&#x41a;&#x41e; ",
        "escaped tags": "a&lt;b&gt;b",
        "words over signs": "set/of~shoes_and+socks ",
        "signs for letters": "s3t 0f sh0es f@r m3n ",
        "odd accents": "\u1e61\u0119\u0165 \u014f\u1e1f ",
        "stacks on letters": "s\u0335\u0336e\u0489t\u0e48 ",
        "letters turned round": "\u202eseohs\u202c ",
        "misspelt words": "relpica klonnn imitasion ",
        "ideographs apart": "\u9ad8 \u00b7 \u771f ",
    }
    found = {
        f"a hidden mark: {name}": _listing(mark, description=_fill(text, room))
        for name, text in texts.items()
    }
    forty = " ".join(map(_hide, marks[:60]))
    many = {f"style {number}": text for number, text in enumerate([*texts.values()] * 40)}
    return found | {
        "hidden marks: all of these": _listing(forty, description="".join(texts.values()) * 40),
        "hidden marks: all of these in attributes": _listing(forty, attributes=many),
        "hidden marks: an attribute": _listing(
            forty, attributes={"style": _fill("set/of~s3t \u1e61\u0119\u0165 ", room)}
        ),
    }


def _texts(marks: Sequence[str], room: int) -> dict[str, str]:
    mark, first = marks[0], marks[0][0]
    apart = {name: sign.join(mark) + sign for name, sign in (("spaces", " "), ("full stops", "."))}
    thousand = itertools.islice(itertools.cycle(marks), 5_000)
    return {
        "combining marks": first + "\u0301" * room,
        "combining marks over each letter": _fill(
            "".join(c + "\u0301\u0323" * 40 for c in mark), room
        ),
        "zero-width characters within the mark": first + "\u200b" * room,
        "the mark's letters apart by spaces": _fill(apart["spaces"], room),
        "the mark's letters apart by full stops": _fill(apart["full stops"], room),
        "the mark 5,000 times": f"{mark} " * 5_000,
        "5,000 marks": " ".join(thousand),
        "every mark in disguise": " ".join(name.replace("o", "\u043e") for name in marks),
        "scripts that alternate": _fill(f"{mark[:2]}\u0430\u03b1{mark[2:]} ", room),
        "entities within entities": "&" + "amp;" * (room // 4) + mark,
        "letters as entities": _fill(f"&amp;amp;amp;#90;{mark[1:]} ", room),
        "right-to-left overrides": _fill(f"\u202e{mark[::-1]}\u202c ", room),
        "overrides that never end": "\u202e" * room,
        "letters drawn with |\\|": _fill("|\\|", room),
        "tags": mark + _fill("<b>", room),
        "tags that never close": mark + _fill("<a", room),
        "i, l, 1 and |": _fill("il1|", room),
        "marks of one letter too many": _fill(f"{mark[:-1]}qz ", 10_000 * (len(mark) + 2)),
        "letters struck out": _fill(f"{first}*{mark[2:]} ", room),
        "stars": mark + "*" * room,
        "words struck out": mark + " " + _fill("repl*ca ", room),
        "'replica' 10,000 times": f"{mark} " + "replica " * 10_000,
        "'replica' in letters apart": f"{mark} " + _fill("r e p l i c a ", room),
        "'replica' beside marks": _fill(f"{mark} replica ", room),
        "'not a replica' 10,000 times": f"{mark} " + "not a replica " * 10_000,
        "'case for' 10,000 times": "case for " * 10_000 + mark,
        "'case for' beside marks": _fill(f"{mark} case for ", room),
        "pieces and parts": f"{mark} " + _fill("1 pcs spare ", room),
        "ideographs of copying": f"{mark} " + _fill("\u4eff\u771f", room),
        "emoji": mark + _fill("\U0001f525", room),
        "marks of other scripts on letters": _fill("".join(f"{c}\u0e48\u064b" for c in mark), room),
        "odd accents apart": _fill(f"{mark[:2]} \u1e61 {mark[2:]}, ", room),
        "signs that may be letters": _fill(f"{mark[:1]}!{mark[2:]}$ ", room),
        "every letter of another script": _fill("a\u0430\u03b1\u0251", room),
        "letters apart by five signs": _fill("*.~-_".join(mark), room),
        "digits and letters of a mark": _fill(f"{mark[:1]}0{mark[2:]} 0{mark[1:]} ", room),
        "letters of flags": _fill("".join(map(_flag, mark.lower())), room),
        "digits": f"{mark} " + "1" * room,
        "zero bytes": f"{mark} " + "\0" * room,
        "noncharacters": f"{mark} " + _fill("\uffff", room),
    }  # fmt: skip


def _lists(mark: str, room: int) -> dict[str, Listing]:
    gtin, pdq = "4006381333931", "f" * 64
    most = min(MOST_ITEMS, room // 100)
    return {
        "GTINs": _listing(mark, gtins=(gtin,) * most),
        "more GTINs than are read": _listing(mark, gtins=(gtin,) * (room // (len(gtin) + 1))),
        "a GTIN of digits only": _listing(mark, gtins=("1" * room,)),
        "a GTIN of digits and spaces": _listing(mark, gtins=("1 " * (room // 2),)),
        "pictures": _listing(mark, images=(Image("u", pdq, 100),) * most),
        "pictures with no hash": _listing(mark, images=(Image("u"),) * most),
        "more pictures than are read": _listing(mark, images=(Image("u"),) * (room // 5)),
        "hashes of one character": _listing(mark, images=(Image("", "x", 100),) * most),
        "categories": _listing(mark, category_path=("shoes",) * most),
        "a category": _listing(mark, category_path=("shoes " * (room // 6),)),
        "countries": _listing(mark, ships_to=("US",) * most),
        "more countries than are read": _listing(mark, ships_to=("US",) * (room // 3)),
        "a country": _listing(mark, ships_to=("U" * (room // 2),), ship_from="S" * (room // 2)),
        "a currency": _listing(mark, price_minor=1, currency="u" * room, condition="NEW"),
        "an id": _listing(f"{mark} replica", listing_id="x" * (room // 4)),
        "a seller": _listing(f"{mark} replica", seller_id="x" * (room // 2)),
    }


def _attributes(marks: Sequence[str], room: int) -> dict[str, Listing]:
    mark = marks[0]
    most = min(MOST_ITEMS, room // 100)
    many = {f"quality {number}": f"{mark} replica {number}" for number in range(most)}
    each = itertools.cycle(marks)
    names = [str(number) for number in range(most)]
    long_names = [f"{number}{'compat ' * 1_000}" for number in range(room // 7_100)]
    return {
        "attributes": _listing(mark, attributes=many),
        "attributes without a value": _listing(mark, attributes=dict.fromkeys(names, "")),
        "attributes of a letter": _listing(mark, attributes=dict.fromkeys(names, "x")),
        "more attributes than are read": _listing(
            mark, attributes=dict.fromkeys(map(str, range(room // 9)), "x")
        ),
        "attributes, each of a mark and a word of copying": _listing(
            "shoes", attributes={str(number): f"{next(each)} aaa" for number in range(most)}
        ),
        "attributes with long names": _listing(mark, attributes=dict.fromkeys(long_names, mark)),
        "an attribute with a long name": _listing(mark, attributes={"brand " * (room // 6): mark}),
    }  # fmt: skip


def _listing(title: str, **values: object) -> Listing:
    given: dict[str, object] = {"listing_id": "hostile", "seller_id": "s", "occurred_at": NOW}
    return Listing(**{**given, "title": title, **values})  # type: ignore[arg-type]


def _hide(mark: str) -> str:
    """Return a mark with a letter of no language after its first, or over it."""
    return f"{mark[0]}\u1dc4{mark[1:]}"


def _flag(letter: str) -> str:
    """Return the regional indicator of a letter; two make a flag."""
    return chr(0x1F1E6 + ord(letter) - ord("a")) if letter.isalpha() else ""


def _fill(text: str, size: int) -> str:
    """Return a text again and again, as many bytes as there is room for."""
    return text * (size // len(text.encode()))


def _cut(text: str, size: int) -> str:
    """Return as much of a text as fits into so many bytes."""
    return text.encode()[:size].decode(errors="ignore")
