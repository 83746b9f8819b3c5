"""Recorded listings replayed from a real broker: the same as from a file; what is gone is told."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
import yaml
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from agents.monitoring.policies import DEFAULT, default_policy
from agents.records import DAY_MS, Listing, Right, Seller, format_time
from deploy.services import Kafka, Redis, SchemaRegistryServer
from streams import topics
from streams.codec import Encoder
from streams.settings import Settings
from tests.harness import RIGHT, Bus, WorkerProcess, json_lines, now_ms, run_command
from tests.integration.command import Result, is_plain, write_lines

START: Final = now_ms() // 60_000 * 60_000 - DAY_MS
"""Of the first record; one follows each second."""
COUNT: Final = 3_000


def recorded(number: int) -> Listing:
    """Every third listing is cheap, every ninth very cheap, of sellers old and new in turn."""
    price = 2_000 if number % 9 == 0 else 4_000 if number % 3 == 0 else 19_000
    title = "Zorvex Diver" if number % 5 else "Oak table"
    return Listing(
        f"r-{number}", f"shop-{number % 4}", START + number * 1000, f"{title} {number}",
        event_id=f"e-{number}", price_minor=price, currency="USD", condition="NEW",
    )  # fmt: skip


LISTINGS: Final = [recorded(number) for number in range(COUNT)]
SELLERS: Final = [
    Seller(f"shop-{n}", created_at=START - (5 if n == 0 else 900) * DAY_MS, verified=n != 1)
    for n in range(4)
]
BETWEEN: Final = [n for n in range(COUNT) if n % 3 == 0 and n % 9 and n % 5]
"""Cheap by the default policy, and not by the other."""


def installation(kafka: Kafka, registry: SchemaRegistryServer, redis: Redis) -> Bus:
    return Bus(
        Settings(
            kafka_bootstrap=kafka.bootstrap,
            schema_registry_url=registry.url,
            redis_url=redis.url,  # type: ignore[arg-type]
            topic_prefix=f"d{uuid.uuid4().hex[:10]}.",
            topic_partitions=3,
        )
    )


def record(bus: Bus, listings: list[Listing]) -> None:
    """Put listings on their topic, each with its own time, by key over the partitions."""
    topic = bus.settings.topic(topics.LISTINGS.name)
    encoder = Encoder(bus.registry, topic, topics.LISTINGS.schema)
    producer = Producer({"bootstrap.servers": bus.settings.kafka_bootstrap, "linger.ms": 50})
    for each in listings:
        producer.produce(
            topic,
            key=each.listing_id.encode(),
            value=encoder.encode(msgspec.to_builtins(each)),
            timestamp=each.occurred_at,
        )
    assert producer.flush(30) == 0


@pytest.fixture(scope="module")
def bus(kafka: Kafka, schema_registry: SchemaRegistryServer, redis_server: Redis) -> Bus:
    bus = installation(kafka, schema_registry, redis_server)
    bus.publish(rights=[RIGHT])
    bus.publish(rights=[Right("tm-2", "Oak Ltd", mark="Oak")])
    record(bus, LISTINGS)
    return bus


@pytest.fixture
def stricter(tmp_path: Path) -> str:
    path = tmp_path / "stricter.yaml"
    policy = yaml.safe_load(DEFAULT.read_text(encoding="utf-8"))
    policy["definitions"]["cheap"] = "price_ratio < 0.15 and not part"
    for rule in policy["rules"]:
        del rule["tests"]  # they are those of the other threshold
    path.write_text(yaml.safe_dump(policy), encoding="utf-8")
    return str(path)


def diff(bus: Bus, *arguments: str) -> Result:
    return run_command(bus.settings, "policy", "diff", *arguments)


def lines_of(bus: Bus, *arguments: str) -> list[Any]:
    result = diff(bus, *arguments, "--json")
    assert result.returncode == 0, result.stderr
    return json_lines(result.stdout)


@pytest.fixture
def sellers(tmp_path: Path) -> str:
    return write_lines(tmp_path / "sellers.jsonl", *SELLERS)


def test_the_same_from_three_partitions_and_from_a_file(
    bus: Bus, stricter: str, sellers: str, tmp_path: Path
) -> None:
    listings = write_lines(tmp_path / "listings.jsonl", *LISTINGS)
    given = ("default", stricter, "--from", format_time(START), "--sellers", sellers)
    told = [
        diff(bus, *given, *more, "--json", "--html", str(tmp_path / f"{number}.html"))
        for number, more in enumerate(
            [
                ("--processes", "1"),
                ("--processes", "2"),
                ("--listings", listings, "--processes", "2"),
            ]
        )
    ]
    assert [result.stderr for result in told] == ["", "", ""]
    assert len({result.stdout for result in told}) == 1
    assert len({(tmp_path / f"{n}.html").read_bytes() for n in range(3)}) == 1
    *changes, total = json_lines(told[0].stdout)
    assert sum(each["listings"] for each in changes) == len(BETWEEN)
    assert {each["change"] for each in changes} == {"no_longer_removed", "no_longer_reviewed"}
    untrusted = [n for n in BETWEEN if n % 4 < 2]
    assert {each["rule"]: each["listings"] for each in changes} == {
        "cheap-mark-untrusted": len(untrusted),
        "cheap-mark": len(BETWEEN) - len(untrusted),
    }
    assert (total["read"], total["registry_version"]) == (COUNT, "1")
    assert total["judged"] == COUNT, "'Oak' is a mark of the registry as it is now"


def test_the_registry_of_an_earlier_version(bus: Bus, stricter: str) -> None:
    given = ("default", stricter, "--from", format_time(START))
    total = lines_of(bus, *given, "--registry", "0")[-1]
    assert (total["registry_version"], total["judged"]) == ("0", COUNT * 4 // 5)
    unknown = diff(bus, *given, "--registry", "77")
    assert unknown.returncode == 1
    assert is_plain(unknown)
    assert "no registry version 77" in unknown.stderr


def test_a_range_of_the_topic(bus: Bus, stricter: str) -> None:
    start, end = START + 1_000_000, START + 1_200_000
    *changes, total = lines_of(
        bus, "default", stricter, "--from", format_time(start), "--to", format_time(end)
    )
    assert (total["read"], total["first"]) == (200, format_time(start))
    assert total["last"] == format_time(end - 1000)
    expected = [n for n in BETWEEN if 1_000 <= n < 1_200]
    assert sum(each["listings"] for each in changes) == len(expected)


@pytest.mark.parametrize(("from_", "to"), [("2000-01-01", "2000-01-02"), ("2999-01-01", None)])
def test_a_range_without_records_is_told(bus: Bus, from_: str, to: str | None) -> None:
    result = diff(bus, "default", "default", "--from", from_, *(("--to", to) if to else ()))
    assert result.returncode == 1
    assert is_plain(result)
    assert f"no records from {from_}" in result.stderr
    assert format_time(START) in result.stderr, "what there is instead"


def test_versions_of_the_topic_and_what_is_in_force(bus: Bus, stricter: str, sellers: str) -> None:
    given = ("--from", format_time(START), "--sellers", sellers)
    unknown = diff(bus, "default-0123456789abcdef", "default", *given)
    assert unknown.returncode == 1
    assert is_plain(unknown)
    assert "no policy 'default-0123456789abcdef'" in unknown.stderr
    total = lines_of(bus, "current", default_policy().version, *given)[-1]
    assert (total["before"], total["differ"]) == (default_policy().version, 0)
    pushed = json.loads(run_command(bus.settings, "policy", "push", stricter, "--json").stdout)
    version = f"{pushed['version']}@{pushed['offset']}"
    total = lines_of(bus, "current", stricter, *given)[-1]
    assert (total["before"], total["differ"]) == (version, 0)
    for old in ("current", version, pushed["version"]):
        assert lines_of(bus, old, "default", *given)[-1]["differ"] == len(BETWEEN), old
    muted = run_command(
        bus.settings, "policy", "snooze", "cheap-mark-untrusted", "--seller", "shop-0",
        "--until", "2999-01-01", "--reason", "a test",
    )  # fmt: skip
    assert muted.returncode == 0, muted.stderr
    *changes, total = lines_of(bus, version, "current", *given)
    very_cheap = [n for n in range(COUNT) if n % 9 == 0 and n % 5 and n % 4 == 0]
    assert [(each["change"], each["listings"]) for each in changes] == [
        ("no_longer_removed", len(very_cheap))
    ]
    assert lines_of(bus, pushed["version"], "current", *given)[-1]["differ"] == 0


def test_nothing_is_written_and_nothing_committed(bus: Bus) -> None:
    before = [len(bus.messages(topic)) for topic in (topics.TAKEDOWNS, topics.POLICIES)]
    assert lines_of(bus, "default", "default", "--from", format_time(START))
    after = [len(bus.messages(topic)) for topic in (topics.TAKEDOWNS, topics.POLICIES)]
    assert before == after
    committed = bus.committed("assayer-log-reader", topics.LISTINGS)
    assert all(offset < 0 for offset in committed.values())


def test_sellers_are_those_of_redis_or_said_to_be_unknown(
    bus: Bus, stricter: str, tmp_path: Path
) -> None:
    given = ("default", stricter, "--from", format_time(START))
    *_, total = lines_of(bus, *given)
    assert any("are not complete" in note for note in total["notes"]), "no worker has run"
    assert total["outcomes"]["old"]["remove"] == 0
    bus.publish(sellers=SELLERS)
    with WorkerProcess(bus.settings, tmp_path) as worker:
        worker.wait_ready()
        worker.settle()
    *_, total = lines_of(bus, *given)
    assert any("known now" in note for note in total["notes"])
    assert total["outcomes"]["old"]["remove"] > 0
    away = run_command(
        bus.settings, "policy", "diff", *given, "--json", ASSAYER_REDIS_URL="redis://127.0.0.1:1/0"
    )
    assert away.returncode == 0, away.stderr
    *_, total = json_lines(away.stdout)
    assert any("does not answer" in note for note in total["notes"])


def test_what_retention_has_taken_is_told(
    kafka: Kafka, schema_registry: SchemaRegistryServer, redis_server: Redis
) -> None:
    bus = installation(kafka, schema_registry, redis_server)
    record(bus, LISTINGS[:300])
    admin = AdminClient({"bootstrap.servers": bus.settings.kafka_bootstrap})
    name = bus.settings.topic(topics.LISTINGS.name)

    def delete(before: int) -> None:
        """Delete the records of a partition that lie before an offset; -1 is all of them."""
        places = [TopicPartition(name, partition, before) for partition in range(3)]
        for future in admin.delete_records(places).values():
            future.result(timeout=20)

    delete(30)
    partly = lines_of(bus, "default", "default", "--from", format_time(START))[-1]
    assert partly["read"] == 210
    assert any("retention has passed the beginning" in note for note in partly["notes"])
    gone = diff(
        bus, "default", "default", "--from", format_time(START), "--to", format_time(START + 9_000)
    )
    assert gone.returncode == 1
    assert is_plain(gone)
    assert "past the topic's retention" in gone.stderr
    assert "records from" in gone.stderr, "what is left"
    delete(-1)
    nothing = diff(bus, "default", "default", "--from", format_time(START))
    assert nothing.returncode == 1
    assert is_plain(nothing)
    assert "past the topic's retention; nothing is left" in nothing.stderr


def test_records_that_cannot_be_read_are_counted(bus: Bus) -> None:
    before = lines_of(bus, "default", "default", "--from", format_time(START))[-1]
    bus.send(topics.LISTINGS, [("broken", b"nonsense"), ("empty", None)])
    after = lines_of(bus, "default", "default", "--from", format_time(START))[-1]
    assert after["unreadable"] == {"undecodable": 1, "empty_value": 1}
    assert after["read"] == before["read"] + 2
    assert any("1 undecodable" in note for note in after["notes"])
