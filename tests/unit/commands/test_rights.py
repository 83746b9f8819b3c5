"""`assayer rights check` without a server, as people and scripts meet it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.cli import main
from agents.records import Listing, Right
from deploy.services.process import free_port

NOW = 1_790_000_000_000


@pytest.fixture(autouse=True)
def no_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ASSAYER_KAFKA_BOOTSTRAP", f"127.0.0.1:{free_port()}")
    monkeypatch.chdir(tmp_path)


def write(name: str, *rows: object) -> str:
    lines = [row if isinstance(row, bytes) else msgspec.json.encode(row) for row in rows]
    Path(name).write_bytes(b"\n".join(lines) + b"\n")
    return name


def right(right_id: str, mark: str, **values: Any) -> Right:
    return Right(right_id, "Owner", mark=mark, **values)


@pytest.fixture
def listings() -> str:
    titles = ["Zorvex diver"] * 30 + ["Quandrel lamp for the table"] * 4 + ["Oak table"] * 266
    return write(
        "listings.jsonl",
        *(Listing(f"l-{n}", "s-1", NOW, title) for n, title in enumerate(titles)),
    )


Answer = tuple[int, list[str], list[str]]


@pytest.fixture
def check(capfdbinary: pytest.CaptureFixture[bytes]) -> Any:
    def call(*arguments: str) -> Answer:
        with pytest.raises(SystemExit) as ended:
            main(["rights", "check", *arguments])
        out, err = capfdbinary.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, out.decode().splitlines(), err.decode().splitlines()

    return call


def test_without_a_server_it_says_that_the_share_was_not_measured(check: Any) -> None:
    code, out, err = check(write("r.jsonl", right("tm-1", "Zorvex")))
    assert (code, err) == (0, [])
    assert out[0].startswith("the share of recent listings was not measured: Kafka at 127.0.0.1:")
    assert out[0].endswith("; or give --against LISTINGS.jsonl")
    assert out[1:] == ["1 rights can be published, 0 problems"]
    code, out, err = check("r.jsonl", "--json")
    assert (code, err) == (0, [])
    first, last = map(json.loads, out)
    assert first == {"path": "r.jsonl", "line": 1, "right_id": "tm-1", "touched": None,
                     "listings": None}  # fmt: skip
    assert (last["accepted"], last["refused"], last["listings"]) == (1, 0, 0)


def test_disasters_are_refused_with_what_they_would_have_touched(check: Any, listings: str) -> None:
    rights = write(
        "r.jsonl",
        right("tm-1", "Zorvex"),
        right("tm-2", "Quandrel"),
        b"",
        right("tm-3", "the"),
        right("tm-4", "Only", common_word=True, category_words=("table",)),
        right("tm-5", "Mirabex", aliases=("", "M")),
    )
    code, out, err = check(rights, "--against", listings)
    assert code == 1
    assert err == [
        (
            "refused r.jsonl:1: field 'mark': mark 'Zorvex' would have touched 30 of 300 recent "
            "listings (10.0 %); more than 2 % is a disaster; narrow it, by a common_word with "
            "category_words or territories, or accept it with --confirm tm-1"
        ),
        (
            "refused r.jsonl:4: field 'mark': mark 'the' is a stop word (en); it would have "
            "touched 4 of 300 recent listings (1.3 %); make the right a common_word with "
            "category_words, or accept it with --confirm tm-3"
        ),
        (
            "refused r.jsonl:6: field 'aliases': an empty alias names nothing, or everything; "
            "leave it out, or accept it with --confirm tm-5"
        ),
        (
            "refused r.jsonl:6: field 'aliases': alias 'M' has a single letter or digit; it would "
            "have touched 0 of 300 recent listings (0.0 %); register it with what stands beside "
            "it, or accept it with --confirm tm-5"
        ),
    ]
    assert out == [
        "measured against 300 recent listings",
        "2 rights can be published, 4 problems",
    ]


def test_what_is_confirmed_is_accepted_and_told(check: Any, listings: str) -> None:
    rights = write("r.jsonl", right("tm-1", "Zorvex"), right("tm-2", "Quandrel"),
                   right("tm-3", "the"))  # fmt: skip
    arguments = (rights, "--against", listings, "--confirm", "tm-1", "--confirm", "tm-2")
    code, out, err = check(*arguments)
    assert code == 1
    assert [line.split(": ")[0] for line in err] == ["refused r.jsonl:3"], "confirmed each alone"
    assert out[0] == (
        "confirmed r.jsonl:1: field 'mark': mark 'Zorvex' would have touched 30 of 300 recent "
        "listings (10.0 %); more than 2 % is a disaster"
    )
    assert "right 'tm-2' needs no confirmation" in out
    assert out[-1] == "2 rights can be published, 1 problems"
    assert check(*arguments, "--confirm", "tm-3")[0] == 0


def test_the_report_for_programs_has_every_right_with_its_count(check: Any, listings: str) -> None:
    rights = write("r.jsonl", right("tm-1", "Zorvex"), right("tm-2", "Quandrel"), b"{",
                   right("tm-3", "Nowhere"))  # fmt: skip
    code, out, _ = check(rights, "--against", listings, "--confirm", "tm-1", "--json")
    rows = [json.loads(line) for line in out]
    assert code == 1
    assert [
        (row["right_id"], row["line"], row["touched"], row["listings"]) for row in rows[:3]
    ] == [
        ("tm-1", 1, 30, 300),
        ("tm-2", 2, 4, 300),
        ("tm-3", 4, 0, 300),
    ]
    assert (rows[3]["line"], "reason" in rows[3]) == (3, True)
    assert (rows[4]["line"], "would have touched 30 of 300" in rows[4]["confirmed"]) == (1, True)
    assert rows[5] == {"accepted": 3, "refused": 1, "confirmed": 1, "listings": 300,
                       "share": "measured against 300 recent listings"}  # fmt: skip


def test_a_few_listings_say_nothing_of_a_share(check: Any) -> None:
    few = write("few.jsonl", *(Listing(f"l-{n}", "s", NOW, "Zorvex") for n in range(199)))
    code, out, _ = check(write("r.jsonl", right("tm-1", "Zorvex")), "--against", few)
    assert code == 0
    assert out[0] == (
        "the share of recent listings says nothing yet: 199 were there, and 200 are needed"
    )
    assert json.loads(check("r.jsonl", "--against", few, "--json")[1][0])["touched"] == 199


def test_listings_that_can_not_be_read_are_passed_over_and_told(check: Any, listings: str) -> None:
    with Path(listings).open("ab") as file:
        file.write(b"{\n" * 8)
    code, out, err = check(write("r.jsonl", right("tm-2", "Quandrel")), "--against", listings)
    assert (code, out[0]) == (0, "measured against 300 recent listings")
    assert err[0].startswith("passed over listings.jsonl:301: ")
    assert err[5:] == ["passed over 3 more rows of listings.jsonl"]


def test_confirming_what_is_not_there_is_wrong_usage(check: Any) -> None:
    rights = write("r.jsonl", right("tm-1", "Zorvex"))
    code, out, err = check(rights, "--confirm", "tm-9")
    assert (code, out) == (2, [])
    assert err == ["assayer: --confirm: no right 'tm-9' in these files"]


def test_what_can_not_be_used_is_not_confirmed(check: Any) -> None:
    rights = write("r.jsonl", right("tm-1", "Zor\u202evex"))
    code, _, err = check(rights, "--confirm", "tm-1")
    assert code == 1
    assert err == [
        (
            "refused r.jsonl:1: field 'mark': 'Zor{U+202E}vex' has U+202E, which shows nothing; "
            "leave it out"
        )
    ]


def test_hostile_rows_are_refused_and_the_rest_goes_on(check: Any) -> None:
    rights = write(
        "r.jsonl",
        right("tm-1", "x" * 1_000_000),
        right("tm-2", "Zorvex", aliases=tuple(f"alias {n}" for n in range(100_000))),
        b"[" * 100_000,
        right("tm-4", "\u202e" * 1_000_000),
        right("tm-5", "Quandrel"),
    )
    code, out, err = check(rights)
    assert code == 1
    assert [line.split(": ")[0] for line in err] == [f"refused r.jsonl:{n}" for n in (1, 2, 3, 4)]
    assert all(len(line) < 500 and line.isprintable() for line in err)
    assert out[-1] == "1 rights can be published, 4 problems"


def test_screen_takes_what_could_be_confirmed(
    listings: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """A worker may have such a right in its registry, and screen judges as a worker does."""
    rights = write("r.jsonl", right("tm-1", "the", aliases=("", "Z")))
    with pytest.raises(SystemExit) as ended:
        main(["screen", listings, "--rights", rights])
    out, err = capfdbinary.readouterr()
    assert (ended.value.code, err) == (0, b"")
    assert sum(b'"right_id":"tm-1"' in line for line in out.splitlines()) == 4


def test_the_same_is_told_once(check: Any) -> None:
    err = check(write("r.jsonl", right("tm-1", "Zorvex", aliases=("",) * 200)))[2]
    assert len(err) == 1


def test_rows_are_numbered_as_they_stand_in_the_file(check: Any) -> None:
    """Blank lines count, and a byte order mark makes no line."""
    good, bad = (msgspec.json.encode(right(*row)) for row in (("tm-1", "Zorvex"), ("tm-2", "X")))
    Path("r.jsonl").write_bytes(b"\xef\xbb\xbf\n\n" + good + b"\n \n" + bad)
    assert [line.split(": ")[0] for line in check("r.jsonl")[2]] == ["refused r.jsonl:5"]
