"""The command as people and scripts meet it: exit codes, one-line errors, refused rows."""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

import agents.cli
from agents.records import DAY_MS, Listing, Seller
from deploy.services.process import free_port
from streams import topics
from streams.settings import Settings
from tests.harness import (
    RIGHT,
    Bus,
    WorkerProcess,
    alter_topic,
    environment,
    json_lines,
    listing,
    now_ms,
    run_command,
    wait_for,
)

Result = subprocess.CompletedProcess[str]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Any:
    """Run a command in this process, under an installation's environment.

    The worker has a process of its own: its last resort ends the one that it runs in.
    """

    def call(settings: Settings | None, *arguments: str, **more: str) -> Result:
        if settings is not None and arguments[0] == "worker":
            return run_command(settings, *arguments, **more)
        if settings is not None:
            for name, value in environment(settings, **more).items():
                if name.startswith("ASSAYER_"):
                    monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            agents.cli.main(list(arguments))
        out, err = capfdbinary.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        return subprocess.CompletedProcess(arguments, code, out.decode(), err.decode())

    return call


def _is_plain(result: Result) -> bool:
    """Return whether the error is told in one or two lines, without a traceback."""
    lines = result.stderr.strip().splitlines()
    return 1 <= len(lines) <= 2 and "Traceback" not in result.stderr and not result.stdout


def _write(path: Path, *rows: object) -> str:
    lines = [row if isinstance(row, bytes) else msgspec.json.encode(row) for row in rows]
    path.write_bytes(b"\n".join(lines) + b"\n")
    return str(path)


@pytest.fixture
def rights(tmp_path: Path) -> str:
    return _write(tmp_path / "rights.jsonl", RIGHT)


@pytest.fixture
def listings(tmp_path: Path) -> str:
    return _write(tmp_path / "listings.jsonl", listing("l-1", "Zorvex replica"))


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
        (("views", "rebuild"), ("KAFKA", "REGISTRY", "REDIS")),
    ]
    tried = [(command, server) for command, servers in commands for server in servers]
    for command, server in tried:
        result = run(bus.settings, *command, **away[server][0])
        what = (command, server, result.returncode, result.stdout, result.stderr)
        assert result.returncode == 3, what
        assert _is_plain(result), what
        assert away[server][1] in result.stderr, what
        assert (
            f"ASSAYER_{server if server != 'REGISTRY' else 'SCHEMA_REGISTRY'}" in result.stderr
        ), what


def test_wrong_usage_exits_2_and_says_what_is_wrong(run: Any, bus: Bus, tmp_path: Path) -> None:
    rights = _write(tmp_path / "r.jsonl", RIGHT)
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
        assert _is_plain(result), (arguments, result)


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
    assert _is_plain(result)
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
    path = _write(tmp_path / "rows.jsonl", good[0], *BAD_ROWS, good[1])
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
    path = _write(tmp_path / "rows.jsonl", large, listing("beside-large", "Chair"))
    fed = run(bus.settings, "feed", path)
    assert fed.returncode == 1
    assert fed.stderr.startswith(f"refused {path}:1: 9000")
    assert "1 listings published, 1 rows refused" in fed.stdout


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
    path = _write(tmp_path / "rights.jsonl", *rows)
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
    rights = _write(
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
    few = _write(tmp_path / "few.jsonl", listing("l-1", "Zorvex diver"))
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


def test_topics_are_made_and_compared(run: Any, settings: Settings) -> None:
    missing = run(settings, "topics", "check", "--json")
    assert missing.returncode == 1
    assert {row["state"] for row in json_lines(missing.stdout)} == {"missing"}
    assert run(settings, "topics", "create").returncode == 0
    assert run(settings, "topics", "check").returncode == 0
    alter_topic(settings, topics.LISTINGS, "retention.ms", "1000")
    differs = run(settings, "topics", "check", "--json")
    assert differs.returncode == 1
    (row,) = [row for row in json_lines(differs.stdout) if row["state"] == "differs"]
    assert row["topic"] == settings.topic("marketplace.listings")
    assert row["differences"] == ["retention.ms is 1000, has to be 2592000000"]
    left = run(settings, "topics", "create")
    assert left.returncode == 1
    assert "is not as it has to be: retention.ms is 1000, has to be 2592000000" in left.stderr
    refused = run(settings, "topics", "create", ASSAYER_TOPIC_REPLICATION="3",
                  ASSAYER_TOPIC_PREFIX=f"{settings.topic_prefix}three.")  # fmt: skip
    assert refused.returncode == 1
    assert _is_plain(refused)
    assert "could not be made" in refused.stderr


def test_commands_without_their_topics_say_how_to_make_them(run: Any, settings: Settings) -> None:
    for arguments in (
        ("rights", "list"),
        ("dead-letters", "list"),
        ("views", "rebuild"),
        ("worker",),
    ):
        result = run(settings, *arguments)
        assert result.returncode == 1, (arguments, result)
        assert "assayer topics create" in result.stderr, arguments
        assert "Traceback" not in result.stderr


def test_doctor_names_what_is_wrong_and_masks_secrets(run: Any, bus: Bus) -> None:
    well = run(bus.settings, "doctor")
    assert well.returncode == 0, well
    secret = "hunter2"  # noqa: S105 - of nobody
    result = run(
        bus.settings,
        "doctor",
        "--json",
        ASSAYER_KAFKA_SASL_PASSWORD=secret,
        ASSAYER_REDIS_URL=f"redis://:{secret}@127.0.0.1:{free_port()}/0",
        ASSAYER_REDIS_URI="typo",
    )
    assert result.returncode == 3
    assert secret not in result.stdout + result.stderr
    rows = json_lines(result.stdout)
    shown = rows[0]["settings"]
    assert {shown[f"ASSAYER_{name}"] for name in ("KAFKA_SASL_PASSWORD", "REDIS_URL")} == {"*" * 8}
    states = {row["check"]: row for row in rows[1:]}
    assert states["redis"]["state"] == "unreachable"
    assert states["kafka"]["state"] == "ok"
    assert states["variables"]["state"] == "wrong"
    assert "did you mean ASSAYER_REDIS_URL?" in states["variables"]["detail"]


def test_doctor_is_content_beside_a_worker_and_not_beside_anything_else(
    run: Any, bus: Bus, tmp_path: Path
) -> None:
    with WorkerProcess(bus.settings, tmp_path) as worker:
        worker.wait_ready()
        port = worker.url.rpartition(":")[2]
        beside = run(bus.settings, "doctor", ASSAYER_METRICS_PORT=port)
        assert beside.returncode == 0, beside
        assert "a worker serves at" in beside.stdout
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        taken = run(bus.settings, "doctor", ASSAYER_METRICS_PORT=port)
    assert taken.returncode == 1, taken
    assert "something else serves there" in taken.stdout


def test_doctor_knows_a_web_server_from_a_registry(run: Any, bus: Bus) -> None:
    """A path that is missing is answered with 404, as an unknown schema is."""
    url = bus.settings.schema_registry_url.split("/apis")[0]
    result = run(bus.settings, "doctor", ASSAYER_SCHEMA_REGISTRY_URL=url)
    assert result.returncode == 3
    assert "its path" in result.stdout


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
    path = _write(tmp_path / "same.jsonl", *rows)
    known = _write(tmp_path / "sellers.jsonl", *sellers)
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
