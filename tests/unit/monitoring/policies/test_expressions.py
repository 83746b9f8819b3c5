"""Conditions: what is compiled means what it says, whatever the order it is asked in."""

from __future__ import annotations

import ast
import time

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.monitoring.policies import Checked, check_policy
from agents.monitoring.policies.compiling import cost, source
from agents.monitoring.policies.expressions import Condition, ExpressionError, parse, span
from agents.monitoring.policies.interpreter import branches, evaluate
from agents.monitoring.policies.satisfiability import Prover
from agents.monitoring.signals import FROM_STORE, SIGNALS, Facts
from tests.unit.monitoring.policies.conditions import conditions, facts

SECONDS = 5.0
"""No content of a file may take longer to check; nearly all take milliseconds."""


def holds(
    condition: Condition,
    given_: Facts,
    definitions: dict[str, Condition],
    *,
    wanted: bool = True,
    hopeful: bool = False,
) -> bool:
    text = source(condition.tree, wanted, SIGNALS, definitions, hopeful=hopeful)
    return bool(eval(text, {"__builtins__": {}}, msgspec.structs.asdict(given_)))  # noqa: S307


@settings(max_examples=400, deadline=None)
@given(conditions(), conditions(("first",)), facts())
def test_compiled_is_what_the_interpreter_says(first: str, text: str, given_: Facts) -> None:
    """Towards true and towards false, unknown kept apart, divisions by zero too."""
    definitions = {"first": accepted(first)}
    condition = accepted(text, definitions)
    if condition is None or definitions["first"] is None:
        return
    known = {"first": definitions["first"]}
    said = evaluate(condition.tree, given_, known)
    assert holds(condition, given_, known) == (said is True)
    assert holds(condition, given_, known, wanted=False) == (said is False)


@settings(max_examples=200, deadline=None)
@given(conditions(), st.lists(conditions(("first",)), min_size=1, max_size=4), facts())
def test_a_policy_fires_what_the_interpreter_says(
    first: str, texts: list[str], given_: Facts
) -> None:
    """All rules in one function, the guard before them."""
    rules = "".join(
        f"  - {{name: r-{n}, when: '{text}', outcome: review, ground: g, reason: r}}\n"
        for n, text in enumerate(texts)
    )
    checked = check(
        f"guard: '{first}'\ndefinitions: {{first: '{first}'}}\nrules:\n{rules}".encode()
    )
    policy = checked.policy
    if policy is None or policy.guard is None:
        return

    def said(condition: Condition) -> bool:
        return evaluate(condition.tree, given_, policy.definitions) is True

    expected = [n for n, rule in enumerate(policy.rules) if said(rule.condition)]
    assert policy.fired(given_) == (expected if said(policy.guard) else [])
    assert set(policy.fired(given_)) <= set(policy.possible(given_))


@settings(max_examples=200, deadline=None)
@given(conditions(), facts(), facts())
def test_possible_is_whatever_the_store_may_still_say(
    text: str, given_: Facts, store: Facts
) -> None:
    """A condition that holds once the store has answered was possible before."""
    condition = accepted(text)
    if condition is None:
        return
    answers = {name: getattr(store, name) for name in FROM_STORE if getattr(given_, name) is None}
    later = msgspec.structs.replace(given_, **answers)
    if holds(condition, later, {}):
        assert holds(condition, given_, {}, hopeful=True)


def accepted(text: str, definitions: dict[str, Condition | None] | None = None) -> Condition | None:
    try:
        return parse(text, SIGNALS, definitions or {})
    except ExpressionError as error:
        if any(flaw.text != "division by zero" for flaw in error.flaws):
            raise
        return None


@settings(max_examples=400, deadline=None)
@given(conditions(), conditions(), facts())
def test_never_and_always_are_proved(one: str, other: str, given_: Facts) -> None:
    """What is said never to hold never holds; what is covered holds only with what covers it."""
    wide, narrow = accepted(one), accepted(other)
    if wide is None or narrow is None:
        return
    prover = Prover(SIGNALS, {})
    ways, narrow_ways = prover.alternatives(wide.tree), prover.alternatives(narrow.tree)
    both = prover.alternatives(narrow.tree, ways)
    wide_holds = evaluate(wide.tree, given_, {}) is True
    narrow_holds = evaluate(narrow.tree, given_, {}) is True
    if ways.known and not ways.ways:
        assert not wide_holds
    if both.known and not both.ways:
        assert not (wide_holds and narrow_holds)
    if prover.covers(ways, narrow_ways) and narrow_holds:
        assert wide_holds


@pytest.mark.parametrize(
    ("wide", "narrow", "covered"),
    [
        ("price_ratio < 0.5", "price_ratio < 0.4", True),
        ("price_ratio < 0.5", "price_ratio <= 0.5", False),
        ("mark", "mark_plain and used", True),
        ("mark or used", "mark_hidden or used and part", True),
        ("seller_age_days >= 0", "mark", False),  # unknown for some
        ("price_ratio != 1", "price_ratio < 1", True),
        ("0.1 < price_ratio < 0.5", "0.2 < price_ratio and not price_ratio >= 0.3", True),
        ("not part", "part or mark", False),
    ],
)
def test_what_covers_what(wide: str, narrow: str, covered: bool) -> None:
    prover = Prover(SIGNALS, {})
    first, second = (prover.alternatives(parse(each, SIGNALS, {}).tree) for each in (wide, narrow))
    assert prover.covers(first, second) == covered


