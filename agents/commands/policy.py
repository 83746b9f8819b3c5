"""`assayer policy`: checks and tests policies, and says what a rule may ask.

What becomes of them on the topic stands in `policy_life.py` and `policy_snoozes.py`, what they
differ in in `policy_diff.py`.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclopts import App
from cyclopts.types import ExistingFile

from agents.commands import policy_diff, policy_life, policy_snoozes
from agents.commands.console import (
    NO,
    CommandError,
    Json,
    complain,
    emit,
    leave,
    progress,
    say,
    table,
)

if TYPE_CHECKING:
    from agents.monitoring.policies import Checked, Policy, Problem
    from agents.monitoring.rule_tests import Outcomes, Untouched

app = App(
    name="policy",
    help="Policies: check and test them, publish them, mute a rule, undo; what rules may ask for.",
    help_epilogue="Example: assayer policy check policy.yaml",
)
app.command(policy_life.push)
app.command(policy_life.list_, name="list")
app.command(policy_life.show)
app.command(policy_life.withdraw)
app.command(policy_snoozes.snooze)
app.command(policy_diff.diff)


@app.command
def check(*files: ExistingFile, json: Json = False) -> None:
    """Check policy files without using them; exit 1 when one would be refused.

    All problems of a file are told at once, each with its place and a way out. Errors: what is no
    policy, unknown names, types, rules that can never fire, what costs too much. Warnings: rules
    that change no outcome, branches that never matter, definitions nobody uses.

    Example: assayer policy check policy.yaml

    Parameters
    ----------
    files
        Policies in YAML.
    json
        Report as JSON lines: a problem each, then a summary for each file.
    """
    refused = False
    for path in _need(files):
        checked = _check(path)
        _tell(checked.problems, json=json)
        errors = sum(problem.severity == "error" for problem in checked.problems)
        warnings = len(checked.problems) - errors
        refused = refused or checked.policy is None
        if json:
            emit({
                "file": str(path),
                "version": checked.policy.version if checked.policy else None,
                "rules": len(checked.policy.rules) if checked.policy else None,
                "errors": errors,
                "warnings": warnings,
            })  # fmt: skip
        elif checked.policy is None:
            say(f"{path}: refused: {_count(errors, 'error')}, {_count(warnings, 'warning')}")
        else:
            say(
                f"{path}: {checked.policy.version}, {_count(len(checked.policy.rules), 'rule')}, "
                f"{_count(warnings, 'warning')}"
            )
    if refused:
        leave(NO)


@app.command(name="test")
def run_tests(*files: ExistingFile, json: Json = False) -> None:
    """Run the tests that rules bring along; exit 1 when one fails or a file is refused.

    Each says itself when it is judged, so the result is the same on every day. Told as warnings:
    rules without tests, and what no test touches: a branch of a condition is touched where a test
    would come out otherwise if the branch did.

    Example: assayer policy test policy.yaml

    Parameters
    ----------
    files
        Policies in YAML.
    json
        Report as JSON lines: a result each, then what is untouched, then a summary for each file.
    """
    from agents.monitoring.rule_tests import run

    failed = False
    for path in _need(files):
        checked = _check(path)
        if checked.policy is None:
            _tell(checked.problems, json=json)
            failed = True
            continue
        with progress("testing"):
            outcomes = run(checked.policy)
        failed = failed or bool(outcomes.failed)
        if json:
            _emit_outcomes(path, checked.policy, outcomes)
        else:
            _say_outcomes(path, checked.policy, outcomes)
    if failed:
        leave(NO)


@app.command
def signals(*, json: Json = False) -> None:
    """List what a rule may ask: type, unit, cost, what it says, and when it is unknown.

    A rule abstains where a signal it needs is unknown. The cost is relative to a fact that is there
    once a listing was examined; what the store says is asked for a whole batch at once, and only
    about listings that a rule could still matter for.

    Example: assayer policy signals

    Parameters
    ----------
    json
        Report as JSON lines.
    """
    from agents.monitoring.signals import SIGNALS

    if json:
        for signal in SIGNALS.values():
            emit({
                "name": signal.name,
                "type": signal.type,
                "unit": signal.unit,
                "cost": signal.cost,
                "may_be_unknown": signal.optional,
                "from_store": signal.from_store,
                "low": signal.low if signal.type == "number" else None,
                "high": signal.high if math.isfinite(signal.high) else None,
                "implies": signal.implies,
                "excludes": signal.excludes,
                "doc": signal.doc,
            })  # fmt: skip
        return
    table(
        [
            (
                signal.name,
                signal.type,
                signal.unit,
                str(signal.cost),
                "store" if signal.from_store else "listing",
                "may be" if signal.optional else "never",
                signal.doc,
            )
            for signal in SIGNALS.values()
        ],
        ("signal", "type", "unit", "cost", "from", "unknown", "what it says"),
    )


@app.command
def schema() -> None:
    """Print the JSON Schema of policy files, for editors.

    Example: assayer policy schema > policy.schema.json
    """
    from agents.monitoring.policies.schema import text

    sys.stdout.write(text())


def _need(files: tuple[Path, ...]) -> tuple[Path, ...]:
    if not files:
        raise CommandError("say which files; see: assayer policy --help")
    return files


def _check(path: Path) -> Checked:
    from agents.monitoring.policies import check_policy, read_file

    return check_policy(read_file(path), str(path))


def _tell(problems: tuple[Problem, ...], *, json: bool) -> None:
    for problem in problems:
        if json:
            emit({
                "severity": problem.severity,
                "file": problem.file,
                "line": problem.line,
                "column": problem.column,
                "width": problem.width,
                "about": problem.what,
                "text": problem.text,
                "hint": problem.hint,
            })  # fmt: skip
        else:
            complain(problem.shown() + "\n")


def _emit_outcomes(path: Path, policy: Policy, outcomes: Outcomes) -> None:
    for result in outcomes.results:
        emit({
            "file": str(path),
            "line": result.line,
            "rule": result.rule,
            "test": result.case,
            "passed": not result.failure,
            "failure": result.failure,
        })  # fmt: skip
    for each in outcomes.untouched:
        emit(
            {
                "file": str(path),
                "about": each.what,
                "branch": each.branch,
                "untouched": each.missing,
            }
        )
    emit({"file": str(path), **_summary(policy, outcomes)})


def _say_outcomes(path: Path, policy: Policy, outcomes: Outcomes) -> None:
    for result in outcomes.failed:
        complain(
            f"{path}:{result.line}: failed: rule '{result.rule}', {result.case}: {result.failure}"
        )
    for rule in outcomes.untested:
        complain(f"{path}:{rule.line}: warning: rule '{rule.name}' has no tests")
    untested = {f"rule '{rule.name}'" for rule in outcomes.untested}
    for each in outcomes.untouched:
        if each.what not in untested:
            complain(f"{path}: untouched: {_branch(each)}")
    told = _summary(policy, outcomes)
    say(
        f"{path}: {told['passed']} of {_count(told['tests'], 'test')} passed; "
        f"{told['rules_tested']} of {_count(told['rules'], 'rule')} and "
        f"{told['branches_touched']} of {told['branches']} sides of branches are tested"
    )


def _branch(each: Untouched) -> str:
    return f"{each.what}: '{each.branch}': {each.missing}"


def _summary(policy: Policy, outcomes: Outcomes) -> dict[str, Any]:
    return {
        "version": policy.version,
        "tests": len(outcomes.results),
        "passed": len(outcomes.results) - len(outcomes.failed),
        "rules": len(policy.rules),
        "rules_tested": len(policy.rules) - len(outcomes.untested),
        "branches": outcomes.branches,
        "branches_touched": outcomes.touched,
    }


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
