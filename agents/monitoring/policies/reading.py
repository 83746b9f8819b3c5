"""Reads the nodes of a policy file as rules and definitions, and tells all that is wrong with them.

Each key has its line in `_Reader.policy` or `_Reader.rule`.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from dataclasses import dataclass, replace

from agents.breaker.quotas import Quotas
from agents.monitoring.policies import document
from agents.monitoring.policies.cases import Case, read_cases
from agents.monitoring.policies.declarations import (
    BUDGET_KEYS,
    DEFAULT_WEIGHT,
    DEFINITION_NAME,
    MAX_BUDGET,
    MAX_DEFINITIONS,
    MAX_POLICY_STEPS,
    MAX_REASON,
    MAX_RULES,
    MODES,
    NAME,
    NEEDED,
    OUTCOMES,
    REASON_NAMES,
    RULE_KEYS,
    TOP_KEYS,
    UNKNOWN_KEYS,
    Budget,
    Mode,
    Outcome,
    Rule,
)
from agents.monitoring.policies.document import Node
from agents.monitoring.policies.expressions import Condition, ExpressionError, parse
from agents.monitoring.policies.fields import Tell, about, choice, mapping, text
from agents.monitoring.policies.problems import Report, did_you_mean, short
from agents.monitoring.policies.quotas import read_breaker, read_quota
from agents.monitoring.signals import SIGNALS
from streams.aside import giving_way


@dataclass(frozen=True, slots=True)
class RuleDraft:
    """A rule with the nodes it was read from."""

    rule: Rule
    name: Node
    when: Node


@dataclass(frozen=True, slots=True)
class Draft:
    """What a file says, with the nodes it was read from; nothing of it was refused."""

    name: str
    guard: Condition | None
    guard_node: Node | None
    definitions: dict[str, Condition]
    definition_nodes: Mapping[str, Node]
    rules: tuple[RuleDraft, ...]
    """Removals first, otherwise in the file's order."""
    reviews: Budget
    quotas: Quotas


def read(root: Node, report: Report) -> Draft | None:
    """Return what a file says, None where something of it is refused, which is reported.

    Raises:
        TooManyError: so much is wrong that it is no use to look for more.
    """
    return _Reader(report).policy(root)


