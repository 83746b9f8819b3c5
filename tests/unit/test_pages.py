"""The pages say what the code does: settings, metrics, commands, rules, files and tests."""

from __future__ import annotations

import importlib
import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from cyclopts import App
from prometheus_client.metrics_core import Metric

import agents.monitoring.vocabulary
from agents.breaker.quotas import BRAND, IN_ALL, RULE, Quota, Quotas
from agents.cli import COMMANDS
from agents.dead_letter_log import NO_LETTER
from agents.monitoring import rule_tests
from agents.monitoring.confusables import load_table
from agents.monitoring.evidence import FOLD_NAMES
from agents.monitoring.judge import Judge
from agents.monitoring.policies import check_policy, default_policy
from agents.monitoring.registry import compile_registry
from agents.records import Listing, Right
from agents.views import FOLDS
from streams.dead_letters import TRUNCATED
from streams.metrics import Metrics
from streams.settings import ENV_PREFIX, Settings
from tests.chaos.faults import FAULTS

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
NOW = 1_764_000_000_000
_BENCHMARKS = "tests/benchmarks"
"""`make bench` writes there: pages may name what a checkout does not have yet."""
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "agents/demo/sample/README.md",
    "agents/monitoring/README.md",
    "agents/monitoring/confusables/README.md",
    "deploy/THREATS.md",
    "deploy/README.md",
)


def _settings_table() -> str:
    """Return the table of settings that the README has to have."""
    lines = ["| variable | default | |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = field.get_default()
        shown = getattr(default, "get_secret_value", lambda value=default: value)()
        cell = f"`{shown}`" if shown not in ("", None) else ""
        lines.append(f"| `{(ENV_PREFIX + name).upper()}` | {cell} | {field.description} |")
    return "\n".join(lines)


def _section(heading: str, page: str = README) -> str:
    """Return the text under a heading of a page."""
    return page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def _first_cells(text: str) -> list[str]:
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


def test_the_settings_are_all_there() -> None:
    table = _settings_table()
    assert table in README, f"the README's settings have to be:\n\n{table}"


def test_the_metrics_are_all_there() -> None:
    suffixes = {"counter": "_total", "info": "_info"}
    families: list[Metric] = list(Metrics().registry.collect())
    names = [
        family.name + suffixes.get(family.type, "")
        for family in families
        if family.name.startswith("assayer_")  # those of the process are prometheus_client's
    ]
    assert sorted(_first_cells(_section("Watch it"))) == sorted(names)


def commands() -> list[str]:
    """Return every command, as a person types it."""
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
    assert sorted(_first_cells(_section("Commands"))) == sorted(commands())


def test_the_rules_of_the_default_policy_are_all_there() -> None:
    told = re.findall(
        r"^\|.*\| (\w+)(?: \(shadow\))? \| `([\w-]+)` \|$",
        _section("What is taken down"),
        re.MULTILINE,
    )
    assert [(name, outcome) for outcome, name in told] == [
        (rule.name, rule.outcome) for rule in default_policy().rules
    ]


def test_the_guises_of_a_mark_are_all_there_and_found() -> None:
    """The table of disguises: what a verdict may have in `folds`, in its words, with examples."""
    rows = re.findall(
        r"^\| `(\w+)` \| (.+) \| `(.+)` \|$", _section("What is taken down"), re.MULTILINE
    )
    assert [(fold, words) for fold, words, _ in rows] == list(FOLD_NAMES.items())
    judge = Judge(
        compile_registry([Right(mark, "owner", mark=mark) for mark in ("Zorvex", "Amiva")], "1"),
        default_policy(),
    )
    for fold, _, example in rows:
        shown = re.sub(r"\{U\+([0-9A-F]{4})\}", lambda code: chr(int(code[1], 16)), example)
        listing = Listing("l", "s", NOW, f"{shown} Diver 300")
        verdict = judge.judge(listing, None, NOW).verdict
        assert verdict.outcome == "review", example
        assert verdict.rules == ("hidden-mark",), example
        (found,) = (each.folds for each in verdict.evidence if each.signal == "mark")
        assert found == (fold,), example


def test_the_policy_that_the_readme_writes_is_accepted_and_tested() -> None:
    """And misspelt as the README misspells it, refused in the words that stand there."""
    text = re.search(r"```yaml\n(# yaml-language-server.*?)```", README, re.DOTALL)
    assert text, "the README has a policy"
    checked = check_policy(text[1].encode(), "watches.yaml")
    assert checked.problems == ()
    assert checked.policy is not None
    found = rule_tests.run(checked.policy)
    assert len(found.results) == 3
    assert not found.failed
    wrong = text[1].replace("and cheap and", "and cheep and")
    (problem,) = check_policy(wrong.encode(), "watches.yaml").problems
    assert f"```\n{problem.shown()}\n```" in README


def test_the_quotas_are_those_that_count() -> None:
    """The table of numbers where nothing is said, and the example of a policy that sets others."""
    section = _section("Held over a quota")
    told = re.findall(r"^\| ([\w ]+) \| ([\d,]+) \| ([\d,]+) \| (\d+) \|$", section, re.MULTILINE)
    assert {
        name: Quota(int(minute.replace(",", "")), int(hour.replace(",", "")), float(factor))
        for name, minute, hour, factor in told
    } == {"each rule": RULE, "each brand": BRAND, "all": IN_ALL}
    example = re.search(r"```yaml\n(breaker:.*?)```", section, re.DOTALL)
    assert example, "the README sets quotas"
    rest = "    when: mark_plain\n    outcome: remove\n    ground: g\n    reason: r\n"
    checked = check_policy((example[1] + rest).encode(), "p.yaml")
    assert checked.problems == ()
    assert checked.policy is not None
    assert checked.policy.quotas == Quotas(
        all=Quota(2000, 60_000, 2.0),
        brand=Quota(100, 2000, 2.0),
        rule=Quota(400, RULE.per_hour, 2.0),
        rules={"cheap-and-new": Quota(20, 100, 2.0)},
    )


def test_what_may_be_an_honest_word_is_no_mark() -> None:
    """As the README says beside that table."""
    judge = Judge(compile_registry([Right("1", "owner", mark="Maria")], "1"), default_policy())
    for title, outcome in (("Marla evening dress", "allow"), ("Marla dress replica", "review")):
        assert judge.judge(Listing("l", "s", NOW, title), None, NOW).verdict.outcome == outcome


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


def test_the_views_are_all_there_with_their_keys() -> None:
    """The table of what Redis holds."""
    page = (ROOT / "agents/monitoring/README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| `([\w.]+)` \| (.+?) \|", page, re.MULTILINE)
    told = {view: (topic, {*re.findall(r"`([\w-]+):", keys)}) for view, topic, keys in rows}
    assert told == {
        fold.view: (fold.topic.name, {key.removesuffix(":*") for key in fold.keys})
        for fold in FOLDS
    }


def test_the_faults_of_the_long_run_are_all_there() -> None:
    page = (ROOT / "agents/monitoring/README.md").read_text(encoding="utf-8")
    table = page.partition("\n### All of it at once\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", table, re.MULTILINE)
    assert sorted(re.findall(r"\w+", " ".join(rows))) == sorted(FAULTS)


def test_the_reasons_of_dead_letters_are_all_there() -> None:
    page = (ROOT / "agents/monitoring/README.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", _section("Dead letters", page), re.MULTILINE)
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for room in ("agents", "streams")
        for path in (ROOT / room).rglob("*.py")
    )
    reasons = re.findall(r"\b(?:DecodeError\(|Failure\(record, )\s*\"(\w+)\"", code)
    assert {*re.findall(r"\w+", " ".join(cells))} == {*reasons, NO_LETTER, TRUNCATED}


