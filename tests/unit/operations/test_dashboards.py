"""The dashboards: as described, read by Grafana's own models, and every series they ask for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import units

from deploy.grafana import DASHBOARDS, FOLDER
from deploy.grafana.panels import COLUMNS, Dashboard
from tests.unit.operations.rules import ROOT, named_in, series_names

of_each = pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda each: each.uid)


def _document(dashboard: Dashboard) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(_file(dashboard).read_text(encoding="utf-8"))
    return document


def _file(dashboard: Dashboard) -> Path:
    return FOLDER / f"{dashboard.uid}.json"


def _panels(dashboard: Dashboard) -> list[dict[str, Any]]:
    """Return the panels that show something."""
    return [panel for panel in _document(dashboard)["panels"] if panel["type"] != "row"]


@of_each
def test_the_file_is_what_is_described(dashboard: Dashboard) -> None:
    assert _file(dashboard).read_text(encoding="utf-8") == dashboard.json(), (
        "write them anew: python -m deploy.grafana"
    )


def test_there_is_a_file_for_each_and_no_other() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == {each.uid for each in DASHBOARDS}


@of_each
def test_grafana_knows_all_that_it_says(dashboard: Dashboard) -> None:
    """Read by Grafana's models and written again: a key or value they do not know is gone."""
    register_default_plugins()
    ours = _document(dashboard)
    read = json.loads(JSONEncoder().encode(model.Dashboard.from_json(ours)))
    assert list(_lost(ours, read, "")) == []


def _lost(ours: Any, read: Any, place: str) -> Iterator[str]:
    """Yield the places where what was read is not what was written."""
    if isinstance(ours, dict) and isinstance(read, dict):
        for key, value in ours.items():
            yield from _lost(value, read.get(key), f"{place}.{key}")
    elif isinstance(ours, list) and isinstance(read, list) and len(ours) == len(read):
        for number, (value, other) in enumerate(zip(ours, read, strict=True)):
            yield from _lost(value, other, f"{place}[{number}]")
    elif ours != read:
        yield f"{place}: {ours!r} is read as {read!r}"


@of_each
def test_panels_have_ids_words_and_units(dashboard: Dashboard) -> None:
    ids = [panel["id"] for panel in _document(dashboard)["panels"]]
    assert len(ids) == len(set(ids))
    known = {value for name, value in vars(units).items() if name[0].isupper()}
    for panel in _panels(dashboard):
        assert panel["title"], panel
        assert len(panel["description"]) > 5, panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"] in known, panel["title"]
        assert panel["targets"], panel["title"]


@of_each
def test_they_ask_the_source_that_is_chosen(dashboard: Dashboard) -> None:
    """Each panel and query, by the variable of a data source."""
    document = _document(dashboard)
    variables = {each["name"]: each for each in document["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert variables["datasource"]["query"] == "prometheus"
    for panel in _panels(dashboard):
        references = [target["refId"] for target in panel["targets"]]
        assert len(references) == len(set(references))
        for asked in (panel, *panel["targets"]):
            assert asked["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    for name in {word for word in json.dumps(document).split('"$') if word[0].isalpha()}:
        assert name.split('\\"')[0].split('"')[0] in {*variables, "job", "instance"}


@of_each
def test_panels_lie_side_by_side(dashboard: Dashboard) -> None:
    boxes = [panel["gridPos"] for panel in _document(dashboard)["panels"]]
    assert all(box["x"] + box["w"] <= COLUMNS for box in boxes)
    for one, other in combinations(boxes, 2):
        apart = (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )
        assert apart, (one, other)


@of_each
def test_they_ask_for_series_that_there_are(dashboard: Dashboard) -> None:
    """And for something of ours in every query, constants apart."""
    known = series_names()
    for panel in _panels(dashboard):
        for target in panel["targets"]:
            named = named_in(target["expr"])
            assert named <= known, (panel["title"], named - known)
            assert named or target["expr"].startswith(("vector(", "count")), target["expr"]


def test_the_first_row_is_read_at_a_glance() -> None:
    """Numbers side by side, in one line at the top, each with colours of its own."""
    overview = next(each for each in DASHBOARDS if each.uid == "assayer-overview")
    first = overview.rows[0].panels
    assert all(panel.kind == "stat" for panel in first)
    assert sum(panel.width for panel in first) == COLUMNS
    assert [row.title for row in overview.rows[1:]] == [
        "Is it healthy?",
        "Is it fast?",
        "Is it fair?",
        "What is held?",
        "Is there headroom?",
    ]


def test_grafana_is_told_where_they_are() -> None:
    folder = ROOT / "deploy/grafana/provisioning"
    (provider,) = yaml.safe_load((folder / "dashboards/assayer.yaml").read_text())["providers"]
    assert provider["type"] == "file"
    assert provider["options"]["path"].endswith(f"/{FOLDER.name}")
    (source,) = yaml.safe_load((folder / "datasources/prometheus.yaml").read_text())["datasources"]
    assert source["type"] == "prometheus"