def test_what_costs_less_is_asked_first() -> None:
    condition = parse("relisted and seller_standing > 0.5 and price_ratio < 0.3 and mark",
                      SIGNALS, {})  # fmt: skip
    text = source(condition.tree, True, SIGNALS, {})
    found = [text.index(name) for name in ("mark is", "price_ratio", "seller_standing", "relisted")]
    assert found == sorted(found)
    costs = [cost(branch, SIGNALS, {}) for branch in branches(condition.tree)]
    assert costs == sorted(costs, reverse=True)


def test_places_are_counted_in_characters() -> None:
    text = "größe > 1 or 価格"
    with pytest.raises(ExpressionError) as caught:
        parse(text, SIGNALS, {})
    assert [text[flaw.start : flaw.end] for flaw in caught.value.flaws] == ["größe", "価格"]
    tree = ast.parse(text, mode="eval").body
    assert isinstance(tree, ast.BoolOp)
    assert [text[slice(*span(value, text))] for value in tree.values] == ["größe > 1", "価格"]


HOSTILE = [
    *"()[]{},:;#&*!|>'\"%@`~^\\\n\t", " ", "- ", ": ", "<<", "&a", "*a", "!!python/name:os", "---",
    "policy", "guard", "definitions", "rules", "name", "when", "outcome", "review", "ground",
    "reason", "tests", "facts", "then", "after", "mark", "price_ratio", "1", "0", "9" * 30, "1e999",
    "**", "//", "<", "==", " and ", " or ", "not ", "lambda:", "[x for x in mark]", "__import__",
    ".", "(a+)+$", "\u0000", "\ufeff", "\u202e", "\U0001f600", "é", "\r", "\x85", "\u2028",
]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(HOSTILE), max_size=60).map("".join) | st.text() | st.binary())
def test_any_content_is_refused_in_bounded_time(content: str | bytes) -> None:
    raw = content if isinstance(content, bytes) else content.encode(errors="replace")
    check(raw)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(HOSTILE), max_size=60).map("".join) | st.text() | conditions())
def test_any_condition_is_refused_in_bounded_time(condition: str) -> None:
    quoted = msgspec.json.encode(condition.encode(errors="replace").decode()).decode()
    check(
        f"policy: p\ndefinitions: {{d: {quoted}}}\nrules:\n"
        f"  - {{name: r-1, when: {quoted}, outcome: review, ground: g, reason: {quoted}, "
        f"tests: [{{facts: {{mark: {quoted}}}, fires: {quoted}, now: {quoted}}}]}}\n".encode()
    )


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["(", "not ", "-", "[", "{", "mark and ", "(mark or ", "1+", "a.", "f(", "9",
                     "lambda:", "x if y else ", "mark<", "'", "mark,", "*", "mark **", "~", "é"]),
    st.integers(1, 1_000_000),
    st.sampled_from(["", "mark", ")", "1"]),
)  # fmt: skip
def test_long_and_deep_conditions_are_refused_in_bounded_time(
    piece: str, count: int, end: str
) -> None:
    """Up to a megabyte and more; what is within the limits as well as what is not."""
    for times in (count, min(count, 2000 // len(piece))):
        quoted = msgspec.json.encode(piece * times + end).decode()
        rule = f"{{name: r-1, when: {quoted}, outcome: review, ground: g, reason: r}}"
        check(f"rules: [{rule}]".encode())


RULE = "  - {name: r-%d, when: '%s', outcome: review, ground: g, reason: r, tests: [%s]}\n"


@pytest.mark.parametrize(
    "content",
    [
        "".join(RULE % (n, " or ".join(f"x{n}y{i}" for i in range(100)), "") for n in range(190)),
        RULE % (1, "mark", ", ".join(f"{{facts: {{x{n}: 1}}}}" for n in range(15_000))),
        RULE % (1, "mark", "{facts: {" + ", ".join(f"x{n}: 1" for n in range(20_000)) + "}}"),
        RULE % (1, "mark", ", ".join(["{facts: {part: true}, fires: true}"] * 7_000)),
        RULE % (1, "mark", "[" * 11 + "]" * 11) + "  - " + "{" * 100_000,
        "  - " + "[],".join("" for _ in range(30_000)) + "\n",
        "  - {name: " + "é" * 120_000 + "}\n",
        "  - {name: r, reason: '" + "{" * 100_000 + "'}\n",
        "  - {name: r, reason: '" + "{mark}" * 40_000 + "'}\n",
        "definitions: {" + ", ".join(f"d{n}: mark" for n in range(20_000)) + "}\n",
    ],
    ids=map(str, range(10)),
)
def test_full_files_are_checked_in_bounded_time(content: str) -> None:
    """Files as large as they may be, with as much wrong with them as can be."""
    check(("rules:\n" + content).encode())


@pytest.mark.parametrize("count", [2, 50, 190])
def test_many_wide_rules_are_worked_out_in_bounded_time(count: int) -> None:
    """Alternatives multiply; the prover gives up before they do harm."""
    wide = " and ".join(f"(price_ratio < 0.{i} or seller_age_days > {i})" for i in range(1, 10))
    rules = "".join(
        f"  - {{name: r-{n}, when: '{wide}', outcome: review, ground: g, reason: r}}\n"
        for n in range(count)
    )
    check(f"rules:\n{rules}".encode())


def check(raw: bytes) -> Checked:
    started = time.perf_counter()
    checked = check_policy(raw, "p.yaml")
    taken = time.perf_counter() - started
    assert taken < SECONDS, f"{taken:.1f} s for {raw[:200]!r}"
    for problem in checked.problems:
        assert problem.line >= 1
        assert problem.column >= 1
        assert len(problem.shown()) < 2_000
        assert "\n" not in str(problem)
    assert (checked.policy is None) == any(p.severity == "error" for p in checked.problems)
    return checked
