"""The pages say what the code does: settings, metrics, commands, rules, files and tests."""

from __future__ import annotations

import importlib
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cyclopts import App
from prometheus_client.metrics_core import Metric

import agents.monitoring.vocabulary
from agents.cli import COMMANDS
from agents.monitoring.policies import default_policy
from streams.metrics import Metrics
from streams.settings import ENV_PREFIX, Settings

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
_BENCHMARKS = "tests/benchmarks"
"""`make bench` writes there: pages may name what a checkout does not have yet."""
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "agents/monitoring/README.md")


def _settings_table() -> str:
    """Return the table of settings that the README has to have."""
    lines = ["| variable | default | |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = field.get_default()
        shown = getattr(default, "get_secret_value", lambda value=default: value)()
        cell = f"`{shown}`" if shown not in ("", None) else ""
        lines.append(f"| `{(ENV_PREFIX + name).upper()}` | {cell} | {field.description} |")
    return "\n".join(lines)


def _section(heading: str) -> str:
    """Return the text under a heading of the README."""
    return README.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def _first_cells(text: str) -> list[str]:
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


def test_the_settings_are_all_there() -> None:
    table = _settings_table()
    assert table in README, f"the README's settings have to be:\n\n{table}"


def test_the_metrics_are_all_there() -> None:
    suffixes = {"counter": "_total", "info": "_info"}
    families: list[Metric] = list(Metrics().registry.collect())
    names = [family.name + suffixes.get(family.type, "") for family in families]
    assert sorted(_first_cells(_section("Watch it"))) == sorted(names)


def _commands() -> list[str]:
    names = []
    for name, target, _ in COMMANDS:
        module, _, attribute = target.partition(":")
        found: Any = getattr(importlib.import_module(f"agents.commands.{module}"), attribute)
        if isinstance(found, App):
            names += [f"{name} {sub}" for sub in found if not sub.startswith("-")]
        else:
            names.append(name)
    return [f"assayer {name}" for name in names]


def test_the_commands_are_all_there() -> None:
    assert sorted(_first_cells(_section("Commands"))) == sorted(_commands())


def test_the_rules_of_the_default_policy_are_all_there() -> None:
    told = re.findall(
        r"^\|.*\| (\w+)(?: \(shadow\))? \| `([\w-]+)` \|$",
        _section("What is taken down"),
        re.MULTILINE,
    )
    assert [(name, outcome) for outcome, name in told] == [
        (rule.name, rule.outcome) for rule in default_policy().rules
    ]


def test_the_languages_are_all_there() -> None:
    folder = Path(agents.monitoring.vocabulary.__file__).parent
    there = sorted(path.stem for path in folder.glob("*.yaml"))
    told = re.search(r"in these languages so far: ([a-z, ]+)\.", README)
    assert told, "the README names the languages"
    assert told[1].split(", ") == there


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_names_exists(page: str) -> None:
    """Links, files in code font and tests by name."""
    text = (ROOT / page).read_text(encoding="utf-8")
    folder = (ROOT / page).parent
    missing = [
        link
        for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
        if not link.startswith("http") and not (folder / link).exists()
        if not link.startswith(_BENCHMARKS)
    ]
    tests = "\n".join(path.read_text(encoding="utf-8") for path in ROOT.glob("tests/**/test_*.py"))
    missing += [
        name for name in set(re.findall(r"`(test_\w+)`", text)) if f"def {name}(" not in tests
    ]
    missing += [
        path
        for path in set(re.findall(r"`((?:agents|streams|schemas|tests|deploy)/[\w/.-]+)`", text))
        if not (ROOT / path).exists() and not path.startswith(_BENCHMARKS)
    ]
    assert not missing


@pytest.mark.parametrize("page", PAGES)
def test_pages_name_no_place_of_one_machine(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert not re.search(r"(?<![\w.])/(?:work|tmp|home|root)/", text)


def test_make_lists_its_targets() -> None:
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = {line.split()[0] for line in done.stdout.splitlines()}
    assert {"install", "demo", "test", "services", "services-down", "bench"} <= listed
