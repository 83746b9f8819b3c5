"""The benchmark of swaps measures swaps: what it changes is in use, and every wait is counted."""

from __future__ import annotations

import sys
from functools import cache

import pytest

from tests.benchmarks import machine
from tests.benchmarks.catalogue import Catalogue, rights
from tests.benchmarks.report import section_text
from tests.benchmarks.subjects import Options
from tests.benchmarks.swap_pause import (
    AFTER,
    AT_ONCE,
    IN_PIECES,
    SWITCHED,
    WAYS,
    Waits,
    section,
    swap,
)
from tests.benchmarks.swaps import CHANGES, NOW, Bench, largest_policy


@cache
def _bench() -> Bench:
    registered = rights(20)
    supply = Catalogue([right.mark for right in registered])
    return Bench(registered, list(supply.listings(50, NOW)))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", CHANGES)
def test_what_is_changed_comes_into_use(name: str, way: str) -> None:
    bench, waits = _bench(), Waits()
    before = bench.maker.current
    _, change = CHANGES[name]
    interval = sys.getswitchinterval()
    swap(bench, change(bench), waits, WAYS[way])
    assert sys.getswitchinterval() == interval
    after = bench.maker.current
    changed = (
        after.registry.version != before.registry.version,
        after.registry.matcher is not before.registry.matcher,
        after.policy.version != before.policy.version,
    )
    assert changed == ("registry" in name, "all marks" in name, "policy" in name)
    assert len(waits.at_swap) == len(waits.until) == 1
    assert len(waits.all) >= AFTER
    assert sum(waits.all) >= waits.until[0] >= waits.at_swap[0]


def test_what_swaps_nothing_is_told() -> None:
    with pytest.raises(RuntimeError, match="swapped nothing"):
        swap(_bench(), lambda: None, Waits())


def test_the_largest_policy_is_one_that_is_accepted() -> None:
    bench = _bench()
    swap(bench, bench.policy(largest_policy()), Waits())
    assert bench.maker.refused_policies == ()


def test_the_report_compares_with_nothing_aside_round_by_round() -> None:
    quiet = [Waits([1.0, 1.0, 2.0]), Waits([2.0, 2.0, 4.0])]
    rounds = {
        ("a swap", IN_PIECES): [
            Waits([1.0, 5.0, 6.0], [5.0], [7.0]),
            Waits([2.0, 6.0, 8.0], [6.0], [9.0]),
        ],
        ("a swap", AT_ONCE): [Waits([12.0], [5.0], [7.0]), Waits([24.0], [6.0], [9.0])],
        ("a swap", SWITCHED): [Waits([6.0], [5.0], [7.0]), Waits([8.0], [6.0], [9.0])],
    }
    report = section(Options(machine.Cores(0, 1), "the command"), "a machine", quiet, rounds)
    ratios, times = report.tables
    assert ratios.rows == (
        ("a swap", "2.50 × (2.00–3.00)", "2.50 × (2.00–3.00)", "1.00 × (1.00–1.00)"),
    )
    assert times.rows[0] == (
        *("nothing", "", "1.50 (1.00–2.00)", "3.00 (2.00–4.00)", "3.0 (2.0–4.0)"),
        *("", "", ""),
    )
    assert times.rows[1] == (
        *("a swap", IN_PIECES, "5.50 (5.00–6.00)", "7.00 (6.00–8.00)", "7.0 (6.0–8.0)"),
        *("1.5 (1.0–2.0)", "5.50 (5.00–6.00)", "8 (7–9)"),
    )
    assert "the command" in section_text(report)
