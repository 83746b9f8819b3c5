"""The ledger: a position never passes a batch that is not done."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.offsets import OffsetLedger


class _Token:
    """A batch's event, known by identity."""


@st.composite
def _batches(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    """Draw last offsets, with holes as transactions and compaction leave them, and an order."""
    steps = draw(st.lists(st.integers(1, 50), min_size=1, max_size=12))
    lasts = [sum(steps[: n + 1]) for n in range(len(steps))]
    order = draw(st.permutations(range(len(lasts))))
    return lasts, order[: draw(st.integers(0, len(order)))]


@given(_batches())
def test_the_position_is_behind_the_batches_done_without_a_gap(
    drawn: tuple[list[int], list[int]],
) -> None:
    lasts, order = drawn
    ledger = OffsetLedger()
    tokens = [_Token() for _ in lasts]
    for token, last in zip(tokens, lasts, strict=True):
        ledger.delivered("p", token, last)
    done: set[int] = set()
    for index in order:
        assert ledger.acknowledged("p", tokens[index])
        done.add(index)
        first_undone = next((n for n in range(len(lasts)) if n not in done), len(lasts))
        expected = lasts[first_undone - 1] + 1 if first_undone else None
        assert ledger.position("p") == expected
        assert ledger.in_flight("p") == len(lasts) - first_undone
    assert ledger.total_in_flight == ledger.in_flight("p")


@given(_batches(), st.booleans())
def test_an_acknowledgement_after_forgetting_changes_nothing(
    drawn: tuple[list[int], list[int]], everything: bool
) -> None:
    """A rebalance: the partition is read again from its committed offset, with new events."""
    lasts, order = drawn
    ledger = OffsetLedger()
    old = [_Token() for _ in lasts]
    for token, last in zip(old, lasts, strict=True):
        ledger.delivered("p", token, last)
    if everything:
        ledger.forget_all()
    else:
        ledger.forget("p")
    assert ledger.position("p") is None
    assert list(ledger) == []
    new = [_Token() for _ in lasts]
    for token, last in zip(new, lasts, strict=True):
        ledger.delivered("p", token, last)
    for index in order:
        assert not ledger.acknowledged("p", old[index])
    assert ledger.position("p") is None
    assert ledger.in_flight("p") == len(lasts)
    for token in new:
        assert ledger.acknowledged("p", token)
    assert ledger.position("p") == lasts[-1] + 1


def test_partitions_are_apart_and_a_second_acknowledgement_is_none() -> None:
    ledger = OffsetLedger()
    one, other = _Token(), _Token()
    ledger.delivered("p", one, 9)
    ledger.delivered("q", other, 4)
    assert ledger.acknowledged("p", one)
    assert not ledger.acknowledged("p", one)
    assert not ledger.acknowledged("q", one)
    assert not ledger.acknowledged("r", one)
    assert (ledger.position("p"), ledger.position("q"), ledger.position("r")) == (10, None, None)
    assert set(ledger) == {"p", "q"}
