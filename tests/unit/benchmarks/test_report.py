"""Reports say what was measured: medians, ratios by round, tables, a page kept up to date."""

from __future__ import annotations

import pytest

from tests.benchmarks import machine
from tests.benchmarks.contestants import CONTESTANTS, Result
from tests.benchmarks.report import (
    HEAD,
    Section,
    Spread,
    Table,
    merge,
    percentile,
    ratios,
    section_text,
    spread,
    table_text,
)
from tests.benchmarks.subjects import SUBJECTS, Options, load
from tests.benchmarks.throughput import section


def test_spread_is_the_median_between_the_extremes() -> None:
    assert spread([9.0, 1.0, 4.0]) == Spread(4.0, 1.0, 9.0)
    assert spread([1.0, 2.0, 3.0, 10.0]).median == 2.5
    with pytest.raises(ValueError, match="no rounds"):
        spread([])


def test_spread_as_text_has_digits_and_unit() -> None:
    assert Spread(41234.4, 1000.0, 52000.6).text() == "41,234 (1,000–52,001)"
    assert Spread(8.25, 7.0, 9.127).text(2, " ×") == "8.25 × (7.00–9.13)"


def test_ratios_are_taken_round_by_round() -> None:
    """A slow round slows both: the ratio stays, where the ratio of extremes would not."""
    assert ratios([80.0, 20.0, 40.0], [10.0, 2.5, 4.0]) == [8.0, 8.0, 10.0]
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        ratios([1.0, 2.0], [1.0])


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 1.0), (0.5, 50.0), (0.99, 99.0), (0.991, 100.0), (1.0, 100.0)]
)
def test_percentile_is_the_nearest_rank(share: float, expected: float) -> None:
    assert percentile([float(n) for n in range(100, 0, -1)], share) == expected


def test_percentile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_table_is_markdown_and_cells_cannot_break_it() -> None:
    table = Table(("a", "b"), (("1", "x|y"), ("2", "two\nlines")))
    assert table_text(table) == "| a | b |\n| --- | --- |\n| 1 | x\\|y |\n| 2 | two lines |"


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="1 cells under a head of 2"):
        table_text(Table(("a", "b"), (("1",),)))


def test_section_says_how_where_and_by_which_command() -> None:
    text = section_text(Section("Title", "How.", "the command", "a machine", (), ("a note",)))
    assert text == "## Title\n\nHow.\n\n`the command` on a machine.\n\n- a note"


def test_merge_replaces_what_is_new_and_keeps_the_rest_in_order() -> None:
    page = merge("", {"b": "## B\n\nformer", "c": "## C"}, ["a", "b", "c"])
    page = merge(page, {"b": "## B\n\nnew", "a": "## A"}, ["a", "b", "c"])
    assert page.startswith(HEAD)
    assert "former" not in page
    assert page.count("<!-- subject:") == 3
    assert page.index("## A") < page.index("## B\n\nnew") < page.index("## C")
    assert merge(page, {}, ["a", "b", "c"]) == page


def test_merge_keeps_a_subject_it_does_not_know() -> None:
    page = merge("", {"foreign": "## Foreign"}, ["foreign"])
    assert "## Foreign" in merge(page, {"a": "## A"}, ["a"])


def _result(name: str, rate: float, cpu_us: float, **stages: float) -> Result:
    return Result(name, int(rate), 1.0, cpu_us * rate / 1e6, 0.01, 1, 1, 1, stages)


def test_throughput_reports_rates_and_ratios_of_the_same_round() -> None:
    """Ours is 8 and 10 times plain Faust in its two rounds, so 9 times in the median."""
    rounds = [
        {
            name: _result(name, rate, cpu_us)
            for name, rate, cpu_us in zip(CONTESTANTS, rates, cpu, strict=True)
        }
        for rates, cpu in (
            ((100_000, 50_000, 40_000, 5_000), (2.0, 4.0, 20.0, 200.0)),
            ((50_000, 25_000, 20_000, 2_000), (2.0, 4.0, 30.0, 300.0)),
        )
    ]
    options = Options(machine.Cores(0, 1), "the command", rounds=2)
    report = section(options, "a machine", rounds, 587.0)
    assert report.tables[0].rows[0] == (
        "ours to plain Faust",
        "9.00 × (8.00–10.00)",
        "0.10 × (0.10–0.10)",
    )
    by_contestant = {row[0].split(",")[0]: row[1:] for row in report.tables[1].rows}
    assert by_contestant["ours"] == ("30,000 (20,000–40,000)", "25.0 (20.0–30.0)", "1.00 %")
    assert "the command" in section_text(report)


def test_what_no_stage_claims_is_the_rest() -> None:
    """50,000 listings a second are 20 µs a listing, whatever of it was CPU time."""
    stages = {"screen": 10e-6, "examine": 5e-6, "judge": 1e-6, "deliver": 1.0}
    rounds = [{name: _result(name, 50_000, 18.0, **stages) for name in CONTESTANTS}]
    report = section(Options(machine.Cores(0, 1), "", rounds=1), "", rounds, 587.0)
    times = [row[1] for row in report.tables[2].rows]
    assert times == ["10.0 (10.0–10.0)", "5.0 (5.0–5.0)", "1.0 (1.0–1.0)", "4.0 (4.0–4.0)"]


@pytest.mark.parametrize("name", SUBJECTS)
def test_every_subject_can_be_loaded(name: str) -> None:
    assert callable(load(name))


def test_the_machine_is_described_by_what_figures_depend_on() -> None:
    text = machine.description(machine.Cores(0, 1))
    assert "Kafka" in text
    assert "Python" in text
