"""Runbooks as they are read: their blocks of commands and queries."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parents[1] / "deploy/runbooks"
HEADINGS: Final = ["What it means", "How to see it", "What to do", "How to know it is over"]


def text_of(alert: str) -> str:
    """Return the runbook of an alert."""
    return (FOLDER / f"{alert}.md").read_text(encoding="utf-8")


def blocks(text: str) -> list[tuple[str, str]]:
    """Return the fenced blocks, each with its language."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def part(text: str, heading: str) -> str:
    """Return what stands under a heading."""
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0].strip()


def first_look(alert: str) -> tuple[str, str]:
    """Return what a person on call runs first: its language, `sh` or `promql`, and its text."""
    language, block = blocks(part(text_of(alert), "How to see it"))[0]
    return language, block.strip()
