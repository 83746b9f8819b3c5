"""What the README promises of pictures, through the judge."""

from __future__ import annotations

import pytest

from agents.monitoring.judge import Judgement
from agents.records import AuthorisedSeller, Image, Listing, Right
from tests.unit.monitoring.images.examples import (
    NOW,
    image,
    judge_of,
    listing,
    pdq,
    right,
    seller,
)


def judged(item: Listing, *rights: Right, upheld: float = 0) -> Judgement:
    return judge_of(*(rights or (right(),))).judge(item, seller(upheld=upheld), NOW)


@pytest.mark.parametrize("flips", [0, 12, 31])
def test_a_known_picture_alone_is_reviewed(flips: int) -> None:
    found = judged(listing(image(pdq("fake", flips))))
    assert found.verdict.outcome == "review"
    assert found.verdict.rules == ("known-image",)
    (evidence,) = [e for e in found.verdict.evidence if e.signal == "image_known"]
    assert evidence.right_id == "tm-1"
    assert evidence.field == "images[0].pdq"
    assert evidence.text == pdq("fake", flips)
    assert (evidence.start, evidence.end) == (0, 64)
    assert f"({flips} of 256 bits differ)" in evidence.note
    assert "Pobble Ltd" in found.reasons[0]
    assert [r.right_id for r in found.rights] == ["tm-1"]


def test_a_picture_32_bits_away_is_another_one() -> None:
    found = judged(listing(image(pdq("fake", 32))))
    assert found.verdict.outcome == "allow"
    assert found.verdict.evidence == ()


@pytest.mark.parametrize("quality", [49, 0, None])
def test_a_picture_of_poor_or_unknown_quality_says_nothing(quality: int | None) -> None:
    assert judged(listing(image(pdq("fake"), quality))).verdict.outcome == "allow"
    assert judged(listing(image(pdq("fake"), 50))).verdict.outcome == "review"


@pytest.mark.parametrize(
    "more",
    [
        {"title": "Running shoes 1:1 replica, all sizes"},
        {"title": "Running shoes, AAA quality"},
        {"price_minor": 3_400},
        {"title": "Ｐｏｂｂｌｅｗｉｃｋ running shoes"},
    ],
    ids=["replica words", "quality words", "price", "hidden mark"],
)
def test_with_a_second_signal_it_is_removed(more: dict[str, object]) -> None:
    found = judged(listing(image(pdq("fake", 20)), **more))
    assert found.verdict.outcome == "remove"
    assert "known-image-supported" in found.verdict.rules


def test_with_a_seller_of_bad_standing_it_is_removed() -> None:
    found = judged(listing(image(pdq("fake"))), upheld=9)
    assert (found.verdict.outcome, found.verdict.rules[0]) == ("remove", "known-image-supported")
    assert "seller" in {evidence.signal for evidence in found.verdict.evidence}


def test_an_honest_price_or_a_plain_mark_is_no_second_signal() -> None:
    found = judged(listing(image(pdq("fake")), title="Pobblewick running shoes", price_minor=3_500))
    assert found.verdict.outcome == "review"


def test_used_goods_are_not_measured_by_price() -> None:
    item = listing(image(pdq("fake")), price_minor=2_000, condition="USED")
    assert judged(item).verdict.outcome == "review"


def test_the_owners_own_picture_never_counts() -> None:
    both = right(image_hashes=(pdq("photo"),), official_image_hashes=(pdq("photo", 9),))
    item = listing(image(pdq("photo", 4)), title="Running shoes replica", price_minor=100)
    assert judged(item, both).verdict.outcome == "allow"
    # It is another owner's own: of this right it still is a known infringing one.
    other = right(right_id="tm-2", owner="Quux", mark="Quuxly", image_hashes=(pdq("x"),),
                  official_image_hashes=(pdq("photo"),))  # fmt: skip
    mine = right(image_hashes=(pdq("photo"),), official_image_hashes=())
    assert judged(item, mine, other).verdict.outcome == "remove"


