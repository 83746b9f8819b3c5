"""Price, trade numbers, category and broken values, through the judge."""

from __future__ import annotations

from typing import Any

import pytest

from agents.monitoring.goods import compare_price, money
from agents.monitoring.judge import Judge
from agents.monitoring.policies import default_policy
from agents.monitoring.policies.policy import compile_policy
from agents.monitoring.registry import compile_registry
from agents.records import DAY_MS, AuthorisedSeller, Evidence, Listing, Right, Seller, parse_time
from agents.reputation import SellerFacts, facts_of

NOW = parse_time("2026-03-01T12:00:00Z")
NEW_SELLER = facts_of("s-1", Seller("s-1", created_at=NOW - DAY_MS))
OLD_SELLER = facts_of("s-1", Seller("s-1", created_at=0, verified=True, cleared=3))

OURS, THEIRS, NOBODYS = "4006381333931", "5000112637922", "7612345678900"


def right(**more: Any) -> Right:
    values: dict[str, Any] = {
        "right_id": "tm-1",
        "owner": "Pobble Ltd",
        "mark": "Pobblewick",
        "reference_price_minor": 10_000,
        "reference_currency": "EUR",
    }
    return Right(**{**values, **more})


def listing(**more: Any) -> Listing:
    values: dict[str, Any] = {
        "listing_id": "l-1",
        "seller_id": "s-1",
        "occurred_at": NOW - 1000,
        "title": "Pobblewick running shoes",
        "price_minor": 2_000,
        "currency": "EUR",
        "condition": "NEW",
    }
    return Listing(**{**values, **more})


def judged(
    item: Listing, *rights: Right, seller: SellerFacts | None = NEW_SELLER
) -> tuple[str, dict[str, Evidence]]:
    judge = Judge(compile_registry(rights or (right(),), "test"), default_policy())
    verdict = judge.judge(item, seller, NOW).verdict
    return verdict.outcome, {evidence.signal: evidence for evidence in verdict.evidence}


def test_such_a_price_counts() -> None:
    outcome, evidence = judged(listing())
    assert outcome == "remove"
    assert evidence["price_ratio"].note == "Priced 20.00 EUR, 0.20 of the usual 100.00 EUR."
    assert judged(listing(), seller=OLD_SELLER)[0] == "review"
    assert judged(listing(currency=" eur "))[0] == "remove"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"currency": "USD"}, "the usual price is known in EUR"),
        ({"currency": "ZZZ"}, "'ZZZ' is no ISO 4217 currency"),
        ({"currency": "euros"}, "no ISO 4217 currency"),
        ({"currency": ""}, "no currency"),
        ({"price_minor": 0}, "can't be compared"),
        ({"price_minor": -5}, "can't be compared"),
    ],
)
def test_a_price_that_can_not_be_compared_abstains(more: dict[str, Any], words: str) -> None:
    outcome, evidence = judged(listing(**more))
    assert outcome == "allow"
    assert words in evidence["price_ratio"].note
    assert judged(listing(title="Pobblewick shoes 1:1 replica", **more))[0] == "remove"


def test_no_price_or_no_reference_is_no_matter() -> None:
    assert compare_price(listing(price_minor=None), right()).abstains == ""
    assert compare_price(listing(), right(reference_price_minor=None)).abstains == ""
    assert "price_ratio" not in judged(listing(price_minor=None))[1]


@pytest.mark.parametrize("condition", ["USED", "REFURBISHED"])
def test_used_goods_are_not_compared(condition: str) -> None:
    assert judged(listing(condition=condition))[0] == "allow"


@pytest.mark.parametrize(
    "title",
    ["Pobblewick socks pack of 10", "Pobblewick socks, 10 pcs", "Grosir kaos kaki Pobblewick"],
)
def test_several_pieces_are_noted_and_no_excuse(title: str) -> None:
    """A third of what one costs, for several, is less than a third of the price of one."""
    outcome, evidence = judged(listing(title=title))
    assert outcome != "allow"
    assert "multi_pack" in evidence


