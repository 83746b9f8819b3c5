"""What the tests of the commands share."""

from __future__ import annotations

import subprocess
from pathlib import Path

import msgspec

Result = subprocess.CompletedProcess[str]


def is_plain(result: Result) -> bool:
    """Return whether the error is told in one or two lines, without a traceback."""
    lines = result.stderr.strip().splitlines()
    return 1 <= len(lines) <= 2 and "Traceback" not in result.stderr and not result.stdout


def write_lines(path: Path, *rows: object) -> str:
    lines = [row if isinstance(row, bytes) else msgspec.json.encode(row) for row in rows]
    path.write_bytes(b"\n".join(lines) + b"\n")
    return str(path)
