"""The current judge follows the records of rights and policies; what can't be used changes nothing.

Records are applied as a worker's threads do it, aside.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from agents.monitoring.judge_maker import JudgeMaker
from agents.monitoring.policies import compile_policy, default_policy
from agents.monitoring.policies import policy as policies
from agents.monitoring.policy_log import PolicyChange
from agents.monitoring.policy_publish import policy_change
from agents.monitoring.registry import compile_registry
from agents.records import AuthorisedSeller, Listing, Right
from streams import topics
from streams.aside import aside
from streams.codec import Encoder
from streams.log_reader import LogRecord
from tests.benchmarks import catalogue
from tests.benchmarks.swaps import RULES, largest_policy
from tests.unit.streams.shelf import Shelf

LISTING = Listing("l-1", "s-1", 1_764_000_000_000, "Zorvex diver, AAA quality replica")
ZORVEX = Right("tm-1", "Zorvex Ltd", mark="Zorvex")
POLICY = """policy: shop
rules:
  - name: copies
    when: mark and replica_words
    outcome: {outcome}
    ground: Trademark infringement
    reason: The listing names '{{mark}}'.
"""


class Topics:
    """The topics of rights and policies, and the judge that follows them."""

    def __init__(self, *rights: Right) -> None:
        shelf = Shelf()
        self._right = Encoder(shelf.registry, topics.RIGHTS.name, topics.RIGHTS.schema)
        self._policy = Encoder(shelf.registry, topics.POLICIES.name, topics.POLICIES.schema)
        self._offset = 0
        self.maker = JudgeMaker(shelf.registry, default_policy())
        self.maker.renew_policy()
        self.publish(*rights)

    def publish(self, *rights: Right) -> None:
        values = [self._right.encode(msgspec.to_builtins(right)) for right in rights]
        with aside():
            self.maker.apply_rights([self._record(value) for value in values])
            self.maker.renew_registry()

    def push(self, text: str) -> None:
        self.push_change(policy_change("POLICY", "shop", text))

    def push_change(self, change: PolicyChange) -> None:
        value = self._policy.encode(msgspec.to_builtins(change))
        with aside():
            self.maker.apply_policies([self._record(value)])
            self.maker.renew_policy()

    def outcome(self) -> str:
        return self.maker.current.judge(LISTING, None, LISTING.occurred_at).verdict.outcome

    def _record(self, value: bytes) -> LogRecord:
        self._offset += 1
        return LogRecord(self._offset, 0, b"key", value, ())


def test_there_is_no_judge_before_both_were_renewed() -> None:
    maker = JudgeMaker(Shelf().registry, default_policy())
    maker.renew_policy()
    assert not maker.made
    with pytest.raises(RuntimeError, match="not loaded yet"):
        _ = maker.current


def test_a_batch_keeps_its_judge_and_the_next_one_has_the_new() -> None:
    judged = Topics(ZORVEX)
    former = judged.maker.current
    judged.publish(msgspec.structs.replace(ZORVEX, mark="Quandrel"))
    assert judged.outcome() == "allow"
    verdict = former.judge(LISTING, None, LISTING.occurred_at).verdict
    assert (verdict.outcome, verdict.registry_version) == ("remove", "1")
    assert judged.maker.current.registry.version == "2"


def test_a_policy_is_swapped_in() -> None:
    judged = Topics(ZORVEX)
    judged.push(POLICY.format(outcome="review"))
    assert judged.outcome() == "review"
    assert judged.maker.current.policy.version.endswith("@2")


@pytest.mark.parametrize(
    "text", [POLICY.format(outcome="burn"), "policy: [", "policy: x\nrules: []\n", "\0"]
)
def test_after_a_policy_that_is_refused_all_is_as_it_was(text: str) -> None:
    """The one before serves on, says why, and garbage is collected as it was."""
    judged = Topics(ZORVEX)
    before = judged.maker.current.policy, gc.isenabled(), gc.get_threshold(), gc.get_freeze_count()
    judged.push(text)
    after = judged.maker.current.policy, gc.isenabled(), gc.get_threshold(), gc.get_freeze_count()
    assert after == before
    assert len(judged.maker.refused_policies) == 1
    assert judged.outcome() == "remove"


def test_the_matcher_serves_on_where_marks_are_the_same() -> None:
    judged = Topics(ZORVEX)
    matcher = judged.maker.current.registry.matcher
    judged.publish(Right("tm-2", "Another", mark="zorvex"))
    assert judged.maker.current.registry.matcher is matcher
    assert judged.maker.current.registry.rights_of_mark == ((0, 1),)
    judged.publish(
        msgspec.structs.replace(ZORVEX, authorised_sellers=(AuthorisedSeller("s-1"),)),
        Right("tm-2", "Another", mark="zorvex", valid_until=0),
    )
    assert judged.maker.current.registry.matcher is matcher
    assert judged.outcome() == "allow"


@pytest.mark.parametrize(
    "change",
    [
        lambda right: msgspec.structs.replace(right, mark="Zorvexx"),
        lambda right: msgspec.structs.replace(right, aliases=("Quandrel",)),
        lambda right: msgspec.structs.replace(right, mark="ZorVex"),
    ],
)
def test_a_mark_that_differs_is_compiled(change: Callable[[Right], Right]) -> None:
    former = compile_registry([ZORVEX], "1")
    registry = compile_registry([change(ZORVEX)], "2", former)
    assert registry.matcher is not former.matcher
    assert registry.matcher.marks == compile_registry([change(ZORVEX)], "2").matcher.marks


def test_a_registry_of_a_former_one_judges_as_one_made_anew() -> None:
    """Rights that come, go and change places say the same whatever was before."""
    rights = catalogue.rights(40)
    former = compile_registry(rights, "1")
    for changed in (rights[1:], rights[::-1], [*rights[:20], *rights[25:], ZORVEX], []):
        registry, anew = compile_registry(changed, "2", former), compile_registry(changed, "2")
        assert registry.rights == anew.rights
        assert registry.rights_of_mark == anew.rights_of_mark
        for right in rights:
            fields = {"title": f"A {right.mark} watch"}
            assert registry.matcher.find(fields) == anew.matcher.find(fields)


def _looked_at_by_collections(make: Callable[[], Any]) -> int:
    gc.collect()
    before = len(gc.get_objects())
    made = make()
    gc.collect()
    looked_at = len(gc.get_objects()) - before
    del made
    return looked_at


def test_a_registry_is_little_to_garbage_collection() -> None:
    """Of thousands of spellings, words and places it looks at a few: else it stops the listings."""
    rights = catalogue.rights(300)
    compile_registry(rights, "0")  # what is made once
    assert _looked_at_by_collections(lambda: compile_registry(rights, "1")) < 3 * len(rights)


def test_a_policy_that_goes_leaves_nothing_to_garbage_collection() -> None:
    text = policies.DEFAULT.read_bytes()
    compile_policy(text, "once")
    gc.collect()
    gc.disable()
    try:
        compile_policy(text, "again")
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_the_largest_policy_fires_what_each_of_its_rules_fires_alone() -> None:
    """It is compiled in parts."""
    whole = compile_policy(largest_policy().encode(), "policy")
    assert len(whole.rules) == RULES
    judge = Topics(ZORVEX).maker.current
    facts = judge.examine(LISTING, LISTING.occurred_at).matches[0].facts.read()
    facts.price_ratio, facts.seller_age_days, facts.seller_verified = 0.55, 120.0, False
    assert whole.fired(facts) == [
        n for n in range(RULES) if (n % 90 + 10) / 100 > 0.55 and n + 1 > 120
    ]
    facts.seller_age_days = None
    assert whole.fired(facts) == []
    assert whole.possible(facts) == [n for n in range(RULES) if (n % 90 + 10) / 100 > 0.55]
