"""What has to hold for every text, on texts that sellers write to get through.

Weaker forms on plainer texts stand beside what they are about: test_marks.py, test_promises.py.
"""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.history.fingerprints import alike, title_sketch
from agents.history.recall import Past, Relisting
from agents.history.removals import Removal
from agents.history.watched import watched
from agents.monitoring.confusables import load_table
from agents.monitoring.folding import Reading, folded_reading
from agents.monitoring.judge import Examination, Judge
from agents.monitoring.marks.characters import merged
from agents.monitoring.marks.skeleton import skeletons
from agents.monitoring.policies import default_policy
from agents.monitoring.registry import compile_registry
from agents.monitoring.remembering import fingerprint_of
from agents.monitoring.screening import Limits, listing_decoder, screen
from agents.records import AuthorisedSeller, Fingerprint, Image, Listing, Right
from agents.reputation import SellerFacts, Standing
from streams.codec import Encoder
from streams.schema_registry import SchemaRegistry
from streams.settings import Settings
from tests.benchmarks.judgement.bases import sample_rows
from tests.benchmarks.judgement.rights import marks
from tests.benchmarks.judgement.run import cases
from tests.records import Record
from tests.unit.monitoring.images.examples import pdq
from tests.unit.monitoring.texts import HOSTILE, SENTENCES, titles

DAY = 86_400_000
NOW = 1_790_000_000_000
LIMITS = Limits(record_bytes=1_000_000, clock_ahead_s=60)

RIGHTS = [
    Right("tm-1", "Zorvex Ltd", mark="Zorvex", aliases=("佐维克斯", "Зорвекс", "زورفكس"),
          reference_price_minor=20_000, reference_currency="USD",
          image_hashes=(pdq("fake"),),
          authorised_sellers=(AuthorisedSeller("dealer"), AuthorisedSeller("there", ("DE",)))),
    Right("tm-2", "Zorvex Ltd", mark="Zorvex Diver", aliases=("ZVX",)),
    Right("tm-3", "Meadow Ltd", mark="Meadow", common_word=True, category_words=("tea", "watch")),
    Right("tm-4", "Hier GmbH", mark="Mirabex", territories=("DE", "AT")),
    Right("tm-5", "Old Ltd", mark="Quandrel", valid_until=NOW - DAY),
    Right("tm-6", "Other SA", mark="zorvex"),  # two rights, one mark
    Right("tm-7", "Maria SpA", mark="Maria"),
    Right("tm-8", "H & B", mark="H&B"),
]  # fmt: skip
NAMES = ["Zorvex", "Zorvex Diver", "ZVX", "Meadow", "Mirabex", "Quandrel", "Maria", "Marla", "H&B",
         "佐维克斯", "Зорвекс"]  # fmt: skip
SELLERS = [
    SellerFacts("s-1", NOW - 900 * DAY, True, Standing()),
    SellerFacts("s-1", NOW - 5 * DAY, False, Standing()),
    SellerFacts("s-1", NOW - 900 * DAY, True, Standing(upheld=3.0)),
    SellerFacts("s-1"),
]


@cache
def judge() -> Judge:
    return Judge(compile_registry(RIGHTS, "7"), default_policy())


TITLES = titles(NAMES)
LISTINGS = st.builds(
    Listing,
    listing_id=st.just("l-1"),
    seller_id=st.sampled_from(["s-1", "s-1", "dealer", "there"]),
    occurred_at=st.just(NOW),
    title=TITLES,
    description=st.one_of(st.just(""), TITLES),
    brand=st.one_of(st.just(""), st.sampled_from(NAMES), HOSTILE),
    price_minor=st.sampled_from([None, 100, 4_000, 19_000]),
    currency=st.just("USD"),
    condition=st.sampled_from(["NEW", "USED", "UNKNOWN"]),
    ships_to=st.sampled_from([(), ("DE",), ("FR", "US")]),
    images=st.sampled_from([(), (Image("u", pdq("fake", 20), 90),), (Image("u", "?", 90),)]),
    attributes=st.dictionaries(
        st.sampled_from(["Brand", "Compatible with", "Quality", "型号"]), TITLES, max_size=2
    ),
)


