"""The tests that rules bring along: how they are run, and what they leave untouched."""

from __future__ import annotations

import json

from agents.monitoring import rule_tests
from agents.monitoring.policies import Policy, compile_policy, default_policy
from agents.monitoring.policies import schema as policy_schema

HEAD = """
policy: p
guard: mark and in_force
definitions:
  cheap: price_ratio < 0.35
rules:
  - name: new-and-cheap
    when: cheap and (seller_age_days < 30 or not seller_verified)
    outcome: remove
    ground: g
    reason: r
    tests:
"""
OTHER = """
  - {name: hidden, when: mark_hidden, outcome: review, mode: shadow, ground: g, reason: r}
"""
AT = "(2026-01-01T00:00:00.000Z: "
RULE = "new-and-cheap"
AGE = "seller_age_days"
GIVEN = "mark, mark_plain, in_force, price_ratio 0.2"
NEW = "mark_plain: true, price_ratio: 0.2"


def policy(*cases: str, other: str = "") -> Policy:
    return compile_policy(
        (HEAD + "".join(f"      - {{{c}}}\n" for c in cases) + other).encode(), "p"
    )


def failures(*cases: str) -> list[str]:
    return [result.failure for result in rule_tests.run(policy(*cases)).results]


def test_what_came_out_instead_is_told() -> None:
    assert failures(
        f"facts: {{{NEW}, seller_age_days: 3}}, fires: true, outcome: remove",
        f"facts: {{{NEW}, seller_age_days: 3}}, fires: false, outcome: allow",
        f"facts: {{{NEW}}}, fires: true, outcome: remove",
        f"facts: {{{NEW}, in_force: false, seller_age_days: 3}}, fires: false, now: 2027-01-01",
    ) == [
        "",
        f"it fires and the outcome is remove by rule '{RULE}', not allow {AT}{GIVEN}, {AGE} 3)",
        f"it does not fire and the outcome is allow, not remove {AT}{GIVEN})",
        "",
    ]


def test_a_listing_is_judged_as_the_worker_does_and_the_clock_moves() -> None:
    listing = (
        "listing: {title: Zorvex Diver 300, price_minor: 3000, currency: USD, condition: NEW}, "
        "right: {mark: Zorvex, reference_price_minor: 20000, reference_currency: USD}, "
        "seller: {created_at: 2026-01-01, verified: true}, "
    )
    assert failures(
        listing + "now: 2026-01-30T23:59:59Z, fires: true, then: [{after: 1 minute, fires: false}, "
        "{after: 400 days, outcome: allow}]",
        listing + "facts: {seller_age_days: 31}, now: 2026-01-02, fires: false",
        "listing: {title: Mosaic lamp}, right: {mark: Zorvex}, fires: false, outcome: allow",
    ) == ["", "", "", "", ""]
    (failure,) = failures("listing: {title: A lamp}, right: {mark: Zorvex}, fires: true")
    assert failure == (
        "it does not fire (2026-01-01T00:00:00.000Z: the listing has nothing to do with the right)"
    )


def test_what_no_test_touches_is_named() -> None:
    found = rule_tests.run(
        policy(
            f"facts: {{{NEW}, seller_age_days: 3}}, fires: true",
            f"facts: {{{NEW}, seller_age_days: 60}}, fires: false",
            f"facts: {{{NEW}, in_force: false}}, fires: false",
            other=OTHER,
        )
    )
    assert [rule.name for rule in found.untested] == ["hidden"]
    untouched = [(each.what, each.branch, each.missing) for each in found.untouched]
    holds = "no test in which it holds and decides"
    fails = "no test in which it does not hold and that decides"
    assert untouched == [
        ("guard", "mark", fails),
        ("definition 'cheap'", "price_ratio < 0.35", fails),
        ("rule 'new-and-cheap'", "cheap", fails),
        # Where the account is 60 days old and nobody knows whether it is verified, either decides.
        ("rule 'new-and-cheap'", "seller_verified", fails),
        ("rule 'hidden'", "mark_hidden", holds),
        ("rule 'hidden'", "mark_hidden", fails),
    ]
    assert (found.branches, found.touched) == (14, 8)


def test_the_default_policy_is_tested_to_the_last_branch() -> None:
    found = rule_tests.run(default_policy())
    assert found.failed == ()
    assert found.untested == ()
    assert found.untouched == ()
    assert found.branches > 100


def test_a_wrong_default_policy_would_be_noticed() -> None:
    """Each rule of the default policy, made to say the contrary, fails a test of its own."""
    text = default_text()
    for rule in default_policy().rules:
        when = f"when: {rule.condition.text}\n"
        assert when in text
        wrong = text.replace(when, f"when: not ({rule.condition.text})\n", 1)
        found = rule_tests.run(compile_policy(wrong.encode(), rule.name))
        assert rule.name in {result.rule for result in found.failed}


def default_text() -> str:
    return policy_schema.FILE.with_name("default.yaml").read_text(encoding="utf-8")


def test_the_schema_of_the_editors_is_current() -> None:
    """Write it anew with `assayer policy schema`."""
    assert policy_schema.FILE.read_text(encoding="utf-8") == policy_schema.text()
    assert default_text().startswith("# yaml-language-server: $schema=./policy.schema.json\n")


def test_the_schema_of_the_editors_knows_every_key() -> None:
    """What the check accepts, editors do not mark."""
    rule = json.loads(policy_schema.text())["properties"]["rules"]["items"]
    case = rule["properties"]["tests"]["items"]["properties"]
    found = compile_policy(
        (HEAD + "      - {name: n, facts: {part: true}, fires: false}\n").encode(), "p"
    )
    assert found.rules[0].tests[0].name == "n"
    assert {"name", "facts", "listing", "right", "seller", "now", "fires", "then"} <= case.keys()
    assert set(rule["required"]) == {"name", "when", "outcome", "ground", "reason"}
