"""Compiled databases are kept between starts, and nothing depends on one that was kept."""

from __future__ import annotations

import os
from pathlib import Path

import hyperscan
import pytest

from agents.monitoring.compiled import KEPT_S, cache_folder, compiled

PATTERNS = (b"replicas?", b"mirror cop(?:y|ies)")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return cache_folder()


def found(database: hyperscan.Database, text: bytes) -> list[tuple[int, int]]:
    hits: list[tuple[int, int]] = []

    def note(number: int, _first: int, last: int, _flags: int, _context: object) -> None:
        hits.append((number, last))

    database.scan(text, match_event_handler=note)
    return sorted(hits)


def finds_both() -> bool:
    return found(compiled(PATTERNS, 0), b"a mirror copy, replica") == [(0, 22), (1, 13)]


def test_what_was_compiled_is_read_again(folder: Path) -> None:
    assert finds_both()
    (path,) = folder.iterdir()
    written = path.stat().st_ino
    assert finds_both()
    assert [kept.stat().st_ino for kept in folder.iterdir()] == [written]


@pytest.mark.parametrize("patterns", [PATTERNS[::-1], PATTERNS[:1], (b"".join(PATTERNS),)])
def test_other_expressions_are_kept_apart(folder: Path, patterns: tuple[bytes, ...]) -> None:
    compiled(PATTERNS, 0)
    compiled(patterns, 0)
    compiled(patterns, hyperscan.HS_FLAG_CASELESS)
    assert len(list(folder.iterdir())) == 3
    assert finds_both()


@pytest.mark.parametrize("damage", ["empty", "cut", "changed"])
def test_a_broken_file_is_compiled_anew(folder: Path, damage: str) -> None:
    assert finds_both()
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    broken = {"empty": b"", "cut": whole[:-9], "changed": whole[:-9] + b"\0" * 8 + b"\1"}[damage]
    path.write_bytes(broken)
    assert finds_both()
    assert path.read_bytes() != broken


def test_a_folder_that_cannot_be_written_is_no_reason_to_fail(tmp_path: Path) -> None:
    (tmp_path / "assayer").write_text("a file where the folder should be")
    assert finds_both()


def test_what_is_old_is_dropped(folder: Path) -> None:
    compiled(PATTERNS, 0)
    (old,) = folder.iterdir()
    before = old.stat().st_mtime - KEPT_S - 60
    os.utime(old, (before, before))
    compiled(PATTERNS[:1], 0)
    assert not old.exists()
    assert len(list(folder.iterdir())) == 1


def test_a_wrong_expression_is_refused_and_not_kept(folder: Path) -> None:
    with pytest.raises(hyperscan.error):
        compiled((b"(unclosed",), 0)
    assert not folder.exists()
