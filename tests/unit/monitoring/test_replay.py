"""A replay finds the same in whatever parts, order and processes, and tells what goes wrong."""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.monitoring.comparison import Ruling
from agents.monitoring.policies import DEFAULT, default_policy
from agents.monitoring.replay.findings import MOST_REFUSED, Findings
from agents.monitoring.replay.periods import LENGTHS, MOST, Periods
from agents.monitoring.replay.processes import ReplayError, replay
from agents.monitoring.replay.replayer import Candidate, Replayer, Setup
from agents.monitoring.replay.sources import Part, Range, from_file, whole
from agents.monitoring.screening import Limits
from agents.monitoring.snoozes import Snooze
from agents.records import DAY_MS, Listing, Right, parse_time
from streams.codec import Encoder
from streams.kafka import KafkaUnavailableError
from tests.records import Record
from tests.unit.streams.shelf import Shelf

NOW = parse_time("2026-11-24T12:00:00Z")
RIGHT = Right(
    "tm-1", "Zorvex Ltd", mark="Zorvex", reference_price_minor=20_000, reference_currency="USD"
)
STRICTER = DEFAULT.read_bytes().replace(b"price_ratio < 0.35", b"price_ratio < 0.15")
OLD = Candidate("default", default_policy().version, DEFAULT.read_bytes())
NEW = Candidate("new.yaml", "new-1", STRICTER)

moments = st.integers(parse_time("2000-01-01"), parse_time("2099-12-31"))


def setup_of(
    old: Candidate = OLD, new: Candidate = NEW, rights: Sequence[Right] = (RIGHT,)
) -> Setup:
    return Setup(old, new, msgspec.json.encode(rights), "1", Limits(1_000_000, 900), NOW)


def priced(number: int, price: int, title: str = "Zorvex Diver", **values: object) -> Listing:
    listing = Listing(
        f"l-{number}", f"s-{number % 3}", NOW - number * 60_000, title, price_minor=price,
        currency="USD", condition="NEW", event_id="e",
    )  # fmt: skip
    return msgspec.structs.replace(listing, **values)


LISTINGS = [
    *(priced(n, 2_000 if n % 3 == 0 else 4_000 if n % 3 == 1 else 19_000) for n in range(300)),
    *(priced(n, 1_000, "Oak table") for n in range(300, 700)),
    *(priced(n, 1_000, kind="DELETED") for n in range(700, 710)),
]


def found_in(*batches: Sequence[Listing], setup: Setup | None = None) -> Findings:
    found = Findings()
    with Replayer(setup or setup_of()) as replayer:
        for batch in batches:
            replayer.add_listings(found, batch)
    return found


@given(st.lists(moments, max_size=30), st.lists(moments, max_size=30))
def test_periods_are_the_same_however_they_were_counted(one: list[int], other: list[int]) -> None:
    both = Periods()
    both.add([*one, *other], "read")
    parts = Periods()
    for moment in reversed(one):
        parts.add([moment], "read")
    rest = Periods()
    rest.add(other, "read")
    rest.merge(parts)
    assert rest.rows() == both.rows()
    assert rest.length == both.length
    assert sum(counts["read"] for _, counts in both.rows()) == len(one) + len(other)
    assert len(both.rows()) <= MOST or both.length == LENGTHS[-1]
    starts = [start for start, _ in both.rows()]
    assert all(any(start <= moment < start + both.length for start in starts) for moment in one)


def test_periods_are_as_long_as_it_takes() -> None:
    for span, length in ((60_000, 1_000), (DAY_MS, 3_600_000), (30 * DAY_MS, DAY_MS)):
        periods = Periods()
        periods.add([NOW, NOW + span], "read")
        assert periods.length == length, span


def test_identical_policies_differ_in_nothing() -> None:
    found = found_in(LISTINGS, setup=setup_of(OLD, OLD))
    assert found.read == len(LISTINGS)
    assert found.tally.judged == 300
    assert not found.tally.counts
    assert not found.tally.samples
    assert not found.newly_removed
    assert found.outcomes("old", "review") == found.outcomes("new", "review") == 200


def test_a_changed_threshold_changes_exactly_the_listings_between() -> None:
    found = found_in(LISTINGS)
    assert found.tally.counts == {("no_longer_reviewed", "cheap-mark"): 100}
    for sample in found.tally.samples["no_longer_reviewed", "cheap-mark"]:
        assert int(sample.listing_id[2:]) % 3 == 1
    assert found.acted == {
        ("old", "review", "cheap-mark"): 200,
        ("new", "review", "cheap-mark"): 100,
    }
    removing = Candidate("", "r", STRICTER.replace(b"outcome: review", b"outcome: remove"))
    worse = found_in(LISTINGS, setup=setup_of(OLD, removing))
    assert worse.tally.counts["newly_removed", "cheap-mark"] == 100
    assert worse.newly_removed == {"s-0"}


def test_each_is_judged_at_its_own_time() -> None:
    """A right that ends in the middle of the range counts until then."""
    right = msgspec.structs.replace(RIGHT, valid_until=NOW - 150 * 60_000)
    found = found_in(LISTINGS, setup=setup_of(rights=[right]))
    expected = [n for n in range(300) if n % 3 == 1 and n > 150]
    assert found.tally.counts["no_longer_reviewed", "cheap-mark"] == len(expected)


