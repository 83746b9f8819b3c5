"""The set of watched sellers that a worker holds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agents.history.watched import NOBODY, watched

SELLERS = st.lists(st.text(max_size=6).map(str.encode), max_size=40)


@given(SELLERS, SELLERS, SELLERS)
def test_it_finds_whom_a_set_finds(
    some: list[bytes], more: list[bytes], asked: list[bytes]
) -> None:
    known = {*some, *more}
    both = watched(some) | watched(more)
    assert len(both) == len(known)
    asked += some[:5]
    assert both.among(asked) == [place for place, seller in enumerate(asked) if seller in known]


def test_nobody_is_nobody() -> None:
    assert len(NOBODY) == 0
    assert NOBODY.among([b"", b"s-1"]) == []
    assert (NOBODY | watched([b"s-1"])).among([b"s-2", b"s-1"]) == [1]
    assert watched([b"s-1"]).among([]) == []
