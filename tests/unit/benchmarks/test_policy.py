"""The benchmark of rules: the engines are asked what the default policy asks."""

from __future__ import annotations

from agents.monitoring.policies import default_policy
from tests.benchmarks import policy as benchmark


def test_every_rule_of_the_default_policy_can_be_said_in_cel() -> None:
    policy = default_policy()
    guard, rules = benchmark.conditions(policy)
    assert guard == (
        "((mark || image_known || (has(known.relisted) && known.relisted)"
        " || (has(known.linked_relisted) && known.linked_relisted)) && in_force && !authorised)"
    )
    by_name = dict(zip((rule.name for rule in policy.rules), rules, strict=True))
    assert len(by_name) == len(policy.rules)
    assert by_name["branded-burst"] == (
        "((has(known.branded_burst) && known.branded_burst >= 10.0) && "
        "((has(known.seller_verified) && !known.seller_verified) || "
        "(has(known.seller_age_days) && known.seller_age_days < 180.0)))"
    )


def test_the_candidates_make_rules_fire() -> None:
    policy = default_policy()
    found = benchmark.candidates(policy)
    fired = {index for facts in found for index in policy.fired(facts)}
    assert len(found) > 50
    assert len(fired) >= 5
