"""Each language's examples, judged with all languages at once, as a listing is.

The files beside this one have a list for each of these groups; [brackets] stand round the mark.

    copies                  a title: words call the goods copies
    copies_in_description   a description of goods of the mark: the same
    imitations              a title: words of imitation, none of copying
    clean                   a title, and a description: no word of copying
    assurances, innocent    the same, and none of imitation: 'not a replica', '1:18 scale model'
    nominative              a title: the mark names what the goods are for
    not_nominative          a title: it does not
    piece, not_piece        a title: it offers a piece of the mark's goods; it does not
    used, not_used          a title without marks: the goods are second-hand, or nothing says so
    new_too                 the same: nothing says so of goods that are declared new, else it does

The files in `sellers/` were written without a look at the vocabulary, as sellers write on
marketplaces and in groups: they show whether it is general.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from agents.monitoring.folding import folded_reading
from agents.monitoring.vocabulary import load

HERE = Path(__file__).parent
LEAST = 30
"""Examples a language has at least; each of the first seven has fifty."""


def examples(group: str) -> list[str]:
    return [
        text
        for path in sorted(HERE.glob("**/*.yaml"))
        for text in yaml.safe_load(path.read_text(encoding="utf-8")).get(group, ())
    ]


def read(example: str) -> tuple[str, list[tuple[int, int]]]:
    """Return the folded reading of an example, and where its marks stand there."""
    text, spans = "", []
    for number, part in enumerate(re.split(r"[\[\]]", example)):
        folded = folded_reading(part)
        if number % 2:
            spans.append((len(text), len(text) + len(folded)))
        text += folded
    return text, spans


def kinds(example: str, *, title: bool) -> dict[str, list[str]]:
    text, spans = read(example)
    found: dict[str, list[str]] = {"replica": [], "inspired": []}
    for finding in load().replica_words(text, spans, title=title, whole=True):
        assert finding.text == text[finding.start : finding.end]
        found[finding.kind].append(finding.text)
    return found


@pytest.mark.parametrize("example", examples("copies"))
def test_a_title_calls_the_goods_copies(example: str) -> None:
    assert kinds(example, title=True)["replica"]


@pytest.mark.parametrize("example", examples("copies_in_description"))
def test_a_description_calls_the_goods_copies(example: str) -> None:
    assert kinds(example, title=False)["replica"]


@pytest.mark.parametrize("example", examples("imitations"))
def test_a_title_calls_the_goods_an_imitation(example: str) -> None:
    found = kinds(example, title=True)
    assert found["inspired"]
    assert not found["replica"]


@pytest.mark.parametrize("example", examples("clean"))
def test_no_word_of_copying_counts(example: str) -> None:
    assert not kinds(example, title=True)["replica"]
    assert not kinds(example, title=False)["replica"]


@pytest.mark.parametrize("example", examples("assurances") + examples("innocent"))
def test_no_word_of_copying_or_imitation_counts(example: str) -> None:
    for title in (True, False):
        found = kinds(example, title=title)
        assert not found["replica"]
        assert not found["inspired"]


@pytest.mark.parametrize("example", examples("nominative"))
def test_the_mark_names_what_the_goods_are_for(example: str) -> None:
    text, spans = read(example)
    assert all(load().nominative(text, start, end) for start, end in spans)


@pytest.mark.parametrize("example", examples("not_nominative"))
def test_the_mark_does_not_name_what_the_goods_are_for(example: str) -> None:
    text, spans = read(example)
    assert not any(load().nominative(text, start, end) for start, end in spans)


@pytest.mark.parametrize("example", examples("piece"))
def test_the_title_offers_a_piece_of_the_goods(example: str) -> None:
    text, spans = read(example)
    for start, end in spans:
        found = load().piece(text, start, end)
        assert found is not None
        assert text[slice(*found)].strip()
        assert found[1] <= start or found[0] >= end


@pytest.mark.parametrize("example", examples("not_piece"))
def test_the_title_may_offer_the_whole_goods(example: str) -> None:
    text, spans = read(example)
    assert not any(load().piece(text, start, end) for start, end in spans)


@pytest.mark.parametrize("example", examples("used"))
def test_the_goods_are_used(example: str) -> None:
    assert load().says_used(read(example)[0])


@pytest.mark.parametrize("example", examples("used"))
def test_the_goods_are_used_whatever_is_declared(example: str) -> None:
    assert load().says_used(read(example)[0], new=True)


@pytest.mark.parametrize("example", examples("new_too"))
def test_goods_that_are_declared_new_are_called_so_too(example: str) -> None:
    title = read(example)[0]
    assert load().says_used(title)
    assert not load().says_used(title, new=True)


@pytest.mark.parametrize("example", examples("not_used"))
def test_nothing_says_that_the_goods_are_used(example: str) -> None:
    assert not load().says_used(read(example)[0])


def test_every_language_has_its_examples() -> None:
    counts = {
        path.stem: sum(map(len, yaml.safe_load(path.read_text(encoding="utf-8")).values()))
        for path in HERE.glob("*.yaml")
    }
    assert counts.keys() == load().versions.keys()
    assert min(counts.values()) >= LEAST
