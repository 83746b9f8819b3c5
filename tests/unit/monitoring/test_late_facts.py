"""What is late is read only where a rule comes to it, and says then what it always said."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, NoReturn, cast

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.monitoring.goods import PriceCheck
from agents.monitoring.judge import Judge
from agents.monitoring.late_facts import Late, LateFacts
from agents.monitoring.listing_texts import ListingTexts
from agents.monitoring.policies import check_policy, default_policy
from agents.monitoring.registry import compile_registry
from agents.monitoring.signals import LATE, SIGNALS, Facts
from agents.records import Listing, Right
from agents.reputation import SellerFacts, Standing
from tests.unit.monitoring.policies.conditions import FEW, conditions, facts

NOW = 1_764_000_000_000
RIGHT = Right(
    "tm-1",
    "Zorvex Watches Ltd",
    mark="Zorvex",
    reference_price_minor=20_000,
    reference_currency="USD",
)
SELLER = SellerFacts("s", NOW - 900 * 86_400_000, True, Standing())


def late_of(given_: Facts, quoted: float) -> LateFacts:
    """Return these facts with the late ones behind what reads them."""
    late = SimpleNamespace(
        nominative=given_.nominative,
        used=given_.used,
        price=PriceCheck(given_.price_ratio),
        quoted=PriceCheck(quoted if given_.price_ratio is None else given_.price_ratio),
        piece="piece" if given_.part else "",
        part="",
        several="2 pcs" if given_.multi_pack else "",
    )
    there = {name: getattr(given_, name) for name in SIGNALS if name not in LATE}
    return LateFacts(late=cast("Late", late), **there)


def policy_of(text: str, name: str = "policy") -> Any:
    rule = f"  - {{name: r-one, when: '{text}', outcome: review, ground: g, reason: r}}\n"
    return check_policy(f"policy: {name}\nrules:\n{rule}".encode(), name).policy


@settings(max_examples=300, deadline=None)
@given(conditions(), facts(), st.sampled_from(FEW))
def test_a_rule_says_the_same_of_what_is_read_late(text: str, given_: Facts, quoted: float) -> None:
    policy, late = policy_of(text), late_of(given_, quoted)
    assert late.read() == given_
    if policy is None:
        return
    assert policy.fired(late) == policy.fired(given_)
    assert policy.possible(late) == policy.possible(given_)
    assert set(policy.possible(late)) <= set(policy.conceivable(late))


class Unread:
    """Has the price that is asked, and ends a test that reads more."""

    quoted = PriceCheck(0.2)

    def __getattr__(self, name: str) -> NoReturn:
        raise AssertionError(f"{name} was read")


@settings(max_examples=200, deadline=None)
@given(conditions(), facts())
def test_nothing_is_read_for_what_is_conceivable(text: str, given_: Facts) -> None:
    policy = policy_of(text)
    there = {name: getattr(given_, name) for name in SIGNALS if name not in LATE}
    if policy is not None:
        policy.conceivable(LateFacts(late=cast("Late", Unread()), **there))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return, as they come, the questions for what is late."""
    found: list[str] = []
    nominative = ListingTexts.nominative
    says_used = ListingTexts.__dict__["says_used"].func

    def noted_nominative(texts: ListingTexts, *args: Any, **named: Any) -> bool:
        found.append("nominative")
        return nominative(texts, *args, **named)

    def noted_used(texts: ListingTexts) -> bool:
        found.append("used")
        return bool(says_used(texts))

    monkeypatch.setattr(ListingTexts, "nominative", noted_nominative)
    monkeypatch.setattr(ListingTexts, "says_used", property(noted_used))
    return found


@pytest.mark.parametrize(
    ("title", "price", "questions"),
    [
        ("Zorvex Diver 300", 19_000, []),
        ("Strap for Zorvex Diver 300", 19_000, []),
        ("Zorvex Diver 300 second hand", 2_000, ["nominative", "used"]),
        ("Strap for Zorvex Diver 300", 2_000, ["nominative"]),
        ("Zorvex replica", 19_000, ["nominative", "used"]),  # told in its evidence
    ],
)
def test_an_honest_price_asks_for_nothing(
    asked: list[str], title: str, price: int, questions: list[str]
) -> None:
    judge = Judge(compile_registry([RIGHT], "1"), default_policy())
    listing = Listing("l", "s", NOW, revision=2, title=title, price_minor=price, currency="USD")
    judgement = judge.decide(judge.examine(listing, NOW), SELLER, explain=False)
    assert list(dict.fromkeys(asked)) == questions
    explained = judge.decide(judge.examine(listing, NOW), SELLER)
    assert judgement.verdict.outcome == explained.verdict.outcome
    if judgement.verdict.outcome == "allow":
        assert judgement.verdict.evidence == ()
        assert explained.verdict.evidence
        unexplained = msgspec.structs.replace(explained.verdict, evidence=())
        assert judgement.verdict == unexplained
    else:
        assert judgement == explained
