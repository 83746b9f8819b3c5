"""Rules that are muted for somebody, and a candidate beside the policy, as the judge sees them."""

from __future__ import annotations

from typing import Any

import pytest

from agents.monitoring.comparison import Ruling
from agents.monitoring.judge import Judge
from agents.monitoring.policies import compile_policy, default_policy
from agents.monitoring.registry import compile_registry
from agents.monitoring.snoozes import Snooze, Snoozes
from agents.records import DAY_MS, Listing, Right
from agents.reputation import SellerFacts, Standing

NOW = 1_790_000_000_000
RIGHT = Right("tm-1", "Zorvex Ltd", mark="Zorvex", brand="Zorvex Watches")
UNBRANDED = Right("tm-2", "Quandrel Ltd", mark="Quandrel")
REGISTRY = compile_registry([RIGHT, UNBRANDED], "1")
SELLER = SellerFacts("shop-1", NOW - 900 * DAY_MS, True, Standing())
REPLICA = Listing("l-1", "shop-1", NOW, "Zorvex diver replica")


def judge(*snoozes: Snooze) -> Judge:
    return Judge(REGISTRY, default_policy(), Snoozes.of(snoozes))


def snooze(subject: Any, subject_id: str, until: int = NOW + 1, **given: Any) -> Snooze:
    rule = given.pop("rule", "replica-words")
    return Snooze(f"{subject}:{subject_id}:{rule}", rule, subject, subject_id, until)


@pytest.mark.parametrize(
    ("subject", "subject_id"),
    [("SELLER", "shop-1"), ("LISTING", "l-1"), ("BRAND", "zorvex WATCHES")],
)
def test_a_muted_rule_is_told_and_decides_nothing(subject: Any, subject_id: str) -> None:
    judgement = judge(snooze(subject, subject_id)).judge(REPLICA, SELLER, NOW)
    assert judgement.verdict.outcome == "allow"
    assert judgement.snoozed == ("replica-words",)


@pytest.mark.parametrize(
    ("subject", "subject_id"),
    [("SELLER", "shop-2"), ("LISTING", "shop-1"), ("BRAND", "Zorvex"), ("SELLER", "SHOP-1")],
)
def test_a_rule_muted_for_somebody_else_counts(subject: Any, subject_id: str) -> None:
    judgement = judge(snooze(subject, subject_id)).judge(REPLICA, SELLER, NOW)
    assert judgement.verdict.outcome == "remove"
    assert judgement.snoozed == ()


def test_a_right_without_a_brand_goes_by_its_mark() -> None:
    copied = Listing("l-2", "shop-1", NOW, "Quandrel replica")
    assert judge(snooze("BRAND", "quandrel")).judge(copied, SELLER, NOW).snoozed


def test_it_ends_by_itself_at_its_moment() -> None:
    muting = judge(snooze("SELLER", "shop-1", NOW + 1))
    assert muting.judge(REPLICA, SELLER, NOW).verdict.outcome == "allow"
    assert muting.judge(REPLICA, SELLER, NOW + 1).verdict.outcome == "remove"


def test_other_rules_count_all_the_same() -> None:
    hidden = Listing("l-3", "shop-1", NOW, "Z0rvex diver replica")
    muting = judge(snooze("SELLER", "shop-1"))
    judgement = muting.judge(hidden, SELLER, NOW)
    assert judgement.verdict.outcome == "remove"
    assert judgement.verdict.rules[0] == "hidden-mark-supported"


def test_a_muted_rule_that_waits_for_facts_does_not_call_for_another_judgement() -> None:
    """Nothing is known of the seller, and the one rule that would ask is muted."""
    cheap = Right(
        "tm-1", "o", mark="Zorvex", reference_price_minor=20_000, reference_currency="USD"
    )
    listing = Listing(
        "l-1", "shop-1", NOW, "Zorvex", price_minor=2_000, currency="USD", condition="NEW"
    )
    registry = compile_registry([cheap], "1")
    awake = Judge(registry, default_policy()).judge(listing, None, NOW)
    rules = [rule.name for rule in default_policy().rules]
    every = Snoozes.of([snooze("SELLER", "shop-1", rule=rule) for rule in rules])
    assert awake.awaits_facts
    assert not Judge(registry, default_policy(), every).judge(listing, None, NOW).awaits_facts


CANDIDATE = compile_policy(
    b"""policy: trial
rules:
  - name: every-mark
    when: mark_plain
    outcome: remove
    ground: Trademark infringement
    reason: It names '{mark}'.
  - name: still-in-shadow
    when: replica_words
    outcome: remove
    mode: shadow
    ground: Trademark infringement
    reason: It calls itself a copy.
""",
    "trial",
)


def test_a_candidate_is_evaluated_and_acts_on_nothing() -> None:
    alone = Judge(REGISTRY, default_policy())
    both = Judge(REGISTRY, default_policy(), candidate=CANDIDATE)
    for title in ("Zorvex diver", "Zorvex diver replica", "oak table", "Z0rvex"):
        listing = Listing("l-1", "shop-1", NOW, title)
        expected = alone.judge(listing, SELLER, NOW)
        judgement = both.judge(listing, SELLER, NOW)
        assert judgement.verdict.to_json() == expected.verdict.to_json()
        plain = title.startswith("Zorvex")
        assert judgement.on_trial == (
            Ruling("remove", ("every-mark",)) if plain else Ruling("allow", ())
        )
    assert alone.judge(REPLICA, SELLER, NOW).on_trial is None


def test_what_only_the_candidate_asks_of_a_seller_is_asked() -> None:
    """The listing is allowed whatever is known of the seller; the candidate wants to know."""
    asking = compile_policy(
        b"""policy: trial
rules:
  - name: marks-of-the-new
    when: mark and seller_age_days < 10
    outcome: review
    ground: Trademark infringement
    reason: It names '{mark}'.
""",
        "trial",
    )
    listing = Listing("l-1", "shop-1", NOW, "Strap for Zorvex diver")
    quiet = compile_policy(
        b"""policy: quiet
rules:
  - name: copies
    when: replica_words
    outcome: remove
    ground: Trademark infringement
    reason: It calls itself a copy.
""",
        "quiet",
    )
    assert not Judge(REGISTRY, quiet).examine(listing, NOW).needs_seller
    assert Judge(REGISTRY, quiet, candidate=asking).examine(listing, NOW).needs_seller