@pytest.mark.parametrize("title", ["Spare parts Pobblewick", "Repuesto Pobblewick original"])
def test_parts_are_exempt(title: str) -> None:
    assert judged(listing(title=title))[0] == "allow"


def test_amounts_are_written_as_people_write_them() -> None:
    assert money(129_990, "EUR") == "1299.90 EUR"
    assert money(5, "usd") == "0.05 USD"
    assert money(1_299, "JPY") == "1299 JPY"
    assert money(1_299, "KWD") == "1.299 KWD"
    assert money(-7, "EUR") == "-0.07 EUR"


def test_a_mistyped_trade_number_is_noted_and_never_removes() -> None:
    item = listing(gtins=("4006381333932", "n/a", OURS), price_minor=9_000)
    outcome, evidence = judged(item, right(gtin_prefixes=("4006381",)))
    assert outcome == "allow"
    assert evidence["gtin"].field == "gtins[1]"
    assert "no GTIN" in evidence["gtin"].note
    assert "Pobble Ltd" in evidence["gtin_own"].note
    first = judged(listing(gtins=("4006381333932",)))[1]["gtin"]
    assert (first.field, first.text) == ("gtins[0]", "4006381333932")
    assert "check digit" in first.note


def test_another_owners_number_is_counted_in_the_shadow() -> None:
    mine = right(gtin_prefixes=("4006381",))
    other = Right("tm-2", "Quux SA", mark="Quuxly", gtin_prefixes=("5000112",))
    judge = Judge(compile_registry((mine, other), "test"), default_policy())
    found = judge.judge(listing(gtins=(THEIRS,), price_minor=9_000), OLD_SELLER, NOW)
    assert (found.verdict.outcome, found.shadow) == ("allow", ("foreign-gtin",))
    assert "Quux SA" in {e.signal: e.note for e in found.verdict.evidence}["gtin_foreign"]
    # Where both are named, as in a bundle or a comparison, it may be the other's.
    both = listing(title="Pobblewick shoes with Quuxly laces", gtins=(THEIRS,), price_minor=9_000)
    assert judge.judge(both, OLD_SELLER, NOW).shadow == ()
    for gtins in ((OURS,), (NOBODYS,), (OURS, THEIRS), ()):
        item = listing(gtins=gtins, price_minor=9_000)
        assert judge.judge(item, OLD_SELLER, NOW).shadow == ()


def test_the_owners_number_says_what_the_goods_are() -> None:
    mine = right(gtin_prefixes=("4006381",))
    item = listing(title="Running shoes", description="From Pobblewick", gtins=(OURS,))
    assert judged(item, mine)[0] == "remove"
    assert judged(listing(title="Running shoes", description="From Pobblewick"), mine)[0] == "allow"


def score(item: Listing, mine: Right) -> tuple[str, float]:
    judge = Judge(compile_registry((mine,), "test"), default_policy())
    verdict = judge.judge(item, NEW_SELLER, NOW).verdict
    return verdict.outcome, verdict.score


@pytest.mark.parametrize(
    "path",
    [("Beauty", "Makeup"), ("Belleza",), ("Kecantikan",), ("美妝保養",), ("เครื่องสำอาง",)],
)
def test_a_category_outside_the_classes_lowers_the_score_only(path: tuple[str, ...]) -> None:
    shoes = right(nice_classes=(25,))
    inside = score(listing(category_path=("Shoes", "Sneakers")), shoes)
    outside = score(listing(category_path=path), shoes)
    assert inside[0] == outside[0] == "remove"
    assert outside[1] == pytest.approx(inside[1] * 0.8, abs=1e-4)
    assert "score" in judged(listing(category_path=path), shoes)[1]["category_outside"].note


