"""The rules of the default policy: compiled by us, and evaluated by engines of CEL.

CEL (cel.dev) is the language such rules are written in elsewhere. Engines take part where they are
installed: `uv sync --group cel`.
"""

from __future__ import annotations

import ast
import gc
import importlib
import importlib.util
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import msgspec

from agents.demo import sample
from agents.monitoring.judge import Judge, add_seller
from agents.monitoring.policies import Policy, default_policy
from agents.monitoring.policies.expressions import Condition
from agents.monitoring.registry import compile_registry
from agents.monitoring.signals import SIGNALS, Facts
from agents.records import parse_time
from agents.reputation import facts_of
from tests.benchmarks import machine
from tests.benchmarks.report import Section, Table, ratios, spread
from tests.benchmarks.subjects import Options

NOW: Final = parse_time("2026-12-01T12:00:00Z")
OURS: Final = "ours, compiled"
GOAL_US: Final = 3.0
PASSES: Final = {OURS: 200}
"""How often the candidates are gone through in a round; the others are slower."""

Evaluate = Callable[[Facts], list[int]]


def run(options: Options) -> Section:
    """Evaluate the same candidates in every way, in every round."""
    described = machine.description(options.cores)
    policy = default_policy()
    found = candidates(policy)
    engines = ways(policy)
    check(engines, found)
    with machine.pinned(options.cores.contestant):
        taken = measure(engines, found, options.rounds)
    others = [name for name in taken if name != OURS]
    missing = [name for name in (CEL_PYTHON, CEL_CPP) if importlib.util.find_spec(name) is None]
    notes = [
        f"The goal for ours is {GOAL_US:.0f} µs.",
        *(f"{name} is not installed: `uv sync --group cel`." for name in missing),
    ]
    tables = [
        Table(
            ("way", "µs a candidate"),
            tuple((name, spread(times).text(2)) for name, times in taken.items()),
        )
    ]
    if others:
        rows = tuple(
            (f"{name} to ours", spread(ratios(taken[name], taken[OURS])).text(0, " ×"))
            for name in others
        )
        tables.insert(0, Table(("ratio, round by round", "time"), rows))
    return Section(
        title="Policy",
        how=(
            f"The {len(policy.rules)} rules of the default policy and its guard are evaluated for "
            f"{len(found)} pairs of a listing and a right, those of the demo's sample that name a "
            "mark, on one core. The engines get the same conditions, with what is unknown kept "
            "apart by `has(…)`, and their values ready in the form they take them in; "
            "that all say the same is checked first."
        ),
        command=options.command,
        machine=described,
        tables=tuple(tables),
        notes=tuple(notes),
    )


def candidates(policy: Policy) -> list[Facts]:
    """Return the facts of every pair of a listing and a right in the demo's sample."""
    judge = Judge(compile_registry(sample.rights(), "0"), policy)
    sellers = {seller.seller_id: seller for seller in sample.sellers()}
    found = []
    for step in sample.steps():
        listing = step.listing
        for match in judge.examine(listing, NOW).matches:
            seller = facts_of(listing.seller_id, sellers.get(listing.seller_id))
            add_seller(match.facts, seller, NOW)
            found.append(match.facts.read())
    return found


Way = tuple[Callable[[Facts], Any], Callable[[Any], list[int]]]
"""What prepares a candidate, which is not measured, and what evaluates it."""


def ways(policy: Policy) -> dict[str, Way]:
    """Return ours, and every engine that is installed."""
    found: dict[str, Way] = {OURS: (lambda facts: facts, policy.fired)}
    guard, rules = conditions(policy)
    if importlib.util.find_spec(CEL_PYTHON) is not None:
        found |= dict(_cel_python(guard, rules))
    if importlib.util.find_spec(CEL_CPP) is not None:
        found |= dict(_cel_cpp(guard, rules))
    return found


CEL_PYTHON: Final = "celpy"
CEL_CPP: Final = "cel_expr_python"


def _cel_python(guard: str, rules: Sequence[str]) -> Iterator[tuple[str, Way]]:
    celpy: Any = importlib.import_module(CEL_PYTHON)
    logging.getLogger("celpy").setLevel(logging.CRITICAL)

    def prepare(facts: Facts) -> Any:
        return {name: celpy.json_to_cel(value) for name, value in _values(facts).items()}

    # Its other runner, which makes Python of CEL, ends in an AttributeError for these conditions.
    environment = celpy.Environment(runner_class=celpy.InterpretedRunner)
    programs = [environment.program(environment.compile(text)) for text in (guard, *rules)]
    yield "cel-python", (prepare, _evaluator([program.evaluate for program in programs]))


