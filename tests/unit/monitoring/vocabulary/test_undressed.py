"""A text of a listing that hides a mark, read as it shows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.monitoring.folding import folded_reading
from agents.monitoring.vocabulary import load
from agents.monitoring.vocabulary.undressed import READ, ends_of, undressed
from tests.unit.monitoring.texts import HOSTILE


@pytest.mark.parametrize(
    ("text", "shows"),
    [
        ("&#x9ad8;&#x4eff; bag", "高仿 bag"),
        ("<b>K</b><b>W</b> super<br>new", "kw super new"),
        ("\u202eWK gnarab\u202c", "barang kw"),
        ("⒞⒪⒫⒴ 🇰🇼", "copy kw"),
        ("р.е.п.л.и.к.а", "реплика"),
        ("ง า น  ก๊ อ ป", "งาน กอป"),
        ("А货", "a货"),
        ("ꓚꓳꓑY", "copy"),
        ("f\u0e48a\u0e48k\u0e48e", "fake"),
    ],
)
def test_a_text_reads_as_it_shows(text: str, shows: str) -> None:
    assert shows.replace("กอป", "ก๊อป") in [way.text for way in undressed(text)]


@pytest.mark.parametrize("text", ["Nike shoes", "1:1 S/M", "кроссовки мужские", "高仿", "x²"])
def test_what_nothing_disguises_is_not_read_again(text: str) -> None:
    assert not undressed(text)


def test_marks_of_other_scripts_among_letters_set_apart_are_read_on() -> None:
    (way,) = undressed("ب\u093cت\u093cج\u093cد·ر")
    assert way.text == "ب\u093cت\u093cج\u093cدر"


@given(st.one_of(HOSTILE, st.text()))
def test_every_character_comes_from_the_text(text: str) -> None:
    for way in undressed(text):
        assert len(way.cells) == len(way.text)
        assert way.text != folded_reading(text)
        for cell in way.cells:
            assert 0 <= cell.start < cell.end <= len(text)


@given(st.one_of(HOSTILE, st.text()))
def test_what_is_found_stands_in_the_text_and_is_disguised(text: str) -> None:
    for start, end, folds in load().undressed_words(text, []):
        assert 0 <= start < end <= len(text)
        assert folds


def test_of_an_overlong_text_its_ends_are_read() -> None:
    text = "a" * READ + "b" * READ + "c" * READ
    assert ends_of(text) == [(0, "a" * READ), (2 * READ, "c" * READ)]
    assert load().undressed_words("x " * 2 * READ + "&#x9ad8;&#x4eff;", [])


@pytest.mark.parametrize("text", ["not a &#114;eplica", "no ⒞⒪⒫⒴", "S M L XL", "A/B 1:1", "a . b"])
def test_a_denial_and_what_says_nothing_stay(text: str) -> None:
    assert not load().undressed_words(text, [])


@pytest.mark.parametrize("text", ["งานมิ ลเลอร์", "ก๊ อปปี้ สวย", "顶级 复 刻 表", "仿~品", "仿ㆍ品"])
def test_words_of_scripts_without_spaces_are_read_over_what_breaks_them(text: str) -> None:
    assert [folds for _, _, folds in load().undressed_words(text, [])] == [("spaced",)]


@pytest.mark.parametrize(
    "text", ["ขายของ ปลอดภัย", "ไม่ใช่ ของ ปลอม", "最高，仿真皮", "品质高 (仿真)", "ของปลอม ไม่ขาย"]
)
def test_phrases_beside_one_another_are_no_words_broken_up(text: str) -> None:
    assert not load().undressed_words(text, [])


def test_the_mark_itself_is_no_word_of_copying() -> None:
    text = "c·l·o·n jeans"
    assert load().undressed_words(text, [])
    assert not load().undressed_words(text, [(0, 7)])
