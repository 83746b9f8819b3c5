"""Every verdict can be made again, to the byte, whatever was published since."""

from __future__ import annotations

import asyncio
import base64
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from agents.alliance.rights_publish import publish_rights, withdraw_rights
from agents.monitoring.policies import DEFAULT
from agents.records import Listing, Right, Seller
from streams import topics
from streams.codec import Encoder
from tests.benchmarks.judgement import bases
from tests.benchmarks.judgement.cases import Case
from tests.benchmarks.judgement.run import cases
from tests.harness import Bus, WorkerProcess, json_lines, listing, now_ms, run_command

ENOUGH: Final = 1_000


@pytest.fixture(scope="module")
def generated() -> list[Case]:
    """Return cases of every class, language and disguise, in an order of chance."""
    made = list(cases(bases.sample_rows(), "dev", 7, 3))
    made.sort(key=lambda case: base64.b32encode(case.listing.title.encode())[-8:])
    return made


def _as_published(case: Case, number: int) -> tuple[Listing, Seller | None]:
    seller = case.seller
    name = f"{seller.seller_id if seller else 'nobody'}:{number % 50}"
    changed = msgspec.structs.replace(
        case.listing, listing_id=f"case-{number}", event_id=f"case-{number}", seller_id=name,
        occurred_at=now_ms(),
    )  # fmt: skip
    return changed, msgspec.structs.replace(seller, seller_id=name) if seller else None


def _publish_rights(bus: Bus, *rights: Right) -> None:
    asyncio.run(publish_rights(bus.settings, rights, registry=bus.registry))


def _policy(bus: Bus, *arguments: str) -> None:
    result = run_command(bus.settings, "policy", *arguments)
    assert result.returncode == 0, result.stderr


def _push(bus: Bus, folder: Path, weight: str) -> None:
    text = DEFAULT.read_text(encoding="utf-8")
    assert "weight: 0.6\n" in text
    path = folder / f"policy-{weight}.yaml"
    path.write_text(text.replace("weight: 0.6\n", f"weight: {weight}\n"), encoding="utf-8")
    _policy(bus, "push", str(path))


def test_each_reason_is_shown_with_its_text_and_a_caret_under_it(
    bus: Bus, worker: WorkerProcess
) -> None:
    worker.settle()
    bus.publish([listing("shown", "Best Zor\u200bvex diver, AAA quality replica", seller_id="s-1")])
    recorded = bus.takedown("shown")
    result = run_command(bus.settings, "explain", recorded["takedown_id"])
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    place = next(n for n, line in enumerate(lines) if "mark in title" in line)
    assert lines[place + 1].strip() == "Best Zor·vex diver, AAA quality replica"
    assert lines[place + 2] == " " * (lines[place + 1].index("Zor·vex")) + "^" * len("Zor·vex")
    assert "undone: zero_width" in lines[place + 3]
    assert lines[-1].strip() == "Judged again it comes out the same, to the byte."
    (row,) = json_lines(
        run_command(bus.settings, "explain", recorded["takedown_id"], "--json").stdout
    )
    assert row["same"] is True
    assert row["evidence"] == recorded["evidence"]


def test_a_large_listing_is_read_from_its_topic_again(bus: Bus, worker: WorkerProcess) -> None:
    worker.settle()
    long = "A fine watch, sold as it stands. " * 3_000
    bus.publish([listing("large", "Zorvex diver replica", description=long, seller_id="s-1")])
    recorded = bus.takedown("large")
    assert recorded["inputs"]["listing"] is None
    result = run_command(bus.settings, "explain", recorded["takedown_id"])
    assert result.returncode == 0, result.stdout
    assert "the same, to the byte" in result.stdout


def _altered(bus: Bus, recorded: dict[str, Any], **changes: Any) -> str:
    """Put a takedown on its topic that differs from a recorded one; return its id."""
    topic = bus.settings.topic(topics.TAKEDOWNS.name)
    encoder = Encoder(bus.registry, topic, topics.TAKEDOWNS.schema)
    identity = str(uuid.uuid4())
    record = recorded | {"takedown_id": identity} | changes
    headers = [("ce_id", f"{identity}:REMOVED".encode())]
    bus.send(topics.TAKEDOWNS, [(record["listing_id"], encoder.encode(record))], headers=headers)
    return identity


