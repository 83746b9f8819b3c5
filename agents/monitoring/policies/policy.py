"""From a policy's file to the compiled policy: it is read, checked and compiled."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from agents.monitoring.policies import document
from agents.monitoring.policies.compiling import evaluator
from agents.monitoring.policies.declarations import Policy
from agents.monitoring.policies.effect import check_effect
from agents.monitoring.policies.problems import (
    PolicyError,
    Problem,
    Report,
    TooManyError,
    refusal,
)
from agents.monitoring.policies.reading import Draft, read

DEFAULT: Final = Path(__file__).with_name("default.yaml")
"""The shipped policy."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of checking a policy: it is None when one of the problems is an error."""

    policy: Policy | None
    problems: tuple[Problem, ...]


def load_policy(path: Path) -> Policy:
    """Return the compiled policy of a file.

    Raises:
        PolicyError: it can't be read or is refused.
    """
    return compile_policy(read_file(path), str(path))


def read_file(path: Path) -> bytes:
    """Return a policy file's content, or as much of it as shows that it is too large.

    Raises:
        PolicyError: it can't be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(document.MAX_BYTES + 1)
    except OSError as error:
        raise PolicyError(f"{path}: {error.strerror}") from None


@cache
def default_policy() -> Policy:
    """Return the shipped policy."""
    return compile_policy(DEFAULT.read_bytes(), DEFAULT.name)


def compile_policy(raw: bytes, name: str) -> Policy:
    """Return the compiled policy of a file's content; `name` stands in the errors.

    Raises:
        PolicyError: it is refused, with everything that is wrong with it.
    """
    checked = check_policy(raw, name)
    if checked.policy is None:
        raise refusal(checked.problems)
    return checked.policy


def check_policy(raw: bytes, name: str) -> Checked:
    """Return the policy of a file's content, compiled, and all problems, warnings among them.

    Whatever the content, it ends in bounded time and memory.
    """
    text, flaw = document.text_of(raw)
    report = Report(name, text)
    if flaw:
        report.add(
            flaw, "make several policies of it" if "more than" in flaw else "save it as UTF-8"
        )
        return Checked(None, report.problems)
    draft = _draft(report)
    if draft is None or report.refused():
        return Checked(None, report.problems)
    return Checked(_compiled(draft, raw), report.problems)


def _draft(report: Report) -> Draft | None:
    """Return what the report's text says; what is wrong with it is reported."""
    draft = None
    try:
        root = document.read(report)
        if root is not None:
            draft = read(root, report)
        elif not report.refused():
            report.add("an empty file", "see agents/monitoring/policies/default.yaml")
        if draft is not None:
            check_effect(draft, report)
    except TooManyError:
        return None
    return draft


def _compiled(draft: Draft, raw: bytes) -> Policy:
    digest = hashlib.sha256(raw).hexdigest()[:16]
    rules = tuple(each.rule for each in draft.rules)
    return Policy(
        draft.name,
        f"{draft.name}-{digest}",
        rules,
        evaluator(rules, draft.guard, draft.definitions, known=True),
        evaluator(rules, draft.guard, draft.definitions, known=False),
        evaluator(rules, draft.guard, draft.definitions, known=False, unread=True),
        draft.guard,
        draft.definitions,
        draft.reviews,
        draft.quotas,
        raw.decode(),
    )
