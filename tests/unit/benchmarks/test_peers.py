"""The peers: what a contestant did, what several did together, and what the report says of it."""

from __future__ import annotations

import argparse
import io
import os
from collections.abc import Callable
from typing import Any

import fastavro
import pytest

import schemas
from tests.benchmarks import machine
from tests.benchmarks.__main__ import codecs, numbers
from tests.benchmarks.peers.comparison import conditions, section
from tests.benchmarks.peers.contest import Condition, Contest
from tests.benchmarks.peers.ours import Report, Sample, together
from tests.benchmarks.peers.programs import PEERS, MissingPeerError, kafka_streams, kcat
from tests.benchmarks.peers.rounds import OURS, Entrant, Rounds, play
from tests.benchmarks.peers.work import Clock, Job, Outcome, Screening
from tests.benchmarks.subjects import Options

SCHEMA = schemas.load("listing")


def _job(**values: Any) -> Job:
    given: dict[str, Any] = {
        "way": "scan", "bootstrap": "", "broker": os.getpid(), "registry": "", "topic": "",
        "takedowns": "", "group": "", "partitions": 1, "listings": 10, "schema": SCHEMA,
        "marks": ["Zorvex", "Quandrel"], "currency": "USD", "below_minor": 7_000,
    }  # fmt: skip
    return Job(**given | values)


def _value(**fields: Any) -> bytes:
    listing = {
        "event_id": "e", "kind": "CREATED", "listing_id": "l", "revision": 1, "seller_id": "s",
        "occurred_at": 0, "title": "A watch", "price_minor": 3_000, "currency": "USD", **fields,
    }  # fmt: skip
    stream = io.BytesIO(b"\0\0\0\0\1")
    stream.seek(5)
    fastavro.schemaless_writer(stream, fastavro.parse_schema(SCHEMA), listing)
    return stream.getvalue()


@pytest.mark.parametrize("way", ["raw", "decoded"])
@pytest.mark.parametrize(
    ("fields", "named", "acted"),
    [
        ({}, 0, 0),
        ({"title": "ZORVEX watch"}, 1, 1),
        ({"description": "like zorvex and quandrel"}, 1, 1),
        ({"title": "Zorvex watch", "price_minor": 7_000}, 1, 0),
        ({"title": "Zorvex watch", "price_minor": None}, 1, 0),
        ({"title": "Zorvex watch", "currency": "EUR"}, 1, 0),
    ],
)
def test_what_names_a_mark_and_is_cheap_is_taken_down_by_either_way(
    way: str, fields: dict[str, Any], named: int, acted: int
) -> None:
    screening = Screening(_job())
    value = _value(**fields)
    takedown = screening.raw(value) if way == "raw" else screening.decoded(screening.decode(value))
    assert (screening.named, screening.acted) == (named, acted)
    assert (takedown is not None) == bool(acted)


def test_the_clock_runs_from_the_first_listings_to_the_last() -> None:
    clock = Clock(_job(listings=10))
    assert [clock.count(4), clock.count(5), clock.count(1)] == [False, False, True]
    outcome = clock.outcome("1", 3, 1)
    assert (outcome.listings, outcome.read, outcome.named, outcome.acted) == (6, 10, 3, 1)


def test_what_was_not_read_to_the_end_has_no_outcome() -> None:
    clock = Clock(_job(listings=10))
    clock.count(9)
    with pytest.raises(RuntimeError, match="after 9 of 10"):
        clock.outcome("1", 0, 0)


def _report(*samples: tuple[float, float, float, int]) -> Report:
    return Report([Sample(*sample) for sample in samples], 2)


def test_workers_are_measured_while_all_of_them_are_at_work() -> None:
    """The second begins at 3 s, the first is done at 6 s: 300 and 150 listings in between."""
    outcome = together(
        [
            _report((0, 1.0, 0, 0), (1, 1.5, 1, 100), (2.9, 3.0, 2, 300), (6.0, 6.0, 4.5, 600)),
            _report((0, 1.0, 0, 0), (3, 2.0, 2.5, 50), (5.9, 4.0, 4, 200), (8.0, 5.0, 5, 400)),
        ],
        warm_up=100,
    )
    assert (outcome.listings, outcome.seconds, outcome.cpu, outcome.broker) == (450, 3.0, 5.0, 2.0)
    assert (outcome.read, outcome.acted) == (1_000, 4)


def test_workers_that_were_never_at_work_together_are_refused() -> None:
    first = _report((0, 1.0, 0, 0), (1, 1.5, 0, 500), (2, 2.5, 0, 1_000))
    with pytest.raises(RuntimeError, match="one was done when another began"):
        together([first, _report((0, 1.0, 0, 0), (3, 1.5, 0, 100))], warm_up=100)
    with pytest.raises(RuntimeError, match="next to nothing to do"):
        together([first, _report((0, 1.0, 0, 0), (3, 1.5, 0, 10))], warm_up=100)


