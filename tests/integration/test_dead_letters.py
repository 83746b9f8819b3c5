"""Dead letters: buried once, listed, and shown whole."""

from __future__ import annotations

import base64
from pathlib import Path

from streams import topics
from streams.codec import Encoder
from streams.settings import Settings
from tests.harness import RIGHT, Bus, WorkerProcess, json_lines, now_ms, run_command, wait_for


def _buried(bus: Bus) -> list[str]:
    return [record["key"].decode() for record in bus.records(topics.DEAD_LETTERS)]


def test_what_is_no_right_is_buried_once_by_all_workers_and_starts(
    settings: Settings, tmp_path: Path
) -> None:
    """Two workers, one of them started twice; the last letter shows that no other is on its way."""
    bus = Bus(settings)
    bus.publish(rights=[RIGHT])
    bus.send(topics.RIGHTS, [("before any start", b"no right")])
    with WorkerProcess(settings, tmp_path) as one:
        one.wait_ready()
        wait_for(lambda: _buried(bus), 30, lambda: f"a letter\n{one.text}")
        with WorkerProcess(settings, tmp_path) as other:
            other.wait_ready()
            bus.send(topics.RIGHTS, [("with two workers", b"no right")])
            wait_for(
                lambda: "with two workers" in _buried(bus),
                30,
                lambda: f"a letter of either\n{one.text}\n{other.text}",
            )
            assert (one.stop(), other.stop()) == (0, 0), one.text + other.text
    with WorkerProcess(settings, tmp_path) as again:
        again.wait_ready()
        bus.send(topics.RIGHTS, [("after another start", b"no right")])
        wait_for(
            lambda: "after another start" in _buried(bus), 30, lambda: f"a letter\n{again.text}"
        )
        wait_for(
            lambda: again.metric("assayer_registry_version") == 3,
            20,
            "a registry version that counts what is no right",
        )
    assert _buried(bus) == ["before any start", "with two workers", "after another start"]


def test_dead_letters_are_listed_shown_and_filtered(bus: Bus, worker: WorkerProcess) -> None:
    encoder = Encoder(
        bus.registry, bus.settings.topic(topics.LISTINGS.name), topics.LISTINGS.schema
    )
    record = {"event_id": "e", "listing_id": "l", "seller_id": "s", "occurred_at": now_ms()}
    long = encoder.encode(record | {"title": "Zorvex" + "x" * 5_000_000})
    late = encoder.encode(record | {"occurred_at": 0, "title": "Zorvex"})
    bus.send(topics.LISTINGS, [("long", long), ("late", late), ("none", None)])
    bus.send(topics.SELLERS, [("no seller", b"no seller")])
    wait_for(lambda: len(_buried(bus)) == 4, 30, lambda: f"four letters\n{worker.text}")

    listed = json_lines(run_command(bus.settings, "dead-letters", "list", "--json").stdout)
    by_reason = {row["reason"]: row for row in listed}
    assert sorted(by_reason) == ["bad_time", "empty_value", "too_large", "undecodable"]
    of_sellers = run_command(
        bus.settings, "dead-letters", "list", "--json",
        "--topic", bus.settings.topic(topics.SELLERS.name),
    )  # fmt: skip
    assert json_lines(of_sellers.stdout) == [by_reason["undecodable"]]
    of_time = run_command(bus.settings, "dead-letters", "list", "--json", "--reason", "bad_time")
    assert json_lines(of_time.stdout) == [by_reason["bad_time"]]

    chosen = by_reason["too_large"]
    assert chosen["bytes"] == len(long)
    (whole,) = json_lines(run_command(bus.settings, "dead-letters", "show", chosen["id"]).stdout)
    assert base64.b64decode(whole["value"]) == long
    assert base64.b64decode(whole["key"]) == b"long"
    text = run_command(bus.settings, "dead-letters", "list").stdout
    assert chosen["id"] in text
    assert "too_large" in text
    missing = run_command(bus.settings, "dead-letters", "show", "9:999999")
    assert (missing.returncode, missing.stderr.count("\n")) == (1, 1)
