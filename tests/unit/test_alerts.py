"""The alerts, as Prometheus's own tool reads and evaluates them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any, Final

import yaml

from streams.metrics import Metrics

RULES: Final = Path(__file__).resolve().parents[2] / "deploy/prometheus/rules.yaml"


def _promtool(*arguments: str, cwd: Path) -> None:
    done = subprocess.run(
        ["promtool", *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_prometheus_accepts_them(tmp_path: Path) -> None:
    _promtool("check", "rules", str(RULES), cwd=tmp_path)


def test_they_ask_for_metrics_that_there_are() -> None:
    names = {family.name for family in Metrics().registry.collect()}
    for alert in _alerts():
        assert any(name in alert["expr"] for name in names), alert["expr"]


def test_held_takedowns_raise_one_alert_whoever_tells_of_them(tmp_path: Path) -> None:
    """Two workers tell the same number, a third does not know it; nothing held, no alert."""
    alert = next(each for each in _alerts() if each["alert"] == "AssayerTakedownsHeld")
    case = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    {
                        "series": f'assayer_held_takedowns{{job="assayer", instance="{name}"}}',
                        "values": values,
                    }
                    for name, values in (("a", "0 0 250 250 0"), ("b", "NaN 0 250 250 0"))
                ]
                + [
                    {
                        "series": 'assayer_held_takedowns{job="assayer", instance="c"}',
                        "values": "NaN NaN NaN",
                    }
                ],
                "alert_rule_test": [
                    {"eval_time": "1m", "alertname": alert["alert"], "exp_alerts": []},
                    {
                        "eval_time": "2m",
                        "alertname": alert["alert"],
                        "exp_alerts": [
                            {
                                "exp_labels": {"job": "assayer", **alert["labels"]},
                                "exp_annotations": {
                                    **alert["annotations"],
                                    "summary": "250 takedowns over a quota wait for a person",
                                },
                            }
                        ],
                    },
                    {"eval_time": "4m", "alertname": alert["alert"], "exp_alerts": []},
                ],
            }
        ],
    }
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(case), encoding="utf-8")
    _promtool("test", "rules", "test.yaml", cwd=tmp_path)
