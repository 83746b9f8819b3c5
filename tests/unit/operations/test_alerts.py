"""The alerts, as Prometheus's own tool reads and evaluates them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.unit.operations.cases import CASES
from tests.unit.operations.rules import (
    FILES,
    ROOT,
    Case,
    alerts,
    named_in,
    promtool,
    rules,
    series_names,
)


def test_prometheus_accepts_them(tmp_path: Path) -> None:
    promtool("check", "rules", *map(str, FILES), cwd=tmp_path)
    promtool("check", "config", str(ROOT / "deploy/prometheus/prometheus.yml"), cwd=tmp_path)


def test_they_ask_for_series_that_there_are() -> None:
    known = series_names()
    for rule in rules():
        named = named_in(rule["expr"])
        assert named <= known, (rule, named - known)


def test_every_alert_says_who_has_to_do_what() -> None:
    for alert in alerts():
        name = alert["alert"]
        assert re.fullmatch(r"Assayer[A-Z]\w+", name)
        assert alert["labels"]["severity"] in ("critical", "warning"), name
        assert alert["labels"]["service"] == "assayer", name
        assert set(alert["annotations"]) == {"summary", "description", "runbook_url"}, name
        assert alert["annotations"]["runbook_url"] == f"deploy/runbooks/{name}.md"
        assert (ROOT / alert["annotations"]["runbook_url"]).exists(), name
        assert len(alert["annotations"]["description"]) > 50, name


def test_every_alert_has_a_case() -> None:
    """Of each severity, and each cause where one name has several."""
    fire = [
        (case.alert, {"severity": firing.severity, **firing.labels})
        for case in CASES
        for firing in case.fires
    ]
    for alert in alerts():
        assert any(
            name == alert["alert"]
            and all(labels.get(key, value) == value for key, value in alert["labels"].items())
            for name, labels in fire
        ), alert
    waits = {alert["alert"] for alert in alerts() if "for" in alert}
    assert all(case.early for case in CASES if case.alert in waits)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.alert}-{case.at}")
def test_it_fires_when_it_should_and_not_just_under(case: Case, tmp_path: Path) -> None:
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(case.tests()), encoding="utf-8")
    promtool("test", "rules", "test.yaml", cwd=tmp_path)
