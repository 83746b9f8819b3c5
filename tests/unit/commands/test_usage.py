"""Arguments that can't be used together or at all: told in a line, before a server is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.cli import main
from deploy.services.process import free_port


@pytest.fixture(autouse=True)
def no_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ASSAYER_KAFKA_BOOTSTRAP", f"127.0.0.1:{free_port()}")
    monkeypatch.setenv("ASSAYER_SCHEMA_REGISTRY_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.chdir(tmp_path)


def called(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Return the exit code and the only line that the command says."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert isinstance(ended.value.code, int)
    return ended.value.code, err


@pytest.mark.parametrize(
    "beside", [("4:4",), ("--topic", "listings"), ("--reason", "undecodable")], ids=lambda b: b[0]
)
def test_replaying_all_and_some(
    capsys: pytest.CaptureFixture[str], beside: tuple[str, ...]
) -> None:
    code, err = called(capsys, "dead-letters", "replay", *beside, "--all")
    assert code == 2
    assert "--all: every letter, so neither" in err


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("/nope/x", "/nope/x: there is no folder /nope"),
        (".", ".: a folder; say which file"),
        ("--jsn", "no option --jsn"),
    ],
)
def test_exporting_where_nothing_can_be_written(
    capsys: pytest.CaptureFixture[str], file: str, told: str
) -> None:
    code, err = called(capsys, "rights", "export", file)
    assert code == 2
    assert told in err


@pytest.mark.parametrize("arguments", [("-",), ("--file", "-"), ("--file=-",), ()])
def test_exporting_to_stdout_is_taken_and_needs_a_server(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert called(capsys, "rights", "export", *arguments)[0] == 3


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "say which: ids, --rule, --brand or --all"),
        (("t-1", "--all"), "--all: every one that waits"),
        (("--rule", "r", "--all"), "--all: every one that waits"),
        (("t-1", "--brand", "b"), "ids, or --rule and --brand: not both"),
        (("--all", "--limit", "0"), "--limit: must be at least 1"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
@pytest.mark.parametrize("command", ["release", "discard"])
def test_deciding_about_held_takedowns_needs_to_say_which(
    capsys: pytest.CaptureFixture[str], command: str, arguments: tuple[str, ...], told: str
) -> None:
    code, err = called(capsys, "breaker", command, *arguments, "--reason", "a bad right")
    assert code == 2
    assert told in err


@pytest.mark.parametrize("reason", [(), ("--reason", " ")], ids=["none", "blank"])
def test_discarding_needs_a_reason(
    capsys: pytest.CaptureFixture[str], reason: tuple[str, ...]
) -> None:
    code, err = called(capsys, "breaker", "discard", "--all", *reason)
    assert code == 2
    assert "--reason" in err


@pytest.mark.parametrize(
    "arguments", [("status",), ("release", "--all"), ("discard", "t-1", "--reason", "r")]
)
def test_the_breaker_needs_kafka(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert called(capsys, "breaker", *arguments)[0] == 3