class _Reader:
    def __init__(self, report: Report) -> None:
        self._report = report
        self._definitions: dict[str, Condition | None] = {}
        self._defined: dict[str, Node] = {}
        self._quotas = Quotas()

    def policy(self, root: Node) -> Draft | None:
        """Return what the file says; None where it is refused."""
        top = mapping(root, TOP_KEYS, self._about("policy"), hints=UNKNOWN_KEYS)
        name = text(top["policy"], self._about("policy")) if "policy" in top else "policy"
        if "doc" in top:
            text(top["doc"], self._about("doc"))
        reviews = Budget()
        if "reviews" in top:
            reviews = _budget(top["reviews"], self._about("reviews"))
        if "definitions" in top:
            self._read_definitions(top["definitions"])
        guard = self._condition(top["guard"], "guard") if "guard" in top else None
        if "breaker" in top:
            self._quotas = read_breaker(top["breaker"], self._about)
        if "rules" not in top:
            self._about("policy")(root, "no 'rules'", "a list of at least one rule")
            return None
        rules = self._rules(top["rules"])
        if self._report.refused():
            return None
        definitions = {key: each for key, each in self._definitions.items() if each is not None}
        own = {draft.rule.name: draft.rule.quota for draft in rules if draft.rule.quota is not None}
        quotas = replace(self._quotas, rules=own)
        nodes = self._defined
        return Draft(name, guard, top.get("guard"), definitions, nodes, rules, reviews, quotas)

    def rule(self, node: Node, names: dict[str, int]) -> RuleDraft | None:
        """Return a rule, None without a condition; `names` has the lines of those before it."""
        given = next((value.text for key, value in node.pairs() if key.text == "name"), "")
        what = f"rule '{short(given)}'" if given else "rule"
        keys = mapping(node, RULE_KEYS, self._about(what))
        if not keys:
            return None
        for needed, hint in NEEDED.items():
            if needed not in keys:
                self._about(what)(node, f"no '{needed}'", hint)

        def tell(key: str) -> Tell:
            return self._about(f"{what}: {key}")

        def said(key: str) -> str:
            return text(keys[key], tell(key)) if key in keys else ""

        name = self._name(keys["name"], names) if "name" in keys else ""
        outcome: Outcome = "review"
        if "outcome" in keys:
            outcome = choice(keys["outcome"], OUTCOMES, outcome, tell("outcome"))
        mode: Mode = "enforce"
        if "mode" in keys:
            mode = choice(keys["mode"], MODES, mode, tell("mode"))
        ground, reason, owner = said("ground"), said("reason"), said("owner")
        if "reason" in keys:
            self._check_reason(keys["reason"], f"{what}: reason", reason)
        weight = DEFAULT_WEIGHT[outcome]
        if "weight" in keys:
            weight = _weight(keys["weight"], weight, tell("weight"))
        quota = None
        if "quota" in keys:
            quota = read_quota(keys["quota"], self._quotas.rule, outcome, tell)
        tests: tuple[Case, ...] = ()
        if "tests" in keys:
            tests = read_cases(keys["tests"], tell("tests"), self._report.line_of)
        condition = self._condition(keys["when"], what) if "when" in keys else None
        if condition is None:
            return None
        rule = Rule(
            name=name,
            outcome=outcome,
            weight=weight,
            ground=ground,
            reason=reason,
            mode=mode,
            owner=owner,
            condition=condition,
            line=self._report.line_of(node.start),
            quota=quota,
            tests=tests,
        )
        return RuleDraft(rule, keys.get("name", node), keys["when"])

    def _about(self, what: str) -> Tell:
        return about(self._report, what)

    def _read_definitions(self, node: Node) -> None:
        tell = self._about("definitions")
        definitions = mapping(node, None, tell)
        if len(definitions) > MAX_DEFINITIONS:
            tell(node, f"{len(definitions):,}, and a policy may have {MAX_DEFINITIONS} at most")
            return
        for key, value in definitions.items():
            what = f"definition '{short(key)}'"
            if key in SIGNALS:
                self._about(what)(value, "it has the name of a signal", "choose another name")
            elif not re.fullmatch(DEFINITION_NAME, key) or key in ("and", "or", "not"):
                self._about(what)(
                    value,
                    "no name",
                    "take 1 to 61 small letters, digits and underscores, a letter first",
                )
            self._definitions[key] = self._condition(value, what)
            self._defined[key] = value

    def _rules(self, node: Node) -> tuple[RuleDraft, ...]:
        tell = self._about("rules")
        if node.kind != "sequence" or not node.items:
            tell(node, "expected a list of at least one rule", "'- name: …'")
            return ()
        if len(node.items) > MAX_RULES:
            tell(
                node,
                f"{len(node.items):,}, and a policy may have {MAX_RULES} at most",
                "join those that differ in a condition only with 'or'",
            )
            return ()
        names: dict[str, int] = {}
        read = [self.rule(item, names) for item in giving_way(node.items)]
        drafts = [draft for draft in read if draft is not None]
        steps = sum(draft.rule.condition.steps for draft in drafts)
        if steps > MAX_POLICY_STEPS:
            dearest = max((draft.rule for draft in drafts), key=lambda rule: rule.condition.steps)
            tell(
                node,
                f"too costly: {steps:,} steps with definitions written out, and a policy may have "
                f"{MAX_POLICY_STEPS:,} at most",
                f"the dearest is rule '{dearest.name}'",
            )
        return tuple(sorted(drafts, key=lambda draft: -OUTCOMES.index(draft.rule.outcome)))

    def _condition(self, node: Node, what: str) -> Condition | None:
        if node.kind != "scalar" or not node.text.strip():
            self._about(what)(node, "expected a condition", "see: assayer policy signals")
            return None
        before = len(node.text) - len(node.text.lstrip())
        try:
            return parse(node.text.strip(), SIGNALS, self._definitions)
        except ExpressionError as error:
            for flaw in error.flaws:
                start, end = document.place(
                    node, self._report.text, before + flaw.start, before + flaw.end
                )
                self._report.add(flaw.text, flaw.hint, what=what, start=start, end=end)
        return None

    def _name(self, node: Node, names: dict[str, int]) -> str:
        name = text(node, self._about("rule: name"))
        tell = self._about(f"rule '{short(name)}'")
        if name and not re.fullmatch(NAME, name):
            tell(node, "no name", "take 2 to 61 small letters, digits and hyphens, a letter first")
        if name in names:
            tell(node, f"it stands in line {names[name]} too", "give it another name")
        names.setdefault(name, self._report.line_of(node.start))
        return name

    def _check_reason(self, node: Node, what: str, reason: str) -> None:
        tell = self._about(what)
        if len(reason) > MAX_REASON:
            tell(node, f"{len(reason):,} characters, and it may have {MAX_REASON:,} at most")
            return
        known = ", ".join(f"{{{name}}}" for name in REASON_NAMES)
        try:
            fields = [field[1:] for field in string.Formatter().parse(reason)]
        except ValueError as error:
            tell(node, str(error), "write {{ and }} for braces that stand for nothing")
            return
        for name, form, conversion in fields:
            if name is None:
                continue
            start, end = document.place(
                node, self._report.text, at := node.text.find("{" + name), at + len(name) + 2
            )
            if name not in REASON_NAMES:
                hint = did_you_mean(name, REASON_NAMES) or f"known: {known}"
                flaw = f"unknown name '{short(name)}'"
                self._report.add(flaw, hint, what=what, start=start, end=end)
            elif form or conversion:
                flaw = "a name is put in as it is"
                self._report.add(flaw, f"write {{{name}}}", what=what, start=start, end=end)


def _budget(node: Node, tell: Tell) -> Budget:
    given = mapping(node, BUDGET_KEYS, tell)
    numbers: dict[str, int] = {}
    for key, value in given.items():
        number = document.builtin(value)
        if isinstance(number, int) and number is not True and 1 <= number <= MAX_BUDGET:
            numbers[key] = number
        else:
            tell(
                value, f"'{key}' is no whole number from 1 to {MAX_BUDGET:,}", "cases, not listings"
            )
    budget = Budget(**numbers)
    if budget.per_day < budget.per_hour:
        hint = f"per_hour: {budget.per_day} says the same"
        text_ = f"an hour holds more than a day: {budget.per_hour:,} to {budget.per_day:,}"
        tell(node, text_, hint, severity="warning")
    elif "per_day" in numbers and budget.per_day > 24 * budget.per_hour:
        hint = f"per_day: {24 * budget.per_hour} says the same"
        tell(
            node,
            f"no day holds {budget.per_day:,}: {budget.per_hour:,} an hour are less",
            hint,
            severity="warning",
        )
    return budget


def _weight(node: Node, default: float, tell: Tell) -> float:
    given = document.builtin(node)
    if isinstance(given, int | float) and given is not True and 0 < given <= 1:
        return float(given)
    tell(node, "expected a number above 0 and up to 1")
    return default
