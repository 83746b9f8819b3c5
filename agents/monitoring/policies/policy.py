"""Reads a policy file, checks it and compiles its rules to one Python function."""

from __future__ import annotations

import hashlib
import re
import string
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import yaml

from agents.monitoring.policies.expressions import Condition, ExpressionError, parse, source
from agents.monitoring.signals import SIGNALS, Facts

Outcome = Literal["review", "remove"]
Mode = Literal["enforce", "shadow"]

OUTCOMES: Final = ("review", "remove")
MODES: Final = ("enforce", "shadow")
REASON_NAMES: Final = frozenset({"mark", "owner", "brand", "price_ratio", "text"})
"""What a reason template may name."""

_KEYS: Final = {"name", "when", "outcome", "weight", "ground", "reason", "mode", "owner"}
_TOP: Final = {"policy", "guard", "definitions", "rules", "doc"}
_NAME: Final = re.compile(r"^[a-z][a-z0-9-]{1,60}$")


class PolicyError(ValueError):
    """A policy that is refused: file, line, rule, what is wrong and a way out."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that was accepted."""

    name: str
    outcome: Outcome
    weight: float
    ground: str
    reason: str
    mode: Mode
    owner: str
    condition: Condition
    line: int


Evaluate = Callable[[Facts], list[int]]
"""Returns the indexes of the rules that fire, in the policy's order."""


@dataclass(frozen=True)
class Policy:
    """A compiled policy."""

    name: str
    version: str
    rules: tuple[Rule, ...]
    fired: Evaluate
    """The rules known to hold."""
    possible: Evaluate
    """Those, and the rules that facts of the store that are unknown could still make hold."""


