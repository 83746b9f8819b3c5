"""What attributes and disguised words say of the goods."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from agents.monitoring.judge import Judge, Verdict
from agents.monitoring.policies import default_policy
from agents.monitoring.registry import compile_registry
from agents.records import DAY_MS, Listing, Right
from agents.reputation import SellerFacts, Standing

NOW = 1_790_000_000_000
CLEAN = SellerFacts("seller", NOW - 900 * DAY_MS, True, Standing())
CHEAP: dict[str, Any] = {"price_minor": 4_000, "currency": "USD", "condition": "NEW"}


@cache
def judge() -> Judge:
    right = Right(
        "tm-1", "Zorvex Ltd", mark="Zorvex", reference_price_minor=20_000, reference_currency="USD"
    )
    return Judge(compile_registry([right], "1"), default_policy())


def verdict(title: str, **fields: Any) -> Verdict:
    return judge().judge(Listing("l1", "seller", NOW, title, **fields), CLEAN, NOW).verdict


@pytest.mark.parametrize("name", ["Brand", "Marca", "品牌", "Model"])
def test_a_mark_in_the_attributes_is_of_the_goods(name: str) -> None:
    attributes = {name: "Zorvex"}
    assert verdict("Diver watch replica", attributes=attributes).outcome == "remove"
    assert verdict("Diver watch", attributes=attributes).outcome == "allow"


@pytest.mark.parametrize(
    "name", ["Compatible Brand", "Phone Model", "适用品牌", "Kompatibel dengan"]
)
def test_unless_they_say_what_the_goods_are_for(name: str) -> None:
    fields: dict[str, Any] = {"attributes": {name: "Zorvex"}, **CHEAP}
    assert verdict("Silicone case", **fields).outcome == "allow"


def test_the_price_is_compared_where_an_attribute_names_the_maker() -> None:
    assert verdict("Diver watch", attributes={"Brand": "Zorvex"}, **CHEAP).outcome == "review"
    assert verdict("Diver watch", attributes={"Tags": "Zorvex"}, **CHEAP).outcome == "allow"


def test_an_attribute_says_that_the_goods_are_copies() -> None:
    found = verdict("Zorvex diver", attributes={"Quality": "Mirror 1:1"})
    assert found.outcome == "remove"
    words = [item for item in found.evidence if item.signal == "replica_words"]
    assert [(item.field, item.text, item.start) for item in words] == [
        ("attributes.Quality", "Mirror 1:1", 0)
    ]


@pytest.mark.parametrize(
    "attributes",
    [{"Scale": "1:1"}, {"Battery": "AAA"}, {"Quality": "good"}, {"Replica": "no"}],
)
def test_an_attribute_of_something_else_says_nothing(attributes: dict[str, str]) -> None:
    assert verdict("Zorvex diver", attributes=attributes).outcome == "allow"


@pytest.mark.parametrize(
    "word", ["r3plica", "rep\u200blica", "𝐫𝐞𝐩𝐥𝐢𝐜𝐚", "r e p l i c a", "repl*ca"]
)
def test_a_disguised_word_of_copying_counts(word: str) -> None:
    assert verdict(f"Zorvex diver {word}").outcome == "remove"


@pytest.mark.parametrize("title", ["no es réplica", "𝐧𝐨𝐭 𝐚 𝐫𝐞𝐩𝐥𝐢𝐜𝐚", "perlas de imitación"])
def test_a_denied_or_innocent_one_does_not(title: str) -> None:
    assert verdict(f"Zorvex diver, {title}").outcome == "allow"


def test_a_mark_hidden_in_the_description_is_of_the_goods() -> None:
    hidden = "Z\u200bo\u200br\u200bv\u200be\u200bx"
    assert verdict("Diver watch", description=f"{hidden} diver", **CHEAP).outcome == "remove"
    assert verdict("Diver watch", description="Zorvex diver", **CHEAP).outcome == "allow"
