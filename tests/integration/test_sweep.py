"""A sweep judges the live catalogue again, and ends the same however often it is killed."""

from __future__ import annotations

import random
import re
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
import redis

from agents.records import AuthorisedSeller, Listing, Right, Seller
from agents.takedowns import takedown_id
from streams import topics
from streams.settings import Settings
from tests.harness import (
    COMMAND,
    RIGHT,
    Bus,
    environment,
    json_lines,
    listing,
    now_ms,
    run_command,
    started,
    wait_for,
)
from tests.integration.command import is_plain

DAY_MS: Final = 86_400_000
NEW: Final = Right(
    "tm-new",
    "Quillor Bags SA",
    mark="Quillor",
    reference_price_minor=20_000,
    reference_currency="USD",
    authorised_sellers=(AuthorisedSeller("authorised"),),
)
CHEAP: Final[dict[str, Any]] = {"price_minor": 4_000, "currency": "USD", "condition": "NEW"}
CLEAN: Final = [f"clean-{n}" for n in range(8)]
"""Sellers that are long there, verified and without a case: cheap goods of theirs are reviewed,
until the sweep itself takes down others of theirs."""
QUOTA: Final = """
policy: few-at-once
rules:
  - name: copies
    when: mark and in_force and not authorised and replica_words
    outcome: remove
    ground: Trademark infringement
    reason: The listing names {mark} and calls its goods copies.
    quota: {per_minute: 4, per_hour: 4}
"""


def catalogue(size: int) -> list[Listing]:
    """Return changes of `size` listings, in the order they are published."""
    chance = random.Random(7)
    made: list[Listing] = []
    for n in range(size):
        kind = n % 12
        seller = chance.choice(CLEAN)
        title = f"Quillor tote no. {n}"
        name = f"l-{n}"
        change: list[Listing] = [listing(name, f"Plain canvas bag no. {n}", seller_id=seller)]
        if kind == 0:
            change = [listing(name, f"{title}, AAA quality replica", seller_id=seller)]
        elif kind in (1, 2):
            change = [listing(name, title, seller_id=seller, **CHEAP)]
        elif kind == 3:  # deleted since
            gone = listing(name, f"{title} replica", seller_id=seller)
            change = [gone, _later(gone, 2, kind="DELETED")]
        elif kind == 4:  # made honest since
            bad = listing(name, f"{title} replica", seller_id=seller)
            change = [bad, _later(bad, 2, title=f"Canvas bag {n}")]
        elif kind == 5:  # made worse since, twice
            first = listing(name, f"Canvas bag {n}", seller_id=seller)
            second = _later(first, 2, title=f"{title} replica")
            change = [first, second, _later(second, 3, title=f"{title} 1:1 copy, replica")]
        elif kind == 6:  # a revision that came late, and is of the past
            late = listing(name, f"{title} replica", seller_id=seller)
            change = [_later(late, 2, title=f"Canvas bag {n}"), late]
        elif kind == 7:  # deleted, and an older revision came late
            late = listing(name, f"{title} replica", seller_id=seller)
            change = [_later(late, 3, kind="DELETED"), late]
        elif kind == 8:  # of two bad revisions the older came late
            late = listing(name, f"{title} replica", seller_id=seller)
            change = [_later(late, 2, title=f"{title} replica, new"), late]
        elif kind == 9:
            change = [listing(name, f"{title} replica", seller_id="authorised")]
        made += change
    return made


def _later(before: Listing, revision: int, **changes: Any) -> Listing:
    return msgspec.structs.replace(
        before, revision=revision, kind=changes.pop("kind", "UPDATED"), **changes
    )


def infringing(listings: list[Listing]) -> dict[str, int]:
    """Return the live listings that have to be taken down, with their revision."""
    newest: dict[str, Listing] = {}
    for each in listings:
        before = newest.get(each.listing_id)
        if before is None or before.revision <= each.revision:
            newest[each.listing_id] = each
    return {
        name: each.revision
        for name, each in newest.items()
        if "replica" in each.title and each.kind != "DELETED" and each.seller_id != "authorised"
    }


def sellers() -> list[Seller]:
    long_ago = now_ms() - 900 * DAY_MS
    return [Seller(name, created_at=long_ago, verified=True) for name in (*CLEAN, "authorised")]


def another(settings: Settings) -> Bus:
    """Return a new installation on the same servers."""
    return Bus(settings.model_copy(update={"topic_prefix": f"s{uuid.uuid4().hex[:10]}."}))


def swept(bus: Bus, *arguments: str, code: int = 0) -> dict[str, Any]:
    result = run_command(bus.settings, "sweep", *arguments, "--json")
    assert result.returncode == code, result.stderr
    (row,) = json_lines(result.stdout)
    assert isinstance(row, dict)
    return row


def decisions(bus: Bus) -> set[tuple[str, str]]:
    """Return id and action of everything that was decided."""
    return {
        (record["takedown_id"], record["action"])
        for topic in (topics.TAKEDOWNS, topics.REVIEWS)
        for record in bus.records(topic)
    }


