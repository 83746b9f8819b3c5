"""Words of copying that are written wrongly, and words that only look so."""

from __future__ import annotations

import pytest

from agents.monitoring.reference.stop_words import stop_words
from agents.monitoring.vocabulary import load
from agents.monitoring.vocabulary.misspelt import misspelt


def said(title: str) -> list[str]:
    found = load().replica_words(title, [(0, 4)], title=True)
    return [finding.text for finding in found if finding.kind == "replica"]


@pytest.mark.parametrize(
    "word",
    [
        "repilca", "replca", "relpicas", "countrefeit", "boxtleg", "imitcaión", "fäslchung",
        "imtiasi", "podrbóka", "пдоделка", "clonn", "klonnn", "kklon", "copyy", "ffake",
    ],
)  # fmt: skip
def test_a_slip_calls_the_goods_copies(word: str) -> None:
    assert said(f"nike shoes {word} 42") == [word]


@pytest.mark.parametrize(
    "word",
    ["relic", "coppia", "dress", "limitation", "replay", "поделка", "плёнка", "trucos", "relique"],
)
def test_another_word_does_not(word: str) -> None:
    assert not said(f"nike shoes {word} 42")


def test_a_slip_is_denied_as_the_word_is() -> None:
    assert not said("nike shoes, not a repilca")


def test_no_slip_is_a_word_of_listings() -> None:
    slips = misspelt(load().literals(), [])
    assert len(slips) > 300
    assert not [slip for slip in slips if stop_words().language_of(slip)]
