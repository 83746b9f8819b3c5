"""Near-duplicates are recognised, and different goods are told apart."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.history.fingerprints import (
    ALIKE,
    Alike,
    alike,
    alone,
    features,
    fingerprint,
    same_images,
    title_similarity,
    title_sketch,
)
from agents.records import Fingerprint, Image

TITLE = "zorvex diver 300 automatic men watch steel bracelet blue dial"
WORDS = st.lists(
    st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=2, max_size=9),
    min_size=8,
    max_size=25,
    unique=True,
)
PDQ = st.integers(0, 2**256 - 1)


def _title(title: str) -> Fingerprint:
    found = fingerprint(title)
    assert found is not None
    return found


def _image(bits: int, quality: int | None = 90) -> Image:
    return Image("https://img.example/1", f"{bits:064x}", quality)


@given(WORDS, st.randoms(use_true_random=False))
def test_the_order_of_words_and_what_stands_between_makes_no_difference(
    words: list[str], chance: random.Random
) -> None:
    mixed = words.copy()
    chance.shuffle(mixed)
    assert title_sketch(" ".join(words)) == title_sketch(" - ".join(mixed) + " !!")


@given(WORDS, st.text("abcdefghijklmnopqrstuvwxyz", min_size=2, max_size=4))
def test_a_word_more_among_many_is_a_near_duplicate(words: list[str], more: str) -> None:
    """Found by its features, and alike: eight words of two letters are too few to demand it."""
    title = " ".join(word * 2 for word in words)
    one, other = _title(title), _title(f"{title} {more}")
    assert alike(one, other).title >= ALIKE
    assert set(features(one)) & set(features(other))


@given(st.integers(0, 10_000))
def test_titles_of_other_goods_are_not_alike(seed: int) -> None:
    """Titles without a word in common, of six words of five to nine letters each."""
    chance = random.Random(seed)
    letters = ("abcdefghijklm", "nopqrstuvwxyz")
    one, other = (
        " ".join("".join(chance.choices(half, k=chance.randint(5, 9))) for _ in range(6))
        for half in letters
    )
    assert not alike(_title(one), _title(other))


@pytest.mark.parametrize(
    "other",
    [
        "zorvex diver 300 automatic men wacth steel bracelet blue dial",
        "new zorvex diver 300 automatic men watch steel bracelet blue dial",
        "zorvex diver 300 automatic watch steel bracelet blue dial",
        "zorvex diver 300 automatic men watch steel bracelet black dial",
    ],
    ids=["typo", "word added", "word dropped", "other colour"],
)
def test_small_edits_stay_alike(other: str) -> None:
    assert alike(_title(TITLE), _title(other)).title >= ALIKE


@pytest.mark.parametrize(
    "other",
    [
        "zorvex ladies quartz watch white leather strap rose gold case",
        "zorvex strap leather brown 20 mm quick release for diver 300",
        "quandrel running shoes men blue mesh size 42",
    ],
)
def test_other_goods_of_the_same_mark_are_not_alike(other: str) -> None:
    assert not alike(_title(TITLE), _title(other))


@given(WORDS, WORDS)
def test_similarity_is_symmetric_and_one_with_itself(words: list[str], others: list[str]) -> None:
    one, other = title_sketch(" ".join(words)), title_sketch(" ".join(others))
    assert title_similarity(one, other) == title_similarity(other, one)
    assert title_similarity(one, one) == 1.0 or not one


@pytest.mark.parametrize("title", ["", "zorvex", "a b", "🔥🔥🔥"])
def test_a_title_that_says_too_little_is_not_recognised(title: str) -> None:
    assert fingerprint(title) is None


def test_a_sketch_is_as_the_schema_says() -> None:
    """Worked out by hand from the schema's doc: 8 shingles of the words 'zorvex' and 'ab'."""
    expected = [0xFFFF] * 128
    import zlib

    for shingle in (" zo", "zor", "orv", "rve", "vex", "ex ", " ab", "ab "):
        h = zlib.crc32(shingle.encode()) * 0x9E3779B1 % 2**32
        h = (h ^ h >> 15) * 0x85EBCA77 % 2**32
        expected[h >> 25] = min(expected[h >> 25], h >> 9 & 0xFFFF, 0xFFFE)
    assert title_sketch("ab zorvex") == b"".join(n.to_bytes(2, "big") for n in expected)


def test_sketches_of_another_method_are_not_compared() -> None:
    sketch = title_sketch(TITLE)
    assert not alike(Fingerprint(1, sketch), Fingerprint(2, sketch))


@given(PDQ, st.sets(st.integers(0, 255), max_size=31))
def test_a_picture_is_the_same_within_31_bits(bits: int, flips: set[int]) -> None:
    near = bits
    for flip in flips:
        near ^= 1 << flip
    one = fingerprint("", [_image(bits)])
    other = fingerprint("", [_image(near)])
    assert one
    assert other
    assert alike(one, other).images == 1


@given(PDQ, st.sets(st.integers(0, 255), min_size=32, max_size=256))
def test_a_picture_further_away_is_another(bits: int, flips: set[int]) -> None:
    far = bits
    for flip in flips:
        far ^= 1 << flip
    assert not same_images([f"{bits:064x}"], [f"{far:064x}"])


@given(PDQ, st.sets(st.integers(0, 255), max_size=10))
def test_pictures_that_are_near_meet_in_a_feature(bits: int, flips: set[int]) -> None:
    """Ten flipped bits leave six of sixteen chunks as they were, at the very least."""
    near = bits
    for flip in flips:
        near ^= 1 << flip
    one, other = (fingerprint("", [_image(picture)]) for picture in (bits, near))
    assert one
    assert other
    assert set(features(one)) & set(features(other))


def test_a_size_chart_in_common_says_nothing() -> None:
    a, b, c, d, chart = (f"{(2**256 - 1) // (n * 7 + 3):064x}" for n in range(5))
    assert not same_images([a, b, chart], [c, d, chart])
    assert same_images([a, b, chart], [a, d, chart]) == 2
    assert same_images([b, a, chart], [a, d, chart]) == 2
    assert not same_images([], [chart])


@pytest.mark.parametrize("quality", [None, 0, 49])
def test_pictures_without_quality_are_left_out(quality: int | None) -> None:
    assert fingerprint("", [_image(7, quality)]) is None


def test_official_pictures_and_broken_hashes_are_left_out() -> None:
    official = 2**255 - 19
    assert fingerprint("", [_image(official ^ 3)], official=[official]) is None
    assert fingerprint("", [Image("u", "xyz", 90), Image("u", "", 90)]) is None


def test_a_gtin_in_common_is_enough() -> None:
    one = fingerprint(TITLE, gtins=["4006381333931"])
    other = fingerprint("something else entirely, blue", gtins=["04006381333931"])
    assert one
    assert other
    assert alike(one, other) == Alike("04006381333931")


@pytest.mark.parametrize(
    ("title", "other", "counts"),
    [
        ("leather wallet", "leather wallet", False),
        (TITLE, TITLE, True),
        (TITLE, TITLE.replace("zorvex ", ""), True),
        (TITLE, f"{TITLE} with leather strap rubber", False),
    ],
    ids=["says too little", "the same", "a word dropped", "not close enough"],
)
def test_a_likeness_that_stands_for_itself_is_close_and_telling(
    title: str, other: str, counts: bool
) -> None:
    found = alike(_title(title), _title(other))
    assert found.title >= ALIKE
    assert alone(found) is counts


@given(st.text(max_size=2000))
def test_any_text_has_a_sketch_or_none(text: str) -> None:
    assert len(title_sketch(text)) in (0, 256)