def _cel_cpp(guard: str, rules: Sequence[str]) -> Iterator[tuple[str, Way]]:
    cel: Any = importlib.import_module(f"{CEL_CPP}.cel")
    types = dict.fromkeys(SIGNALS, cel.Type.BOOL)
    known = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)
    environment = cel.NewEnv(variables={**types, "known": known})
    programs = [environment.compile(text) for text in (guard, *rules)]

    def evaluate(program: Any) -> Callable[[Any], Any]:
        return lambda activation: program.eval(activation).value()

    yield (
        "cel-cpp, by cel-expr-python",
        (
            lambda facts: environment.Activation(_values(facts)),
            _evaluator([evaluate(program) for program in programs]),
        ),
    )


def _values(facts: Facts) -> dict[str, Any]:
    """Return the flags by name, and of what may be unknown a map of what is known."""
    values = msgspec.structs.asdict(facts)
    optional = {name: values.pop(name) for name, signal in SIGNALS.items() if signal.optional}
    return {
        **values,
        "known": {name: value for name, value in optional.items() if value is not None},
    }


def _evaluator(programs: Sequence[Callable[[Any], Any]]) -> Callable[[Any], list[int]]:
    guard, *rules = programs

    def evaluate(activation: Any) -> list[int]:
        if not guard(activation):
            return []
        return [index for index, rule in enumerate(rules) if rule(activation)]

    return evaluate


def conditions(policy: Policy) -> tuple[str, list[str]]:
    """Return the guard and the rules' conditions in CEL, definitions written out."""
    if policy.guard is None:
        raise ValueError("the default policy has a guard")

    def text(condition: Condition) -> str:
        return _cel(condition.tree, True, policy)

    return text(policy.guard), [text(rule.condition) for rule in policy.rules]


def _cel(node: ast.expr, wanted: bool, policy: Policy) -> str:
    """Return CEL that is true where a condition is known to be `wanted`."""
    match node:
        case ast.BoolOp(op=op, values=values):
            word = " && " if isinstance(op, ast.And) == wanted else " || "
            return "(" + word.join(_cel(value, wanted, policy) for value in values) + ")"
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _cel(operand, not wanted, policy)
        case ast.Name(id=name) if name in policy.definitions:
            return _cel(policy.definitions[name].tree, wanted, policy)
        case ast.Name(id=name):
            if not SIGNALS[name].optional:
                return name if wanted else f"!{name}"
            return f"(has(known.{name}) && {'' if wanted else '!'}known.{name})"
        case ast.Compare(left=ast.Name(id=name), ops=[op], comparators=[ast.Constant(value=value)]):
            symbol = _SYMBOLS[type(op)][0 if wanted else 1]
            return f"(has(known.{name}) && known.{name} {symbol} {float(value)})"  # type: ignore[arg-type]
    # The default policy has nothing else: a rule that has stops the benchmark, not its fairness.
    raise NotImplementedError(ast.unparse(node))


_SYMBOLS: Final[dict[type[ast.cmpop], tuple[str, str]]] = {
    ast.Lt: ("<", ">="),
    ast.LtE: ("<=", ">"),
    ast.Gt: (">", "<="),
    ast.GtE: (">=", "<"),
}


def check(engines: dict[str, Way], found: Sequence[Facts]) -> None:
    """Raise RuntimeError where an engine says something else than ours."""
    prepare, evaluate = engines[OURS]
    expected = [evaluate(prepare(facts)) for facts in found]
    for name, (prepare, evaluate) in engines.items():
        if [evaluate(prepare(facts)) for facts in found] != expected:
            raise RuntimeError(f"{name} fires other rules")


def measure(engines: dict[str, Way], found: Sequence[Facts], rounds: int) -> dict[str, list[float]]:
    """Return microseconds a candidate for each way and round."""
    ready = {name: [prepare(facts) for facts in found] for name, (prepare, _) in engines.items()}
    taken: defaultdict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        for name, (_, evaluate) in engines.items():
            passes = PASSES.get(name, 1)
            gc.collect()
            started = time.perf_counter()
            for _ in range(passes):
                for activation in ready[name]:
                    evaluate(activation)
            seconds = time.perf_counter() - started
            taken[name].append(seconds / len(found) / passes * 1e6)
    return dict(taken)