def removed(bus: Bus) -> set[str]:
    return {record["takedown_id"] for record in bus.takedowns() if record["action"] == "REMOVED"}


class State:
    """What the sweeps of an installation have left in Redis."""

    def __init__(self, settings: Settings) -> None:
        self._client = redis.Redis.from_url(settings.redis_url.get_secret_value())
        self._prefix = f"{settings.topic_prefix}assayer:sweep:"

    def places(self) -> list[dict[bytes, bytes]]:
        keys: Any = self._client.keys(f"{self._prefix}*")
        parts = [key for key in keys if re.search(rb":\w{16}:\d+$", key)]
        found: list[Any] = [self._client.hgetall(key) for key in parts]
        return [place for place in found if place]

    def reading(self) -> bool:
        places = self.places()
        begun = any(int(place[b"next"]) > 100 for place in places)
        return begun and any(place[b"next"] != place[b"end"] for place in places)

    def read(self) -> bool:
        places = self.places()
        return bool(places) and all(place[b"next"] == place[b"end"] for place in places)


def kill_when(bus: Bus, arguments: list[str], moment: Callable[[], bool]) -> None:
    """Run a sweep and kill it at a moment."""
    process = started(
        [*COMMAND, "sweep", *arguments],
        env=environment(bus.settings),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        wait_for(lambda: moment() or process.poll() is not None, 60, "the moment to kill")
        assert process.poll() is None, process.communicate()[1].decode()
    finally:
        process.kill()
        process.communicate()


def test_a_sweep_killed_three_times_ends_with_the_same_takedowns(settings: Settings) -> None:
    """While it reads, and twice while it judges; what was decided counts for what is decided."""
    settings = settings.model_copy(update={"topic_partitions": 3})
    whole, killed = another(settings), another(settings)
    made = catalogue(600)  # no more than the quotas let through in a minute
    for bus in (whole, killed):
        bus.publish(made, sellers=sellers())
        bus.publish(rights=[NEW])
    done = swept(whole, "--right", NEW.right_id)
    must = {takedown_id(name, revision) for name, revision in infringing(made).items()}
    assert must <= removed(whole)
    # Cheap goods of clean sellers: reviewed at first, and taken down as their cases mount up.
    outcomes = {action for _, action in decisions(whole)}
    assert outcomes == {"REMOVED", "REVIEW"}
    assert done["removed"] > len(must)
    assert done["held"] == 0
    assert done["read"] == len(made)
    assert done["removed"] == len(removed(whole))

    slowly = ["--right", NEW.right_id, "--rate", "100"]
    state = State(killed.settings)
    kill_when(killed, slowly, state.reading)
    assert not killed.messages(topics.TAKEDOWNS)
    kill_when(killed, slowly, lambda: state.read() and bool(killed.messages(topics.TAKEDOWNS)))
    first = len(removed(killed))
    assert 0 < first < done["removed"]
    kill_when(killed, slowly, lambda: len(removed(killed)) > first)
    assert len(removed(killed)) < done["removed"]
    again = swept(killed, "--right", NEW.right_id)
    assert decisions(killed) == decisions(whole)
    for name in ("read", "judged", "removed", "reviewed", "removed_by_rule"):
        assert again[name] == done[name], name
    assert {record["source"] for record in killed.takedowns()} == {"SWEEP"}
    explained = run_command(killed.settings, "explain", "--all", "--json")
    (total,) = json_lines(explained.stdout)
    assert total["same"] >= done["removed"] + done["reviewed"]
    assert explained.returncode == 0, explained.stdout


def test_what_is_of_the_past_or_authorised_stays(settings: Settings) -> None:
    bus = another(settings)
    made = [each for each in catalogue(240) if "tote" not in each.title or "rep" in each.title]
    bus.publish(made, sellers=sellers())
    bus.publish(rights=[NEW])
    swept(bus, "--right", NEW.right_id)
    expected = {takedown_id(name, revision) for name, revision in infringing(made).items()}
    assert removed(bus) == expected
    assert not bus.records(topics.REVIEWS)


def test_a_sweep_is_done_once_and_tells_so_and_decides_nothing_twice(settings: Settings) -> None:
    bus = another(settings)
    made = [
        listing("bad", "Quillor tote, replica", seller_id="s-1"),
        listing("cheap", "Quillor tote", seller_id="clean-0", **CHEAP),
        listing("both", "Quillor and Zorvex replica", seller_id="s-2"),
    ]
    bus.publish(made, sellers=sellers(), rights=[NEW, RIGHT])
    first = swept(bus, "--right", NEW.right_id)
    assert (first["removed"], first["reviewed"]) == (2, 1)
    assert first["removed_by_rule"] == {"replica-words": 2}
    assert first["rights"] == [NEW.right_id]
    before = len(bus.takedowns()), len(bus.records(topics.REVIEWS))
    told = run_command(bus.settings, "sweep", "--right", NEW.right_id)
    assert told.returncode == 0
    assert "swept already" in told.stdout
    assert swept(bus, "--right", NEW.right_id)["swept"] is False
    again = swept(bus, "--right", NEW.right_id, "--again")
    assert (again["removed"], again["reviewed"], again["already_decided"]) == (0, 0, 3)
    # What another right or a rule would say again was said already.
    other = swept(bus, "--right", RIGHT.right_id)
    assert (other["judged"], other["removed"], other["already_decided"]) == (1, 0, 1)
    rule = swept(bus, "--rule", "replica-words")
    assert (rule["removed"], rule["already_decided"]) == (0, 2)
    assert (len(bus.takedowns()), len(bus.records(topics.REVIEWS))) == before
    # Published again, it is another state of the right.
    bus.publish([listing("later", "Quillor tote, replica")], rights=[NEW])
    assert swept(bus, "--right", NEW.right_id)["removed"] == 1
    everything = swept(bus, "--since=-1", "--until", "1")
    assert everything["rights"] == [RIGHT.right_id, NEW.right_id]
    assert (everything["removed"], everything["already_decided"]) == (0, 4)
    assert swept(bus, "--since", "1") == {"swept": False}


def test_what_is_over_a_quota_is_held(settings: Settings, tmp_path: Path) -> None:
    """A right that would take down a lot at once: a person decides on what the quota leaves."""
    bus = another(settings)
    bus.publish([listing(f"l-{n}", f"Quillor tote {n}, replica") for n in range(30)], rights=[NEW])
    path = tmp_path / "policy.yaml"
    path.write_text(QUOTA, encoding="utf-8")
    assert run_command(bus.settings, "policy", "push", str(path)).returncode == 0
    done = swept(bus, "--right", NEW.right_id)
    assert (done["judged"], done["removed"], done["held"]) == (30, 4, 26)
    assert len(removed(bus)) == 4
    held = bus.records(topics.HELD)
    assert {record["source"] for record in held} == {"SWEEP"}
    release = ("breaker", "release", "--author", "ann", "--rule", "copies", "--limit", "10")
    result = run_command(bus.settings, *release)
    assert result.returncode == 0, result.stderr
    assert len(removed(bus)) == 14
    again = swept(bus, "--right", NEW.right_id, "--again")
    assert (again["removed"], again["already_decided"]) == (0, 30)
    assert len(removed(bus)) == 14


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--right", "a", "--rule", "b"),
        ("--right", "a", "--until", "3"),
        ("--right", "a", "--rate", "0"),
        ("--right", "a", "--rate", "many"),
    ],
)
def test_what_makes_no_sense_is_refused(run: Any, bus: Bus, arguments: tuple[str, ...]) -> None:
    result = run(bus.settings, "sweep", *arguments)
    assert result.returncode == 2
    assert is_plain(result)


