"""HTML and SVG whose texts can't be markup, and plots drawn with them: no script, no other file."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 720
"""Units that a plot is wide; it takes the room there is."""

Attribute = str | int | float


class Markup(str):
    """Text that is markup already; any other is escaped where it is put in."""

    __slots__ = ()


def element(name: str, *children: str, **attributes: Attribute) -> Markup:
    """Return an element. Of attributes' names `_` at the end goes, and within is `-`."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(str(value))}"'
        for key, value in attributes.items()
    )
    inner = "".join(
        child if isinstance(child, Markup) else html.escape(child) for child in children
    )
    return Markup(f"<{name}{given}>{inner}</{name}>")


def joined(parts: Iterable[Markup]) -> Markup:
    """Return markup one behind the other."""
    return Markup("".join(parts))


def table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: int = 0) -> Markup:
    """Return a table; the last `numbers` columns hold figures."""
    first = len(head) - numbers

    def line(cell: str, texts: Sequence[str]) -> Markup:
        return element(
            "tr",
            *(
                element(cell, text, class_="number") if place >= first else element(cell, text)
                for place, text in enumerate(texts)
            ),
        )

    body = joined(line("td", row) for row in rows)
    return element(
        "div",
        element("table", element("thead", line("th", head)), element("tbody", body)),
        class_="wide",
    )


@dataclass(frozen=True, slots=True)
class Pair:
    """Two figures to set side by side."""

    label: str
    old: float
    new: float


def bars(title: str, pairs: Sequence[Pair], digits: int = 0) -> Markup:
    """Return pairs of bars, one under the other, each with its label above it."""
    most = max((max(pair.old, pair.new) for pair in pairs), default=0) or 1
    room = WIDTH - 90
    parts: list[Markup] = []
    for number, pair in enumerate(pairs):
        top = number * 52
        parts.append(element("text", pair.label, x=0, y=top + 13, class_="label"))
        for place, (side, value) in enumerate((("old", pair.old), ("new", pair.new))):
            y = top + 19 + place * 13
            width = round(value / most * room, 1)
            parts.append(element("rect", x=0, y=y, width=width, height=11, class_=side))
            told = element("text", f"{value:,.{digits}f}", x=width + 6, y=y + 10, class_="value")
            parts.append(told)
    return _plot(title, len(pairs) * 52, parts)


def columns(title: str, pairs: Sequence[Pair]) -> Markup:
    """Return pairs of columns side by side; of the labels the first, middle and last are shown."""
    height, left, top = 190, 56, 8
    most = _round_up(max((max(pair.old, pair.new) for pair in pairs), default=0))
    parts: list[Markup] = []
    for share in (0, 0.5, 1):
        y = round(top + height * (1 - share), 1)
        parts.append(element("line", x1=left, x2=WIDTH, y1=y, y2=y, class_="grid"))
        parts.append(
            element("text", f"{most * share:,.0f}", x=left - 8, y=y + 4, class_="axis end")
        )
    step = (WIDTH - left) / max(1, len(pairs))
    wide = min(step * 0.42, 24)
    for number, pair in enumerate(pairs):
        middle = left + (number + 0.5) * step
        for side, value, x in (("old", pair.old, middle - wide), ("new", pair.new, middle)):
            tall = round(value / most * height, 1)
            parts.append(
                element(
                    "rect",
                    element("title", f"{pair.label}, {side}: {value:,.0f}"),
                    x=round(x, 1),
                    y=round(top + height - tall, 1),
                    width=round(wide, 1),
                    height=tall,
                    class_=side,
                )
            )
    for place, anchor in ((0, ""), (len(pairs) // 2, " middle"), (len(pairs) - 1, " end")):
        if (place and len(pairs) < 3) or not pairs:
            continue
        x = {"": left, " middle": left + (place + 0.5) * step, " end": WIDTH}[anchor]
        label = pairs[place].label
        parts.append(
            element("text", label, x=round(x, 1), y=top + height + 20, class_=f"axis{anchor}")
        )
    return _plot(title, top + height + 28, parts)


def _plot(title: str, height: int, parts: Iterable[Markup]) -> Markup:
    return element(
        "svg",
        element("title", title),
        *parts,
        viewBox=f"0 0 {WIDTH} {height}",
        role="img",
        aria_label=title,
    )


def _round_up(value: float) -> int:
    """Return the next round figure whose half is a whole one; 2 at least."""
    power = 1
    while value > 10 * power:
        power *= 10
    steps = (step * power for step in (1, 2, 3, 4, 5, 6, 8, 10))
    return next(figure for figure in steps if value <= figure and figure % 2 == 0)
