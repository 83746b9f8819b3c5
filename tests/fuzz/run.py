"""Runs a target in a child and says what became of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.services.process import die_with_parent
from tests.fuzz.child import HEADER, noted
from tests.fuzz.mutation import LARGEST

ROOT: Final = Path(__file__).resolve().parents[2]
SILENT_SECONDS: Final = 60.0
"""After how long with the same input, or in getting ready, a child is taken to hang."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a target: figures, or a finding with the input that made it."""

    target: str
    inputs: int
    seconds: float = 0.0
    slowest_ms: float = 0.0
    grown_mb: int = 0
    finding: str = ""
    input: bytes = b""

    def shown(self) -> str:
        """Return it for people."""
        if self.finding:
            return f"{self.target}: FOUND at input {self.inputs}: {self.finding}\n{self.input!r}"
        rate = self.inputs / max(self.seconds, 0.001)
        return (
            f"{self.target:15} {self.inputs:9,} inputs {self.seconds:7.1f} s {rate:8,.0f}/s, "
            f"slowest {self.slowest_ms:6.1f} ms, grown by {self.grown_mb} MB"
        )


def run(
    name: str,
    count: int,
    seed: str,
    libraries: Path | None = None,
    *,
    silent_seconds: float = SILENT_SECONDS,
    module: str = "tests.fuzz.child",
) -> Outcome:
    """Fuzz a target with `count` inputs in a child; return what became of it."""
    with tempfile.TemporaryDirectory(prefix="assayer-fuzz-") as folder:
        notes = Path(folder) / "notes"
        notes.write_bytes(bytes(HEADER.size + LARGEST))
        with (Path(folder) / "told").open("w+b") as told:
            child = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    module,
                    name,
                    str(count),
                    seed,
                    str(notes),
                    str(libraries or ""),
                ],
                cwd=ROOT,
                stdout=told,
                stderr=subprocess.STDOUT,
                env={**_environment(libraries), "TMPDIR": folder},
                preexec_fn=die_with_parent,  # noqa: PLW1509
            )
            hangs = _watch(child, notes, silent_seconds)
            told.seek(0)
            said = told.read().decode("utf-8", "replace")
        number, data = noted(notes)
    if hangs:
        return Outcome(name, number, finding=f"no end within {silent_seconds:.0f} s", input=data)
    try:
        figures = json.loads(said.strip().splitlines()[-1])
    except (ValueError, IndexError):
        finding = f"ended with {child.returncode}:\n{said[-12000:]}"
        return Outcome(name, number, finding=finding, input=data)
    if "finding" in figures:
        return Outcome(name, number, finding=figures["finding"], input=data)
    return Outcome(name, **figures)


def _watch(child: subprocess.Popen[bytes], notes: Path, silent_seconds: float) -> bool:
    """Wait for the child; kill it, and return True, where it is silent for too long."""
    last, since = -1, time.monotonic()
    while True:
        try:
            child.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            number, _ = noted(notes)
            if number != last:
                last, since = number, time.monotonic()
            elif time.monotonic() - since > silent_seconds:
                child.kill()
                child.wait()
                return True
        else:
            return False


def _environment(libraries: Path | None) -> dict[str, str]:
    ours = {k: v for k, v in os.environ.items() if not k.startswith("ASSAYER_")}
    if libraries is None:
        return ours
    found = subprocess.run(
        ["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True
    )
    return {
        **ours,
        "LD_PRELOAD": found.stdout.strip(),
        "ASAN_OPTIONS": "detect_leaks=0,allocator_may_return_null=1",
        "UBSAN_OPTIONS": "halt_on_error=1,print_stacktrace=1",
        "PYTHONMALLOC": "malloc",  # so that what Python hands over is watched at its ends
    }


def built_with_sanitizers() -> Path:
    """Return a folder with every library in C, built by gcc with sanitizers."""
    folder = Path(tempfile.mkdtemp(prefix="assayer-sanitized-"))
    options = ("-g", "-O1", "-std=c11", "-shared", "-fPIC", "-fno-omit-frame-pointer")
    sanitizers = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    compilers = [
        subprocess.Popen(
            ["gcc", *options, *sanitizers, "-o", str(folder / f"_{source.stem}.so"), str(source)]
        )
        for source in (*ROOT.glob("streams/*.c"), *ROOT.glob("agents/**/*.c"))
    ]
    for compiler in compilers:
        if compiler.wait():
            raise RuntimeError(f"{compiler.args!r} failed")
    return folder