def _contest(rate: float, cpu_us: float) -> Contest:
    listings = 1_000
    cpu = listings * cpu_us / 1e6
    return Contest(Outcome("1", listings, listings / rate, cpu, 0.01, listings, 100, 10), 0.05)


def _rates(values: dict[str, list[float]]) -> Callable[[str], Callable[[int], Outcome]]:
    return lambda name: lambda number: _contest(values[name][number - 1], 1.0).outcome


def _watch(run: Callable[[], Outcome]) -> Contest:
    return Contest(run(), 0.05)


def test_of_a_peer_that_fails_the_reason_is_kept_and_the_rounds_go_on() -> None:
    def fails(number: int) -> Outcome:
        if number == 2:
            raise RuntimeError("peer failed: Traceback\nConnectionError: gone\nwaiting: <Task>\n")
        return _contest(number, 1.0).outcome

    rates = _rates({OURS: [1.0, 2.0, 3.0]})
    rounds = Rounds()
    play([Entrant(OURS, rates(OURS)), Entrant("peer", fails)], 3, _watch, rounds)
    assert [round(c.outcome.rate) for c in rounds.contests[OURS].values()] == [1, 2, 3]
    assert {n: round(c.outcome.rate) for n, c in rounds.contests["peer"].items()} == {1: 1, 3: 3}
    assert rounds.failures == {"peer": {2: "ConnectionError: gone"}}


@pytest.mark.parametrize(("command", "what"), [(kcat, "kcat"), (kafka_streams, "javac")])
def test_a_peer_that_cannot_be_had_says_what_is_missing(
    command: Callable[[], list[str]], what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingPeerError, match=f"^{what} is missing; as root: apt-get install"):
        command()


def test_nothing_is_compared_with_when_ours_fails() -> None:
    def fails(_number: int) -> Outcome:
        raise RuntimeError("ours failed")

    with pytest.raises(RuntimeError, match="ours failed"):
        play([Entrant(OURS, fails)], 1, _watch, Rounds())


def test_ratios_are_of_ours_to_the_peer_and_who_is_missing_says_why() -> None:
    """Ours is 2 and 4 times the peer in its rounds, and takes a half and a third of its CPU.

    In the second round the peer failed: it counts for nothing.
    """
    names = [peer.name for peer in PEERS]
    there, others = names[-1], names[:-1]
    rounds = Rounds(
        {
            OURS: {1: _contest(20_000, 10), 2: _contest(90_000, 10), 3: _contest(20_000, 10)},
            there: {1: _contest(10_000, 20), 3: _contest(5_000, 30)},
            "ours, lz4": {1: _contest(10_000, 10), 3: _contest(10_000, 10)},
        },
        dict.fromkeys(others, "no uv"),
        {there: {2: "ConnectionError: gone"}, "ours, zstd": {2: "no zstd"}},
        {"ours, lz4": OURS, "ours, zstd": OURS},
    )
    report = section(Options(machine.Cores(0, 1), "the command", rounds=3), "", rounds, 587.0)
    rows = {
        row[0]: dict(zip(report.tables[0].head, row, strict=True)) for row in report.tables[0].rows
    }
    assert rows[there]["ours to it, listings/s"] == "3.00 × (2.00–4.00)"
    assert rows[there]["ours to it, CPU"] == "0.42 × (0.33–0.50)"
    assert {rows[name]["listings/s"] for name in others} == {"not run: no uv"}
    varied = {row[0]: row for row in report.tables[1].rows}
    assert varied["ours, lz4"][3] == "0.50 × (0.50–0.50)"
    assert varied["ours, zstd"][1] == "not run: in round 2, no zstd"
    assert any("ConnectionError: gone" in note for note in report.notes)


def test_each_further_condition_differs_from_the_first_in_one_thing() -> None:
    options = Options(
        machine.Cores(0, 1),
        "",
        listings=100,
        compressions=("lz4", "none", "zstd"),
        partitions=(4, 64),
        workers=(1, 2),
    )
    assert conditions(options) == [
        Condition("", "lz4", 4, 1, 100),
        Condition("none", "none", 4, 1, 100),
        Condition("zstd", "zstd", 4, 1, 100),
        Condition("64 partitions", "lz4", 64, 1, 100),
        Condition("2 workers", "lz4", 4, 2, 300),
    ]


def test_workers_have_cores_of_their_own_from_the_contestants_downwards() -> None:
    assert [machine.Cores(0, 3, (0, 1, 2, 3)).worker(n) for n in range(5)] == [3, 2, 1, 0, 3]
    assert [machine.Cores(0, 0, (0,)).worker(n) for n in range(2)] == [0, 0]


def test_lists_on_the_command_line_are_checked() -> None:
    assert codecs("none,lz4") == ("none", "lz4")
    assert numbers("4,64") == (4, 64)
    with pytest.raises(argparse.ArgumentTypeError, match="no codec 'brotli'"):
        codecs("none,brotli")
    for text in ("", "0", "4,", "a"):
        with pytest.raises(argparse.ArgumentTypeError, match="no number"):
            numbers(text)
