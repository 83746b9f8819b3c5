"""Refuses rules that can never fire, and warns of what changes nothing, parts of conditions too."""

from __future__ import annotations

import ast

from agents.monitoring.policies import document
from agents.monitoring.policies.expressions import span
from agents.monitoring.policies.fields import about
from agents.monitoring.policies.interpreter import branches
from agents.monitoring.policies.problems import Report
from agents.monitoring.policies.reading import Draft, RuleDraft
from agents.monitoring.policies.satisfiability import Alternatives, Prover
from agents.monitoring.signals import SIGNALS
from streams.aside import give_way, giving_way


def check_effect(draft: Draft, report: Report) -> None:
    """Report definitions that nothing names, and conditions that never hold or change nothing.

    Raises:
        TooManyError: so much is wrong that it is no use to look for more.
    """
    _check_use(draft, report)
    prover = Prover(SIGNALS, draft.definitions)
    given = prover.alternatives(draft.guard.tree) if draft.guard is not None else None
    if draft.guard_node is not None and given is not None and given.known and not given.ways:
        about(report, "guard")(
            draft.guard_node,
            f"it can never hold: {'; '.join(given.reasons)}",
            "no rule would ever fire",
        )
        return
    alone = [prover.alternatives(each.rule.condition.tree) for each in giving_way(draft.rules)]
    guarded = [
        prover.alternatives(each.rule.condition.tree, given) for each in giving_way(draft.rules)
    ]
    for each, free, bound in zip(draft.rules, alone, guarded, strict=True):
        always = given is not None and prover.covers(free, given)
        _check_ways(each, free, bound, report, always=always)
    for index, each in enumerate(draft.rules):
        for other, wide in zip(draft.rules[:index], alone, strict=False):
            give_way()
            if other.rule.mode == "enforce" and prover.covers(wide, guarded[index]):
                _tell_covered(each, other, report)
                break


def _check_use(draft: Draft, report: Report) -> None:
    conditions = [each.rule.condition for each in draft.rules]
    conditions += draft.definitions.values()
    if draft.guard is not None:
        conditions.append(draft.guard)
    used = {
        child.id
        for condition in giving_way(conditions)
        for child in ast.walk(condition.tree)
        if isinstance(child, ast.Name)
    }
    for key, node in draft.definition_nodes.items():
        if key not in used:
            tell = about(report, f"definition '{key}'")
            tell(node, "nothing uses it", "drop it", "warning")


def _tell_covered(draft: RuleDraft, other: RuleDraft, report: Report) -> None:
    same = other.rule.outcome == draft.rule.outcome
    about(report, f"rule '{draft.rule.name}'")(
        draft.name,
        f"it changes no outcome: wherever it fires, rule '{other.rule.name}' in line "
        f"{other.rule.line} does, with {'the same' if same else 'the stronger'} outcome "
        f"'{other.rule.outcome}'",
        "narrow that one, or drop this one",
        "warning",
    )


def _check_ways(
    draft: RuleDraft, free: Alternatives, bound: Alternatives, report: Report, *, always: bool
) -> None:
    """Report a rule that never fires or always, by the ways it can: `bound` are under the guard."""
    tell = about(report, f"rule '{draft.rule.name}'")
    if not free.known:
        return
    if not free.ways:
        tell(
            draft.when,
            f"it can never fire: {'; '.join(free.reasons)}",
            "one of them has to go, or belongs behind 'or'",
        )
        return
    if not bound.known:
        return
    if not bound.ways:
        reasons = [reason for reason in bound.reasons if reason not in free.reasons]
        tell(
            draft.when,
            f"it can never fire under the guard: {'; '.join(reasons)}",
            "nothing is decided where the guard does not hold",
        )
        return
    if always or any(not way.constraints for way in free.ways):
        tell(
            draft.when,
            "it fires for every listing that the guard lets through",
            "say what speaks against the listing",
            "warning",
        )
    _tell_dead_branches(draft, bound, report)


def _tell_dead_branches(draft: RuleDraft, bound: Alternatives, report: Report) -> None:
    alive = frozenset[int]().union(*(way.branches for way in bound.ways))
    text = draft.rule.condition.text
    before = len(draft.when.text) - len(draft.when.text.lstrip())
    for branch in branches(draft.rule.condition.tree):
        if id(branch) in alive:
            continue
        first, last = span(branch, text)
        start, end = document.place(draft.when, report.text, before + first, before + last)
        report.add(
            "this never matters: what stands beside it contradicts it",
            "drop it, or mend what stands beside it",
            what=f"rule '{draft.rule.name}'",
            start=start,
            end=end,
            severity="warning",
        )
