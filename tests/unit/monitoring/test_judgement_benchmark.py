"""The benchmark of judgement runs on the shipped sample, and keeps its own promises."""

from __future__ import annotations

import pytest

from agents.alliance.rights_check import problems_of
from tests.benchmarks.judgement import report
from tests.benchmarks.judgement.bases import sample_rows
from tests.benchmarks.judgement.halves import HALVES, of_half
from tests.benchmarks.judgement.hide import TECHNIQUES
from tests.benchmarks.judgement.rights import marks
from tests.benchmarks.judgement.run import Tried, cases, run
from tests.benchmarks.judgement.speak import LANGUAGES, speech


@pytest.fixture(scope="module")
def tried() -> list[Tried]:
    return run(list(cases(sample_rows(), "dev", 1, 1)))


def test_the_same_seed_makes_the_same_cases() -> None:
    rows = sample_rows()
    assert list(cases(rows, "dev", 1, 1)) == list(cases(rows, "dev", 1, 1))
    assert list(cases(rows, "dev", 1, 1)) != list(cases(rows, "dev", 2, 1))


def test_no_listing_is_in_both_halves() -> None:
    rows = sample_rows()
    titles = [
        {case.listing.title for case in cases(rows, half, 1, 1) if not case.technique}
        for half in HALVES
    ]
    shared = titles[0] & titles[1]
    assert len(shared) < 0.02 * len(titles[0]), shared


def test_every_language_has_phrases_in_both_halves() -> None:
    for language in LANGUAGES:
        for phrases in (speech(language).replica, speech(language).nominative):
            dev, test = of_half(phrases, "dev"), of_half(phrases, "test")
            assert dev, language
            assert test, language
            assert not set(dev) & set(test), language


def test_the_rights_could_be_loaded() -> None:
    assert [problem for mark in marks() for problem in problems_of(mark.right)] == []
    assert len(marks()) >= 60


def test_every_technique_and_both_groups_are_tried(tried: list[Tried]) -> None:
    assert {item.case.group for item in tried} == {"infringing", "honest"}
    assert {*TECHNIQUES} <= {item.case.technique for item in tried}
    assert {*LANGUAGES} <= {item.case.language for item in tried}


def test_an_authorised_seller_is_never_removed(tried: list[Tried]) -> None:
    authorised = [item for item in tried if item.case.name.startswith("authorised")]
    assert authorised
    assert [item for item in authorised if item.verdict.outcome == "remove"] == []


def test_evidence_quotes_the_listing(tried: list[Tried]) -> None:
    assert [item for item in tried if item.misquoted] == []


def test_the_report_names_every_class(tried: list[Tried]) -> None:
    page = report.generated(tried)
    assert [item.case.name for item in tried if f"| {item.case.name} |" not in page] == []
