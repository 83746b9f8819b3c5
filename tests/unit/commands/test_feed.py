"""`assayer feed` with arguments it can't use: told in a line, before a server is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.cli import main


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return the only line that the command says; it ends with exit 2."""
    with pytest.raises(SystemExit) as ended:
        main(["feed", *arguments])
    out, err = capsys.readouterr()
    assert (ended.value.code, out, len(err.splitlines())) == (2, "", 1)
    return err


@pytest.fixture
def rows(tmp_path: Path) -> str:
    path = tmp_path / "rows.csv"
    path.write_text("id\n1\n")
    return str(path)


@pytest.mark.parametrize("rate", ["nan", "inf", "-inf", "0", "-1"])
def test_a_rate_that_is_none(capsys: pytest.CaptureFixture[str], rows: str, rate: str) -> None:
    assert "--rate: must be a number above 0" in refused(capsys, rows, f"--rate={rate}")


def test_a_mapping_nested_too_deeply(
    capsys: pytest.CaptureFixture[str], rows: str, tmp_path: Path
) -> None:
    mapping = tmp_path / "deep.yaml"
    mapping.write_text("[" * 5000)
    assert f"{mapping}: nested too deeply" in refused(capsys, rows, "--mapping", str(mapping))
