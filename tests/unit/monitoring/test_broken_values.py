"""A broken GTIN, hash, currency or country is no ground and no excuse: it is told, and left out."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.gtin import problem_of
from agents.monitoring.judge import Judge, Judgement
from agents.monitoring.policies import default_policy
from agents.monitoring.reference import MINOR_UNIT_EXPONENT, is_country
from agents.monitoring.registry import compile_registry
from agents.pdq import is_hash
from agents.records import Evidence, Image, Listing, Right
from agents.reputation import SellerFacts, Standing
from tests.unit.monitoring.images.examples import image, pdq

NOW = 1_790_000_000_000
NEW = SellerFacts("s-1", NOW - 5 * 86_400_000, False, Standing())


@cache
def judge() -> Judge:
    right = Right(
        "tm-1",
        "Pobble Ltd",
        mark="Pobblewick",
        territories=("DE",),
        nice_classes=(25,),
        gtin_prefixes=("4006381",),
        reference_price_minor=10_000,
        reference_currency="EUR",
        image_hashes=(pdq("fake"),),
    )
    return Judge(compile_registry((right,), "1"), default_policy())


def judged(title: str, **values: Any) -> Judgement:
    return judge().judge(Listing("l-1", "s-1", NOW, title, **values), NEW, NOW)


def notes(judgement: Judgement, signal: str) -> list[Evidence]:
    return [item for item in judgement.verdict.evidence if item.signal == signal]


CHEAP: dict[str, Any] = {"price_minor": 2_000, "currency": "EUR", "condition": "NEW"}
BROKEN: list[tuple[str, str, dict[str, Any]]] = [
    ("gtin", "gtins[0]", {"gtins": ("4006381333932",)}),  # a wrong check digit
    ("gtin", "gtins[0]", {"gtins": ("400638133393",)}),
    ("gtin", "gtins[0]", {"gtins": ("n/a",)}),
    ("gtin", "gtins[0]", {"gtins": ("٤٠٠٦٣٨١٣٣٣٩٣١",)}),
    ("gtin", "gtins[0]", {"gtins": ("0000000000000",)}),
    ("image", "images[0].pdq", {"images": (Image("u", "not a hash", 100),)}),
    ("image", "images[0].pdq", {"images": (Image("u", "f" * 63, 100),)}),
    ("image", "images[0].pdq", {"images": (Image("u", "ｆ" * 64, 100),)}),
    ("in_force", "ships_to[0]", {"ships_to": ("Deutschland",)}),
    ("in_force", "ships_to[0]", {"ships_to": ("",)}),
    ("in_force", "ships_to[1]", {"ships_to": ("DE", "\u202eED")}),
    ("in_force", "ship_from", {"ship_from": "??"}),
]


@pytest.mark.parametrize(("signal", "field", "values"), BROKEN)
def test_it_is_told_and_the_rest_is_judged(signal: str, field: str, values: dict[str, Any]) -> None:
    cheap = judged("Pobblewick shoes", **CHEAP, **values)
    assert cheap.verdict.outcome == "remove"
    assert cheap.verdict.rules[0] == "cheap-mark-untrusted"
    (note,) = notes(cheap, signal)
    assert note.field == field
    assert note.note
    honest = judged("Pobblewick shoes", price_minor=9_000, currency="EUR", **values)
    assert honest.verdict.outcome == "allow"
    assert [item.field for item in notes(honest, signal)] == [field]


@pytest.mark.parametrize("currency", ["", "ZZZ", "euro", "€", "E U", "ＥＵＲ", "XAU", "EUR\x00"])
def test_a_broken_currency_is_told_and_the_rest_is_judged(currency: str) -> None:
    values = {**CHEAP, "currency": currency}
    assert judged("Pobblewick shoes", **values).verdict.outcome == "allow"
    copied = judged("Pobblewick shoes, 1:1 replica", **values)
    assert copied.verdict.outcome == "remove"
    (note,) = notes(copied, "price_ratio")
    assert (note.field, note.right_id) == ("price_minor", "tm-1")
    assert "can't be compared" in note.note


def test_all_of_them_at_once() -> None:
    found = judged(
        "Pobblewick shoes, 1:1 replica",
        gtins=("n/a",),
        images=(Image("u", "?", 100), image(pdq("fake"))),
        ships_to=("Nowhere",),
        **{**CHEAP, "currency": "?"},
    )
    assert found.verdict.outcome == "remove"
    assert {"gtin", "image", "in_force", "price_ratio"} <= {
        item.signal for item in found.verdict.evidence if item.note
    }
    assert notes(found, "image_known"), "the picture with a hash still counts"
    assert "known-image-supported" in found.verdict.rules


TEXT = st.text(max_size=70)
TITLES = st.sampled_from(
    ["Pobblewick shoes", "P0bblewick shoes", "Pobblewick 1:1 replica", "case for Pobblewick"]
)


@settings(max_examples=300, deadline=None)
@given(
    title=TITLES,
    gtin=TEXT.filter(problem_of),
    code=TEXT.filter(lambda text: not is_country(text)),
    hashed=TEXT.filter(lambda text: not is_hash(text)),
    currency=TEXT.filter(lambda text: text.strip().upper() not in MINOR_UNIT_EXPONENT),
)
def test_it_weighs_as_much_as_nothing(
    title: str, gtin: str, code: str, hashed: str, currency: str
) -> None:
    """Whatever stands there, the outcome is that of a listing that leaves it out."""
    absent = judged(title, price_minor=2_000, condition="NEW").verdict
    broken = judged(
        title,
        price_minor=2_000,
        condition="NEW",
        currency=currency,
        gtins=(gtin,),
        images=(Image("u", hashed, 100),),
        ships_to=(code,),
        ship_from=code,
    )
    verdict = broken.verdict
    assert (verdict.outcome, verdict.rules, verdict.score) == (
        absent.outcome,
        absent.rules,
        absent.score,
    )
    assert bool(notes(broken, "gtin")) == bool(gtin.strip())
    assert bool(notes(broken, "image")) == bool(hashed)
    assert notes(broken, "in_force")
