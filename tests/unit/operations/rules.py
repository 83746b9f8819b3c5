"""The rules as files, and as Prometheus's own tool evaluates them."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml
from prometheus_client.metrics_core import Metric

from streams.metrics import Metrics

ROOT: Final = Path(__file__).resolve().parents[3]
FILES: Final = sorted((ROOT / "deploy/prometheus/rules").glob("*.yaml"))
_SUFFIXES: Final = {
    "counter": ("_total",),
    "info": ("_info",),
    "histogram": ("_bucket", "_count", "_sum"),
}


@cache
def rules() -> list[dict[str, Any]]:
    """Return every rule of every file."""
    return [rule for path in FILES for rule in _rules_of(path)]


@cache
def alerts() -> list[dict[str, Any]]:
    """Return the rules that are alerts."""
    return [rule for rule in rules() if "alert" in rule]


@cache
def _rules_of(path: Path) -> list[dict[str, Any]]:
    groups = yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def _file_of(alert: str) -> Path:
    """Return the file that has an alert: the others need not be evaluated for its test."""
    (path,) = [p for p in FILES if any(rule.get("alert") == alert for rule in _rules_of(p))]
    return path


def series_names() -> set[str]:
    """Return the names of all series: those a worker exposes, and those that are recorded."""
    families: list[Metric] = list(Metrics().registry.collect())
    exposed = {
        family.name + suffix for family in families for suffix in _SUFFIXES.get(family.type, ("",))
    }
    return exposed | {rule["record"] for rule in rules() if "record" in rule}


def named_in(text: str) -> set[str]:
    """Return the names of series of ours, and of the process, that a text has."""
    return set(re.findall(r"(?<![\w./-])(?:job_le:|job:|assayer:|assayer_|process_)[\w:]*\w", text))


def promtool(*arguments: str, cwd: Path) -> None:
    """Run Prometheus's own tool; what it says is wrong fails the test."""
    done = subprocess.run(
        ["promtool", *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@dataclass(frozen=True, slots=True)
class Firing:
    """An alert as it fires: its severity, its summary, and its labels beside those of the rule."""

    severity: str
    summary: str
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """Series under which an alert fires, and others just under it, under which it does not.

    Values are in promtool's notation, one a step. `under` replaces or adds to the series of `over`.
    """

    alert: str
    at: str
    """When it has to fire under `over`, and not under `under`."""
    over: dict[str, str]
    under: dict[str, str]
    fires: tuple[Firing, ...]
    early: str = ""
    """When it does not fire yet under `over`; '' where it does not wait."""
    step: str = "1m"
    still: tuple[Firing, ...] = ()
    """What fires of it under `under` all the same, of another severity."""

    def tests(self) -> dict[str, Any]:
        """Return the case as a file of promtool's."""
        over = [{"eval_time": self.at, "exp_alerts": [self._expected(each) for each in self.fires]}]
        if self.early:
            over.append({"eval_time": self.early, "exp_alerts": []})
        still = [self._expected(each) for each in self.still]
        under = [{"eval_time": self.at, "exp_alerts": still}]
        return {
            "rule_files": [str(_file_of(self.alert))],
            "evaluation_interval": self.step,
            "tests": [
                {
                    "interval": self.step,
                    "input_series": [{"series": n, "values": v} for n, v in series.items()],
                    "alert_rule_test": [{"alertname": self.alert, **each} for each in wanted],
                }
                for series, wanted in ((self.over, over), ({**self.over, **self.under}, under))
            ],
        }

    def _expected(self, firing: Firing) -> dict[str, Any]:
        wanted = {"severity": firing.severity, **firing.labels}
        (rule,) = [
            rule
            for rule in alerts()
            if rule["alert"] == self.alert
            and all(wanted.get(name, value) == value for name, value in rule["labels"].items())
        ]
        return {
            "exp_labels": {**rule["labels"], **firing.labels},
            "exp_annotations": {**rule["annotations"], "summary": firing.summary},
        }
