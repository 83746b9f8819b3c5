"""The page of threats: every step is answered for, by tests that exist."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| ([^|]+) \| ([STRIDE]) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
PAGE = (ROOT / "deploy" / "THREATS.md").read_text(encoding="utf-8")


def _rows() -> list[tuple[str, str, str, str, str]]:
    return ROW.findall(PAGE)


def test_every_row_is_read() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and "|---" not in line]
    assert len(rows) - 1 == len(_rows()) > 20


def test_every_step_is_asked_all_six_questions_once() -> None:
    letters = defaultdict(list)
    for step, letter, *_ in _rows():
        letters[step].append(letter)
    assert {step: "".join(found) for step, found in letters.items()} == dict.fromkeys(
        letters, "STRIDE"
    )


def test_every_answer_is_shown_by_a_test_that_exists() -> None:
    defined = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE)
    }
    for step, letter, _, _, shown in _rows():
        named = re.findall(r"`(test_\w+)`", shown)
        assert named, f"{step}, {letter}: no test"
        assert set(named) <= defined, f"{step}, {letter}: {set(named) - defined}"
