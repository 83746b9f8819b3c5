"""How far a word reaches, what the literals are, and which files are refused."""

from __future__ import annotations

from typing import Any

import pytest

from agents.monitoring.vocabulary import VocabularyError, load
from agents.monitoring.vocabulary.loader import compile_vocabulary
from agents.monitoring.vocabulary.pieces import SHORT
from agents.monitoring.vocabulary.replica import AROUND, HEAD, NEAR

MARK = "nike"


def words(text: str, *, title: bool = False, whole: bool = False) -> list[str]:
    start = text.find(MARK)
    spans = [(start, start + len(MARK))] if start >= 0 else []
    return [found.text for found in load().replica_words(text, spans, title=title, whole=whole)]


@pytest.mark.parametrize(
    ("distance", "title", "whole", "found"),
    [(NEAR, False, False, True), (NEAR + 1, False, False, False), (NEAR + 1, True, False, True),
     (NEAR + 1, False, True, True)],
)  # fmt: skip
def test_a_strong_word_reaches(distance: int, title: bool, whole: bool, found: bool) -> None:
    text = f"{MARK}{' ' * distance}replica"
    assert words(text, title=title, whole=whole) == (["replica"] if found else [])


@pytest.mark.parametrize(
    ("distance", "title", "found"),
    [(AROUND, False, True), (AROUND + 1, False, False), (AROUND + 1, True, True)],
)
def test_a_word_of_titles_reaches(distance: int, title: bool, found: bool) -> None:
    text = f"{'soft cotton ' * 4}{MARK}{' ' * distance}kw"
    assert words(text, title=title, whole=True) == (["kw"] if found else [])


@pytest.mark.parametrize("lead", ["", "sold as a "])
def test_the_opening_words_of_a_description_speak_as_a_title(lead: str) -> None:
    assert words(f"{lead}clone, box included", whole=True)
    assert not words(f"{lead}clone, box included")
    assert not words(f"{'soft cotton ' * 4}{lead.replace('sold as', 'on')}clone", whole=True)


def test_words_of_copying_that_are_negated_or_innocent_are_denied() -> None:
    deny = load().denies
    assert deny("not a replica", 6, 13)
    assert deny("replica model 1:18 die cast", 0, 7)
    assert not deny("a replica", 2, 9)
    assert not deny("a r3plica", 2, 9)


def test_a_word_that_is_the_mark_does_not_count() -> None:
    assert not load().replica_words("clone jeans", [(0, 5)], title=True)


