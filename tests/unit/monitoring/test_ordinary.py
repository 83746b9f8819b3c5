"""Pieces of a mark are told apart from words that stand side by side."""

from __future__ import annotations

import pytest

from agents.monitoring.marks.ordinary import are_ordinary, ordinary_words


@pytest.mark.parametrize(
    "pieces",
    [
        ("a", "sus"), ("mide", "a"), ("s", "watch"), ("play", "station"), ("baby", "care"),
        ("i", "phone"), ("bo", "se"), ("la", "coste"), ("nordica",), ("xl", "5"),
    ],
)  # fmt: skip
def test_words_of_one_language_are_ordinary(pieces: tuple[str, ...]) -> None:
    assert are_ordinary(pieces)


@pytest.mark.parametrize(
    "pieces",
    [
        ("gu", "cci"), ("ro", "lex"), ("seik", "o"), ("birk", "enstock"), ("ad", "idas"),
        ("len", "ovo"), ("crocs",), ("níkon",),
    ],
)  # fmt: skip
def test_other_pieces_are_not(pieces: tuple[str, ...]) -> None:
    """Words of two languages beside each other are no sentence: Polish 'len', Italian 'ovo'."""
    assert not are_ordinary(pieces)


def test_words_are_written_as_they_are_compared() -> None:
    for words in ordinary_words():
        for word in words:
            assert word == word.lower(), word
            assert not set("áéíóúñüàèìòùâêîôûãõçäößåøğışłąęćśźż") & set(word) - {"ß", "ø"}, word
