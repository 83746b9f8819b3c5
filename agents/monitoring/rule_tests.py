"""Runs the tests that rules bring along, and says what no test touches.

No server and no clock: a case says when it is judged, and each of its steps how far the clock has
moved on. A listing is read as the worker reads it; nothing is remembered of earlier ones, so what
the store would say of those stands under `facts`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import msgspec

from agents.monitoring.judge import Judge, add_seller
from agents.monitoring.policies import Policy, Rule
from agents.monitoring.policies.cases import Case, Outcome, Step
from agents.monitoring.policies.expressions import Condition
from agents.monitoring.policies.interpreter import branches, evaluate
from agents.monitoring.registry import Registry, compile_registry
from agents.monitoring.signals import Facts
from agents.records import Right, format_time
from agents.reputation import facts_of


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one step of a case."""

    rule: str
    case: str
    line: int
    failure: str
    """What came out instead of what had to; empty when it passed."""


@dataclass(frozen=True, slots=True)
class Untouched:
    """Something that could be wrong without a test failing."""

    what: str
    """`rule 'cheap-mark'`, `definition 'cheap'`, `guard`."""
    branch: str
    """The branch, as its author wrote it."""
    missing: str


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What came of all tests of a policy."""

    results: tuple[Result, ...]
    untested: tuple[Rule, ...]
    """Rules without tests."""
    untouched: tuple[Untouched, ...]
    branches: int
    """Sides of branches: each holds, or does not."""
    touched: int
    """Those that decide a test."""

    @property
    def failed(self) -> tuple[Result, ...]:
        """The steps that came out otherwise."""
        return tuple(result for result in self.results if result.failure)


def run(policy: Policy) -> Outcomes:
    """Run every test of every rule."""
    results: list[Result] = []
    seen: list[tuple[int, Facts]] = []
    for index, rule in enumerate(policy.rules):
        for number, case in enumerate(rule.tests, start=1):
            for step in case.steps:
                try:
                    found = list(_facts(policy, case, step))
                except Exception as error:  # noqa: BLE001 - one case must not stop the others
                    failure = f"it can't be judged: {type(error).__name__}: {error}"
                else:
                    seen += ((index, facts) for facts in found)
                    failure = _failure(policy, index, found, step)
                name = case.name or f"test {number}"
                results.append(Result(rule.name, name, step.line, failure))
    untested = tuple(rule for rule in policy.rules if not rule.tests)
    untouched, count = _coverage(policy, seen)
    missing = sum(1 for each in untouched if each.branch)
    return Outcomes(tuple(results), untested, tuple(untouched), count, count - missing)


def _facts(policy: Policy, case: Case, step: Step) -> Iterator[Facts]:
    """Yield the facts of each right that the case's listing has to do with."""
    if case.listing is None or case.right is None:
        yield Facts(**case.facts)  # type: ignore[arg-type] # checked against SIGNALS when read
        return
    judge = Judge(_registry(msgspec.json.encode(case.right)), policy)
    seller = facts_of(case.listing.seller_id, case.seller)
    for match in judge.examine(case.listing, step.now).matches:
        add_seller(match.facts, seller, step.now)
        yield msgspec.structs.replace(match.facts.read(), **case.facts)


@lru_cache(maxsize=64)
def _registry(right: bytes) -> Registry:
    return compile_registry([msgspec.json.decode(right, type=Right)], "test")


def _failure(policy: Policy, index: int, found: Sequence[Facts], step: Step) -> str:
    fired = {number for facts in found for number in policy.fired(facts)}
    enforced = sorted(number for number in fired if policy.rules[number].mode == "enforce")
    outcome: Outcome = policy.rules[enforced[0]].outcome if enforced else "allow"
    failures = []
    if step.fires is not None and (index in fired) != step.fires:
        failures.append("it fires" if index in fired else "it does not fire")
    if step.outcome is not None and outcome != step.outcome:
        by = f" by rule '{policy.rules[enforced[0]].name}'" if enforced else ""
        failures.append(f"the outcome is {outcome}{by}, not {step.outcome}")
    if not failures:
        return ""
    return f"{' and '.join(failures)} ({format_time(step.now)}: {_told(found)})"


def _told(found: Sequence[Facts]) -> str:
    """Return the facts that say something."""
    if not found:
        return "the listing has nothing to do with the right"
    return "; ".join(
        ", ".join(
            name if value is True else f"{name} {value:g}"
            for name in facts.__struct_fields__
            if (value := getattr(facts, name)) is not None and value is not False
        )
        for facts in found
    )


def _coverage(policy: Policy, seen: Sequence[tuple[int, Facts]]) -> tuple[list[Untouched], int]:
    """Return what no test touches, and how much there is to touch.

    A branch is touched where it decides: had it not held, the rule had not fired; had it held, the
    rule had. Of definitions and the guard the tests of all rules count, of a rule its own.
    """
    everything = [facts for _, facts in seen]
    untouched: list[Untouched] = []
    count = 0
    subjects: list[tuple[str, Condition, list[Facts]]] = []
    if policy.guard is not None:
        subjects.append(("guard", policy.guard, everything))
    subjects += (
        (f"definition '{name}'", condition, everything)
        for name, condition in policy.definitions.items()
    )
    for index, rule in enumerate(policy.rules):
        own = [facts for number, facts in seen if number == index]
        if policy.guard is not None:
            guard = policy.guard.tree
            own = [facts for facts in own if evaluate(guard, facts, policy.definitions)]
        subjects.append((f"rule '{rule.name}'", rule.condition, own))
    for what, condition, facts in subjects:
        missing = _missing(what, condition, facts, policy.definitions)
        untouched += missing
        count += 2 * sum(1 for _ in branches(condition.tree))
    return untouched, count


def _missing(
    what: str, condition: Condition, found: Sequence[Facts], definitions: Mapping[str, Condition]
) -> list[Untouched]:
    tree = condition.tree
    missing: list[Untouched] = []
    for branch in branches(tree):
        # Of 'not part' the branch is 'part'.
        decided = {side for facts in found for side in _sides(tree, branch, facts, definitions)}
        if True not in decided:
            missing.append(
                Untouched(what, ast.unparse(branch), "no test in which it holds and decides")
            )
        if False not in decided:
            missing.append(
                Untouched(
                    what, ast.unparse(branch), "no test in which it does not hold and that decides"
                )
            )
    return missing


def _sides(
    tree: ast.expr, branch: ast.expr, facts: Facts, definitions: Mapping[str, Condition]
) -> Iterator[bool]:
    """Yield which side of a branch decides: with the other, the condition would come out otherwise.

    What is unknown does not hold, and does not fail to: each side is tried instead of it.
    """
    said = evaluate(branch, facts, definitions)
    now = evaluate(tree, facts, definitions) is True
    for other in (True, False):
        if other is not said:
            instead = evaluate(tree, facts, definitions, {id(branch): other}) is True
            if instead != now:
                yield not other