def test_a_right_or_rule_that_is_not_there_is_told(run: Any, bus: Bus) -> None:
    result = run(bus.settings, "sweep", "--right", RIGHT.right_id, "nowhere")
    assert result.returncode == 1
    assert "no right 'nowhere' in the registry" in result.stderr
    assert is_plain(result)
    result = run(bus.settings, "sweep", "--rule", "no-such-rule")
    assert result.returncode == 1
    assert "enforces no rule 'no-such-rule'" in result.stderr
    assert is_plain(result)


@pytest.mark.parametrize(
    "away",
    [
        {"ASSAYER_KAFKA_BOOTSTRAP": "127.0.0.1:1"},
        {"ASSAYER_REDIS_URL": "redis://127.0.0.1:1/0"},
        {"ASSAYER_SCHEMA_REGISTRY_URL": "http://127.0.0.1:1"},
    ],
)
def test_a_server_that_is_away_is_told(run: Any, bus: Bus, away: dict[str, str]) -> None:
    result = run(bus.settings, "sweep", "--right", RIGHT.right_id, **away)
    assert result.returncode == 3
    assert is_plain(result)


def test_two_do_not_sweep_for_the_same_at_once(settings: Settings) -> None:
    bus = another(settings)
    bus.publish(catalogue(600), sellers=sellers(), rights=[NEW])
    slowly = ["--right", NEW.right_id, "--rate", "30"]
    process = started(
        [*COMMAND, "sweep", *slowly], env=environment(bus.settings), stderr=subprocess.PIPE
    )
    try:
        wait_for(State(bus.settings).places, 60, "a sweep that has begun")
        second = run_command(bus.settings, "sweep", *slowly)
        assert second.returncode == 1
        assert "is being run by" in second.stderr
        assert f"process {process.pid}" in second.stderr
        process.terminate()
        _, told = process.communicate(timeout=20)
        assert process.returncode == 1
        assert b"the same command goes on where it was" in told
    finally:
        process.kill()
        process.wait()
    # The lock was given back: no need to wait until it runs out.
    assert swept(bus, "--right", NEW.right_id)["removed"] > 0
