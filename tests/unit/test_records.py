"""Rows of files: times, numbers, and what is refused with which words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.records import (
    FIRST_TIME,
    LAST_TIME,
    Listing,
    Refused,
    Right,
    RowError,
    Sale,
    format_time,
    from_mapping,
    parse_lines,
    parse_time,
)

ROW = {"listing_id": "l", "seller_id": "s", "occurred_at": 0, "title": "t"}


@given(st.integers(FIRST_TIME, LAST_TIME))
def test_a_time_written_is_read_back(millis: int) -> None:
    assert parse_time(format_time(millis)) == millis
    assert parse_time(millis) == millis


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-11-24T12:00:00Z", datetime(2026, 11, 24, 12, tzinfo=UTC)),
        ("2026-11-24T12:00:00+02:00", datetime(2026, 11, 24, 10, tzinfo=UTC)),
        ("2026-11-24", datetime(2026, 11, 24, tzinfo=UTC)),
        (1_764_000_000_000.0, datetime(2025, 11, 24, 16, tzinfo=UTC)),
    ],
)
def test_times_are_utc(value: object, moment: datetime) -> None:
    assert parse_time(value) == int(moment.timestamp() * 1000)


@pytest.mark.parametrize("value", [True, None, "yesterday", 1.5, [], 10**18, -(10**18), 1e300])
def test_what_is_no_time_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_time(value)


def test_a_time_nobody_can_write_is_still_shown() -> None:
    assert format_time(2**63 - 1) == "9223372036854775807 ms"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"price_minor": 10**30}, "price_minor"),
        ({"revision": -(2**63) - 1}, "revision"),
        ({"price_minor": "12"}, "price_minor"),
        ({"images": [{"url": "u", "pdq_quality": 2**31}]}, "images[0].pdq_quality"),
        ({"kind": "SOLD"}, "kind"),
        ({"title": None}, "title"),
        ({"occurred_at": 10**18}, "occurred_at"),
        ({"ships_to": "DE"}, "ships_to"),
    ],
)
def test_a_bad_value_is_refused_with_its_field(values: dict[str, object], field: str) -> None:
    with pytest.raises(RowError) as error:
        from_mapping(ROW | values, Listing)
    assert f"field '{field}'" in str(error.value)


def test_a_null_is_an_absent_field_and_unknown_names_are_passed_over() -> None:
    assert from_mapping(ROW | {"brand": None, "colour": "red"}, Listing).brand == ""


def test_numbers_as_large_as_avro_has_them_are_taken() -> None:
    sale = {"event_id": "e", "listing_id": "l", "seller_id": "s", "occurred_at": 0}
    assert from_mapping(sale | {"quantity": 2**63 - 1}, Sale).quantity == 2**63 - 1


def test_rows_are_told_with_file_line_field_and_reason() -> None:
    lines = [
        b'\xef\xbb\xbf{"right_id": "r-1", "owner": "O"}\n',
        b"\n",
        b'{"right_id": "r-2"}\n',
        b"{nonsense\n",
        b'["a list"]\n',
        b'{"right_id": "r-3", "owner": "\xff"}\n',
        b'{"right_id": "r-4", "owner": "O", "valid_until": "soon"}\n',
        b'{"right_id": "r-5", "owner": "O"}',
    ]
    rows = list(parse_lines(lines, Right, "rights.jsonl"))
    assert [row.right_id for row in rows if isinstance(row, Right)] == ["r-1", "r-5"]
    refused = [str(row) for row in rows if isinstance(row, Refused)]
    assert refused[0] == "rights.jsonl:3: field 'owner': missing, and it is required"
    assert refused[1].startswith("rights.jsonl:4: JSON is malformed")
    assert refused[2] == "rights.jsonl:5: expected a JSON object"
    assert refused[3].startswith("rights.jsonl:6: ")
    assert refused[4].startswith("rights.jsonl:7: field 'valid_until': ")