@pytest.mark.parametrize(
    ("path", "classes"),
    [
        (("Xyzzy",), (25,)),  # a category nobody knows
        ((), (25,)),
        (("Beauty",), ()),  # a right without classes
        (("Beauty",), (25, 35)),  # retail services: at home everywhere
        (("Fashion", "Beauty"), (25,)),
    ],
)
def test_a_category_that_may_be_inside_changes_nothing(
    path: tuple[str, ...], classes: tuple[int, ...]
) -> None:
    plain = score(listing(), right())
    assert score(listing(category_path=path), right(nice_classes=classes)) == plain


def test_what_is_no_country_is_left_out_with_a_note() -> None:
    mine = right(territories=("DE",))
    outcome, evidence = judged(listing(ships_to=("FR", "Deutschland")), mine)
    assert outcome == "allow"
    assert "'Deutschlan" in evidence["in_force"].note or "in force" in evidence["in_force"].note
    # Where it ships to is not known at all: it may be anywhere.
    outcome, evidence = judged(listing(ships_to=("Deutschland",)), mine)
    assert outcome == "remove"
    assert evidence["in_force"].field == "ships_to[0]"
    assert judged(listing(ships_to=("ZZ",), ship_from="??"), mine)[0] == "remove"


@pytest.mark.parametrize(
    ("held", "shipped", "outcome"),
    [
        (("EU",), ("DE",), "remove"),
        (("EU",), ("CH",), "allow"),
        (("GB",), ("uk",), "remove"),
        (("ZZ",), ("DE",), "allow"),
        (("ZZ",), (), "allow"),
    ],
)
def test_codes_that_stand_for_others(
    held: tuple[str, ...], shipped: tuple[str, ...], outcome: str
) -> None:
    assert judged(listing(ships_to=shipped), right(territories=held))[0] == outcome


def test_authorised_in_the_union_is_authorised_in_its_members() -> None:
    mine = right(authorised_sellers=(AuthorisedSeller("s-1", ("EU",)),))
    assert judged(listing(ships_to=("DE", "FR")), mine)[0] == "allow"


def test_a_fact_the_store_can_not_tell_is_not_waited_for() -> None:
    # No price: nothing that may be learnt of the seller's account changes that.
    judge = Judge(compile_registry((right(),), "test"), default_policy())
    found = judge.decide(judge.examine(listing(price_minor=None), NOW), SellerFacts("s-1"))
    assert not any(evidence.signal == "seller" for evidence in found.verdict.evidence)
    cheap = judge.examine(listing(), NOW)
    assert cheap.needs_seller
    assert judge.decide(cheap, None).awaits_facts


def test_hostile_lists_are_read_in_part_only() -> None:
    mine = right(territories=("DE",), nice_classes=(25,), gtin_prefixes=("4006381",))
    item = listing(
        gtins=("1" * 13,) * 5_000,
        ships_to=("AD",) * 5_000,
        category_path=tuple(f"Beauty {n} " + "x" * 5_000 for n in range(500)),
        title="Pobblewick " + "2 " * 50_000,
    )
    outcome, evidence = judged(item, mine)
    # Nobody lists a country twice: where it ships to is not believed.
    assert outcome == "remove"
    assert "check digit" in evidence["gtin"].note


def test_a_policy_may_ask_for_every_new_signal() -> None:
    text = """
policy: mine
rules:
  - name: all-of-it
    when: image_known or multi_pack or part or gtin_own or gtin_foreign or gtin_invalid or category_outside
    outcome: review
    ground: g
    reason: r
"""  # noqa: E501
    policy = compile_policy(text.encode(), "mine.yaml")
    judge = Judge(compile_registry((right(),), "test"), policy)
    broken = listing(gtins=("4006381333932",))
    assert judge.judge(broken, None, NOW).verdict.outcome == "review"
    assert judge.judge(listing(), None, NOW).verdict.outcome == "allow"
