"""Runbooks: a page for each alert, whose commands, options, metrics and queries there are."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

import agents.cli
from tests.runbooks import FOLDER, HEADINGS, blocks, first_look, part
from tests.unit.operations.rules import ROOT, alerts, named_in, promtool, series_names
from tests.unit.test_pages import commands

PAGES: Final = sorted(FOLDER.glob("*.md"))


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def _commands_in(text: str) -> list[str]:
    """Return the `assayer` commands of blocks and of code in the text."""
    lines = [
        line for language, block in blocks(text) if language == "sh" for line in block.split("\n")
    ]
    lines += re.findall(r"`(assayer [^`]+)`", text)
    return [line for line in lines if line.startswith("assayer ")]


def _queries_in(text: str) -> list[str]:
    return [block for language, block in blocks(text) if language == "promql"]


def test_every_alert_has_its_page_and_every_page_its_alert() -> None:
    assert {page.stem for page in PAGES} == {alert["alert"] for alert in alerts()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_says_what_a_person_on_call_needs(page: Path) -> None:
    """Its four parts, none empty; and to see the fault begins with what can be run as it stands."""
    text = _text(page)
    assert text.startswith(f"# {page.stem}\n")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == HEADINGS
    assert all(len(part(text, heading)) > 20 for heading in HEADINGS)
    language, block = first_look(page.stem)
    assert language in ("sh", "promql")
    assert language == "promql" or block.startswith("assayer ")
    assert len(text.splitlines()) < 60, "one page"
    for link in re.findall(r"\]\(([^)#\s]+)", text):
        assert (FOLDER / link).exists(), link


@cache
def _known_commands() -> list[str]:
    return sorted(commands(), key=len, reverse=True)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_its_commands_and_options_exist(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for line in _commands_in(_text(page)):
        command = next(
            (name for name in _known_commands() if f"{line} ".startswith(f"{name} ")), ""
        )
        assert command, line
        words = shlex.split(line.removeprefix(command))
        with pytest.raises(SystemExit):
            agents.cli.main([*command.split()[1:], "--help"])
        help_text = capsys.readouterr().out
        for option in (word for word in words if word.startswith("--")):
            assert re.search(rf"{option}\b", help_text), line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_its_metrics_and_settings_exist(page: Path) -> None:
    text = _text(page)
    assert named_in(text) <= series_names(), named_in(text) - series_names()
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for setting in re.findall(r"ASSAYER_\w+", text):
        assert f"`{setting}`" in readme


def test_prometheus_reads_their_queries(tmp_path: Path) -> None:
    rules: list[dict[str, Any]] = [
        {"record": f"query:of_a_page:{number}", "expr": query}
        for number, query in enumerate(q for page in PAGES for q in _queries_in(_text(page)))
    ]
    assert len(rules) > len(PAGES)
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "runbooks", "rules": rules}]}))
    promtool("check", "rules", str(file), cwd=tmp_path)


def test_the_readme_lists_them_with_their_severities() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| \[(\w+)\]\(deploy/runbooks/(\w+)\.md\) \| ([\w, ]+) \|", readme, re.MULTILINE
    )
    assert all(name == page for name, page, _ in rows)
    severities: dict[str, set[str]] = {}
    for alert in alerts():
        severities.setdefault(alert["alert"], set()).add(alert["labels"]["severity"])
    assert {name: set(told.split(", ")) for name, _, told in rows} == severities
    assert named_in(part(readme, "At 3 a.m.")) <= series_names() | {"assayer_stage_seconds"}
