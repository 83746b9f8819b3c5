"""A few thousand inputs of the fuzzing, and that it sees what it is there to see."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz.mutation import LARGEST, Mutator
from tests.fuzz.run import ROOT, Outcome, built_with_sanitizers, run
from tests.fuzz.targets import TARGETS

SEED = "short"
SHORT = 6000
"""Inputs in all."""


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_is_found_in_a_short_run(name: str) -> None:
    """By `make fuzz` it is a million inputs, of another seed each time."""
    _, share = TARGETS[name]
    outcome = run(name, max(20, share * SHORT // 1000), SEED)
    assert not outcome.finding, outcome.shown()


@pytest.fixture(scope="module")
def sanitized() -> Iterator[Path]:
    """The libraries in C, built by gcc with sanitizers."""
    if shutil.which("gcc") is None:
        pytest.skip("sanitizers take gcc")
    folder = built_with_sanitizers()
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("name", ["stored-batches", "listings"])
def test_the_libraries_hold_under_sanitizers(name: str, sanitized: Path) -> None:
    outcome = run(name, 300, SEED, sanitized)
    assert not outcome.finding, outcome.shown()


def test_sanitizers_see_a_read_beyond_the_end(sanitized: Path) -> None:
    outcome = run("overread", 50, SEED, sanitized, module="tests.fuzz.planted")
    assert "AddressSanitizer: heap-buffer-overflow" in outcome.finding
    assert "stored_batches.c" in outcome.finding
    sources = {path.stem for room in ("streams", "agents") for path in (ROOT / room).rglob("*.c")}
    assert {path.stem.removeprefix("_") for path in sanitized.glob("*.so")} == sources


def _planted(what: str) -> Outcome:
    return run(what, 50, SEED, silent_seconds=4, module="tests.fuzz.planted")


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("error", "ZeroDivisionError"),
        ("crash", "ended with -11"),
        ("exit", "ended with 7"),
        ("hang", "no end within 4 s"),
        ("slow", "s of processor time"),
        ("memory", "grown by"),
    ],
)
def test_what_goes_wrong_is_found_with_the_input_that_did_it(what: str, words: str) -> None:
    outcome = _planted(what)
    assert words in outcome.finding
    assert outcome.input == b"bad"
    assert outcome.inputs == 3


def test_what_is_sound_is_counted() -> None:
    outcome = _planted("sound")
    assert (outcome.finding, outcome.inputs) == ("", 50)


def test_the_same_seed_draws_the_same() -> None:
    seeds = [b"one two three" * 5, b"{}"]
    first, second, other = (Mutator(seeds, [b"word"], seed) for seed in ("a", "a", "b"))
    drawn = [first.next() for _ in range(300)]
    assert drawn == [second.next() for _ in range(300)]
    assert drawn != [other.next() for _ in range(300)]
    assert len(set(drawn)) > 250
    assert max(map(len, drawn)) <= LARGEST
