"""How strong a link is, what an update replaced, and what is a burst."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.history.links import KINDS, LINKED, LINKS, MAX_SHARED, weight
from agents.history.removals import KEPT_DAYS, REMOVALS, SLICE_DAYS, slice_of, slices_until
from agents.history.sightings import SIGHTINGS, Digest, burst, digest_of, replaced
from agents.records import DAY_MS, Image, Listing
from streams.codec import DecodeError


@pytest.mark.parametrize("kind", KINDS)
def test_what_two_share_links_them_and_what_a_crowd_shares_does_not(kind: str) -> None:
    assert weight(kind, 2) == KINDS[kind] >= LINKED
    assert weight(kind, MAX_SHARED + 1) == weight(kind, 1) == 0


@given(st.sampled_from(sorted(KINDS)), st.integers(2, MAX_SHARED - 1))
def test_the_rarer_the_stronger(kind: str, sellers: int) -> None:
    assert weight(kind, sellers) > weight(kind, sellers + 1) > 0


def test_an_unknown_kind_links_nobody() -> None:
    record = {"seller_id": "s", "identifiers": {"shoe_size": ("44",), "bank": ("b", "b", "")}}
    assert LINKS.change(b"s", record) == {"id": "s", "links": ["bank:b"]}
    assert LINKS.change(b"s", None) == {"id": "s", "links": []}


@given(st.integers(KEPT_DAYS * DAY_MS, 4_000_000_000_000))
def test_three_slices_reach_back_far_enough(now: int) -> None:
    slices = slices_until(now)
    assert slice_of(now) in slices
    assert slice_of(now - KEPT_DAYS * DAY_MS) in slices
    assert len(slices) <= KEPT_DAYS // SLICE_DAYS + 1


PRINT = {"version": 1, "title": b"", "images": (f"{7:064x}",), "gtins": ()}
TAKEDOWN: dict[str, Any] = {
    "right_ids": ["tm-1"],
    "action": "REMOVED",
    "takedown_id": "0" * 36,
    "listing_id": "l",
    "revision": 1,
    "seller_id": "s",
    "decided_at": 1_764_000_000_000,
    "fingerprint": None,
}


def test_a_takedown_without_a_fingerprint_is_not_remembered() -> None:
    assert REMOVALS.change(b"l", TAKEDOWN) is None
    assert REMOVALS.change(b"l", None) is None
    assert REMOVALS.change(b"l", TAKEDOWN | {"action": "REVIEW"}) is None


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"action": "REINSTATED", "decided_at": 2**63 - 1}, "bad_time"),
        ({"action": "REINSTATED", "decided_at": -62_135_596_800_000}, "bad_time"),
        ({"fingerprint": PRINT, "decided_at": 2**63 - 1}, "bad_time"),
        ({"fingerprint": PRINT | {"images": ("no hash",)}}, "foreign_record"),
    ],
)
def test_a_takedown_that_would_harm_the_view_is_refused(
    changed: dict[str, Any], reason: str
) -> None:
    """Redis refuses such a time each time it is asked, and what is no hash can't be compared."""
    assert REMOVALS.change(b"l", TAKEDOWN | {"fingerprint": PRINT}) is not None
    with pytest.raises(DecodeError) as refused:
        REMOVALS.change(b"l", TAKEDOWN | changed)
    assert refused.value.reason == reason


WATCH = Digest("zorvex", ("watches", "diving"), (f"{7:064x}",), tuple(range(10)))
SHOE = Digest("quandrel", ("shoes", "running"), (f"{2**255 - 1:064x}",), tuple(range(50, 60)))


def test_other_goods_are_a_replacement() -> None:
    assert replaced(WATCH, SHOE) == ("brand", "category", "images", "title")
    assert replaced(SHOE, WATCH) == ("brand", "category", "images", "title")
    assert replaced(WATCH, WATCH) == ()


@pytest.mark.parametrize(
    "after",
    [
        msgspec.structs.replace(WATCH, brand="zorvx"),
        msgspec.structs.replace(WATCH, brand="zorvex ltd"),
        msgspec.structs.replace(WATCH, brand=""),
        msgspec.structs.replace(WATCH, brand="no brand"),
        msgspec.structs.replace(WATCH, category=("watches", "sports")),
        msgspec.structs.replace(WATCH, category=()),
        msgspec.structs.replace(WATCH, images=(f"{8:064x}", f"{2**250 - 1:064x}")),
        msgspec.structs.replace(WATCH, words=(0, 1, 2, 3, 77, 78, 79, 80)),
    ],
    ids=["typo", "ltd", "emptied", "placeholder", "subcategory", "no path", "pictures", "title"],
)
def test_corrections_replace_nothing(after: Digest) -> None:
    assert replaced(WATCH, after) == ()
    assert replaced(after, WATCH) == ()


@given(st.text(max_size=50), st.text(max_size=50), st.lists(st.text(max_size=9), max_size=4))
def test_a_digest_survives_the_store(title: str, brand: str, path: list[str]) -> None:
    listing = Listing("l", "s", 0, title, category_path=tuple(path), images=(Image("u", "zz", 99),))
    digest = digest_of(listing, title, brand)
    assert msgspec.json.decode(msgspec.json.encode(digest), type=Digest) == digest
    assert replaced(digest, digest) == ()
    assert digest.images == ()


@pytest.mark.parametrize(
    ("hour", "days", "expected"),
    [
        (19, (), 0.0),
        (19, (1, 1, 1), 0.0),
        (50, (), None),
        (50, (5, 0, 5), None),
        (50, (5, 0, 5, 5), 10.0),
        (50, (500, 5, 5), 0.294),
    ],
    ids=["few", "few against fewer", "first import", "two days", "ten times", "imports in bulk"],
)
def test_a_burst_is_measured_against_the_sellers_own_days(
    hour: int, days: tuple[int, ...], expected: float | None
) -> None:
    assert burst(hour, days) == expected


def test_a_sighting_that_is_not_new_is_not_counted() -> None:
    seen = {
        "listing_id": "l",
        "revision": 3,
        "seller_id": "s",
        "occurred_at": 7_200_000,
        "new_branded": False,
        "digest": "[]",
    }
    change = SIGHTINGS.change(b"0", {"sightings": [seen]})
    assert change is not None
    assert change["items"] == [["l", 3, "3 []", 7200 + 90 * 86_400]]
    counted = SIGHTINGS.change(b"0", {"sightings": [seen | {"new_branded": True}]})
    assert counted is not None
    assert counted["items"][0][4:6] == ["s", 2]
    assert SIGHTINGS.change(b"0", {"sightings": []}) is None


def test_folds_name_every_key_they_write() -> None:
    for fold in (REMOVALS, LINKS, SIGHTINGS):
        assert replace(fold) == fold
        for pattern in fold.keys:
            assert f"'{pattern.removesuffix('*')}" in fold.body