def test_the_middle_of_an_overlong_text_is_read_near_the_mark_only() -> None:
    filling = "nice shoes " * (2 * HEAD // 11)
    far = f"{filling} replica {filling}"
    assert not words(far, whole=True)
    assert words(f"{filling} {MARK} replica {filling}", whole=True) == ["replica"]
    assert words(f"{filling}{filling} replica", whole=True) == ["replica"]


@pytest.mark.parametrize(
    "way",
    ["replica", "réplica", "super clone", "super-clone", "super_clone", "super   clone",
     "imitación", "imitacion"],
)  # fmt: skip
def test_accents_hyphens_and_runs_of_spaces_read_alike(way: str) -> None:
    text = f"  {MARK}   --  {way}  "
    assert words(text, title=True) == [way]


@pytest.mark.parametrize(
    "way",
    [
        "täuschend echt",
        "taeuschend echt",
        "مقلدة",
        "مقلده",
        "مُقَلَّدة",
        "مقلـــدة",
        "палёные",
        "паленые",
    ],
)
def test_spellings_of_one_word_read_alike(way: str) -> None:
    assert words(f"{MARK} {way}", title=True)


def test_a_letter_is_spelt_out_where_its_language_does_so() -> None:
    files = {"xx": {"language": "xx", "version": 1, "spelt_out": {"ü": "ue"}, "used": ["müd[üo]"]}}
    vocabulary = compile_vocabulary(files)
    assert all(map(vocabulary.says_used, ("müdü", "mudo", "muedo", "müdu")))
    assert not vocabulary.says_used("muedue")  # within a class a letter is one


def test_what_is_imitated_stands_next_to_the_word() -> None:
    assert not words("nike imitation fell weste", title=True)
    assert words("nike imitation weste aus fell", title=True)


def test_kilowatts_are_no_copies_and_kw_shoes_are() -> None:
    assert not words("nike genset 5 kw", title=True)
    assert words("sepatu nike kw", title=True)


def test_a_word_of_two_languages_is_told_by_its_neighbours() -> None:
    # 'ala': a wing in Spanish, 'in the manner of' in Indonesian; 'hàng gia' is not 'hàng giả'.
    assert not load().replica_words("nike ala de luz", [(0, 4)], title=True)
    assert not words("nike hàng gia dụng", title=True)
    assert words("nike hàng giả", title=True)


def test_only_what_the_text_says_of_an_accessory_saves_a_copy() -> None:
    vocabulary = load()
    assert vocabulary.nominative("nike phone case", 0, 4)
    assert not vocabulary.nominative("nike phone case", 0, 4, said=True)
    assert vocabulary.nominative("phone case for nike", 15, 19, said=True)
    assert vocabulary.nominative("sneakers for nike", 13, 17)
    assert not vocabulary.nominative("sneakers for nike", 13, 17, said=True)


@pytest.mark.parametrize(
    ("text", "alone"),
    [("cable for nike", True), ("cable for puma / nike", True), ("cable for nike, puma", True),
     ("cable for puma nike", False), ("cable for a54 nike", False)],
)  # fmt: skip
def test_what_is_for_others_first_is_not_for_the_mark_alone(text: str, alone: bool) -> None:
    start = text.index("nike")
    assert load().nominative(text, start, start + 4, said=True)
    assert load().nominative(text, start, start + 4, said=True, alone=True) == alone


@pytest.mark.parametrize(
    ("words", "holds"),
    [("not original", True), ("bukan ori pabrik", True), ("kein originalteil", True),
     ("非原厂", True), ("not original but same quality", False), ("replica", False)],
)  # fmt: skip
def test_what_is_not_original_is_no_copy_for_that(words: str, holds: bool) -> None:
    assert load().says_unoriginal(words) == holds


@pytest.mark.parametrize(
    ("text", "said"),
    [("strap for zorvex", True), ("strap on zorvex", True), ("cleaner for zorvex", True),
     ("watch on zorvex", False), ("zorvex watch crown", False)],
)  # fmt: skip
def test_what_saves_a_copy_names_something_for_the_goods(text: str, said: bool) -> None:
    start = text.index("zorvex")
    assert load().nominative(text, start, start + 6, said=True) == said


def test_a_title_of_many_words_offers_no_piece() -> None:
    vocabulary = load()
    assert vocabulary.piece("zorvex watch crown", 0, 6) == (7, 18)
    assert vocabulary.piece(f"zorvex watch crown{' fine' * SHORT}", 0, 6) is None


@pytest.mark.parametrize("text", ["case", "a case", "case.", "適用case", "x-case-y"])
def test_a_short_word_stands_alone(text: str) -> None:
    words = compile_vocabulary(language(used=["case", "[oö]n"]))
    assert words.says_used(text)
    assert not words.says_used("showcase cases onset son")
    assert words.says_used("an on b")
    assert words.says_used("an ön b")


def test_literals_are_words_of_copying() -> None:
    literals = load().literals()
    assert "replica" in literals
    for literal in literals:
        assert words(f"{MARK} {literal}", title=True), literal


def language(**groups: Any) -> dict[str, Any]:
    return {"xx": {"language": "xx", "version": 1, **groups}}


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (language(used=["(used"]), r"xx\.yaml: used: '\(used'"),
        (language(used=["x*"]), r"xx\.yaml: used: 'x\*': .*empty"),
        (language(used=[""]), r"xx\.yaml: used: ''"),
        (language(used=[7]), r"xx\.yaml: used: 7"),
        (language(used="old"), r"xx\.yaml: used: expected a list"),
        (language(used=["old", "old"]), r"xx\.yaml: used: 'old': stands there twice"),
        (language(used=["Old"]), r"xx\.yaml: used: 'Old': has capitals"),
        (language(used=["(?=old)"]), r"xx\.yaml: used: '\(\?=old\)'"),
        (language(replica={"storng": ["x"]}), r"xx\.yaml: unknown group 'replica\.storng'"),
        (language(literals=["r.plica"]), r"xx\.yaml: literals: 'r.plica'"),
        (language(literals=["copy"]), r"xx\.yaml: literals: 'copy'"),
        (language(spelt_out=["ü"]), r"xx\.yaml: spelt_out: expected letters"),
        (language(spelt_out={"ü": 1}), r"xx\.yaml: spelt_out: expected letters"),
        (language(innocent=[{"word": "copy", "far": "x"}]), r"xx\.yaml: innocent: "),
        ({"xx": {"language": "yy", "version": 1}}, r"xx\.yaml: language"),
        ({"xx": {"language": "xx"}}, r"xx\.yaml: version"),
        ({"xx": ["x"]}, r"xx\.yaml: language"),
    ],
)
def test_a_broken_file_is_refused(files: dict[str, Any], says: str) -> None:
    with pytest.raises(VocabularyError, match=says):
        compile_vocabulary(files)
