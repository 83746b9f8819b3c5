"""`assayer policy`, as it is called."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agents.cli import main
from agents.monitoring.policies.schema import FILE
from agents.monitoring.signals import SIGNALS

DEFAULT = FILE.with_name("default.yaml")
GOOD = """policy: mine
rules:
  - name: hidden
    when: mark_hidden
    outcome: review
    ground: g
    reason: r
    tests:
      - {facts: {mark_hidden: true}, fires: true}
"""


def called(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return int(left.value.code or 0), out, err


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_check(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, err = called(capsys, "policy", "check", DEFAULT, write(tmp_path, GOOD))
    assert (code, err) == (0, "")
    assert [line.rpartition(", ")[2] for line in out.splitlines()] == ["0 warnings"] * 2
    bad = write(tmp_path, GOOD.replace("mark_hidden\n", "mark_hiden and prise < 1\n"))
    code, out, err = called(capsys, "policy", "check", bad)
    assert (code, out) == (1, f"{bad}: refused: 2 errors, 0 warnings\n")
    assert err.splitlines()[:4] == [
        f"{bad}:4:11: error: rule 'hidden': unknown name 'mark_hiden'",
        "    4 |     when: mark_hiden and prise < 1",
        "      |           ^^^^^^^^^^",
        "      = did you mean 'mark_hidden'?",
    ]
    code, out, err = called(capsys, "policy", "check", bad, "--json")
    assert (code, err) == (1, "")
    first, _, last = lines(out)
    assert (first["line"], first["column"], first["width"]) == (4, 11, 10)
    assert last == {
        "file": str(bad), "version": None, "rules": None, "errors": 2, "warnings": 0,
    }  # fmt: skip


def test_what_is_no_file_is_wrong_usage(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for arguments in ((), (tmp_path / "missing.yaml",), (tmp_path,)):
        for command in ("check", "test"):
            code, out, err = called(capsys, "policy", command, *arguments)
            assert (code, out, len(err.splitlines())) == (2, "", 1), arguments


def test_screen_tells_a_refused_policy_in_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    bad = write(tmp_path, GOOD.replace("mark_hidden\n", "mark_hiden and prise < 1\n"))
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    code, out, err = called(capsys, "screen", empty, "--rights", empty, "--policy", bad)
    assert (code, out) == (2, "")
    assert err == (
        f"assayer: {bad}:4:11 rule 'hidden': unknown name 'mark_hiden' (did you mean "
        f"'mark_hidden'?); 1 more problems are told by: assayer policy check {bad}\n"
    )


def test_test(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    mine = write(tmp_path, GOOD)
    code, out, err = called(capsys, "policy", "test", mine)
    assert code == 0
    assert out == (
        f"{mine}: 1 of 1 test passed; 1 of 1 rule and 1 of 2 sides of branches are tested\n"
    )
    assert err == (
        f"{mine}: untouched: rule 'hidden': 'mark_hidden': no test in which it does not hold and "
        "that decides\n"
    )
    more = "      - {facts: {mark_plain: true}, fires: true}\n  - name: other\n    when: part\n"
    more += "    outcome: review\n    ground: g\n    reason: r\n"
    code, out, err = called(capsys, "policy", "test", write(tmp_path, GOOD + more))
    assert code == 1
    judged = "2026-01-01T00:00:00.000Z: mark, mark_plain, in_force"
    assert err.splitlines() == [
        f"{mine}:10: failed: rule 'hidden', test 2: it does not fire ({judged})",
        f"{mine}:11: warning: rule 'other' has no tests",
    ]
    code, out, err = called(capsys, "policy", "test", mine, "--json")
    assert (code, err) == (1, "")
    assert [line.get("passed") for line in lines(out)] == [True, False, None, None, 1]
    code, _, err = called(capsys, "policy", "test", write(tmp_path, GOOD + "oops"))
    assert code == 1
    assert "error: not YAML" in err


def test_signals(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = called(capsys, "policy", "signals")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[1:]] == list(SIGNALS)
    code, out, _ = called(capsys, "policy", "signals", "--json")
    assert code == 0
    told = {line["name"]: line for line in lines(out)}
    assert list(told) == list(SIGNALS)
    assert all(line["doc"] for line in told.values())
    standing = told["seller_standing"]
    assert (standing["unit"], standing["low"], standing["high"]) == ("0 to 1", 0, 1)
    assert (standing["may_be_unknown"], standing["from_store"]) == (True, True)


def test_schema(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = called(capsys, "policy", "schema")
    assert (code, out, err) == (0, FILE.read_text(encoding="utf-8"), "")