GOODS = "diver 300 automatic men watch steel bracelet blue dial sapphire glass"
AGAIN = st.builds(
    Listing,
    listing_id=st.just("l-2"),
    seller_id=st.sampled_from(["s-1", "dealer", "s-9"]),
    occurred_at=st.just(NOW),
    title=st.sampled_from([GOODS, f"{GOODS} replica", f"Zandero {GOODS}", "Oak table", "Zorvex"]),
)


# -- folding


@settings(max_examples=500, deadline=None)
@given(st.one_of(HOSTILE, TITLES, st.text(st.characters())))
def test_folding_never_raises(text: str) -> None:
    """Not even on halves of surrogate pairs and noncharacters, which no record can carry."""
    folded_reading(text)
    assert all(skeleton.read is not None for skeleton in skeletons(text))
    judge().find_all([Listing("l-1", "s-1", NOW, text, description=text)])


@settings(max_examples=500, deadline=None)
@given(st.one_of(HOSTILE, TITLES, st.text()))
def test_folding_what_was_folded_gives_the_same(text: str) -> None:
    folded = folded_reading(text)
    assert folded_reading(folded) == folded


def test_so_it_does_for_every_code_point_there_is() -> None:
    for first in range(0, sys.maxunicode + 1, 4096):
        text = "".join(map(chr, range(first, first + 4096)))
        folded = folded_reading(text)
        assert folded_reading(folded) == folded, f"U+{first:04X} and on"


@settings(max_examples=500, deadline=None)
@given(st.one_of(HOSTILE, TITLES, st.text()), st.data())
def test_the_way_back_from_the_reading_is_monotonic_and_within_bounds(
    text: str, data: st.DataObject
) -> None:
    reading = Reading(text)
    spans = [reading.span(place, place + 1) for place in range(len(reading.text))]
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(one[0] <= other[0] and one[1] <= other[1] for one, other in pairwise(spans))
    if spans:
        start = data.draw(st.integers(0, len(spans) - 1))
        end = data.draw(st.integers(start + 1, len(spans)))
        first, last = reading.span(start, end)
        assert folded_reading(text[first:last]).find(reading.text[start:end]) >= 0
        there = reading.locate(first, last)
        assert there[0] <= start
        assert there[1] >= end
    for first, last in ((0, len(text)), (0, 0), (len(text), len(text))):
        start, end = reading.locate(first, last)
        assert 0 <= start <= end <= len(reading.text)


@settings(max_examples=500, deadline=None)
@given(st.one_of(HOSTILE, TITLES, st.text()))
def test_the_way_back_from_a_skeleton_is_monotonic_and_within_bounds(text: str) -> None:
    """Within bounds always; what an override turns round runs backwards."""
    for skeleton in skeletons(text):
        spans = [skeleton.span(int(place), int(place) + 1) for place in skeleton.places]
        assert all(0 <= start < end <= len(text) for start, end in spans)
        assert skeleton.turned or spans == sorted(spans)


def test_a_letter_of_a_class_is_of_that_class() -> None:
    readings = {letter for each in load_table().readings.values() for r in each for letter in r}
    assert all(merged(merged(letter)) == merged(letter) for letter in readings)


# -- judging


@cache
def wire() -> tuple[Encoder, Any]:
    registry = SchemaRegistry.connect(Settings(schema_registry_url="mock://properties"))
    return Encoder(registry, "marketplace.listings", "listing"), listing_decoder(registry)


REMOVED = {
    "s-1": Removal("t-1", "gone", 1, NOW - DAY, Fingerprint(2, title_sketch(GOODS)), ("tm-1",)),
    "dealer": Removal("t-2", "gone", 1, NOW - DAY, Fingerprint(2, title_sketch(GOODS)), ("tm-1",)),
}


