"""Trade numbers: check digits, forms, and whose prefix they carry."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.gtin import (
    digits_of,
    gtin_14,
    has_valid_check_digit,
    prefix_table,
    problem_of,
    rights_of,
)
from agents.records import Right


def with_check_digit(body: str) -> str:
    """Return the number with the digit that makes it valid, found by trying."""
    return next(body + last for last in "0123456789" if has_valid_check_digit(body + last))


@pytest.mark.parametrize(
    "number",
    # The examples of the GS1 General Specifications and of everyday goods.
    ["6291041500213", "4006381333931", "036000291452", "96385074", "10614141000415"],
)
def test_valid_numbers(number: str) -> None:
    assert has_valid_check_digit(number)
    assert problem_of(number) == ""
    assert problem_of(f" {number[:3]}-{number[3:7]} {number[7:]} ") == ""


@given(
    body=st.sampled_from([7, 11, 12, 13]).flatmap(
        lambda n: st.text("0123456789", min_size=n, max_size=n)
    ).filter(lambda body: body.strip("0")),
    place=st.integers(0, 13),
    step=st.integers(1, 9),
)  # fmt: skip
def test_every_single_mistyped_digit_is_noticed(body: str, place: int, step: int) -> None:
    number = with_check_digit(body)
    place %= len(number)
    typed = number[:place] + str((int(number[place]) + step) % 10) + number[place + 1 :]
    assert not has_valid_check_digit(typed)
    assert "check digit" in problem_of(typed)


@pytest.mark.parametrize(
    "text", ["", "Does not apply", "12345", "40063813339", "४००६३८१३३३९३१", "4006381333931x"]
)
def test_what_is_no_number(text: str) -> None:
    assert digits_of(text) == ""
    assert "no GTIN" in problem_of(text)


def test_zeros_alone_are_no_number() -> None:
    assert "check digit" in problem_of("0000000000000")


def right(right_id: str, *prefixes: str) -> Right:
    return Right(right_id, right_id, gtin_prefixes=prefixes)


def owners(number: str, *rights: Right) -> list[str]:
    return [rights[i].right_id for i in rights_of(number, prefix_table(enumerate(rights)))]


def test_the_longest_prefix_wins() -> None:
    rights = (right("short", "4006"), right("long", "4006381"), right("other", "5000"))
    assert owners("4006381333931", *rights) == ["long"]
    assert owners(with_check_digit("400600000000"), *rights) == ["short"]
    assert owners(with_check_digit("761234567890"), *rights) == []


def test_two_rights_of_one_prefix() -> None:
    assert owners("4006381333931", right("a", "4006381"), right("b", "4006381")) == ["a", "b"]


@pytest.mark.parametrize("prefix", ["036000", "0036000", "36000"])
def test_a_twelve_digit_number_is_found_by_either_form_of_its_prefix(prefix: str) -> None:
    mine = right("mine", prefix)
    expected = ["mine"] if prefix.startswith("0") else []
    assert owners("036000291452", mine) == expected
    assert owners("0036000291452", mine) == expected


def test_a_case_carries_the_prefix_behind_its_packaging_level() -> None:
    assert owners(with_check_digit("1400638133393"), right("mine", "4006381")) == ["mine"]


@pytest.mark.parametrize("body", ["200638133393", "978381333931", "020638133393"])
def test_numbers_that_no_company_owns(body: str) -> None:
    assert owners(with_check_digit(body), right("mine", body[:7])) == []


def test_a_short_number_carries_no_company_prefix() -> None:
    assert owners("96385074", right("mine", "9638")) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4006381333931", "04006381333931"),
        ("04006381333931", "04006381333931"),
        ("036000291452", "00036000291452"),
        ("96385074", "00000096385074"),
        ("4006381333932", ""),
        ("0000000000000", ""),
        ("12345", ""),
        ("four", ""),
        ("٤٠٠٦٣٨١٣٣٣٩٣١", ""),
    ],
)
def test_gtins_are_checked_and_brought_to_one_length(text: str, expected: str) -> None:
    assert gtin_14(text) == expected
