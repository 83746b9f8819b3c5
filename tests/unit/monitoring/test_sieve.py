"""The sieve lets through every listing that the full reading finds a mark in, whatever the text."""

from __future__ import annotations

import random
from functools import cache

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.monitoring.marks.characters import BOUNDARY
from agents.monitoring.marks.decoding import decode
from agents.monitoring.marks.index import MarkIndex
from agents.monitoring.marks.matcher import MarkMatcher
from agents.monitoring.marks.patterns import Patterns
from agents.monitoring.marks.sheet import MOST_CHARACTERS, Sheet
from agents.monitoring.marks.sieve import Sieve
from agents.monitoring.marks.struck import StruckMarks, struck_places
from streams.texts import Texts
from tests.unit.monitoring.texts import HOSTILE, SENTENCES, titles

MARKS = (
    "Zorvex", "Zorvex Diver", "ZVX", "Meadow", "Maria", "H&B", "Modern Wave", "Ardmore", "Villa",
    "Clarks", "Gucci", "佐维克斯", "Зорвекс", "哈哈", "Äpfel", "Straße", "M", "Wm",
    "Seiko", "Blackmer", "QX", "Ζορβήξ",
)  # fmt: skip
DISGUISES = (
    "G u u c c i", "G U C C I", "S#E#|#K#O", "Rnodern VVave", "c|arks", "C1arks", "Gu((i", "Z0r*ex",
    "Zor_ex", "\u202exevroZ\u202c", "Z\u200bo\u0301r\u200dv\ufe0fex", "1\ufe0f\u20e3", "V|i|l|la",
    "Arnnnaria", "r\u200bn", "Vvv Vvvv vv", "ardrnore", "哈 哈", "哈·哈", "strasse", "STRAẞE",
    "&#90;orvex", "|\\/|aria", "/-\\pfel", "<b>Zor</b>vex", "V*lla", "H & B", "h&b", "Ｚ Ｖ Ｘ",
    "blacl<mer", "Blac|{mer", "l3lackmer", "Z&lt;b&gt;o&amp;lt;wbr&amp;gt;rvex",
    "{Z}{o}{r}{v}{e}{x}", "Q\u200bX", "𝐐𝐗", "QХ", "Q★X", "ΖΟΡΒΗΞ", "ζορβηξ", "ZvX!", "ﷺ" * 9,
    "Zorve_", "Z\u200bVX", "Ardr\u200bnore", "正品ZVX包", "ก๊อปZVXแท้",
)  # fmt: skip
WORDS = ("replica", "imitation")
HARMLESS = {
    "Z0r*ex",
    "1\ufe0f\u20e3",
    "Arnnnaria",
    "r\u200bn",
    "Vvv Vvvv vv",
    "哈 哈",
    "strasse",
    "ﷺ" * 9,
}
"""Those of them that are none."""
TITLES = titles([mark for mark in MARKS if len(mark) > 4])
TEXTS = st.lists(
    st.one_of(HOSTILE, TITLES, st.text(), st.sampled_from([*SENTENCES, *DISGUISES])),
    max_size=4,
)
WRITTEN = st.lists(
    st.lists(st.sampled_from([*MARKS, *DISGUISES, *"rnvclmd |.-*_?&\u200b1x哈"]), max_size=12).map(
        "".join
    ),
    max_size=3,
)
PLAIN = st.lists(
    st.lists(
        st.sampled_from(
            [*MARKS, "zorvex", "Zorvexes", "Clorks", "repl*ca", "r3plica", "rep1ica", "replica",
             "½", "im!tation", "œuvre", "a\u200bb", "👟\ufe0f", "shoe", "1:1", "n", "vv", "正品",
             "réplica", "Zorvex's", "villa's", "Vi11a", "Ma ria", "cd", "rn"]
        ),
        max_size=8,
    ).map(" ".join),
    min_size=1,
    max_size=3,
)  # fmt: skip
"""Marks written plainly, and words of copying in disguise beside them."""


@cache
def matcher() -> MarkMatcher:
    return MarkMatcher(MARKS, WORDS)


def sieve() -> Sieve:
    indexes = (MarkIndex.of(MARKS), MarkIndex.of(WORDS))
    marks, words = ((index.patterns, index.struck.contexts) for index in indexes)
    return Sieve([marks], words)


def texts_of(fields: list[str]) -> list[bytes]:
    return [field.encode(errors="replace") for field in fields]


@settings(max_examples=1_500, deadline=None)
@given(st.lists(st.one_of(TEXTS, WRITTEN), min_size=1, max_size=5))
def test_what_a_listing_alone_is_found_to_name_is_found_in_a_batch(batch: list[list[str]]) -> None:
    texts = [texts_of(fields) for fields in batch]
    seen = matcher().screen(Texts.of(texts))
    for number, fields in enumerate(texts):
        named = dict(enumerate(field.decode().replace(BOUNDARY, " ") for field in fields))
        found = matcher().find({str(name): text for name, text in named.items()})
        there = number in seen
        assert there or not found, (fields, found)
        if seen.get(number) is not None:
            assert found