def load_policy(path: Path) -> Policy:
    """Return the compiled policy of a file.

    Raises:
        PolicyError: it can't be read or is refused.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise PolicyError(f"{path}: {error.strerror}") from None
    return compile_policy(raw, str(path))


@cache
def default_policy() -> Policy:
    """Return the shipped policy."""
    return compile_policy(Path(__file__).with_name("default.yaml").read_bytes(), "default.yaml")


def compile_policy(raw: bytes, name: str) -> Policy:
    """Return the compiled policy of a file's content; `name` stands in the errors."""
    try:
        root = yaml.compose(raw.decode("utf-8"), Loader=yaml.SafeLoader)
    except UnicodeDecodeError:
        raise PolicyError(f"{name}: not UTF-8 text") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PolicyError(f"{name}:{line}: not YAML: {error.problem}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise PolicyError(f"{name}: not YAML: {error}") from None
    return _Reader(name, raw).policy(root)


class _Reader:
    """Walks the YAML nodes, which know their lines."""

    def __init__(self, name: str, raw: bytes) -> None:
        self._file = name
        self._raw = raw

    def _error(self, node: yaml.Node | None, text: str, column: int | None = None) -> PolicyError:
        line = node.start_mark.line + 1 if node is not None else 1
        where = f"{self._file}:{line}" if column is None else f"{self._file}:{line}:{column}"
        return PolicyError(f"{where} {text}")

    def _mapping(
        self, node: yaml.Node | None, allowed: Iterable[str] | None, what: str
    ) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            raise self._error(node, f"{what}: expected a mapping")
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            text = str(key.value)
            if allowed is not None and text not in allowed:
                raise self._error(
                    key, f"{what}: unknown key '{text}'; known: {', '.join(sorted(allowed))}"
                )
            if text in found:
                raise self._error(key, f"{what}: '{text}' stands twice")
            found[text] = value
        return found

    def _text(self, node: yaml.Node | None, what: str) -> str:
        if not isinstance(node, yaml.ScalarNode) or not str(node.value).strip():
            raise self._error(node, f"{what}: expected a text")
        return str(node.value).strip()

    def policy(self, root: yaml.Node | None) -> Policy:
        top = self._mapping(root, _TOP, "policy")
        if "rules" not in top:
            raise self._error(root, "policy: 'rules' is missing")
        name = self._text(top["policy"], "policy") if "policy" in top else "policy"
        definitions: dict[str, Condition] = {}
        if "definitions" in top:
            for key, node in self._mapping(top["definitions"], None, "definitions").items():
                if key in SIGNALS:
                    raise self._error(node, f"definition '{key}' has the name of a signal")
                if not key.isidentifier():
                    raise self._error(node, f"definition '{key}' is no name")
                definitions[key] = self._condition(node, f"definition '{key}'", definitions)
        guard = self._condition(top["guard"], "guard", definitions) if "guard" in top else None
        nodes = top["rules"]
        if not isinstance(nodes, yaml.SequenceNode) or not nodes.value:
            raise self._error(nodes, "rules: expected a list of at least one rule")
        rules: list[Rule] = []
        for node in nodes.value:
            rule = self._rule(node, definitions)
            if any(rule.name == other.name for other in rules):
                raise self._error(node, f"rule '{rule.name}' stands twice")
            rules.append(rule)
        # Removals first, so that the deciding rule is the first that fires.
        rules.sort(key=lambda rule: -OUTCOMES.index(rule.outcome))
        digest = hashlib.sha256(self._raw).hexdigest()[:16]
        return Policy(
            name,
            f"{name}-{digest}",
            tuple(rules),
            _compile(rules, guard, definitions, known=True),
            _compile(rules, guard, definitions, known=False),
        )

    def _condition(
        self, node: yaml.Node, what: str, definitions: dict[str, Condition]
    ) -> Condition:
        text = self._text(node, what)
        try:
            return parse(text, SIGNALS, definitions)
        except ExpressionError as error:
            block = getattr(node, "style", None) in ("|", ">")
            column = None if block else node.start_mark.column + 1 + error.column
            raise self._error(node, f"{what}: {error}", column) from None

    def _rule(self, node: yaml.Node, definitions: dict[str, Condition]) -> Rule:
        keys = self._mapping(node, _KEYS, "rule")
        name = self._text(keys.get("name", node), "rule: name")
        what = f"rule '{name}'"
        if not _NAME.match(name):
            raise self._error(keys["name"], f"{what}: a name is lower-case words with hyphens")
        for needed in ("when", "outcome", "ground", "reason"):
            if needed not in keys:
                raise self._error(node, f"{what}: '{needed}' is missing")
        outcome = self._choice(keys["outcome"], f"{what}: outcome", OUTCOMES)
        mode = self._choice(keys["mode"], f"{what}: mode", MODES) if "mode" in keys else "enforce"
        reason = self._text(keys["reason"], f"{what}: reason")
        self._check_reason(keys["reason"], what, reason)
        weight = self._weight(keys.get("weight"), what, 0.9 if outcome == "remove" else 0.5)
        return Rule(
            name=name,
            outcome="remove" if outcome == "remove" else "review",
            weight=weight,
            ground=self._text(keys["ground"], f"{what}: ground"),
            reason=reason,
            mode="shadow" if mode == "shadow" else "enforce",
            owner=self._text(keys["owner"], f"{what}: owner") if "owner" in keys else "",
            condition=self._condition(keys["when"], what, definitions),
            line=node.start_mark.line + 1,
        )

    def _choice(self, node: yaml.Node, what: str, choices: tuple[str, ...]) -> str:
        text = self._text(node, what)
        if text not in choices:
            raise self._error(node, f"{what}: '{text}' is none of {', '.join(choices)}")
        return text

    def _weight(self, node: yaml.Node | None, what: str, default: float) -> float:
        if node is None:
            return default
        try:
            weight = float(self._text(node, f"{what}: weight"))
        except ValueError:
            raise self._error(node, f"{what}: weight: expected a number") from None
        if not 0 < weight <= 1:
            raise self._error(node, f"{what}: weight: expected a number above 0 and up to 1")
        return weight

    def _check_reason(self, node: yaml.Node, what: str, reason: str) -> None:
        try:
            names = [name for _, name, _, _ in string.Formatter().parse(reason) if name is not None]
        except ValueError as error:
            raise self._error(node, f"{what}: reason: {error}") from None
        for name in names:
            if name not in REASON_NAMES:
                raise self._error(
                    node,
                    f"{what}: reason: unknown name '{{{name}}}'; known: "
                    f"{', '.join(sorted(REASON_NAMES))}",
                )


def _compile(
    rules: Iterable[Rule], guard: Condition | None, definitions: dict[str, Condition], known: bool
) -> Evaluate:
    """Return one function for all rules: 1 µs for the default policy, and no interpreter.

    The source is made from checked trees only: names are signals, constants are literals.
    """
    rules = list(rules)

    def holds(condition: Condition) -> str:
        return source(condition.tree, True, SIGNALS, definitions, hopeful=not known)

    used = sorted(
        {name for rule in rules for name in rule.condition.signals}
        | (set(guard.signals) if guard else set())
    )
    lines = ["def evaluate(f):", "    fired = []"]
    lines += [f"    {name} = f.{name}" for name in used]
    if guard is not None:
        lines += [f"    if not ({holds(guard)}):", "        return fired"]
    for index, rule in enumerate(rules):
        lines += [f"    if {holds(rule.condition)}:", f"        fired.append({index})"]
    lines.append("    return fired")
    scope: dict[str, Any] = {"__builtins__": {}}
    exec("\n".join(lines), scope)  # noqa: S102
    evaluate: Evaluate = scope["evaluate"]
    return evaluate