def test_the_confusables_are_counted_rightly() -> None:
    folder = ROOT / "agents/monitoring/confusables"
    page = (folder / "README.md").read_text(encoding="utf-8")
    told = {name: int(n.replace(",", "")) for name, n in _counts(page)}
    rows = {
        path.name: sum(
            bool(line) and not line.startswith("#")
            for line in path.read_text(encoding="utf-8").splitlines()
        )
        for path in folder.glob("*.tsv")
    }
    assert told == rows | Counter(load_table().kind.values())


def _counts(page: str) -> list[tuple[str, str]]:
    return re.findall(r"^\| `([\w.]+)` \| .* \| ([\d,]+) \|$", page, re.MULTILINE)


def test_what_the_code_names_exists() -> None:
    """Files that docstrings and comments send the reader to."""
    rooms = ("agents", "streams", "schemas", "deploy", "tests")
    named = re.compile(rf"\b(?:{'|'.join(rooms)})/[\w/]+\.(?:py|md|yaml|tsv|avsc)\b")
    missing = [
        f"{path.relative_to(ROOT)}: {name}"
        for room in rooms
        for path in (ROOT / room).rglob("*.py")
        for name in named.findall(path.read_text(encoding="utf-8"))
        if not (ROOT / name).exists()
    ]
    assert not missing


def test_make_lists_its_targets() -> None:
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = {line.split()[0] for line in done.stdout.splitlines()}
    assert {"install", "demo", "test", "services", "services-down", "bench"} <= listed
