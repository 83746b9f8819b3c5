"""What a sweep is for: when a right or a rule may match more than it did."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from agents.monitoring.judge import Judge
from agents.monitoring.policies import DEFAULT, Policy, compile_policy, default_policy
from agents.monitoring.registry import compile_registry
from agents.monitoring.sweeping.subject import (
    Subject,
    UnknownSubjectError,
    newly_enforced,
    of_rules,
    widens,
)
from agents.records import AuthorisedSeller, Listing, Right

NOW = 1_764_000_000_000
RIGHT = Right(
    "tm-1",
    "Zorvex Watches Ltd",
    mark="Zorvex",
    authorised_sellers=(AuthorisedSeller("a"), AuthorisedSeller("b")),
)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, False),
        ({"owner": "Somebody Else Ltd"}, False),
        ({"member_id": "m", "office": "EUIPO", "registration_number": "018000001"}, False),
        ({"authorised_sellers": (*RIGHT.authorised_sellers, AuthorisedSeller("c"))}, False),
        ({"authorised_sellers": RIGHT.authorised_sellers[:1]}, True),
        ({"authorised_sellers": (AuthorisedSeller("a", ("DE",)), AuthorisedSeller("b"))}, True),
        ({"mark": "Zorvexx"}, True),
        ({"aliases": ("Zorvo",)}, True),
        ({"territories": ("DE",)}, True),
        ({"valid_until": NOW}, True),
        ({"reference_price_minor": 20_000}, True),
        ({"image_hashes": ("0" * 64,)}, True),
    ],
)
def test_a_change_of_a_right_that_matches_nothing_more_is_known(
    changes: dict[str, Any], expected: bool
) -> None:
    assert widens(RIGHT, msgspec.structs.replace(RIGHT, **changes)) is expected


def test_a_right_that_is_new_matches_more() -> None:
    assert widens(None, RIGHT)


def _policy(*changes: tuple[str, str]) -> Policy:
    text = DEFAULT.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return compile_policy(text.encode(), "policy.yaml")


def _shadowed(name: str) -> Policy:
    return _policy((f"  - name: {name}\n", f"  - name: {name}\n    mode: shadow\n"))


def test_rules_that_begin_to_act_are_known() -> None:
    shipped = default_policy()
    name = next(rule.name for rule in shipped.rules if rule.mode == "enforce")
    assert newly_enforced(_shadowed(name), shipped) == (name,)
    assert newly_enforced(shipped, _shadowed(name)) == ()
    assert newly_enforced(shipped, shipped) == ()
    assert newly_enforced(shipped, _policy(("weight: 0.6\n", "weight: 0.61\n"))) == ()


def test_a_definition_that_changes_may_concern_every_rule() -> None:
    definition, condition = next(iter(default_policy().definitions.items()))
    changed = _policy((condition.text, f"not not ({condition.text})"))
    assert definition in changed.definitions
    enforced = {rule.name for rule in changed.rules if rule.mode == "enforce"}
    assert set(newly_enforced(default_policy(), changed)) == enforced


def test_a_rule_that_is_not_enforced_is_refused() -> None:
    shipped = default_policy()
    name = next(rule.name for rule in shipped.rules if rule.mode == "enforce")
    assert of_rules(shipped, [name]).rules == {name}
    for policy, asked in ((shipped, "no-such-rule"), (_shadowed(name), name)):
        with pytest.raises(UnknownSubjectError, match=f"enforces no rule '{asked}'"):
            of_rules(policy, [asked])


def test_the_order_of_rules_makes_no_other_sweep_and_the_version_does() -> None:
    shipped = default_policy()
    names = [rule.name for rule in shipped.rules if rule.mode == "enforce"][:2]
    assert of_rules(shipped, names).id == of_rules(shipped, names[::-1]).id
    other = _policy(("weight: 0.6\n", "weight: 0.61\n"))
    assert of_rules(shipped, names).id != of_rules(other, names).id


def test_a_mark_that_a_longer_one_hides_is_still_looked_for() -> None:
    """With fewer marks no more is overlooked; whether it stands, all of them say together."""
    longer = msgspec.structs.replace(RIGHT, right_id="tm-2", mark="Zorvex Aqua")
    registry = compile_registry([RIGHT, longer], "1")
    listing = Listing("l", "s", NOW, "Zorvex Aqua replica")
    subject = Subject("id", rights=frozenset({"tm-1"}))
    policy = default_policy()
    alone = Judge(subject.screened_by(registry), policy).examine(listing, NOW)
    assert subject.may_concern(alone, policy)
    judgement = Judge(registry, policy).judge(listing, None, NOW)
    assert not subject.concerns(judgement)
    assert Subject("id", rights=frozenset({"tm-2"})).concerns(judgement)
