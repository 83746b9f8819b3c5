"""Shipped data is checked when it is read: file, line, what is wrong, what to do."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import agents.cli
import agents.monitoring.confusables
import agents.monitoring.reference
import agents.monitoring.vocabulary
from agents.monitoring.confusables import read_table
from agents.monitoring.data_files import DataFileError
from agents.monitoring.reference import (
    COUNTRIES,
    MINOR_UNIT_EXPONENT,
    read_class_words,
    read_countries,
    read_currencies,
)
from agents.monitoring.vocabulary import VocabularyError, load
from agents.monitoring.vocabulary.loader import read_vocabulary

REMEDY = "; correct that line, or install the assayer again"


def folder_of(module_file: str | None) -> Path:
    assert module_file
    return Path(module_file).parent


VOCABULARY = folder_of(agents.monitoring.vocabulary.__file__)
REFERENCE = folder_of(agents.monitoring.reference.__file__)
CONFUSABLES = folder_of(agents.monitoring.confusables.__file__)


@pytest.fixture(name="copy")
def a_copy(tmp_path: Path) -> Path:
    for folder in (VOCABULARY, REFERENCE):
        for path in folder.glob("*.yaml"):
            shutil.copy(path, tmp_path)
    return tmp_path


def english(copy: Path) -> Path:
    """Leave the English vocabulary alone in a folder of its own."""
    folder = copy / "english"
    folder.mkdir()
    shutil.copy(copy / "en.yaml", folder)
    return folder


def test_the_shipped_vocabulary_reads_as_it_does_in_use(tmp_path: Path) -> None:
    for path in VOCABULARY.glob("*.yaml"):
        shutil.copy(path, tmp_path)
    assert read_vocabulary(tmp_path).versions == load().versions


def line_with(path: Path, text: str) -> int:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("    - 'counterfeits?'", "    - '(counterfeit'", "replica.strong: '(counterfeit'"),
        ("    - 'counterfeits?'", "    - 'Counterfeit'", "replica.strong: 'Counterfeit': has"),
        ("    - 'counterfeits?'", "    - 'x*'", "replica.strong: 'x*'"),
        ("    - 'counterfeits?'", "    - ''", "replica.strong: '': expected"),
        ("    - 'counterfeits?'", "    - 77", "replica.strong: 77: expected"),
        ("    - 'dupes?'", "    - '(?=dupe)'", "replica.inspired: '(?=dupe)'"),
        ("  strong:", "  storng:", "unknown group 'replica.storng'"),
        ("  - 'knockoff'", "  - 'kn.ckoff'", "literals: 'kn.ckoff'"),
        ("language: en", "language: xx", "language: expected 'en'"),
        ("version: 7", "version: none", "version: expected"),
    ],
)
def test_a_broken_entry_of_the_vocabulary_is_told_with_its_line(
    copy: Path, old: str, new: str, problem: str
) -> None:
    path = english(copy) / "en.yaml"
    text = path.read_text(encoding="utf-8")
    assert text.count(f"\n{old}\n") == 1
    path.write_text(text.replace(f"\n{old}\n", f"\n{new}\n"), encoding="utf-8")
    with pytest.raises(VocabularyError) as raised:
        read_vocabulary(path.parent)
    assert isinstance(raised.value, DataFileError)
    told = str(raised.value)
    assert told.startswith(f"en.yaml:{line_with(path, new)}: {problem}"), told
    assert told.endswith(REMEDY)


def unclosed(path: Path) -> None:
    path.write_text("version: 1\nlanguage: [en\n", encoding="utf-8")


def tabs(path: Path) -> None:
    path.write_text("version: 1\n\tlanguage: en\n", encoding="utf-8")


def not_text(path: Path) -> None:
    path.write_bytes(b"version: 1\nlanguage: \xff\n")


def unknown_tag(path: Path) -> None:
    path.write_text("version: 1\nlanguage: !!python/object:os.system {}\n", encoding="utf-8")


@pytest.mark.parametrize("damage", [unclosed, tabs, not_text, unknown_tag])
def test_a_file_that_is_no_yaml_is_told_with_its_line(
    copy: Path, damage: Callable[[Path], None]
) -> None:
    for name, read in (
        ("en.yaml", read_vocabulary),
        ("currencies.yaml", read_currencies),
        ("countries.yaml", read_countries),
        ("nice_classes.yaml", read_class_words),
    ):
        folder = english(copy) if name == "en.yaml" else copy
        damage(folder / name)
        with pytest.raises(DataFileError, match=rf"^{name}:[1-4]: no YAML: .*{REMEDY}$"):
            read(folder)


def test_a_file_that_is_missing_is_told(copy: Path) -> None:
    (copy / "currencies.yaml").unlink()
    with pytest.raises(DataFileError, match=r"^currencies\.yaml: can't be read: No such file"):
        read_currencies(copy)


def test_copies_of_the_reference_data_read_alike(copy: Path) -> None:
    assert read_currencies(copy) == MINOR_UNIT_EXPONENT
    assert read_countries(copy)[0] == COUNTRIES
    assert read_class_words(copy).spaced["watch"] == {14}


@pytest.mark.parametrize(
    ("name", "text", "line", "problem"),
    [
        ("currencies.yaml", "version: 1\nminor_unit_digits:\n  0: JPY\n  2: USD EURO\n", 4,
         "'EURO': not three capital letters"),
        ("currencies.yaml", "version: 1\nminor_unit_digits:\n  0: JPY\n  2: USD JPY\n", 4,
         "'JPY': not three"),
        ("currencies.yaml", "version: 1\nminor_unit_digits:\n  two: USD\n", 2, "'two': expected"),
        ("currencies.yaml", "version: 1\nminor_unit_digits: USD\n", 2, "expected a mapping"),
        ("currencies.yaml", "version: 1\n", 1, "'minor_unit_digits': expected a mapping"),
        ("currencies.yaml", "- USD\n", 1, "expected a mapping with a version"),
        ("countries.yaml", "version: 1\ncodes: DE Germany\nalso: {}\n", 2, "'Germany': not two"),
        ("countries.yaml", "version: 1\ncodes: DE\nalso:\n  EU: DE FR\n", 4, "'EU': FR is none"),
        ("countries.yaml", "version: 1\ncodes: DE\n", 1, "'also': expected a mapping"),
        ("nice_classes.yaml", "version: 1\nclasses:\n  9: [phone]\n  46: [watch]\n", 4,
         "46: Nice classes are 1 to 45"),
        ("nice_classes.yaml", "version: 1\nclasses:\n  9: [a b c d e]\n", 3, "9: 'a b c d e'"),
        ("nice_classes.yaml", "version: 1\nclasses:\n  9: phone\n", 3, "9: expected a list"),
    ],
)  # fmt: skip
def test_broken_reference_data_is_told_with_its_line(
    copy: Path, name: str, text: str, line: int, problem: str
) -> None:
    (copy / name).write_text(text, encoding="utf-8")
    read = {
        "currencies.yaml": read_currencies,
        "countries.yaml": read_countries,
        "nice_classes.yaml": read_class_words,
    }[name]
    with pytest.raises(DataFileError) as raised:
        read(copy)
    assert str(raised.value).startswith(f"{name}:{line}: "), raised.value
    assert problem in str(raised.value)
    assert str(raised.value).endswith(REMEDY)


def test_confusables_that_are_no_text_or_have_a_bad_row_are_told_with_what_to_do(
    tmp_path: Path,
) -> None:
    """Each kind of bad row stands in test_confusables.py."""
    for path in CONFUSABLES.glob("*.tsv"):
        shutil.copy(path, tmp_path)
    table = tmp_path / "table.tsv"
    good = table.read_bytes()
    count = good.count(b"\n")
    table.write_bytes(good + b"4E00\ta\tscrpit\n")
    with pytest.raises(DataFileError, match=rf"^table\.tsv:{count + 1}: unknown kind .*{REMEDY}$"):
        read_table(tmp_path)
    table.write_bytes(good + b"\xff\n")
    with pytest.raises(DataFileError, match=rf"^table\.tsv:{count + 1}: not UTF-8: .*{REMEDY}$"):
        read_table(tmp_path)


def test_the_command_tells_it_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], copy: Path
) -> None:
    rights = copy / "rights.jsonl"
    rights.write_text('{"right_id": "tm-1", "owner": "O", "mark": "Zorvex"}\n', encoding="utf-8")

    def broken() -> None:
        (copy / "currencies.yaml").write_text("version: 1\n", encoding="utf-8")
        read_currencies(copy)

    monkeypatch.setattr("agents.monitoring.dangers.stop_words", broken)
    monkeypatch.setenv("ASSAYER_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    with pytest.raises(SystemExit) as ended:
        agents.cli.main(["rights", "check", str(rights)])
    assert ended.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "assayer: currencies.yaml:1: 'minor_unit_digits': expected a mapping" + REMEDY + "\n"
    )
