"""Metrics: counted in batches, the same numbers as counting one by one."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from streams.metrics import HANDLING_BUCKETS, WINDOWS, BatchHistogram, FirstSale, Metrics

NOW = 1_764_000_000.0


def _samples(registry: CollectorRegistry) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Return the samples of a scrape; when a series was created is no number of ours."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(generate_latest(registry).decode())
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


SECONDS = st.floats(0, 200_000) | st.sampled_from(HANDLING_BUCKETS) | st.just(math.inf)


@given(st.lists(st.lists(SECONDS, max_size=30), max_size=5))
def test_a_batch_histogram_is_a_histogram(batches: list[list[float]]) -> None:
    """The same buckets, count and sum as prometheus_client's; values on a bound included."""
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    batched = BatchHistogram("seconds", "Seconds.", HANDLING_BUCKETS)
    ours.register(batched)
    single = Histogram("seconds", "Seconds.", buckets=HANDLING_BUCKETS, registry=theirs)
    for batch in batches:
        batched.observe(batch)
        for value in batch:
            single.observe(value)
    got, wanted = _samples(ours), _samples(theirs)
    assert got.keys() == wanted.keys()
    for name, value in wanted.items():
        assert math.isclose(got[name], value, rel_tol=1e-9), name


def test_a_labelled_histogram_keeps_its_series_apart() -> None:
    registry = CollectorRegistry()
    stage = BatchHistogram("stage_seconds", "Stages.", (0.1, 1), ["stage"])
    registry.register(stage)
    assert not _samples(registry)
    stage.observe((), "idle")
    stage.observe((0.05, 0.5), "screen")
    stage.observe((5,), "judge")
    samples = _samples(registry)
    assert samples["stage_seconds_bucket", (("le", "0.1"), ("stage", "screen"))] == 1
    assert samples["stage_seconds_count", (("stage", "screen"),)] == 2
    assert samples["stage_seconds_count", (("stage", "judge"),)] == 1
    assert samples["stage_seconds_bucket", (("le", "1.0"), ("stage", "judge"))] == 0
    assert ("stage_seconds_count", (("stage", "idle"),)) not in samples


def test_handling_time_is_counted_from_5_ms_to_a_day() -> None:
    assert HANDLING_BUCKETS[0] == 0.005
    assert HANDLING_BUCKETS[-1] == 86_400
    assert list(HANDLING_BUCKETS) == sorted(HANDLING_BUCKETS)


def test_the_ratio_before_the_first_sale_slides() -> None:
    sale = FirstSale()
    assert all(math.isnan(sale.ratio(seconds, NOW)) for seconds in WINDOWS.values())
    sale.add(3, 4, NOW)
    sale.add(0, 1, NOW + 1)
    assert sale.ratio(300, NOW + 2) == 3 / 5
    sale.add(5, 5, NOW + 1800)
    assert sale.ratio(300, NOW + 1800) == 1
    assert sale.ratio(3600, NOW + 1800) == 8 / 10
    assert math.isnan(sale.ratio(300, NOW + 7200))
    assert sale.ratio(86_400, NOW + 7200) == 8 / 10
    assert math.isnan(sale.ratio(86_400, NOW + 200_000))


@given(st.lists(st.tuples(st.integers(0, 90_000), st.integers(0, 9)), max_size=40))
def test_the_ratio_over_a_window_is_that_of_its_takedowns(adds: list[tuple[int, int]]) -> None:
    """To the minute: a slot counts while the window's beginning has not passed it whole."""
    sale = FirstSale()
    ordered = sorted(adds)
    for second, before in ordered:
        sale.add(before, 10, NOW + second)
    now = NOW + (ordered[-1][0] if ordered else 0)
    for window in WINDOWS.values():
        oldest = int(now - window) // 60
        inside = [before for second, before in ordered if int(NOW + second) // 60 > oldest]
        ratio = sale.ratio(window, now)
        if not inside:
            assert math.isnan(ratio)
        else:
            assert math.isclose(ratio, sum(inside) / (10 * len(inside)), abs_tol=1e-12)


PROMISED = {
    "assayer_listings": "counter",
    "assayer_handling_seconds": "histogram",
    "assayer_stage_seconds": "histogram",
    "assayer_takedowns": "counter",
    "assayer_before_first_sale_ratio": "gauge",
    "assayer_rule_hits": "counter",
    "assayer_dead_letters": "counter",
    "assayer_consumer_lag": "gauge",
    "assayer_registry_version": "gauge",
    "assayer_policy_info": "gauge",
    "assayer_dependency_up": "gauge",
}
"""What dashboards and alerts rely on; a counter's `_total` is its samples' ending."""


def test_every_metric_is_exposed_from_the_start() -> None:
    text = generate_latest(Metrics().registry).decode()
    exposed: dict[str, Any] = {
        line.split()[2].removesuffix("_total"): line.split()[3]
        for line in text.splitlines()
        if line.startswith("# TYPE")
    }
    assert exposed.items() >= PROMISED.items()
    described = {line.split()[2] for line in text.splitlines() if line.startswith("# HELP")}
    assert len(described) == sum(line.startswith("# TYPE") for line in text.splitlines())
    assert all(len(line.split()) > 5 for line in text.splitlines() if line.startswith("# HELP"))