def test_what_comes_out_otherwise_or_not_at_all_is_told_and_exits_1(
    bus: Bus, worker: WorkerProcess
) -> None:
    worker.settle()
    bus.publish([listing("honest-copy", "Zorvex diver replica", seller_id="s-1")])
    recorded = bus.takedown("honest-copy")
    inputs = recorded["inputs"]
    told = {
        _altered(bus, recorded, score=0.123): "score: 0.123 was recorded, and 0.95 comes out",
        _altered(bus, recorded, evidence=recorded["evidence"][:1]): "was not recorded",
        _altered(bus, recorded, statement=recorded["statement"] | {"facts": "None."}): "statement",
        _altered(bus, recorded, inputs=None): "keeps nothing of what it was made from",
        _altered(bus, recorded, policy_version="default-0000000000000000"): "holds no policy",
        _altered(bus, recorded, registry_version="999999"): "holds no registry version 999999",
        _altered(bus, recorded, registry_version="0123abcd"): "made from a file",
        _altered(bus, recorded, inputs=inputs | {"seller": "{"}): "can't be read",
        _altered(bus, recorded, inputs=inputs | {"listing": b"nonsense"}): "can't be read",
        _altered(bus, recorded, inputs=inputs | {"listing": None, "offset": 9_999_999}):
            "past its retention",
        _altered(bus, recorded, revision=17): "another one",
        str(uuid.uuid4()): "no takedown or review",
    }  # fmt: skip
    result = run_command(bus.settings, "explain", *told, "--json")
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    rows = {row["takedown_id"]: row for row in json_lines(result.stdout)}
    for identity, text in told.items():
        row = rows.get(identity)
        shown = " ".join([row["problem"], *row["differences"]]) if row else result.stderr
        assert text in shown, (text, shown)
        assert row is None or not row["same"]
    every = run_command(bus.settings, "explain", "--all", "--since", "2020-01-01", "--json")
    assert every.returncode == 1
    *others, total = json_lines(every.stdout)
    assert total["others"] == len(others) == len(told) - 1
    none = run_command(bus.settings, "explain", "--all", "--since", "2999-01-01")
    assert none.returncode == 1
    assert "no takedowns or reviews there" in none.stderr


@pytest.mark.parametrize(
    "arguments", [(), ("--all", "id"), ("id", "--since", "2020-01-01"), ("--all", "--since", "x")]
)
def test_what_makes_no_sense_is_refused(bus: Bus, arguments: tuple[str, ...]) -> None:
    result = run_command(bus.settings, "explain", *arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_thousand_takedowns_come_out_the_same_across_versions(
    bus: Bus, worker: WorkerProcess, generated: list[Case], tmp_path: Path
) -> None:
    """Rights, policies and snoozes change while listings stream; then everything is explained."""
    rights = {case.mark.right.right_id: case.mark.right for case in generated}
    first, second, third, *_ = sorted(rights)
    _publish_rights(bus, *rights.values())
    dearer = msgspec.structs.replace(rights[first], reference_price_minor=1)
    renamed = msgspec.structs.replace(rights[third], owner="Somebody Else Ltd")
    snooze = ("--brand", rights[second].brand or rights[second].mark, "--until", "2999-01-01")
    changes: list[Callable[[], object]] = [
        lambda: _push(bus, tmp_path, "0.61"),
        lambda: _publish_rights(bus, dearer, renamed),
        lambda: _policy(bus, "snooze", "hidden-mark", *snooze, "--reason", "a test"),
        lambda: asyncio.run(withdraw_rights(bus.settings, [first])),
        lambda: _push(bus, tmp_path, "0.62"),
        lambda: None,
    ]
    size = len(generated) // len(changes) + 1
    published = [_as_published(case, number) for number, case in enumerate(generated)]
    bus.publish(sellers=[seller for _, seller in published if seller])
    worker.settle()
    for number, change in enumerate(changes):
        # While they are judged, the change comes into use.
        bus.publish([each for each, _ in published[number * size : (number + 1) * size]])
        change()
        worker.settle()
    events = [*bus.takedowns(), *bus.records(topics.REVIEWS)]
    acted = [record for record in events if record["listing_id"].startswith("case-")]
    assert len(acted) >= ENOUGH
    assert len({record["policy_version"] for record in acted}) >= 3
    assert len({record["registry_version"] for record in acted}) >= 3
    ids = [record["takedown_id"] for record in acted]
    checked = run_command(bus.settings, "explain", *ids, "--json")
    rows = json_lines(checked.stdout)
    assert [row["takedown_id"] for row in rows] == ids
    assert not [row for row in rows if not row["same"]]
    assert checked.returncode == 0, checked.stderr