def remembered(examination: Examination) -> Past:
    """Return what the store would say of the listing's past."""
    removal = REMOVED.get(examination.listing.seller_id)
    found = fingerprint_of(examination)
    likeness = alike(found, removal.fingerprint) if found and removal else None
    again = (Relisting(removal, likeness),) if removal and likeness else ()
    return Past(again, ())


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.one_of(LISTINGS, AGAIN), min_size=1, max_size=4),
    st.sampled_from(SELLERS),
    st.sampled_from([(), ("s-1",), ("s-1", "dealer")]),
)
def test_what_the_byte_screen_filters_out_the_full_way_allows(
    listings: list[Listing], seller: SellerFacts, sellers: tuple[str, ...]
) -> None:
    """And what it lets through is judged beside others as it is alone.

    Of sellers who are not watched nothing is remembered; without anybody watched, of nobody.
    """
    encoder, decoder = wire()
    records = [
        Record(number, encoder.encode(msgspec.to_builtins(one)))
        for number, one in enumerate(listings)
    ]
    decoder.fetch(decoder.unknown(record.value for record in records))
    known = watched(name.encode() for name in sellers)
    screened = screen(records, judge(), decoder, LIMITS, NOW, watched=known)
    assert screened.failures == []
    passed = {record.offset: examination for record, examination in screened.examined}
    assert len(passed) + len(screened.allowed) == len(listings)
    for number, one in enumerate(listings):
        whole = judge().examine(one, NOW, watched=one.seller_id in sellers)
        past = remembered(whole) if one.seller_id in sellers else Past((), ())
        alone = judge().decide(whole, seller, past).verdict
        if number in passed:
            together = judge().decide(passed[number], seller, past).verdict
            assert together.to_json() == alone.to_json()
        else:
            assert (alone.outcome, alone.rules, alone.evidence) == ("allow", (), ())


@settings(max_examples=400, deadline=None)
@given(LISTINGS, st.sampled_from(SELLERS), st.sampled_from(SENTENCES), st.booleans())
def test_an_honest_sentence_never_turns_allow_into_remove(
    listing: Listing, seller: SellerFacts, sentence: str, first: bool
) -> None:
    if judge().judge(listing, seller, NOW).verdict.outcome != "allow":
        return
    for name in ("title", "description"):
        text = getattr(listing, name)
        longer = f"{sentence} {text}" if first else f"{text} {sentence}"
        other = msgspec.structs.replace(listing, **{name: longer})
        assert judge().judge(other, seller, NOW).verdict.outcome != "remove", (name, longer)


@settings(max_examples=150, deadline=None)
@given(LISTINGS, st.sampled_from(SELLERS), st.permutations(RIGHTS))
def test_the_order_of_rights_does_not_matter(
    listing: Listing, seller: SellerFacts, rights: list[Right]
) -> None:
    other = Judge(compile_registry(rights, "7"), default_policy())
    one, two = (each.judge(listing, seller, NOW).verdict.to_json() for each in (judge(), other))
    assert one == two


@settings(max_examples=200, deadline=None)
@given(LISTINGS, st.sampled_from(SELLERS))
def test_evidence_quotes_the_listing_and_a_verdict_repeats(
    listing: Listing, seller: SellerFacts
) -> None:
    verdict = judge().judge(listing, seller, NOW).verdict
    assert judge().judge(listing, seller, NOW).verdict.to_json() == verdict.to_json()
    texts = {"title": listing.title, "description": listing.description, "brand": listing.brand}
    texts |= {f"attributes.{name}": value for name, value in listing.attributes.items()}
    (found,) = judge().find_all([listing])
    for match in (*found.marks, *found.words):
        assert 0 <= match.start < match.end <= len(texts[match.field])
        assert texts[match.field][match.start : match.end] == match.text
    for item in verdict.evidence:
        if item.field in texts and item.text:
            assert texts[item.field][item.start : item.end][:200] == item.text


@pytest.fixture(name="corpus", scope="module")
def a_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    drawn = list(cases(sample_rows(), "test", 3, 1))

    def write(name: str, rows: list[Any]) -> None:
        (folder / name).write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))

    write("listings.jsonl", [case.listing for case in drawn])
    write("rights.jsonl", [mark.right for mark in marks()])
    write("backwards.jsonl", [mark.right for mark in reversed(marks())])
    return folder


def test_verdicts_are_the_same_bytes_in_every_process(corpus: Path) -> None:
    """Whatever the seed of Python's hashes is, and in whichever order the rights stand."""
    outputs = [
        subprocess.run(
            [sys.executable, "-m", "agents.cli", "screen", str(corpus / "listings.jsonl"),
             "--rights", str(corpus / rights), "--now", "2026-11-30T12:00:00Z"],
            env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True,
        ).stdout
        for seed, rights in (("0", "rights.jsonl"), ("4711", "backwards.jsonl"))
    ]  # fmt: skip
    assert outputs[0] == outputs[1]
    assert outputs[0].count(b'"outcome":"remove"') > 100
    assert outputs[0].count(b'"outcome":"allow"') > 100
