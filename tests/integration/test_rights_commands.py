"""Rights: checked, tried on recent listings, loaded, listed, exported, withdrawn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from deploy.services.process import free_port
from streams import topics
from streams.settings import Settings
from tests.harness import Bus, json_lines, listing
from tests.integration.command import write_lines


def test_rights_are_checked_loaded_listed_withdrawn_and_exported(
    run: Any, settings: Settings, tmp_path: Path
) -> None:
    bus = Bus(settings)
    rows = [
        {"right_id": "r-1", "owner": "O", "mark": "Zorvex", "valid_until": "2040-01-01T00:00:00Z",
         "authorised_sellers": [{"seller_id": "s", "until": "2031-05-06T07:08:09.010Z"}]},
        {"right_id": "r-2", "owner": "O", "mark": "Quandrel", "nice_classes": [25]},
        {"right_id": "r-3", "owner": "O", "mark": "X"},
        {"right_id": "r-4", "owner": "O", "mark": "Valid", "territories": ["Germany"]},
        {"right_id": "r-5", "mark": "Ownerless"},
        {"right_id": "r-6", "owner": "O", "mark": "Late", "valid_until": 10**18},
    ]  # fmt: skip
    path = write_lines(tmp_path / "rights.jsonl", *rows)
    checked = run(settings, "rights", "check", path)
    assert checked.returncode == 1
    for line, field in ((3, "mark"), (4, "territories"), (5, "owner"), (6, "valid_until")):
        assert f"refused {path}:{line}: field '{field}'" in checked.stderr
    assert not bus.messages(topics.RIGHTS), "checked, not published"
    loaded = run(settings, "rights", "load", path)
    assert loaded.returncode == 1
    assert loaded.stdout.splitlines() == [
        "the share of recent listings says nothing yet: 0 were there, and 200 are needed",
        "2 rights published, 4 problems",
    ]
    shown = run(settings, "rights", "list")
    assert "Zorvex" in shown.stdout
    assert "2 rights, registry version 1" in shown.stdout
    backup = tmp_path / "backup.jsonl"
    assert run(settings, "rights", "export", str(backup)).returncode == 0
    piped = run(settings, "rights", "export")
    assert run(settings, "rights", "export", "-").stdout == piped.stdout
    assert run(settings, "rights", "export", "--file", "-").stdout == piped.stdout
    assert piped.stdout.encode() == backup.read_bytes()
    again = run(settings, "rights", "load", str(backup))
    assert (again.returncode, again.stderr) == (0, "")
    assert run(settings, "rights", "export").stdout == piped.stdout, "a round trip"
    assert json.loads(piped.stdout.splitlines()[0])["valid_until"] == "2040-01-01T00:00:00.000Z"
    withdrawn = run(settings, "rights", "withdraw", "r-1", "r-9")
    assert withdrawn.returncode == 1
    assert "no right 'r-9'" in withdrawn.stderr
    listed = json_lines(run(settings, "rights", "list", "--json").stdout)
    assert [row["right_id"] for row in listed] == ["r-2"]


def test_rights_are_tried_on_the_newest_listings_of_the_topic(
    run: Any, settings: Settings, tmp_path: Path
) -> None:
    bus = Bus(settings)
    titles = ["Zorvex diver"] * 8 + ["Quandrel lamp"] * 4 + ["Oak table"] * 288
    changes = [listing(f"share-{n}", title) for n, title in enumerate(titles)]
    # A listing counts once, as it was last; what can't be read does not count.
    bus.publish([listing("share-0", "Zorvex diver 2"), *changes, listing("share-0", "Oak table")])
    _spoil(settings)
    rights = write_lines(
        tmp_path / "rights.jsonl",
        {"right_id": "r-1", "owner": "O", "mark": "Zorvex"},
        {"right_id": "r-2", "owner": "O", "mark": "Quandrel"},
        {"right_id": "r-3", "owner": "O", "mark": "table"},
    )
    checked = run(settings, "rights", "check", rights, "--json")
    rows = {row["right_id"]: row for row in json_lines(checked.stdout) if "right_id" in row}
    counts = {right_id: (row["touched"], row["listings"]) for right_id, row in rows.items()}
    assert counts == {"r-1": (7, 300), "r-2": (4, 300), "r-3": (289, 300)}
    assert checked.returncode == 1
    loaded = run(settings, "rights", "load", rights, "--confirm", "r-3")
    assert loaded.returncode == 1
    assert loaded.stderr.startswith(
        f"refused {rights}:1: field 'mark': mark 'Zorvex' would have touched 7 of 300 recent "
        "listings (2.3 %)"
    )
    assert (
        f"confirmed {rights}:3: field 'mark': mark 'table' would have touched 289 of 300 "
        "recent listings (96.3 %); more than 2 % is a disaster\n"
    ) in loaded.stdout
    assert loaded.stdout.endswith("2 rights published, 1 problems\n")
    assert [message.key() for message in bus.messages(topics.RIGHTS)] == [b"r-2", b"r-3"]
    assert set(bus.committed("assayer-newest-records", topics.LISTINGS).values()) <= {-1001}
    nowhere = f"http://127.0.0.1:{free_port()}"
    away = run(settings, "rights", "check", rights, ASSAYER_SCHEMA_REGISTRY_URL=nowhere)
    assert (away.returncode, away.stderr) == (0, "")
    assert f"not measured: schema registry {nowhere} does not answer" in away.stdout
    few = write_lines(tmp_path / "few.jsonl", listing("l-1", "Zorvex diver"))
    again = run(settings, "rights", "load", rights, "--against", few, "--confirm", "r-3")
    assert again.returncode == 0
    assert "3 rights published, 0 problems" in again.stdout


def _spoil(settings: Settings) -> None:
    """Put records that are no listings on each partition of the listings' topic."""
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": settings.kafka_bootstrap})
    for partition in range(settings.topic_partitions):
        for value in (b"nonsense", None):
            producer.produce(
                settings.topic(topics.LISTINGS.name), value, b"broken", partition=partition
            )
    assert producer.flush(20) == 0


def test_rights_are_checked_without_topics_and_not_loaded(
    run: Any, settings: Settings, rights: str
) -> None:
    checked = run(settings, "rights", "check", rights)
    assert checked.returncode == 0
    assert "not measured: there is no topic" in checked.stdout
    loaded = run(settings, "rights", "load", rights)
    assert loaded.returncode == 1
    assert "Traceback" not in loaded.stderr
