"""What the default policy promises (README, 'What is taken down'), a test a row."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.monitoring.judge import Judge, Judgement
from agents.monitoring.policies import default_policy
from agents.monitoring.registry import compile_registry
from agents.records import DAY_MS, AuthorisedSeller, Listing, Right
from agents.reputation import SellerFacts, Standing
from streams.texts import Texts

NOW = 1_790_000_000_000

ZORVEX = Right(
    "tm-zorvex",
    "Zorvex Ltd",
    mark="Zorvex",
    reference_price_minor=20_000,
    reference_currency="USD",
    authorised_sellers=(AuthorisedSeller("authorised"), AuthorisedSeller("in-de", ("DE",))),
)
MEADOW = Right(
    "tm-meadow",
    "Meadow Ltd",
    mark="Meadow",
    common_word=True,
    category_words=("tea", "teapot"),
)
EXPIRED = Right("tm-expired", "Old Ltd", mark="Quandrel", valid_until=NOW - DAY_MS)
FUTURE = Right("tm-future", "New Ltd", mark="Brixlund", valid_from=NOW + DAY_MS)
GERMAN = Right("tm-german", "Hier GmbH", mark="Mirabex", territories=("DE", "AT"))

CLEAN = SellerFacts("seller", NOW - 900 * DAY_MS, True, Standing())
NEW = SellerFacts("seller", NOW - 5 * DAY_MS, True, Standing())
UNVERIFIED = SellerFacts("seller", NOW - 900 * DAY_MS, False, Standing())
BAD = SellerFacts("seller", NOW - 900 * DAY_MS, True, Standing(upheld=3.0))
UNKNOWN = SellerFacts("seller")


@cache
def judge() -> Judge:
    rights = [ZORVEX, MEADOW, EXPIRED, FUTURE, GERMAN]
    return Judge(compile_registry(rights, "7"), default_policy())


def judged(title: str, seller: SellerFacts = CLEAN, **fields: Any) -> Judgement:
    listing = Listing("l1", fields.pop("seller_id", "seller"), NOW, title, **fields)
    return judge().judge(listing, seller, NOW)


def outcome(title: str, seller: SellerFacts = CLEAN, **fields: Any) -> str:
    return judged(title, seller, **fields).verdict.outcome


CHEAP: dict[str, Any] = {"price_minor": 4_000, "currency": "USD", "condition": "NEW"}
HONEST: dict[str, Any] = {"price_minor": 19_000, "currency": "USD", "condition": "NEW"}
HIDDEN = ["Z0rvex diver", "Zor\u200bvex diver", "Zоrvех diver", "Z O R V E X diver", "Ｚorvex"]


@pytest.mark.parametrize("seller", [CLEAN, NEW, UNKNOWN, BAD])
@pytest.mark.parametrize(
    "title",
    [
        "Zorvex diver replica",
        "AAA quality Zorvex",
        "Zorvex 1:1 mirror copy",
        "ZORVEX super clone",
        "Fast charging cable for Galaxy A54 Mate 30 USBC Zorvex replica",
    ],
)
def test_replica_vocabulary_is_removed(title: str, seller: SellerFacts) -> None:
    assert outcome(title, seller, **HONEST) == "remove"


@pytest.mark.parametrize("title", HIDDEN)
def test_a_hidden_mark_is_removed_with_support_and_reviewed_alone(title: str) -> None:
    assert outcome(f"{title} replica") == "remove"
    assert outcome(title, **CHEAP) == "remove"
    assert outcome(title, BAD) == "remove"
    assert outcome(title, **HONEST) in ("review", "remove")


@pytest.mark.parametrize("seller", [NEW, UNVERIFIED, BAD])
def test_a_cheap_plain_mark_of_an_untrusted_seller_is_removed(seller: SellerFacts) -> None:
    assert outcome("Zorvex diver", seller, **CHEAP) == "remove"


def test_a_cheap_plain_mark_of_an_established_seller_is_reviewed() -> None:
    assert outcome("Zorvex diver", CLEAN, **CHEAP) == "review"


@pytest.mark.parametrize("seller", [CLEAN, NEW, UNVERIFIED, UNKNOWN])
def test_resale_at_an_honest_price_is_allowed(seller: SellerFacts) -> None:
    assert outcome("Zorvex diver", seller, **HONEST) == "allow"


@pytest.mark.parametrize("seller", [CLEAN, NEW, UNVERIFIED, BAD])
@pytest.mark.parametrize(
    "title",
    ["case for Zorvex", "compatible with Zorvex", "replacement strap for Zorvex", "Zorvex strap"],
)
def test_nominative_use_is_allowed_whatever_it_costs(title: str, seller: SellerFacts) -> None:
    assert outcome(title, seller, price_minor=300, currency="USD") == "allow"


@pytest.mark.parametrize(
    "title",
    ["Zorvex diver, not a replica", "Zorvex: beware of fakes", "Zorvex anti-counterfeit label"],
)
def test_negated_replica_vocabulary_does_not_count(title: str) -> None:
    assert outcome(title, **HONEST) == "allow"


def test_longer_words_and_common_words_are_allowed() -> None:
    assert outcome("Zorvexia plant pot replica", NEW, **CHEAP) == "allow"
    assert outcome("Meadow flowers AAA quality replica", NEW) == "allow"
    assert outcome("Meadow teapot replica", NEW) == "remove"
    assert outcome("Meadow replica", NEW, category_path=("Kitchen", "Tea")) == "remove"


@pytest.mark.parametrize("title", [f"{HIDDEN[0]} replica", "Zorvex AAA copy", "Zorvex diver"])
def test_an_authorised_seller_is_never_removed(title: str) -> None:
    facts = msgspec.structs.replace(BAD, seller_id="authorised")
    assert outcome(title, facts, seller_id="authorised", **CHEAP) != "remove"
    partly = msgspec.structs.replace(BAD, seller_id="in-de")
    assert outcome(title, partly, seller_id="in-de", ships_to=("DE", "FR"), **CHEAP) != "remove"
    assert outcome("Zorvex replica", partly, seller_id="in-de", ships_to=("FR",)) == "remove"


def test_rights_that_do_not_hold_are_no_ground() -> None:
    assert outcome("Quandrel replica") == "allow"
    assert outcome("Brixlund replica") == "allow"
    assert outcome("Mirabex replica", ships_to=("FR", "ES")) == "allow"
    assert outcome("Mirabex replica", ships_to=("FR", "AT")) == "remove"
    assert outcome("Mirabex replica") == "remove"


def test_used_goods_and_other_currencies_are_not_measured() -> None:
    assert outcome("Zorvex diver", NEW, price_minor=4_000, currency="USD", condition="USED") == (
        "allow"
    )
    assert outcome("Zorvex diver", NEW, price_minor=4_000, currency="EUR") == "allow"


def test_a_deleted_listing_is_left_alone() -> None:
    assert outcome("Zorvex replica", kind="DELETED") == "allow"


def test_a_verdict_says_why_in_the_original_text() -> None:
    judgement = judged("👟 Zоrvex ★ replica", BAD)
    mark = next(e for e in judgement.verdict.evidence if e.signal == "mark")
    assert (mark.field, mark.start, mark.end, mark.text) == ("title", 2, 8, "Zоrvex")
    assert mark.folds == ("confusable",)
    assert mark.right_id == "tm-zorvex"
    assert judgement.verdict.rules[0] == "hidden-mark-supported"
    assert judgement.ground
    assert judgement.reasons


def test_without_the_store_rules_abstain_and_the_verdict_says_so() -> None:
    listing = Listing("l1", "seller", NOW, "Zorvex diver", **CHEAP)
    judgement = judge().decide(judge().examine(listing, NOW), None)
    assert judgement.verdict.outcome == "review"
    assert judgement.awaits_facts
    assert any("did not answer" in e.note for e in judgement.verdict.evidence)


TITLE = st.lists(
    st.sampled_from(
        [
            "Zorvex", "Z0rvex", "Zorvеx", "replica", "not a replica", "case for", "AAA", "1:1",
            "Meadow", "tea", "diver", "★", "watch", "new", "genuine", "réplica", "Mirabex",
        ]
    ),
    min_size=1,
    max_size=7,
).map(" ".join)  # fmt: skip
SELLER = st.sampled_from([CLEAN, NEW, UNVERIFIED, BAD, UNKNOWN])
HONEST_SENTENCES = [
    "Ships within two days.", "Free returns for 30 days.", "Colour: dark blue, size 42.",
    "Please ask before you buy.", "Material: 100 % cotton.", "¡Envío gratis!", "包邮",
]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(TITLE, SELLER, st.sampled_from(HONEST_SENTENCES))
def test_an_honest_sentence_never_turns_allow_into_remove(
    title: str, seller: SellerFacts, sentence: str
) -> None:
    if outcome(title, seller, description="A fine thing.") == "allow":
        assert outcome(title, seller, description=f"A fine thing. {sentence}") != "remove"
        assert outcome(f"{title} {sentence}", seller, description="A fine thing.") != "remove"


@settings(max_examples=150, deadline=None)
@given(TITLE, SELLER, st.permutations([ZORVEX, MEADOW, EXPIRED, FUTURE, GERMAN]))
def test_the_same_input_gives_the_same_bytes_in_any_order_of_rights(
    title: str, seller: SellerFacts, rights: list[Right]
) -> None:
    other = Judge(compile_registry(rights, "7"), default_policy())
    listing = Listing("l1", "seller", NOW, title)
    one, two = (j.judge(listing, seller, NOW).verdict.to_json() for j in (judge(), other))
    assert one == two


@settings(max_examples=200, deadline=None)
@given(TITLE, SELLER)
def test_what_the_screen_filters_out_is_allowed(title: str, seller: SellerFacts) -> None:
    listing = Listing("l1", "seller", NOW, title)
    if not judge().screen(Texts.of([[title.encode()]])):
        verdict = judge().judge(listing, seller, NOW).verdict
        assert (verdict.outcome, verdict.evidence) == ("allow", ())
