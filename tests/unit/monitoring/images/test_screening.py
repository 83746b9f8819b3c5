"""Pictures on the way of a batch: what the byte screen lets through is what the judge acts on."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.monitoring.judge import Judge
from agents.monitoring.screening import Limits, Screened, listing_decoder, screen
from agents.records import Image, Listing
from streams.codec import Decoder, Encoder
from streams.schema_registry import SchemaRegistry
from streams.settings import Settings
from tests.records import Record
from tests.unit.monitoring.images.examples import (
    NOW,
    image,
    judge_of,
    listing,
    pdq,
    right,
    seller,
)

LIMITS = Limits(record_bytes=1_000_000, clock_ahead_s=60)


class Topic:
    """A topic of listings without a broker: written and read as on one."""

    def __init__(self) -> None:
        registry = SchemaRegistry.connect(Settings(schema_registry_url="mock://pictures"))
        self._encoder = Encoder(registry, "marketplace.listings", "listing")
        self.decoder: Decoder = listing_decoder(registry)

    def screened(self, judge: Judge, listings: Sequence[Listing]) -> Screened:
        records = [
            Record(offset, self._encoder.encode(msgspec.to_builtins(one)))
            for offset, one in enumerate(listings)
        ]
        self.decoder.fetch(self.decoder.unknown(record.value for record in records))
        return screen(records, judge, self.decoder, LIMITS, NOW)


@pytest.fixture(scope="module")
def topic() -> Topic:
    return Topic()


def outcomes(judge: Judge, screened: Screened) -> dict[str, str]:
    return {
        examination.listing.listing_id: judge.decide(examination, seller()).verdict.outcome
        for _, examination in screened.examined
    }


def test_known_pictures_pass_the_byte_screen_and_others_do_not(topic: Topic) -> None:
    judge = judge_of(right())
    batch = [
        listing(image(pdq("honest")), listing_id="honest"),
        listing(image(pdq("fake", 31)), listing_id="alone"),
        listing(listing_id="no picture"),
        listing(image("not a hash"), Image("https://pictures.example/2.jpg"), listing_id="broken"),
        listing(image(pdq("x")), image(pdq("fake")), price_minor=900, listing_id="cheap"),
        listing(image(pdq("honest")), title="Pobblewick shoes", listing_id="named"),
        listing(image(pdq("official")), listing_id="official"),
        listing(image(pdq("fake")), kind="DELETED", listing_id="deleted"),
    ]
    screened = topic.screened(judge, batch)
    assert screened.failures == []
    assert len(screened.allowed) == 5
    assert outcomes(judge, screened) == {"alone": "review", "cheap": "remove", "named": "allow"}
    assert [record.offset for record, _ in screened.examined] == [1, 4, 5]


def test_without_registered_pictures_none_is_looked_at(topic: Topic) -> None:
    judge = judge_of(right(image_hashes=(), official_image_hashes=(pdq("official"),)))
    assert judge.registry.images is None
    screened = topic.screened(judge, [listing(image(pdq("fake")))])
    assert screened.examined == []


def test_the_same_pictures_of_many_are_compared_in_a_batch_and_alone(topic: Topic) -> None:
    judge = judge_of(right())
    others = [image(pdq(f"honest {n}")) for n in range(127)]
    inside = listing(Image("u"), *others, image(pdq("fake")), listing_id="inside")
    beyond = listing(*others, image(pdq("x")), image(pdq("fake")), listing_id="beyond")
    assert outcomes(judge, topic.screened(judge, [inside, beyond])) == {"inside": "review"}
    assert judge.judge(inside, seller(), NOW).verdict.outcome == "review"
    assert judge.judge(beyond, seller(), NOW).verdict.outcome == "allow"


PICTURES = st.lists(
    st.builds(
        image,
        st.one_of(
            st.builds(pdq, st.sampled_from(["fake", "other fake", "official"]), st.integers(0, 60)),
            st.builds(pdq, st.text(max_size=3)),
            st.text(max_size=70),
        ),
        st.one_of(st.none(), st.integers(0, 100)),
    ),
    max_size=5,
).map(tuple)
LISTINGS = st.lists(
    st.builds(
        lambda images, title, price: listing(*images, title=title, price_minor=price),
        PICTURES,
        st.sampled_from(["Shoes", "Shoes, 1:1 replica", "Pobblewick shoes"]),
        st.sampled_from([None, 0, 1_000, 9_500]),
    ),
    min_size=1,
    max_size=6,
)


@settings(deadline=None)
@given(batch=LISTINGS)
def test_the_batch_is_judged_as_its_listings_are_alone(batch: list[Listing]) -> None:
    topic, judge = _SHARED
    named = [msgspec.structs.replace(one, listing_id=str(n)) for n, one in enumerate(batch)]
    screened = topic.screened(judge, named)
    passed = {
        examination.listing.listing_id: judge.decide(examination, seller()).verdict.to_json()
        for _, examination in screened.examined
    }
    for one in named:
        alone = judge.judge(one, seller(), NOW).verdict
        if one.listing_id in passed:
            assert passed[one.listing_id] == alone.to_json()
        else:
            assert alone.outcome == "allow"
            assert alone.evidence == ()


_SHARED = (Topic(), judge_of(right()))
