"""Stop words in every language of the vocabulary: what is one and what is none, and bad files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

import agents.monitoring.vocabulary
from agents.monitoring.reference import ReferenceDataError
from agents.monitoring.reference.stop_words import read_stop_words, stop_words
from tests.benchmarks.judgement.speak import LANGUAGES, speech

EXAMPLES: dict[str, Any] = yaml.safe_load(
    Path(__file__).with_name("stop_words.yaml").read_text(encoding="utf-8")
)
SHIPPED = Path(agents.monitoring.vocabulary.__file__).parents[1] / "reference" / "stop_words.yaml"


def test_every_language_of_the_vocabulary_has_its_words_and_examples() -> None:
    vocabulary = sorted(path.stem for path in SHIPPED.parents[1].glob("vocabulary/*.yaml"))
    assert sorted(stop_words().languages) == vocabulary
    assert sorted(EXAMPLES["stop"]) == vocabulary
    for language, groups in EXAMPLES["stop"].items():
        assert sorted(groups) == ["function", "goods", "market"], language
        assert all(len(words) >= 5 for words in groups.values()), language


@pytest.mark.parametrize(
    ("language", "kind", "word"),
    [
        (language, kind, word)
        for language, groups in EXAMPLES["stop"].items()
        for kind, words in groups.items()
        for word in words
    ],
)
def test_a_stop_word(language: str, kind: Any, word: str) -> None:
    assert stop_words().language_of(word), word
    assert stop_words().language_of(word.upper()), "in capitals"
    others = [one for one in ("function", "market", "goods") if one != kind]
    if word not in EXAMPLES["of several kinds"]:
        found = stop_words().language_of(word, others)  # type: ignore[arg-type]
        assert found != language, f"{word} is of kind {kind} alone"


@pytest.mark.parametrize("word", EXAMPLES["none"])
def test_no_stop_word(word: str) -> None:
    assert stop_words().language_of(word) == ""


def test_words_of_one_language_make_one_together_and_of_several_do_not() -> None:
    say = stop_words().language_of
    assert say("Best-Buy") == "en"
    assert say("it's the best") == "en"
    assert say("Best Zorvex") == ""
    assert say("New Era") == ""  # English and Spanish
    assert say("正品新款") == "zh"  # run together, as it is written
    assert say("小米") == ""
    assert say("L.A.") == ""  # single letters are told by themselves


def test_accents_tell_words_apart_in_vietnamese_alone() -> None:
    say = stop_words().language_of
    assert say("PARA LA MUJER") == say("nino") == "es"
    assert (say("giày dép"), say("giay dep")) == ("vi", "")


@pytest.mark.parametrize("language", sorted({*LANGUAGES} - {"th", "zh"}))
def test_sentences_that_others_wrote_hold_stop_words(language: str) -> None:
    words = [word.strip(".,!") for phrase in speech(language).plain for word in phrase.split()]
    stop = [word for word in words if stop_words().language_of(word)]
    assert len(stop) > len(words) / 10


def groups(**changed: Any) -> dict[str, Any]:
    english = {"function": "the of", "market": "new sale", "goods": "shoe", **changed}
    return {"version": 1, "languages": {"en": {k: v for k, v in english.items() if v is not None}}}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"languages": {}}, "1: expected a mapping with a version"),
        ({"version": 1}, "1: expected languages"),
        ({"version": 1, "languages": {"en": "the of"}}, "3: 'en': expected groups"),
        (groups(nouns="shoe"), "7: 'nouns': there are function, market, goods and"),
        (groups(accents="yes"), "7: 'accents': there are"),
        (groups(goods=None), "3: 'goods': expected words"),
        (groups(market=["new", "sale"]), "5: 'market': expected words"),
        (groups(market="new New"), "5: 'market': 'New' has capitals"),
        (groups(market="new sale new"), "5: 'market': 'new' stands there twice"),
        (groups(market="new -"), "5: 'market': '-': one to 4 words"),
        (groups(market="a_b_c_d_e"), "5: 'market': 'a_b_c_d_e': one to 4 words"),
    ],
)
def test_a_broken_file_is_refused_with_line_and_remedy(
    tmp_path: Path, data: Any, says: str
) -> None:
    path = tmp_path / "stop_words.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    with pytest.raises(ReferenceDataError) as raised:
        read_stop_words(path)
    assert str(raised.value).startswith(f"stop_words.yaml:{says}")
    assert str(raised.value).endswith("; correct that line, or install the assayer again")


def unclosed(path: Path) -> None:
    path.write_text("version: 1\nlanguages: {en: [\n", encoding="utf-8")


def not_text(path: Path) -> None:
    path.write_bytes(b"version: 1\nlanguages: \xff\n")


def control(path: Path) -> None:
    path.write_bytes(b"version: 1\nlanguages: \x07\n")


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (unclosed, r"stop_words\.yaml:\d: no YAML: "),
        (not_text, r"stop_words\.yaml:\d: no YAML: "),
        (control, r"stop_words\.yaml:\d: no YAML: "),
        (Path.unlink, r"stop_words\.yaml: can't be read: No such file"),
    ],
)
def test_a_file_that_is_no_yaml_is_refused(
    tmp_path: Path, damage: Callable[[Path], None], says: str
) -> None:
    path = tmp_path / "stop_words.yaml"
    path.write_bytes(SHIPPED.read_bytes())
    assert read_stop_words(path) == stop_words()
    damage(path)
    with pytest.raises(ReferenceDataError, match=says):
        read_stop_words(path)
