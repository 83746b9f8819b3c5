"""What a dashboard is made of, and the JSON that Grafana reads it from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Kind = Literal["stat", "timeseries", "state-timeline", "bargauge"]

GREEN: Final = "green"
YELLOW: Final = "yellow"
RED: Final = "red"
COLUMNS: Final = 24
SCHEMA_VERSION: Final = 39
"""Of Grafana 11; newer ones read it."""
SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
HEIGHTS: Final[dict[Kind, int]] = {
    "stat": 4,
    "timeseries": 8,
    "state-timeline": 6,
    "bargauge": 8,
}
_OPTIONS: Final[dict[Kind, dict[str, Any]]] = {
    "stat": {
        "colorMode": "background",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "textMode": "auto",
    },
    "timeseries": {
        "legend": {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "state-timeline": {
        "alignValue": "left",
        "legend": {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": False},
        "mergeValues": True,
        "rowHeight": 0.9,
        "showValue": "never",
        "tooltip": {"mode": "single", "sort": "none"},
    },
    "bargauge": {
        "displayMode": "basic",
        "orientation": "horizontal",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "showUnfilled": True,
        "valueMode": "color",
    },
}
UP_OR_DOWN: Final = (
    {
        "type": "value",
        "options": {
            "0": {"color": "red", "index": 0, "text": "no"},
            "1": {"color": "green", "index": 1, "text": "yes"},
        },
    },
)


@dataclass(frozen=True, slots=True)
class Query:
    """A query of Prometheus, and what its series are called."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A colour from a value on; the first of a panel is from the lowest on."""

    color: str
    value: float | None = None


def rising(warn: float, bad: float) -> tuple[Step, ...]:
    """Return colours of what is worse the more there is."""
    return (Step(GREEN), Step(YELLOW, warn), Step(RED, bad))


def falling(bad: float, warn: float) -> tuple[Step, ...]:
    """Return colours of what is worse the less there is."""
    return (Step(RED), Step(YELLOW, bad), Step(GREEN, warn))


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel: what it is called, what it tells, in which of Grafana's units."""

    title: str
    says: str
    unit: str
    queries: tuple[Query, ...]
    kind: Kind = "timeseries"
    width: int = 8
    steps: tuple[Step, ...] = (Step("green"),)
    stacked: bool = False
    least: float | None = 0
    most: float | None = None
    mappings: tuple[dict[str, Any], ...] = ()

    def json(self, number: int, x: int, y: int) -> dict[str, Any]:
        """Return it at a place of the grid."""
        defaults: dict[str, Any] = {
            "color": {"mode": "palette-classic" if self.kind == "timeseries" else "thresholds"},
            "custom": self._custom(),
            "mappings": list(self.mappings),
            "thresholds": {
                "mode": "absolute",
                "steps": [{"color": step.color, "value": step.value} for step in self.steps],
            },
            "unit": self.unit,
        }
        if self.least is not None:
            defaults["min"] = self.least
        if self.most is not None:
            defaults["max"] = self.most
        return {
            "datasource": SOURCE,
            "description": self.says,
            "fieldConfig": {"defaults": defaults, "overrides": []},
            "gridPos": {"h": HEIGHTS[self.kind], "w": self.width, "x": x, "y": y},
            "id": number,
            "options": _OPTIONS[self.kind],
            "targets": [
                {
                    "datasource": SOURCE,
                    "expr": query.expr,
                    "legendFormat": query.legend,
                    "range": True,
                    "refId": chr(ord("A") + place),
                }
                for place, query in enumerate(self.queries)
            ],
            "title": self.title,
            "type": self.kind,
        }

    def _custom(self) -> dict[str, Any]:
        if self.kind == "state-timeline":
            return {"fillOpacity": 80, "lineWidth": 0}
        if self.kind != "timeseries":
            return {}
        return {
            "fillOpacity": 30 if self.stacked else 5,
            "lineWidth": 1,
            "showPoints": "never",
            "stacking": {"group": "A", "mode": "normal" if self.stacked else "none"},
            "thresholdsStyle": {"mode": "line" if len(self.steps) > 1 else "off"},
        }


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under a heading, put side by side as they fit."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice at the top of a dashboard: the values of a label."""

    name: str
    query: str

    def json(self) -> dict[str, Any]:
        """Return it as a query of Prometheus; all values until one is chosen."""
        return {
            "allValue": ".*",
            "current": {"text": ["All"], "value": ["$__all"]},
            "datasource": SOURCE,
            "includeAll": True,
            "label": self.name,
            "multi": True,
            "name": self.name,
            "query": {"query": self.query, "refId": self.name},
            "refresh": 2,
            "sort": 1,
            "type": "query",
        }


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Rows of panels over one data source."""

    uid: str
    title: str
    says: str
    rows: tuple[Row, ...]
    variables: tuple[Variable, ...]
    tags: tuple[str, ...] = field(default=("assayer",))

    def json(self) -> str:
        """Return the JSON that Grafana provisions it from, with an end of line."""
        document = {
            "annotations": {"list": [_ALERTS]},
            "description": self.says,
            "editable": False,
            "graphTooltip": 1,
            "links": [_LINK],
            "panels": _laid_out(self.rows),
            "refresh": "10s",
            "schemaVersion": SCHEMA_VERSION,
            "tags": list(self.tags),
            "templating": {"list": [_DATASOURCE, *(each.json() for each in self.variables)]},
            "time": {"from": "now-1h", "to": "now"},
            "timezone": "browser",
            "title": self.title,
            "uid": self.uid,
        }
        return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _laid_out(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the panels at their places, each row under a heading, ids from 1 on."""
    placed: list[dict[str, Any]] = []
    y = 0
    for row in rows:
        placed.append(_heading(row.title, len(placed) + 1, y))
        y += 1
        x = height = 0
        for panel in row.panels:
            if x + panel.width > COLUMNS:
                x, y, height = 0, y + height, 0
            placed.append(panel.json(len(placed) + 1, x, y))
            x += panel.width
            height = max(height, HEIGHTS[panel.kind])
        y += height
    return placed


def _heading(title: str, number: int, y: int) -> dict[str, Any]:
    return {
        "collapsed": False,
        "gridPos": {"h": 1, "w": COLUMNS, "x": 0, "y": y},
        "id": number,
        "panels": [],
        "title": title,
        "type": "row",
    }


_DATASOURCE: Final = {
    "label": "data source",
    "name": "datasource",
    "query": "prometheus",
    "refresh": 1,
    "type": "datasource",
}
_ALERTS: Final = {
    "datasource": SOURCE,
    "enable": True,
    "expr": 'ALERTS{alertstate="firing", service="assayer"}',
    "iconColor": "red",
    "name": "Alerts",
}
_LINK: Final = {
    "asDropdown": False,
    "icon": "dashboard",
    "includeVars": True,
    "keepTime": True,
    "tags": ["assayer"],
    "targetBlank": False,
    "title": "",
    "tooltip": "",
    "type": "dashboards",
    "url": "",
}