def test_one_known_picture_among_honest_ones_counts() -> None:
    images = [image(pdq(f"honest {n}")) for n in range(8)]
    item = listing(*images, image(pdq("official")), image(pdq("other fake", 3)))
    (evidence,) = judged(item).verdict.evidence[:1]
    assert evidence.field == "images[9].pdq"


def test_an_authorised_seller_is_not_asked_about() -> None:
    mine = right(authorised_sellers=(AuthorisedSeller("s-1"),))
    item = listing(image(pdq("fake")), title="Pobblewick 1:1 replica", price_minor=100)
    assert judged(item, mine).verdict.outcome == "allow"
    shown_only = listing(image(pdq("fake")), title="Shoes 1:1 replica", price_minor=100)
    examined = judge_of(mine).examine(shown_only, NOW)
    assert examined.matches == ()
    assert not examined.needs_seller


def test_a_partly_authorised_seller_is_not_removed() -> None:
    mine = right(authorised_sellers=(AuthorisedSeller("s-1", ("DE",)),))
    item = listing(image(pdq("fake")), title="Shoes 1:1 replica", price_minor=100,
                   ships_to=("DE", "FR"))  # fmt: skip
    assert judged(item, mine).verdict.outcome == "review"


@pytest.mark.parametrize(
    "more", [{"valid_until": NOW - 1}, {"valid_from": NOW + 1}, {"territories": ("US",)}]
)
def test_a_right_that_is_not_in_force_asks_for_nothing(more: dict[str, object]) -> None:
    item = listing(image(pdq("fake")), price_minor=100, ships_to=("DE",))
    assert judged(item, right(**more)).verdict.outcome == "allow"


def test_a_right_of_pictures_only_is_enough() -> None:
    design = right(right_id="d-1", kind="DESIGN", mark="", brand="Pobblewick")
    found = judged(listing(image(pdq("fake")), price_minor=1_000), design)
    assert found.verdict.outcome == "remove"
    assert "''" not in found.reasons[0]


def test_a_common_word_needs_no_category_word_when_its_goods_are_shown() -> None:
    mine = right(mark="Meadow", common_word=True, category_words=("shoe",))
    item = listing(image(pdq("fake")), title="Boots in the colours of a meadow")
    found = judged(item, mine)
    assert found.verdict.rules == ("known-image",)
    assert not any(evidence.signal == "mark" for evidence in found.verdict.evidence)


@pytest.mark.parametrize("bad", ["zz" * 32, "abc", "é" * 64, pdq("fake")[:-1], pdq("fake") + "0"])
def test_what_is_no_hash_is_noted_and_the_rest_is_judged(bad: str) -> None:
    item = listing(image(bad), title="Pobblewick shoes, 1:1 replica")
    found = judged(item)
    assert found.verdict.outcome == "remove"
    (note,) = [evidence for evidence in found.verdict.evidence if evidence.signal == "image"]
    assert note.field == "images[0].pdq"
    assert "Not a PDQ hash" in note.note
    assert judged(listing(image(bad))).verdict.outcome == "allow"


def test_capital_digits_are_the_same_hash() -> None:
    mine = right(image_hashes=(pdq("fake").upper(),))
    assert judged(listing(image(pdq("fake"))), mine).verdict.outcome == "review"
    assert judged(listing(image(pdq("fake").upper())), mine).verdict.outcome == "review"


def test_the_order_of_rights_does_not_matter() -> None:
    two = right(right_id="tm-2", owner="Quux", mark="Quuxly", image_hashes=(pdq("fake", 8),))
    item = listing(image(pdq("fake", 5)), Image("https://pictures.example/2.jpg"))
    forth = judged(item, right(), two).verdict.to_json()
    assert forth == judged(item, two, right()).verdict.to_json()
    assert forth.count(b'"image_known"') == 2


def test_an_honest_word_that_could_be_read_as_the_mark_is_no_hidden_mark() -> None:
    mine = right(mark="Marla")
    shown = listing(image(pdq("fake")), title="Shoes model Maria")
    assert judged(listing(title="Shoes model Maria"), mine).verdict.outcome == "allow"
    found = judged(shown, mine)
    assert (found.verdict.outcome, found.verdict.rules) == ("review", ("known-image",))
