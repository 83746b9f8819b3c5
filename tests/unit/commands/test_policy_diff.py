"""`assayer policy diff` over a file: what it tells, writes and refuses, with no server at all."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from agents.cli import main
from agents.monitoring.policies import DEFAULT, default_policy
from agents.records import DAY_MS, Listing, Right, Seller, format_time, parse_time
from deploy.services.process import free_port
from tests.harness import COMMAND, json_lines, started, wait_for
from tests.integration.command import write_lines

NOW = parse_time("2026-11-24T12:00:00Z")
RIGHT = Right(
    "tm-1", "Zorvex Ltd", mark="Zorvex", reference_price_minor=20_000, reference_currency="USD"
)
HOSTILE = '<script>alert("1")</script><img src=x onerror=alert(2)> &lt; \u202exevroZ\u0007\x1b[31m'


def listing(number: int, title: str = "Zorvex Diver", price: int = 4_000) -> Listing:
    return Listing(
        f"l-{number}", f"s-{number}", NOW + number * 60_000, title, price_minor=price,
        currency="USD", condition="NEW", event_id="e",
    )  # fmt: skip


@pytest.fixture(autouse=True)
def files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Work in a folder with everything a replay takes, and no server anywhere."""
    monkeypatch.setenv("ASSAYER_KAFKA_BOOTSTRAP", f"127.0.0.1:{free_port()}")
    monkeypatch.setenv("ASSAYER_SCHEMA_REGISTRY_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.chdir(tmp_path)
    write_lines(tmp_path / "rights.jsonl", RIGHT)
    write_lines(
        tmp_path / "listings.jsonl",
        *(listing(n) for n in range(20)),
        *(listing(n, price=2_000) for n in range(20, 30)),
        *(listing(n, "Oak table") for n in range(30, 60)),
        *(listing(n, f"Zorvex {HOSTILE}") for n in range(60, 62)),
    )
    text = DEFAULT.read_text(encoding="utf-8")
    Path("stricter.yaml").write_text(text.replace("price_ratio < 0.35", "price_ratio < 0.15"))
    Path("copy.yaml").write_text(text)
    Path("removing.yaml").write_text(
        text.replace("outcome: review", "outcome: remove").replace("cheap-mark\n", "cheap-now\n")
    )


FILES = ("--listings", "listings.jsonl", "--rights", "rights.jsonl")


def diff(capsys: Any, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["policy", "diff", *arguments])
    out, err = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, out, err


def lines_of(capsys: Any, *arguments: str) -> list[Any]:
    code, out, err = diff(capsys, *arguments, "--json")
    assert (code, err) == (0, "")
    return json_lines(out)


@pytest.mark.parametrize("new", ["default", "copy.yaml"])
def test_identical_policies_differ_in_nothing(capsys: Any, new: str) -> None:
    (total,) = lines_of(capsys, "default", new, *FILES)
    assert (total["read"], total["judged"], total["differ"]) == (62, 32, 0)
    assert total["outcomes"]["old"] == total["outcomes"]["new"] == {"remove": 0, "review": 32}
    code, out, _ = diff(capsys, "default", new, *FILES, "--html", "page.html")
    assert code == 0
    assert "0 of 62 listing changes" in out
    assert "decide the same about every one" in Path("page.html").read_text()


def test_a_changed_threshold_shows_exactly_what_lies_between(capsys: Any) -> None:
    change, total = lines_of(capsys, "default", "stricter.yaml", *FILES)
    assert (change["change"], change["rule"], change["listings"]) == (
        "no_longer_reviewed", "cheap-mark", 22,
    )  # fmt: skip
    names = {each["listing_id"] for each in change["samples"]}
    assert len(names) == 20
    assert names <= {f"l-{n}" for n in (*range(20), 60, 61)}
    assert (total["before"], total["differ"]) == (default_policy().version, 22)
    assert total["rules"] == [
        {"rule": "cheap-mark", "outcome": "review", "old": 32, "new": 10},
    ]
    assert sum(period["read"] for period in total["periods"]) == 62
    assert total["first"] == format_time(NOW)
    assert any("cheap-mark-untrusted" in note for note in total["notes"]), "rules that abstain"


def test_who_is_newly_removed_is_counted_by_seller(capsys: Any) -> None:
    lines = lines_of(capsys, "default", "removing.yaml", *FILES)
    assert [(each["change"], each["rule"]) for each in lines[:-1]] == [
        ("newly_removed", "cheap-now")
    ]
    assert lines[-1]["sellers_newly_removed"] == 32
    _, out, _ = diff(capsys, "default", "removing.yaml", *FILES)
    assert "Removed, and were not: 32, of 32 sellers." in out


def test_sellers_of_a_file_count(capsys: Any, tmp_path: Path) -> None:
    old = Seller("s-0", created_at=NOW - 400 * DAY_MS, verified=True)
    new = Seller("s-1", created_at=NOW - DAY_MS, verified=True)
    write_lines(tmp_path / "sellers.jsonl", old, new)
    total = lines_of(capsys, "default", "default", *FILES, "--sellers", "sellers.jsonl")[-1]
    assert total["outcomes"]["old"] == {"remove": 1, "review": 31}


def test_any_number_of_processes_prints_the_same_bytes(capsys: Any, tmp_path: Path) -> None:
    rows = [listing(n, "Zorvex Diver " + "x" * 30_000) for n in range(700)]
    path = write_lines(tmp_path / "large.jsonl", *rows)
    given = ("default", "stricter.yaml", "--listings", path, "--rights", "rights.jsonl")
    told = set()
    for number in ("1", "2", "3"):
        code, out, _ = diff(capsys, *given, "--json", "--html", "page.html", "--processes", number)
        assert code == 0
        told.add((out, Path("page.html").read_bytes()))
    assert len(told) == 1


def test_a_range_is_kept_to(capsys: Any) -> None:
    given = (*FILES, "--from", format_time(NOW + 5 * 60_000), "--to", "2026-11-24T12:10:00Z")
    change, total = lines_of(capsys, "default", "stricter.yaml", *given)
    assert (total["read"], change["listings"]) == (5, 5)
    assert (total["from"], total["to"]) == (
        "2026-11-24T12:05:00.000Z", "2026-11-24T12:10:00.000Z",
    )  # fmt: skip


class Page(HTMLParser):
    """What a browser would make of the page: its elements, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_hostile_title_is_text_on_the_page_and_harmless_on_a_terminal(capsys: Any) -> None:
    _, out, _ = diff(capsys, "default", "removing.yaml", *FILES, "--html", "page.html")
    assert "\x1b" not in out
    assert "\u202e" not in out
    text = Path("page.html").read_text(encoding="utf-8")
    page = Page(text)
    assert not {"script", "img", "iframe", "link", "a"} & set(page.tags)
    assert (
        '<script>alert("1")</script><img src=x onerror=alert(2)> &lt; {U+202E}xevroZ' in page.text
    )
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert not re.search(r"(src|href)=|url\(|@import", text.replace("src=x", "")), "self-contained"
    assert "\x07" not in text
    assert page.tags.count("svg") == 3
    assert page.tags.count("html") == page.tags.count("main") == 1


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("default",), 2, "which two policies"),
        (("default", "default"), 2, "--from"),
        (("default", "none.yaml", *FILES), 2, "no file 'none.yaml'"),
        (("default", "default", *FILES, "--from", "soon"), 2, "--from"),
        (("default", "default", *FILES, "--from", "2026-01-02", "--to", "2026-01-01"), 2, "--to"),
        (("default", "default", *FILES, "--registry", "3"), 2, "not of both"),
        (("default", "default", *FILES, "--processes", "0"), 2, "--processes"),
        (("default", "default", *FILES, "--html", "none/page.html"), 2, "no folder"),
        (("default", "default", *FILES, "--html", "."), 2, "a folder"),
        (("default", "broken.yaml", *FILES), 2, "broken.yaml"),
        (("default", "default", *FILES, "--from", "2030-01-01"), 1, "no listings from 2030"),
        (("default", "default", "--listings", "empty.jsonl", *FILES[2:]), 1, "empty"),
        (("default", "default", "--listings", "none.jsonl", *FILES[2:]), 2, "no file"),
        (("default", "default", "--listings", "/dev/null", *FILES[2:]), 2, "/dev/null"),
        (("default", "default", "--live"), 2, "--live"),
        (("--live", "--from", "2026-01-01"), 2, "--live"),
        (("default", "default", *FILES[:2]), 3, "does not answer"),
        (("current", "default", *FILES), 3, "does not answer"),
        (("default", "default", "--from", "2026-01-01", *FILES[2:]), 3, "does not answer"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_told_in_a_line(
    capsys: Any, arguments: tuple[str, ...], code: int, told: str
) -> None:
    Path("broken.yaml").write_text("policy: x\n")
    Path("empty.jsonl").write_text("")
    ended, out, err = diff(capsys, *arguments)
    assert (ended, out) == (code, "")
    assert told in err
    assert len(err.splitlines()) <= 2


def test_rows_that_cannot_be_read_are_told_and_the_others_compared(
    capsys: Any, tmp_path: Path
) -> None:
    path = write_lines(tmp_path / "bad.jsonl", listing(1), b"{", *([b"[]"] * 7), listing(2))
    given = ("default", "stricter.yaml", "--listings", path, "--rights", "rights.jsonl")
    code, out, err = diff(capsys, *given, "--json")
    assert code == 1
    told = err.splitlines()
    assert told[0].startswith(f"refused {path}:2: ")
    assert told[-1] == f"refused 3 more rows of {path}"
    change, total = json_lines(out)
    assert (change["listings"], total["unreadable"]) == (2, {"refused": 8})
    only = write_lines(tmp_path / "worse.jsonl", b"{")
    code, out, err = diff(capsys, "default", "default", "--listings", only, *FILES[2:])
    assert (code, out) == (1, "")
    assert "no listings" in err


def test_ctrl_c_ends_all_processes_and_says_nothing(tmp_path: Path) -> None:
    line = json.dumps(msgspec.to_builtins(listing(1, "Zorvex watch replica"))) + "\n"
    with (tmp_path / "endless.jsonl").open("w") as file:
        for _ in range(200):
            file.write(line * 1_000)
    process = started(
        [*COMMAND, "policy", "diff", "default", "stricter.yaml", "--listings", "endless.jsonl",
         "--rights", "rights.jsonl", "--processes", "2"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )  # fmt: skip
    children: list[psutil.Process] = wait_for(
        lambda: [
            each
            for each in psutil.Process(process.pid).children()
            if "spawn_main" in " ".join(each.cmdline()) and each.cpu_times().user > 0.5
        ],
        60,
        "a process that works",
    )
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, b"", b"")
    assert not [each for each in children if each.is_running()]