@settings(max_examples=1_500, deadline=None)
@given(st.lists(st.one_of(PLAIN, WRITTEN), min_size=1, max_size=4))
def test_what_is_written_plainly_is_told_as_the_full_reading_tells_it(
    batch: list[list[str]],
) -> None:
    texts = [texts_of(fields) for fields in batch]
    seen = matcher().screen(Texts.of(texts))
    for number, fields in enumerate(texts):
        named = {str(name): field.decode() for name, field in enumerate(fields)}
        alone = matcher().find_all([named])[0]
        assert bool(alone.marks) == (number in seen)
        told = seen.get(number)
        if told is not None:
            assert matcher().found(told, named) == alone


def test_most_listings_that_name_a_mark_are_not_read() -> None:
    texts = [[b"Zorvex Diver 300, shoe", b"ZVX for Gucci \xf0\x9f\x91\x9f"], [b"A Seiko replica"]]
    sifted = sieve().sift(Texts.of(texts))
    assert not sifted.through
    assert [each.part for each in sifted.listed[0]] == [0, 0, 0, 0]
    assert {each.part for each in sifted.listed[1]} == {0, 1}


def test_what_is_listed_stands_where_it_says() -> None:
    text = "Ünïcode 👟\ufe0f Zorvex\u200b Gu|cci seiko"
    named = sieve().sift(Texts.of([[b"shoe", text.encode()]])).listed[0]
    assert [(each.text, each.place) for each in named] == [(1, 11), (1, 19), (1, 26)]


def test_what_can_be_read_in_other_ways_is_not_listed() -> None:
    for text in (
        "Zorvex œuvre",
        "Gucci repl*ca",
        "Gucci repl♥ca",
        "G u u c c i Seiko",
        "Gucci &#90;",
        "Gucci 1\u20e3",
    ):
        sifted = sieve().sift(Texts.of([[text.encode()]]))
        assert (sifted.listed, sifted.through) == ({}, {0}), text


def test_what_is_stuffed_with_marks_is_read() -> None:
    stuffed = [[b" ".join([b"Gucci"] * 40)], [b"Gucci shoe"]]
    sifted = sieve().sift(Texts.of(stuffed))
    assert set(sifted.listed) == {1}
    assert sifted.through == {0}
    many = matcher().screen(Texts.of([[b"Gucci"], *([[b"Gucci shoe"] * 4] * 9), [b"Seiko"]]))
    assert all(many.values())


def test_every_disguise_is_let_through_alone_and_among_others() -> None:
    for text in DISGUISES:
        found = matcher().find({"title": text})
        assert found or text in HARMLESS, text
        assert bool(matcher().screen(Texts.of([[text.encode()]]))) == bool(found), text


@settings(max_examples=500, deadline=None)
@given(st.lists(st.binary(max_size=60), min_size=1, max_size=6))
def test_what_is_no_utf8_has_to_be_read_by_itself(texts: list[bytes]) -> None:
    seen = matcher().screen(Texts.of([[text] for text in texts]))
    for number, text in enumerate(texts):
        try:
            readable = BOUNDARY not in text.decode()
        except UnicodeDecodeError:
            readable = False
        assert readable or (number in seen and seen[number] is None)


@settings(max_examples=1_000, deadline=None)
@given(st.one_of(HOSTILE, TITLES, WRITTEN.map(" ".join), st.text(max_size=80)))
def test_signs_that_strike_out_letters_are_told_with_their_places(text: str) -> None:
    encoded = text.encode(errors="replace")
    text = encoded.decode()
    if BOUNDARY in text:
        return
    words = StruckMarks.of(["zorvex", "gucci", "villa"])
    sheet = Sheet(BOUNDARY + text, [1])
    places = sheet.by_listing(struck_places(sheet.decoded, [words.contexts])).get(0, [])
    nothing, _ = Patterns.of(b"", np.zeros(1, np.uint32), b"")
    sifted = (
        Sieve([(nothing, words.contexts)], (nothing, words.contexts))
        .sift(Texts.of([[encoded]]))
        .struck
    )
    found = {place for _, there in sifted.get(0, []) for place in there}
    assert {place - 1 for place in places} <= found
    # At the end of a text, where it is not known here that another follows, there is one more.
    assert found - {place - 1 for place in places} <= {len(text) - 1}


def test_the_longest_texts_of_what_reads_as_most_letters_keep_within_bounds() -> None:
    for text in (
        "ﷺ" * 13_000,
        "ß" * 19_000,
        "a\u0301" * 13_000,
        "\U0001f1fa" * 9_000,
        "r" * 39_000,
    ):
        assert len(text.encode()) <= MOST_CHARACTERS
        assert decode(text).read
        matcher().screen(Texts.of([[text.encode()], [b"Gucci"], [text.encode()]]))


def test_random_bytes_and_splices_never_end_the_process() -> None:
    chance = random.Random(7)
    pool = [text.encode() for text in (*MARKS, *DISGUISES, *SENTENCES)]
    for _ in range(300):
        batch = []
        for _ in range(chance.randrange(1, 40)):
            piece = b"".join(chance.choice(pool) for _ in range(chance.randrange(5)))
            cut = chance.randrange(len(piece) + 1)
            batch.append([piece[:cut], piece[cut:], chance.randbytes(chance.randrange(20))])
        matcher().screen(Texts.of(batch))


def test_a_batch_without_texts_and_listings_without_any_are_sifted() -> None:
    assert matcher().screen(Texts.of([])) == {}
    assert matcher().screen(Texts.of([[], [b""], []])) == {}
    assert set(matcher().screen(Texts.of([[], [b"Gucci"], []]))) == {1}
