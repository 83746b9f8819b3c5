"""The command as people and scripts meet it: exit codes, one-line errors, refused rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.monitoring.policies import DEFAULT
from agents.records import DAY_MS, Listing, Seller
from deploy.services.process import free_port
from streams import topics
from streams.settings import Settings
from tests.harness import (
    RIGHT,
    Bus,
    WorkerProcess,
    json_lines,
    listing,
    now_ms,
    wait_for,
)
from tests.integration.command import Result, is_plain, write_lines


def test_every_command_says_which_server_is_missing_and_exits_3(
    run: Any, bus: Bus, rights: str, listings: str
) -> None:
    """Each server away in turn, for every command that needs it."""
    nothing = f"127.0.0.1:{free_port()}"
    away = {
        "KAFKA": ({"ASSAYER_KAFKA_BOOTSTRAP": nothing}, f"Kafka at {nothing}"),
        "REGISTRY": (
            {"ASSAYER_SCHEMA_REGISTRY_URL": f"http://{nothing}"},
            f"registry http://{nothing}",
        ),
        "REDIS": ({"ASSAYER_REDIS_URL": f"redis://{nothing}/0"}, f"Redis at {nothing}"),
    }
    commands: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
        (("topics", "create"), ("KAFKA", "REGISTRY")),
        (("topics", "check"), ("KAFKA",)),
        (("feed", listings), ("KAFKA", "REGISTRY")),
        (("rights", "load", rights), ("KAFKA", "REGISTRY")),
        (("rights", "list"), ("KAFKA", "REGISTRY")),
        (("rights", "export"), ("KAFKA", "REGISTRY")),
        (("rights", "withdraw", "tm-1"), ("KAFKA", "REGISTRY")),
        (("dead-letters", "list"), ("KAFKA", "REGISTRY")),
        (("dead-letters", "show", "0:0"), ("KAFKA", "REGISTRY")),
        (("dead-letters", "replay", "--all"), ("KAFKA", "REGISTRY")),
        (("explain", "any"), ("KAFKA", "REGISTRY")),
        (("policy", "push", str(DEFAULT)), ("KAFKA", "REGISTRY")),
        (("policy", "list"), ("KAFKA", "REGISTRY")),
        (("policy", "show", "any"), ("KAFKA", "REGISTRY")),
        (("policy", "withdraw"), ("KAFKA", "REGISTRY")),
        (("policy", "snooze"), ("KAFKA", "REGISTRY")),
        (("policy", "diff", "--live"), ("KAFKA", "REGISTRY")),
        (("views", "rebuild"), ("KAFKA", "REGISTRY", "REDIS")),
    ]
    tried = [(command, server) for command, servers in commands for server in servers]
    for command, server in tried:
        result = run(bus.settings, *command, **away[server][0])
        what = (command, server, result.returncode, result.stdout, result.stderr)
        assert result.returncode == 3, what
        assert is_plain(result), what
        assert away[server][1] in result.stderr, what
        assert (
            f"ASSAYER_{server if server != 'REGISTRY' else 'SCHEMA_REGISTRY'}" in result.stderr
        ), what


def test_wrong_usage_exits_2_and_says_what_is_wrong(run: Any, bus: Bus, tmp_path: Path) -> None:
    rights = write_lines(tmp_path / "r.jsonl", RIGHT)
    empty = tmp_path / "no.csv"
    empty.write_text("")
    for arguments in (
        ("nonsense",),
        ("rights", "nonsense"),
        ("rights", "check"),
        ("rights", "load", str(tmp_path / "absent.jsonl")),
        ("rights", "withdraw"),
        ("feed",),
        ("feed", str(tmp_path / "absent.jsonl")),
        ("feed", str(empty)),
        ("feed", str(empty), "--mapping", "nowhere"),
        ("feed", rights, "--rate", "0"),
        ("feed", rights, "--rate", "fast"),
        ("screen", str(tmp_path / "absent.jsonl"), "--rights", rights),
        ("screen", rights),
        ("screen", rights, "--rights", rights, "--now", "soon"),
        ("screen", rights, "--rights", rights, "--policy", rights),
        ("worker", "--only", "nothing"),
        ("dead-letters", "replay"),
        ("views", "rebuild", "nothing"),
        ("demo", "--listings", "0"),
    ):
        result = run(bus.settings, *arguments)
        assert result.returncode == 2, (arguments, result)
        assert is_plain(result), (arguments, result)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KAFKA_BOOTSTRAP", "nowhere"),
        ("REDIS_URL", "nowhere"),
        ("SCHEMA_REGISTRY_URL", "nowhere"),
        ("TOPIC_PARTITIONS", "many"),
        ("POLICY_FILE", "absent.yaml"),
    ],
)
def test_a_setting_that_cannot_be_is_named(run: Any, bus: Bus, name: str, value: str) -> None:
    result = run(bus.settings, "worker", **{f"ASSAYER_{name}": value})
    assert result.returncode == 2
    assert is_plain(result)
    assert (f"ASSAYER_{name}" in result.stderr) or value in result.stderr


BAD_ROWS = (
    b"{nonsense",
    b'["a list"]',
    msgspec.json.encode({"listing_id": "l", "seller_id": "s", "occurred_at": 0}),
    msgspec.json.encode({"listing_id": "l", "seller_id": "s", "occurred_at": "soon", "title": "t"}),
    b'{"listing_id": "l", "seller_id": "s", "occurred_at": 0, "title": "t", "price_minor": '
    + b"9" * 40
    + b"}",
    b'{"listing_id": "l", "seller_id": "s", "occurred_at": 0, "title": "\xff"}',
)
FIELDS = ("", "", "field 'title'", "field 'occurred_at'", "field 'price_minor'", "")


def _are_refused(result: Result, path: str) -> None:
    assert result.returncode == 1, result
    lines = [line for line in result.stderr.splitlines() if line.startswith("refused ")]
    assert len(lines) == len(BAD_ROWS), result.stderr
    for number, (line, field) in enumerate(zip(lines, FIELDS, strict=True), start=2):
        assert line.startswith(f"refused {path}:{number}: {field}"), line
    assert "Traceback" not in result.stderr


def test_bad_rows_of_listings_are_refused_and_the_rest_goes_on(
    run: Any, bus: Bus, rights: str, tmp_path: Path
) -> None:
    good = [listing(f"row-{n}", "Zorvex replica") for n in range(2)]
    path = write_lines(tmp_path / "rows.jsonl", good[0], *BAD_ROWS, good[1])
    screened = run(bus.settings, "screen", path, "--rights", rights)
    _are_refused(screened, path)
    assert [v["listing_id"] for v in json_lines(screened.stdout)] == ["row-0", "row-1"]
    fed = run(bus.settings, "feed", path)
    _are_refused(fed, path)
    assert "2 listings published, 6 rows refused" in fed.stdout
    keys = [message.key() for message in bus.messages(topics.LISTINGS)]
    assert {b"row-0", b"row-1"} <= set(keys)
    told = json_lines(run(bus.settings, "feed", path, "--json").stdout)
    assert told[-1] == {"published": 2, "refused": 6, "sellers": 0}
    assert [row["line"] for row in told[:-1]] == [2, 3, 4, 5, 6, 7]


def test_a_row_too_large_for_the_topic_is_refused(run: Any, bus: Bus, tmp_path: Path) -> None:
    large = listing("large", "Zorvex " + "x" * 9_000_000)
    path = write_lines(tmp_path / "rows.jsonl", large, listing("beside-large", "Chair"))
    fed = run(bus.settings, "feed", path)
    assert fed.returncode == 1
    assert fed.stderr.startswith(f"refused {path}:1: 9000")
    assert "1 listings published, 1 rows refused" in fed.stdout


def test_commands_without_their_topics_say_how_to_make_them(run: Any, settings: Settings) -> None:
    for arguments in (
        ("rights", "list"),
        ("policy", "list"),
        ("explain", "any"),
        ("dead-letters", "list"),
        ("views", "rebuild"),
        ("worker",),
    ):
        result = run(settings, *arguments)
        assert result.returncode == 1, (arguments, result)
        assert "assayer topics create" in result.stderr, arguments
        assert "Traceback" not in result.stderr


def test_help_has_an_example_for_every_command(run: Any) -> None:
    top = run(None, "--help")
    assert top.returncode == 0
    groups = {
        "topics": ("create", "check"),
        "rights": ("check", "load", "list", "export", "withdraw"),
        "dead-letters": ("list", "show", "replay"),
        "views": ("rebuild",),
        "images": ("hash",),
        "policy": ("check", "test", "signals", "schema"),
    }
    single = ("demo", "worker", "doctor", "feed", "screen")
    for name in (*groups, *single):
        assert name in top.stdout
    commands = [(name,) for name in single]
    commands += [(group, name) for group, names in groups.items() for name in names]  # type: ignore[misc]
    for command in commands:
        text = run(None, *command, "--help").stdout
        assert f"Example: assayer {' '.join(command)}" in " ".join(text.split()), command
    for group in groups:
        assert f"Example: assayer {group} " in run(None, group, "--help").stdout, group


def test_screen_gives_the_same_bytes_and_the_verdicts_of_the_worker(
    run: Any, bus: Bus, worker: WorkerProcess, rights: str, tmp_path: Path
) -> None:
    """The same functions: outcome, rules, score and evidence of each listing are the worker's."""
    sellers = [
        Seller("w-old", created_at=now_ms() - 900 * DAY_MS, verified=True),
        Seller("w-new", created_at=now_ms() - 3 * DAY_MS),
    ]
    titles = [
        "Zorvex replica",
        "Zor\u200bvex watch",
        "Zorvex Diver",
        "Strap for Zorvex",
        "Oak chair",
    ]
    rows: list[Listing] = [
        listing(f"same-{seller.seller_id}-{n}", title, seller_id=seller.seller_id,
                price_minor=2_500, currency="USD", event_id=f"e-{seller.seller_id}-{n}")
        for seller in sellers
        for n, title in enumerate(titles)
    ]  # fmt: skip
    path = write_lines(tmp_path / "same.jsonl", *rows)
    known = write_lines(tmp_path / "sellers.jsonl", *sellers)
    bus.publish(sellers=sellers)
    worker.settle()
    arguments = ("screen", path, "--rights", rights, "--sellers", known, "--now", str(now_ms()))
    first, second = (run(bus.settings, *arguments) for _ in range(2))
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout == second.stdout
    verdicts = {verdict["listing_id"]: verdict for verdict in json_lines(first.stdout)}
    assert list(verdicts) == [row.listing_id for row in rows]
    assert {verdict["outcome"] for verdict in verdicts.values()} == {"allow", "review", "remove"}
    assert run(bus.settings, "feed", path).returncode == 0
    acted = {name: v for name, v in verdicts.items() if v["outcome"] != "allow"}

    def decided() -> dict[str, dict[str, Any]]:
        found = {
            record["listing_id"]: record
            for record in (*bus.takedowns(), *bus.records(topics.REVIEWS))
            if record["listing_id"].startswith("same-")
        }
        return found if acted.keys() <= found.keys() else {}

    records = wait_for(decided, 30, lambda: f"every decision\n{worker.text}")
    assert records.keys() == acted.keys()
    for name, verdict in acted.items():
        record = records[name]
        assert record["action"] == ("REMOVED" if verdict["outcome"] == "remove" else "REVIEW")
        for field in ("rules", "score", "policy_version", "revision"):
            assert record[field] == verdict[field], (name, field)
        ours = [e for e in verdict["evidence"] if e["signal"] != "seller"]
        assert [e for e in record["evidence"] if e["signal"] != "seller"] == ours
