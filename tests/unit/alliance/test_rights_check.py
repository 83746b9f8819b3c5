"""What a registry can't use is refused, however it is written, in no more time than it is long."""

from __future__ import annotations

from typing import Any

import pytest

from agents.alliance.rights_check import MOST_OF, MOST_OF_MARK, MOST_TOLD, problems_of, shown
from agents.records import AuthorisedSeller, Right


def right(**values: Any) -> Right:
    return Right(**{"right_id": "tm-1", "owner": "Owner", "mark": "Zorvex", **values})


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"mark": "Dolce & Gabbana", "aliases": ("耐克", "نايك", "Найк", "C&A", "ロレックス")},
        {"aliases": ("می\u200cخواهم", "क्\u200dष")},  # spelled with joiners
        {"mark": "", "image_hashes": ("0" * 64,)},
        {"mark": "x" * MOST_OF_MARK, "aliases": tuple(f"alias {n}" for n in range(200))},
        # What would be a disaster can be used, and is told apart.
        {"mark": "X"},
        {"mark": "the"},
        {"aliases": ("",)},
    ],
)
def test_what_can_be_used(values: dict[str, Any]) -> None:
    assert problems_of(right(**values)) == []


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"right_id": " "}, "field 'right_id': empty"),
        ({"owner": ""}, "field 'owner': empty"),
        ({"mark": " "}, "field 'mark': empty, and no image_hashes or gtin_prefixes"),
        ({"common_word": True}, "field 'category_words': empty, and a common word counts only"),
        ({"territories": ("Germany",)}, "field 'territories': 'Germany' is no ISO 3166-1"),
        ({"territories": ("DE\n",)}, r"field 'territories': 'DE{U+000A}' is no ISO"),
        (
            {"authorised_sellers": (AuthorisedSeller("s", ("de",)),)},
            "field 'authorised_sellers.territories': 'de'",
        ),
        ({"nice_classes": (46,)}, "field 'nice_classes': 46 is not within 1 to 45"),
        ({"image_hashes": ("0" * 63,)}, "field 'image_hashes': '0000"),
        ({"image_hashes": ("0" * 64 + "\n",)}, "is no PDQ hash"),
        ({"gtin_prefixes": ("4006\n",)}, "field 'gtin_prefixes': '4006{U+000A}' is no GS1 prefix"),
        (
            {"reference_price_minor": 5, "reference_currency": "EUR\n"},
            "field 'reference_currency'",
        ),
        ({"gtin_prefixes": ("١٢٣٤",)}, "field 'gtin_prefixes': '١٢٣٤' is no GS1 prefix"),
        ({"reference_price_minor": 0}, "field 'reference_price_minor': must be above 0"),
        ({"reference_price_minor": 5}, "field 'reference_currency'"),
        ({"valid_from": 5, "valid_until": 5}, "field 'valid_until': not after valid_from"),
        # Hostile ones.
        ({"mark": "Zor\x07vex"}, "'Zor{U+0007}vex' has U+0007, which shows nothing"),
        ({"mark": "Zor\u202evex"}, "'Zor{U+202E}vex' has U+202E"),
        ({"aliases": ("Zor\u200bvex",)}, "field 'aliases': 'Zor{U+200B}vex' has U+200B"),
        ({"aliases": ("Zorvex\uffff",)}, "has U+FFFF"),
        ({"category_words": ("te\na",)}, "field 'category_words': 'te{U+000A}a'"),
        ({"right_id": "tm\x1b[31m"}, "field 'right_id': 'tm{U+001B}[31m' has U+001B"),
        ({"owner": "O" * 300}, "field 'owner': 'OOOO"),
        (
            {"authorised_sellers": (AuthorisedSeller("s\x00"),)},
            "field 'authorised_sellers.seller_id'",
        ),
        ({"mark": "x" * 1_000_000}, "…' has 1,000,000 characters, and 100 are the most"),
        ({"mark": "\u202e" * 1_000_000}, "1,000,000 characters"),
        ({"aliases": ("a" * 101,)}, "field 'aliases': 'aaaa"),
        ({"aliases": ("alias",) * 100_000}, "field 'aliases': 100,000 entries, and 200 are"),
        (
            {"authorised_sellers": (AuthorisedSeller("s", ("DE",) * 4_000),) * 100},
            "bytes, and 1,000,000 are the most",
        ),
    ],
)
def test_what_can_not_be_used_is_told_with_its_field(values: dict[str, Any], says: str) -> None:
    problems = problems_of(right(**values))
    assert any(says in problem for problem in problems), problems
    assert all(len(problem) < 500 and problem.isprintable() for problem in problems)


@pytest.mark.parametrize("name", sorted(MOST_OF))
def test_no_list_is_longer_than_is_needed(name: str) -> None:
    (problem,) = problems_of(right(**{name: ("1",) * (MOST_OF[name] + 1)}))
    assert problem.startswith(f"field '{name}': {MOST_OF[name] + 1:,} entries")


def test_a_thousand_problems_are_told_as_a_few() -> None:
    problems = problems_of(right(territories=("Germany",) * 250))
    assert len(problems) == MOST_TOLD + 1
    assert problems[-1].endswith(", and 244 more")


def test_what_shows_nothing_is_shown_as_its_code_point() -> None:
    assert shown("a\u202eb\x1b") == "'a{U+202E}b{U+001B}'"
    assert shown("x" * 41) == f"'{'x' * 39}…'"
