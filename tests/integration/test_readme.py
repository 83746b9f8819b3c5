"""The README's commands and programs, run as they stand there, against real servers."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from streams.settings import Settings
from tests.harness import (
    Bus,
    WorkerProcess,
    environment,
    json_lines,
    run_command,
    started,
    wait_for,
)

ROOT: Final = Path(__file__).resolve().parents[2]
README: Final = (ROOT / "README.md").read_text(encoding="utf-8")


def _blocks(language: str) -> list[str]:
    """Return the README's code blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def _shell(beginning: str) -> str:
    """Return the one shell block with a line that begins so."""
    found = [
        block
        for block in _blocks("sh")
        if any(line.startswith(beginning) for line in block.splitlines())
    ]
    assert len(found) == 1, f"{len(found)} shell blocks with '{beginning}'"
    return found[0]


def _program(name: str) -> str:
    """Return the one Python block whose first line names the file."""
    found = [block for block in _blocks("python") if block.startswith(f"# {name}\n")]
    assert len(found) == 1, f"{len(found)} programs '{name}'"
    return found[0]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the reader works, with the README's programs."""
    folder: Path = tmp_path_factory.mktemp("reader")
    for name in ("consume_takedowns.py", "publish_listing.py"):
        (folder / name).write_text(_program(name), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def fresh(bus: Bus) -> Settings:
    """An installation in which nothing was made yet."""
    return bus.settings.model_copy(update={"topic_prefix": f"{bus.settings.topic_prefix}readme."})


def _paste(block: str, settings: Settings, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a shell block as pasted, with the environment's programs in front."""
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=folder,
        env=_environment(settings),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _environment(settings: Settings) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return environment(settings, PATH=path, PYTHONUNBUFFERED="1")


@contextmanager
def _running(program: str, settings: Settings, folder: Path) -> Iterator[Path]:
    """Run one of the programs; yield the file it prints to. Ends it as Ctrl-C does."""
    output = folder / f"{program}.txt"
    with output.open("wb") as file:
        process = started(
            [sys.executable, program],
            cwd=folder,
            env=_environment(settings),
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        yield output
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0, output.read_text()
    finally:
        process.kill()
        process.wait()


def test_from_an_empty_kafka_to_a_takedown_and_a_foreign_listing(
    fresh: Settings, place: Path, tmp_path: Path
) -> None:
    """Every command from 'On a real Kafka' on, then both programs."""
    made = _paste(_shell("assayer topics create"), fresh, place)
    assert made.returncode == 0, made.stdout + made.stderr
    with (
        WorkerProcess(fresh, tmp_path) as worker,
        _running("consume_takedowns.py", fresh, place) as seen,
    ):
        worker.wait_ready()
        fed = _paste(_shell("assayer feed"), fresh, place)
        assert fed.returncode == 0, fed.stdout + fed.stderr
        assert "3 listings published, 0 rows refused" in fed.stdout
        wait_for(lambda: "REMOVED shop-1" in seen.read_text(), 30, seen.read_text)
        shown = re.search(r"^REMOVED shop-1 .*$", README, re.MULTILINE)
        assert shown
        assert shown[0] in seen.read_text(), "the README shows what the program prints"
        published = _paste("python publish_listing.py", fresh, place)
        assert published.returncode == 0, published.stderr
        wait_for(lambda: "REMOVED shop-4" in seen.read_text(), 30, seen.read_text)
        assert "shop-2" not in seen.read_text()
        assert "shop-3" not in seen.read_text()
        assert worker.metric("assayer_listings_total", outcome="review") == 1
        assert worker.metric("assayer_listings_total", outcome="allow") == 1


def test_screen_needs_no_server(fresh: Settings, tmp_path: Path) -> None:
    """The files that the README shows, judged in a folder of their own."""
    files = [
        block[block.index("cat >") : block.index("\nEND\n") + 5]
        for block in (_shell("assayer topics create"), _shell("assayer feed"))
    ]
    assert _paste("\n".join(files), fresh, tmp_path).returncode == 0
    done = _paste(_shell("assayer screen"), fresh, tmp_path)
    assert done.returncode == 0, done.stderr
    verdicts = json_lines(done.stdout)
    assert [v["outcome"] for v in verdicts] == ["remove", "review", "allow"]
    (shown,) = [block for block in _blocks("json") if '"outcome"' in block]
    (told,) = json_lines(shown.replace("\n", " "))
    versions = {name: told[name] for name in ("policy_version", "registry_version")}
    first = {**verdicts[0], **versions}
    assert first == told, "the README shows the verdict it gives"


def test_prometheus_accepts_the_configuration(tmp_path: Path) -> None:
    (block,) = [block for block in _blocks("yaml") if "scrape_configs" in block]
    (tmp_path / "prometheus.yml").write_text(block)
    done = subprocess.run(
        ["promtool", "check", "config", "prometheus.yml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_command_has_help_with_an_example(settings: Settings) -> None:
    """Each command that the README lists."""
    section = README.partition("\n## Commands\n")[2].partition("\n## ")[0]
    commands = re.findall(r"^\| `assayer ([^`]+)` \|", section, re.MULTILINE)
    assert len(commands) > 10
    for command in commands:
        done = run_command(settings, *command.split(), "--help")
        assert done.returncode == 0
        assert f"Example: assayer {command}" in done.stdout
