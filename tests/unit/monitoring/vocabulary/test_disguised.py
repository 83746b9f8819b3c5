"""Words of copying that a title disguises, and honest titles that only look so."""

from __future__ import annotations

import sys

import pytest

from agents.monitoring.vocabulary import load
from agents.monitoring.vocabulary.disguised import READ
from agents.monitoring.vocabulary.expansion import words_of

MARK = "Nike"


def disguised(title: str) -> list[str]:
    start = title.find(MARK)
    marks = [(start, start + len(MARK))] if start >= 0 else []
    return [title[first:last] for first, last, _ in load().disguised_words(title, marks)]


@pytest.mark.parametrize(
    ("title", "found"),
    [
        ("Nike shoes r3plica", "r3plica"),
        ("Nike 5up3r c0py", "5up3r c0py"),
        ("Nike AAA+ qu@l1ty", "qu@l1ty"),
        ("Nike kw $uper", "$uper"),
        ("Nike repӏica 1:1", "repӏica"),
        ("Nike сорy master", "сорy"),
        ("Nike r.e.p.l.i.c.a shoes", "r.e.p.l.i.c.a"),
        ("Nike c・o・p・y  o・r・i", "c・o・p・y  o・r・i"),
        ("Nike A_A_A  k_a_l_i_t_e", "A_A_A  k_a_l_i_t_e"),
        ("Nike c-a-l-i-d-a-d-e-s-p-e-j-o", "c-a-l-i-d-a-d-e-s-p-e-j-o"),
        ("Nike r e p l i c a", "r e p l i c a"),
        ("Nike 7 A m a s t e r c o p y", "m a s t e r c o p y"),
        ("Nike size M  t  i  r  u  a  n", "t  i  r  u  a  n"),
        ("Nike repl*ca", "repl*ca"),
        ("Nike Nach_hmun_", "Nach_hmun_"),
        ("Nike f•lsific•do", "f•lsific•do"),
        ("Nike re-plica", "re-plica"),
        ("Nike linha prem1um 44A", "prem1um 44A"),
        ("Nike linh? premium ?AA", "linh? premium ?AA"),
        ("(r3plica) Nike", "(r3plica)"),
        # Letters set apart by different signs, and by spaces as well.
        ("Nike r e_p_l i*c a", "r e_p_l i*c a"),
        ("Nike kl*on", "kl*on"),
        # An accent that no language writes there.
        ("Nike ḟake", "ḟake"),
        ("Nike řeplica", "řeplica"),
        ("Nike high qυality çopy", "qυality çopy"),
        # Scripts other than Latin, and those without spaces.
        ("Nike р е п л и к а", "р е п л и к а"),
        ("Nike реп'лика", "реп'лика"),
        ("Nike к•о•п•и•я", "к•о•п•и•я"),
        ("Nike р е*п*л.и к*а", "р е*п*л.и к*а"),
        ("Nike م ق ل د ة", "م ق ل د ة"),
        ("Nike ت*قليد", "ت*قليد"),
        ("Nike ของปล*อม", "ของปล*อม"),
        ("Nike รองเท้าของปล*อม", "ของปล*อม"),
        ("Nike 高 仿", "高 仿"),
        ("Nike 复.刻", "复.刻"),
        ("Nike 高 仿 鞋", "高 仿"),
    ],
)
def test_a_disguised_word_is_found(title: str, found: str) -> None:
    [text] = disguised(title)
    assert text.strip("()") == found.strip("()")


@pytest.mark.parametrize(
    "title",
    [
        "Nike A.A.A.",
        "Nike A.A.A. batteries",
        "Nike S.M.A.R.T. watch",
        "Nike No. 1 c/o F.A.O.",
        "Nike U.S.A. 1.5 L",
        "Nike X5R-77A R3P5 K1W2",
        "Nike sizes S M L XL",
        "Nike A B C D E F G",
        "Nike L I M I T E D",
        "Nike L-I-M-I-T-E-D edition",
        "Nike S A L E",
        "Nike wi-fi t-shirt 2.4GHz USB3.0 A54 128GB IP67",
        "Nike original* quality*",
        "Nike grade 444 steel",
        "Nike not a r3plica",
        "Nike no f@kes, no c0pies",
        "Nike r3plica of a sword",
        "Nike r3plica 1:18",
        "Nike copy paper A4 wh1te",
        # Words of other languages that differ from words of copying by an accent or a letter.
        "Nike giấy rep",
        "Nike coppia scarpe",
        "Nike supper store",
        "Nike 增高-仿羊毛",
        "Nike 加高 仿羊毛鞋",
        "Nike не р е п л и к а",
        "Nike р а з м е р ы",
    ],
)
def test_an_honest_title_has_none(title: str) -> None:
    assert not disguised(title)


def test_the_folds_say_what_was_undone() -> None:
    title = "Nike f4ke, r e p l i c a, im|tation, kop¡a & fals*ficado"
    assert [folds for _, _, folds in load().disguised_words(title, [(0, 4)])] == [
        ("digit",),
        ("spaced",),
        ("symbol",),
        ("symbol",),
        ("censored",),
    ]


def test_what_the_mark_covers_is_left_alone() -> None:
    assert not load().disguised_words("c1one jeans", [(0, 5)])
    assert load().disguised_words("c1one jeans", [(6, 11)])


@pytest.mark.parametrize(
    "title",
    ["r e p l i c " * 5_000, "r*e.p#l1ca-" * 5_000, "x1*y " * 5_000, "1!|1!|1!|!a " * 5_000,
     "*?#" * 20_000, "а" * 50_000, "1 " * 30_000],
)  # fmt: skip
def test_of_a_title_that_goes_on_and_on_the_beginning_is_read(title: str) -> None:
    assert load().disguised_words(title, []) == load().disguised_words(title[:READ], [])


def test_every_character_can_stand_in_a_title() -> None:
    for first in range(0, sys.maxunicode + 1, 512):
        text = " ".join(f"copy{chr(code)}" for code in range(first, first + 512))
        load().disguised_words(f"Nike {text}"[:READ], [(0, 4)])


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("cop(?:y|ies)", {"copy", "copies"}),
        ("(?:super|top) (?:grade )?clones?", {"super", "top", "grade", "clone", "clones"}),
        ("a{3,4}\\+* quality", {"aaa", "aaaa", "quality"}),
        ("replik[aę]?", {"replik", "replika", "replikę"}),
        ("копи(?:я|и) люкс", {"копия", "копии", "люкс"}),
        ("fals[a-z]+ shoe", {"shoe"}),
    ],
)
def test_the_words_of_an_expression(pattern: str, words: set[str]) -> None:
    assert words_of(pattern) == words
