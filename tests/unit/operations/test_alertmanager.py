"""Where alerts go, as Alertmanager's own tool reads it."""

from __future__ import annotations

import re
import subprocess
from typing import Any, Final

import pytest
import yaml

from tests.unit.operations.rules import ROOT, alerts

CONFIGURATION: Final = ROOT / "deploy/alertmanager/alertmanager.yml"
RECEIVERS: Final = {"critical": "pager", "warning": "tickets"}


def _amtool(*arguments: str) -> str:
    done = subprocess.run(["amtool", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_alertmanager_accepts_it() -> None:
    assert "SUCCESS" in _amtool("check-config", str(CONFIGURATION))


@pytest.mark.parametrize("severity", RECEIVERS)
def test_an_alert_goes_to_who_has_to_hear_of_it(severity: str) -> None:
    """Whatever other labels the alerts of this severity have."""
    for alert in alerts():
        if alert["labels"]["severity"] != severity:
            continue
        labels = {"alertname": alert["alert"], "job": "assayer", **alert["labels"]}
        told = _amtool(
            *("config", "routes", "test", f"--config.file={CONFIGURATION}"),
            f"--verify.receivers={RECEIVERS[severity]}",
            *(f"{name}={value}" for name, value in labels.items()),
        )
        assert told.strip() == RECEIVERS[severity]


def test_what_is_not_told_are_alerts_that_there_are() -> None:
    """Both sides of each inhibition name alerts by their whole names."""
    names = {alert["alert"] for alert in alerts()}
    rules: list[dict[str, Any]] = yaml.safe_load(CONFIGURATION.read_text())["inhibit_rules"]
    matchers = [each for rule in rules for side in rule.values() for each in side]
    named = {name for matcher in matchers for name in re.findall(r"Assayer\w+", matcher)}
    assert len(named) > 10
    assert named <= names
