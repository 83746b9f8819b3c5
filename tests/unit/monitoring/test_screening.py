"""The screen of a batch: what is odd about one listing changes nothing for the others."""

from __future__ import annotations

from functools import cache

import msgspec
import pytest

from agents.monitoring.judge import Judge
from agents.monitoring.policies import default_policy
from agents.monitoring.registry import compile_registry
from agents.monitoring.screening import Limits, Screened, listing_decoder, screen
from agents.records import Listing, Right
from streams.codec import Encoder
from tests.records import Record
from tests.unit.streams.shelf import Shelf

NOW = 1_764_000_000_000
RIGHT = Right("tm-1", "Zorvex Watches Ltd", mark="Zorvex")
SHELF = Shelf()
ENCODER = Encoder(SHELF.registry, "marketplace.listings", "listing")


@cache
def judge(*rights: Right) -> Judge:
    return Judge(compile_registry(rights, "1"), default_policy())


def value_of(listing: Listing) -> bytes:
    return ENCODER.encode(msgspec.to_builtins(msgspec.structs.replace(listing, event_id="e")))


def screened(*values: bytes, rights: tuple[Right, ...] = (RIGHT,)) -> Screened:
    decoder = listing_decoder(SHELF.registry)
    decoder.fetch(decoder.unknown(values))
    records = [Record(number, value) for number, value in enumerate(values)]
    return screen(records, judge(*rights), decoder, Limits(1_000_000, 3600), NOW)


def listing(title: str, **values: object) -> Listing:
    return msgspec.structs.replace(Listing("l", "s", NOW, title), **values)


PLAIN = value_of(listing("Zorvex Diver"))
HIDDEN = value_of(listing("Z0rvex Diver"))
OTHER = value_of(listing("Oak table"))


def _titles(result: Screened) -> list[tuple[str, list[str]]]:
    return [
        (item.listing.title, [mark.text for match in item.matches for mark in match.marks])
        for _, item in result.examined
    ]


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(OTHER.replace(b"table", b"tab\xffe"), id="no UTF-8"),
        pytest.param(OTHER.replace(b"table", b"t\xed\xa0\x80e"), id="half a surrogate"),
    ],
)
@pytest.mark.parametrize("rights", [(RIGHT,), ()])
def test_a_text_that_is_no_utf8_fails_by_itself(odd: bytes, rights: tuple[Right, ...]) -> None:
    result = screened(PLAIN, odd, HIDDEN, OTHER, rights=rights)
    assert [(f.record.offset, f.reason) for f in result.failures] == [(1, "undecodable")]
    assert len(result.allowed) + len(result.examined) == 3
    if rights:
        assert _titles(result) == [("Zorvex Diver", ["Zorvex"]), ("Z0rvex Diver", ["Z0rvex"])]


@pytest.mark.parametrize(
    "odd",
    [
        "oak \uffff table", "\uffff" * 30, "\uffffZorvex\uffff", "Zorvex " * 9_000, "x" * 90_000,
        "N\u0301" * 20_000,
    ],
)  # fmt: skip
def test_no_text_changes_what_is_seen_in_the_others(odd: str) -> None:
    result = screened(OTHER, value_of(listing(odd)), OTHER, PLAIN, HIDDEN)
    assert not result.failures
    others = [item for item in _titles(result) if item[0] != odd]
    assert others == [("Zorvex Diver", ["Zorvex"]), ("Z0rvex Diver", ["Z0rvex"])]


def test_what_the_screen_saw_is_what_the_examination_finds() -> None:
    whole = listing(
        "Strap for Zorvex",
        brand="Zorvex",
        description="Strap for Zorvex",
        attributes={"brand": "z o r v e x", "colour": "", "model": "Strap for Zorvex"},
    )
    ((_, examination),) = screened(value_of(whole)).examined
    alone = judge(RIGHT).examine(msgspec.structs.replace(whole, event_id="e"), NOW)
    assert examination.matches == alone.matches
    assert [mark.field for mark in examination.matches[0].marks] == [
        "title", "brand", "description", "attributes.brand", "attributes.model",
    ]  # fmt: skip
