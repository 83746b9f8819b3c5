"""Policies as a fold over their topic: what is in force, refused, and can be made again."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from agents.monitoring.policies import DEFAULT, default_policy
from agents.monitoring.policy_log import (
    PolicyChange,
    PolicyLog,
    UnknownVersionError,
    content_hash,
    policies_decoder,
)
from agents.monitoring.policy_publish import policy_change, snooze_change, withdrawal
from agents.monitoring.snoozes import Snooze
from streams.codec import Encoder
from streams.log_reader import LogRecord
from tests.unit.streams.shelf import Shelf

POLICY = """policy: shop
rules:
  - name: copies
    when: mark and {condition}
    outcome: {outcome}
    ground: Trademark infringement
    reason: The listing names '{{mark}}'.
"""


def text(condition: str = "replica_words", outcome: str = "remove") -> str:
    return POLICY.format(condition=condition, outcome=outcome)


class Topic:
    """The topic, with the offsets a broker would give."""

    def __init__(self) -> None:
        shelf = Shelf()
        self._encoder = Encoder(shelf.registry, "assayer.policies", "policy")
        self._decoder = policies_decoder(shelf.registry)
        self.log = PolicyLog(self._decoder)
        self.records: list[LogRecord] = []

    def add(self, *changes: PolicyChange | bytes | None) -> PolicyLog:
        new = [
            LogRecord(len(self.records) + index, 0, b"key", self._value(change), ())
            for index, change in enumerate(changes)
        ]
        self.records += new
        self.log.apply(new)
        return self.log

    def read_anew(self) -> PolicyLog:
        log = PolicyLog(self._decoder)
        log.apply(self.records)
        return log

    def _value(self, change: PolicyChange | bytes | None) -> bytes | None:
        if isinstance(change, PolicyChange):
            return self._encoder.encode(msgspec.to_builtins(change))
        return change


def policy(kind: Any = "POLICY", **given: str) -> PolicyChange:
    return policy_change(kind, "shop", text(**given), author="ada", comment="why")


def snooze(rule: str = "copies", until: int = 1_000, **given: Any) -> PolicyChange:
    values = {"snooze_id": "s1", "subject": "SELLER", "subject_id": "shop-1"} | given
    return snooze_change(Snooze(rule=rule, until=until, **values), author="ada")


def version_of(log: PolicyLog) -> str:
    return log.state(default_policy()).policy.version


def test_an_empty_topic_leaves_the_fallback_in_force_under_its_own_version() -> None:
    state = Topic().log.state(default_policy())
    assert state.policy is default_policy()
    assert "@" not in state.policy.version
    assert not state.snoozes
    assert state.candidate is None


def test_the_newest_policy_is_in_force_and_its_version_has_hash_and_offset() -> None:
    topic = Topic()
    topic.add(policy(), policy(condition="mark_hidden"))
    hash_ = content_hash(text("mark_hidden"))
    assert version_of(topic.log) == f"shop-{hash_}@1"


def test_a_roll_back_is_another_version_of_the_same_content() -> None:
    topic = Topic()
    first = version_of(topic.add(policy()))
    topic.add(policy(condition="mark_hidden"))
    again = version_of(topic.add(policy()))
    assert first.partition("@")[0] == again.partition("@")[0]
    assert (first[-2:], again[-2:]) == ("@0", "@2")


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (b"\x07nonsense", "not a change of a policy"),
        (None, "nothing is deleted"),
        (policy_change("POLICY", "shop", "rules: [", author="eve"), "offset 1"),
        (policy(condition="mrak_hidden"), "mark_hidden"),
        (msgspec.structs.replace(policy(), content_hash="0" * 16), "content hash"),
    ],
)
def test_a_bad_change_is_refused_with_its_reason_and_the_old_policy_serves_on(
    broken: PolicyChange | bytes | None, told: str
) -> None:
    topic = Topic()
    log = topic.add(policy(), broken)
    assert version_of(log).endswith("@0")
    (refused,) = log.refused_since(0)
    assert told in refused.refusal
    # A worker that reads all of it at its start decides the same.
    assert version_of(topic.read_anew()) == version_of(log)


def test_a_good_policy_behind_a_bad_one_leaves_nothing_refused() -> None:
    log = Topic().add(policy(), b"nonsense", policy(condition="mark_hidden"))
    assert version_of(log).endswith("@2")
    assert log.refused_since(2) == []


def test_a_pinned_policy_serves_whatever_the_topic_says_and_snoozes_count() -> None:
    log = Topic().add(policy(), snooze(until=10))
    state = log.state(default_policy(), pinned=True)
    assert state.policy.version == f"{default_policy().version}@1"
    assert [each.rule for each in state.snoozes.running(9)] == ["copies"]


def test_a_snooze_makes_a_version_and_a_later_one_of_the_same_id_takes_its_place() -> None:
    topic = Topic()
    log = topic.add(policy(), snooze(until=100))
    assert version_of(log).endswith("@1")
    topic.add(snooze(until=5))
    state = log.state(default_policy())
    assert state.policy.version.endswith("@2")
    assert [each.until for each in state.snoozes.all] == [5]


def test_what_changes_no_verdict_changes_no_version() -> None:
    topic = Topic()
    before = version_of(topic.add(policy()))
    topic.add(policy("CANDIDATE", condition="mark_hidden"), policy("RECORDED", outcome="review"))
    assert version_of(topic.log) == before


def test_a_candidate_is_on_trial_until_it_is_withdrawn_or_in_force() -> None:
    topic = Topic()
    candidate = policy("CANDIDATE", condition="mark_hidden")
    state = topic.add(policy(), candidate).state(default_policy())
    assert state.candidate is not None
    assert state.candidate.version == f"shop-{candidate.content_hash}"
    in_force = topic.add(policy(condition="mark_hidden")).state(default_policy())
    assert in_force.candidate is None
    topic.add(policy())
    assert topic.log.state(default_policy()).candidate is not None
    topic.add(withdrawal("shop", candidate.content_hash, author="ada", comment=""))
    assert topic.log.state(default_policy()).candidate is None


def test_every_past_version_can_be_made_again() -> None:
    topic = Topic()
    shipped = policy_change("RECORDED", default_policy().name, DEFAULT.read_text(encoding="utf-8"))
    topic.add(shipped)
    versions = [version_of(topic.log)]
    for change in (policy(), snooze(), policy(condition="mark_hidden"), snooze(until=7), policy()):
        topic.add(change)
        versions.append(version_of(topic.log))
    muted = [[], [], [1_000], [1_000], [7], [7]]
    for version, untils in zip(versions, muted, strict=True):
        state = topic.log.rebuild(version)
        assert state.policy.version == version
        assert [each.until for each in state.snoozes.all] == untils


@pytest.mark.parametrize("version", ["shop-0000000000000000@0", "default-1", "", "shop-x@99"])
def test_a_version_that_never_was_is_told_plainly(version: str) -> None:
    log = Topic().add(policy())
    with pytest.raises(UnknownVersionError, match="policies holds"):
        log.rebuild(version)


def test_a_version_whose_offset_the_topic_does_not_have_is_told_plainly() -> None:
    log = Topic().add(policy())
    with pytest.raises(UnknownVersionError, match="offset 99"):
        log.rebuild(f"shop-{content_hash(text())}@99")
