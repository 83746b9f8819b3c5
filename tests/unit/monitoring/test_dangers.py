"""Which rights would be a disaster, and that each is told with what to do."""

from __future__ import annotations

from typing import Any

import pytest

from agents.monitoring.dangers import FEWEST_LISTINGS, counted, dangers_of, share_danger
from agents.monitoring.listing_texts import ListingTexts
from agents.monitoring.reach import measure
from agents.monitoring.registry import compile_registry
from agents.monitoring.vocabulary import load
from agents.records import Listing, Right

NOW = 1_790_000_000_000


def right(**values: Any) -> Right:
    return Right(**{"right_id": "tm-1", "owner": "Owner", "mark": "Zorvex", **values})


def common(mark: str, *words: str, **values: Any) -> Right:
    return right(mark=mark, common_word=True, category_words=words, **values)


@pytest.mark.parametrize(
    ("danger", "field", "says"),
    [
        (right(mark="X"), "mark", "mark 'X' has a single letter or digit"),
        (right(mark="É"), "mark", "single letter"),
        (right(mark="Ⓧ"), "mark", "single letter"),  # after folding
        (right(mark="Ｘ™"[:1]), "mark", "single letter"),
        (right(mark=" X. "), "mark", "single letter"),
        (right(mark="7"), "mark", "single letter or digit"),
        (right(mark="茅"), "mark", "single letter"),
        (right(mark="ก็"), "mark", "single letter"),
        (right(mark="★"), "mark", "mark '★' has no letter or digit"),
        (right(mark="the"), "mark", "mark 'the' is a stop word (en)"),
        (right(mark="ＴＨＥ"), "mark", "a stop word (en)"),
        (right(mark="Best Price"), "mark", "nothing but stop words (en)"),
        (right(mark="รองเท้า"), "mark", "a stop word (th)"),
        (right(mark="正品"), "mark", "a stop word (zh)"),
        (right(mark="Replica"), "mark", "what sellers call copies of any brand"),
        (right(mark="AAA Quality"), "mark", "what sellers call copies of any brand"),
        (right(aliases=("Zorvex Pro", "Pro")), "aliases", "alias 'Pro' is a stop word"),
        (right(aliases=("Z",)), "aliases", "alias 'Z' has a single letter"),
        (right(aliases=("",)), "aliases", "an empty alias"),
        (right(aliases=(" - ",)), "aliases", "alias ' - ' has no letter or digit"),
        (common("X", "tea"), "mark", "single letter"),
        (common("Meadow", "tea", ""), "category_words", "an empty category word"),
        (common("Meadow", "tea", "t"), "category_words", "category word 't' has a single letter"),
        (common("Meadow", "new"), "category_words", "category word 'new' is a stop word (en)"),
        (common("Meadow", "para"), "category_words", "category word 'para' is a stop word (es)"),
    ],
)
def test_a_disaster(danger: Right, field: str, says: str) -> None:
    (found,) = dangers_of(danger)
    assert found.field == field
    assert says in found.problem
    assert found.remedy


@pytest.mark.parametrize(
    "honest",
    [
        right(),
        right(mark=""),  # pictures alone
        right(mark="LV"),
        right(mark="3M"),
        right(mark="H&M"),
        right(mark="小米", aliases=("Xiaomi", "Mi 11")),
        right(mark="The North Face"),
        right(mark="Replica Zorvex"),
        common("Only", "jeans", "dress"),
        common("Best Buy", "watch", "鞋子"),
        common("Mini", "car", "hat", "die-cast", aliases=("the",)),
    ],
)
def test_no_disaster(honest: Right) -> None:
    assert list(dangers_of(honest)) == []


def listings(count: int, title: str, *, first: int = 0) -> list[Listing]:
    return [Listing(f"l-{first + n}", "s-1", NOW, title) for n in range(count)]


@pytest.mark.parametrize(
    ("naming", "all_", "says"),
    [
        (4, FEWEST_LISTINGS, ""),  # 2 % exactly
        (5, FEWEST_LISTINGS, "mark 'Zorvex' would have touched 5 of 200 recent listings (2.5 %)"),
        (FEWEST_LISTINGS - 1, FEWEST_LISTINGS - 1, ""),  # too few to say anything
        (812, 10_000, "mark 'Zorvex' would have touched 812 of 10,000 recent listings (8.1 %)"),
    ],
)
def test_a_share_of_more_than_two_percent_is_told(naming: int, all_: int, says: str) -> None:
    named = listings(naming, "Zorvex diver")
    reach = measure([right()], [named, listings(all_ - naming, "Oak table", first=naming)], NOW)
    assert reach.listings == all_
    danger = share_danger(right(), reach)
    assert bool(danger) == bool(says)
    if danger:
        assert (danger.field, danger.mark) == ("mark", "Zorvex")
        assert danger.problem.startswith(says)


def test_the_alias_that_does_it_is_named() -> None:
    brand = right(aliases=("Meadow", "Unheard"))
    reach = measure(
        [brand],
        [listings(5, "Zorvex diver"), listings(20, "Meadow tea", first=5),
         listings(175, "Oak table", first=25)],
        NOW,
    )  # fmt: skip
    danger = share_danger(brand, reach)
    assert danger
    assert danger.field == "aliases"
    assert danger.problem.startswith(
        "alias 'Meadow' would have touched 20 of 200 recent listings (10.0 %), "
        "all marks of the right together 25 of 200 recent listings (12.5 %)"
    )


def test_many_aliases_are_a_disaster_together() -> None:
    names = [f"Zorvex{letter}ka" for letter in "abcdefgh"]
    brand = right(mark=names[0], aliases=tuple(names[1:]))
    named = [listings(1, f"{name} diver", first=n)[0] for n, name in enumerate(names)]
    reach = measure([brand], [named, listings(192, "Oak table", first=8)], NOW)
    assert reach.touched("tm-1").listings == 8
    danger = share_danger(brand, reach)
    assert danger
    assert "1 of 200 recent listings (0.5 %), all marks of the right together 8" in danger.problem


def test_counts_read_as_people_write_them() -> None:
    assert counted(812, 10_000) == "812 of 10,000 recent listings (8.1 %)"
    assert counted(0, 0) == "0 of 0 recent listings (0.0 %)"


def test_an_empty_category_word_that_was_confirmed_stands_beside_nothing() -> None:
    meadow = common("Meadow", "", "tea")
    registry = compile_registry([meadow], "1")
    tea, flowers = (
        ListingTexts(Listing("l-1", "s-1", NOW, title), load())
        for title in ("Meadow tea", "Meadow flowers")
    )
    assert registry.concerns_goods(0, tea)
    assert not registry.concerns_goods(0, flowers)
