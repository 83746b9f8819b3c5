"""Every query of the dashboards, of a Prometheus that scrapes a worker under load, finds data."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import certifi
import pytest

from agents.records import Sale
from deploy.grafana import DASHBOARDS
from deploy.services import Prometheus
from streams import topics
from tests.harness import Bus, WorkerProcess, listing, now_ms, policy_with, wait_for

RULES: Final = Path(__file__).resolve().parents[2] / "deploy/prometheus/rules/*.yaml"
VARIABLES: Final = {"$__rate_interval": "10s", "$job": ".*", "$instance": ".*"}
QUERIES: Final = {
    f"{dashboard.uid}, {panel.title}, {number}": query.expr
    for dashboard in DASHBOARDS
    for row in dashboard.rows
    for panel in row.panels
    for number, query in enumerate(panel.queries)
}


@pytest.fixture(scope="module")
def prometheus(bus: Bus, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus over a worker that has met everything: sales, reviews, poison, a full quota."""
    folder = tmp_path_factory.mktemp("dashboards")
    with (
        WorkerProcess(
            bus.settings,
            folder,
            # Not used without TLS, and told of all the same.
            ASSAYER_KAFKA_SSL_CA_LOCATION=certifi.where(),
            **policy_with(folder, "{per_minute: 30, per_hour: 30, factor: 0}"),
        ) as worker,
        Prometheus(worker.wait_ready().url.removeprefix("http://"), rules=RULES) as server,
    ):
        wait_for(lambda: server.query("up == 1"), 20, "a first scrape, so that all is seen to rise")
        bus.publish(sales=[Sale("sale-1", "removed-3-1", "seller-1", 1, now_ms())])
        for turn in range(4):
            _load(bus, turn)
            time.sleep(0.8)
        yield server


def _load(bus: Bus, turn: int) -> None:
    """Publish listings of every outcome, and what can't be read."""
    bus.publish(
        [
            *(listing(f"removed-{turn}-{n}", "Zorvex watch replica") for n in range(10)),
            *(listing(f"hidden-{turn}-{n}", "Z0rvex Diver 300") for n in range(5)),
            *(listing(f"allowed-{turn}-{n}", f"Oak chair {n}") for n in range(100)),
        ]
    )
    bus.send(topics.LISTINGS, [(f"poison-{turn}", b"no listing")])


def test_every_query_of_a_panel_finds_data(prometheus: Prometheus) -> None:
    waiting = {
        name: re.sub(r"\$\w+", lambda found: VARIABLES[found[0]], expression)
        for name, expression in QUERIES.items()
    }
    deadline = time.monotonic() + 30
    while waiting and time.monotonic() < deadline:
        waiting = {
            name: expression
            for name, expression in waiting.items()
            if not _finite(prometheus, expression)
        }
        time.sleep(0.5)
    assert not waiting


def _finite(prometheus: Prometheus, expression: str) -> bool:
    """Return whether an instant query returns at least one number."""
    return any(math.isfinite(float(each["value"][1])) for each in prometheus.query(expression))