def test_records_and_listings_come_to_the_same() -> None:
    shelf = Shelf()
    encoder = Encoder(shelf.registry, "marketplace.listings", "listing")
    records = [
        Record(n, encoder.encode(msgspec.to_builtins(each)), timestamp=each.occurred_at)
        for n, each in enumerate(LISTINGS)
    ]
    broken = Record(len(records), b"nonsense", timestamp=NOW)
    found = Findings()
    with Replayer(setup_of(), shelf.registry) as replayer:
        replayer.add_records(found, records[:333])
        replayer.add_records(found, [*records[333:], broken])
    assert +found.unreadable == {"undecodable": 1}
    found.read -= 1
    found.unreadable.clear()
    expected = found_in(LISTINGS)
    assert (found.tally, found.acted) == (expected.tally, expected.acted)
    assert (found.read, found.first) == (expected.read, expected.first)


def test_a_listing_of_the_future_is_left_out_and_told() -> None:
    found = found_in([priced(1, 1, occurred_at=NOW + 3_600_000), priced(2, 1, occurred_at=-5)])
    assert +found.unreadable == {"bad_time": 2}
    assert (found.read, found.tally.judged) == (2, 0)
    assert len(found.periods.rows()) <= MOST


def test_each_side_has_its_own_muted_rules() -> None:
    muted = Snooze("a", "cheap-mark", "SELLER", "s-1", NOW + DAY_MS)
    with_snooze = Candidate("", OLD.version, OLD.text, (muted,))
    found = found_in(LISTINGS, setup=setup_of(OLD, with_snooze))
    assert found.tally.counts == {("no_longer_reviewed", "cheap-mark"): 100}
    back = found_in(LISTINGS, setup=setup_of(with_snooze, OLD))
    assert back.tally.counts == {("newly_reviewed", "cheap-mark"): 100}
    assert not found_in(LISTINGS, setup=setup_of(with_snooze, with_snooze)).tally.counts


def written(folder: Path, *rows: Listing | bytes) -> Path:
    path = folder / "listings.jsonl"
    lines = [row if isinstance(row, bytes) else msgspec.json.encode(row) for row in rows]
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


@pytest.mark.parametrize("size", [97, 1_000, 20_000, 10_000_000])
def test_chunks_of_any_size_hold_each_line_once(tmp_path: Path, size: int) -> None:
    rows: list[Listing | bytes] = [*LISTINGS[:400]]
    rows[7:7] = [b"{", b""]
    rows[200:200] = [b'{"listing_id": 3}'] * 9
    path = written(tmp_path, *rows)
    parts = from_file(path, Range(), size).parts
    told = Counter[str]()
    with Replayer(setup_of()) as replayer:
        found = whole(part.replay(replayer, lambda n: told.update(bytes=n)) for part in parts)
    assert told["bytes"] == path.stat().st_size
    assert found.lines == len(rows)
    assert [row.line for row in found.refused] == [8, 201, 202, 203, 204][:MOST_REFUSED]
    assert found.unreadable["refused"] == 10
    expected = found_in(LISTINGS[:400])
    assert (found.tally, found.periods, found.read) == (
        expected.tally, expected.periods, expected.read,
    )  # fmt: skip


def test_a_range_takes_its_first_moment_and_leaves_its_last(tmp_path: Path) -> None:
    path = written(tmp_path, *LISTINGS)
    range_ = Range(NOW - 20 * 60_000, NOW - 10 * 60_000)
    with Replayer(setup_of()) as replayer:
        (part,) = from_file(path, range_).parts
        found = part.replay(replayer, lambda _: None)
    assert (found.read, found.first, found.last) == (10, range_.start, NOW - 11 * 60_000)


def test_several_processes_find_what_one_finds(tmp_path: Path) -> None:
    rows = list(LISTINGS)
    random.Random(3).shuffle(rows)
    parts = from_file(written(tmp_path, *rows), Range(), 30_000).parts
    advanced = Counter[str]()
    alone = replay(setup_of(), parts, 1, lambda _: None)
    together = replay(setup_of(), parts, 2, lambda n: advanced.update(bytes=n))
    assert len(parts) > 3
    assert together == alone
    assert advanced["bytes"] == sum(part.size for part in parts)


@dataclass(frozen=True)
class Deadly:
    """A part at which a process ends."""

    how: str
    size: int = 1

    def replay(self, replayer: Replayer, advance: Callable[[int], object]) -> Findings:
        assert replayer
        advance(1)
        if self.how == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.how == "unreachable":
            raise KafkaUnavailableError("Kafka at nowhere does not answer")
        raise KeyError("a bug")


@pytest.mark.parametrize(
    ("how", "error", "told"),
    [
        ("killed", ReplayError, "signal 9"),
        ("unreachable", KafkaUnavailableError, "nowhere"),
        ("bug", ReplayError, "KeyError: 'a bug'"),
    ],
)
def test_a_process_that_ends_is_told(how: str, error: type[Exception], told: str) -> None:
    parts = cast(list[Part], [Deadly(how), Deadly(how)])
    with pytest.raises(error, match=told):
        replay(setup_of(), parts, 2, lambda _: None)


def test_findings_add_up_to_the_same_in_any_order() -> None:
    rulings = [Ruling("allow", ()), Ruling("review", ("r",)), Ruling("remove", ("x", "r"))]
    chance = random.Random(1)
    parts = []
    for number in range(12):
        part = Findings()
        for each in LISTINGS[number::12]:
            part.add(each, each.occurred_at, chance.choice(rulings), chance.choice(rulings))
        parts.append(part)
    assert whole(parts) == whole(reversed(parts))
