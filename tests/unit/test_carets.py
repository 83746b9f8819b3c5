"""A place in a text, as a terminal shows it."""

from __future__ import annotations

import pytest

from agents.carets import LINE, pointed_at


@pytest.mark.parametrize(
    ("line", "start", "width", "carets"),
    [
        ("Zorvex diver", 0, 6, "^^^^^^"),
        ("a Zorvex", 2, 6, "  ^^^^^^"),
        ("耐克 Zorvex", 3, 6, "     ^^^^^^"),
        ("a 耐克", 2, 2, "  ^^^^"),
        ("e\u0301 Zo", 3, 2, "  ^^"),
        ("", 0, 1, "^"),
    ],
)
def test_carets_stand_under_what_is_meant(line: str, start: int, width: int, carets: str) -> None:
    assert pointed_at(line, start, width) == (line, carets)


def test_what_cannot_be_seen_is_a_dot_and_a_tab_a_space() -> None:
    assert pointed_at("Zor\u200bvex\t\x1b[31m", 0, 7) == ("Zor·vex ·[31m", "^" * 7)


def test_of_a_long_line_the_part_around_the_place_is_shown() -> None:
    shown, carets = pointed_at("a" * 1_000 + "Zorvex" + "b" * 1_000, 1_000, 6)
    assert len(shown) == LINE
    assert shown[carets.index("^") :].startswith("Zorvex")
