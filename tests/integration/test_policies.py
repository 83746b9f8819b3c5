"""A policy's life on a real broker: pushed, refused, undone, muted, tried beside another."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from agents.monitoring.policies import DEFAULT, default_policy
from streams import topics
from tests.harness import (
    HOLDS_NOTHING,
    Bus,
    WorkerProcess,
    json_lines,
    listing,
    run_command,
    wait_for,
)

Result = subprocess.CompletedProcess[str]

RATE = 5_000
SECONDS = 6


def policy(bus: Bus, *arguments: str) -> Result:
    return run_command(bus.settings, "policy", *arguments)


def pushed(bus: Bus, *arguments: str) -> dict[str, Any]:
    result = policy(bus, "push", *arguments, "--json")
    assert result.returncode == 0, result.stderr
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def written(folder: Path, doc: str, old: str = "", new: str = "") -> str:
    """Write the default policy with another doc, and a text changed; return its path."""
    text = DEFAULT.read_text(encoding="utf-8").replace("doc: Trademarks", f"doc: {doc}. Trademarks")
    assert doc in text
    assert old in text
    text = f"breaker: {HOLDS_NOTHING}\n{text}"
    path = folder / "policy.yaml"
    path.write_text(text.replace(old, new) if old else text, encoding="utf-8")
    return str(path)


STRICTER = """policy: stricter
guard: mark and in_force and not authorised
rules:
  - name: hidden-mark
    when: mark_hidden
    outcome: remove
    ground: Trademark infringement
    reason: The listing disguises the mark '{mark}'.
  - name: replica-words
    when: replica_words and not nominative
    outcome: remove
    ground: Trademark infringement
    reason: The listing calls the goods copies.
"""


def version_in_use(worker: WorkerProcess) -> str:
    for line in worker.get("/metrics")[1].splitlines():
        if line.startswith("assayer_policy_info{"):
            return line.split('version="')[1].split('"')[0]
    return ""


def wait_in_use(worker: WorkerProcess, version: str) -> None:
    wait_for(
        lambda: version_in_use(worker) == version,
        20,
        lambda: f"{version} in use, and it is {version_in_use(worker)}\n{worker.text}",
    )


def states(bus: Bus) -> dict[int, str]:
    result = policy(bus, "list", "--json")
    assert result.returncode == 0, result.stderr
    return {row["offset"]: row["state"] for row in json_lines(result.stdout)}


def test_a_worker_keeps_the_text_of_the_shipped_policy(bus: Bus, worker: WorkerProcess) -> None:
    assert version_in_use(worker) == default_policy().version
    rows = json_lines(policy(bus, "list", "--json").stdout)
    assert [(row["kind"], row["version"], row["state"]) for row in rows] == [
        ("RECORDED", default_policy().version, "kept")
    ]
    shown = policy(bus, "show", default_policy().version).stdout
    assert shown.strip() == DEFAULT.read_text(encoding="utf-8").strip()


def test_a_push_under_load_loses_nothing_and_each_verdict_has_one_of_two_versions(
    bus: Bus, worker: WorkerProcess, tmp_path: Path
) -> None:
    first = pushed(bus, written(tmp_path, "First"))
    wait_in_use(worker, f"{first['version']}@{first['offset']}")
    path = written(tmp_path, "Second")
    told: list[dict[str, Any]] = []
    pusher = threading.Thread(target=lambda: told.append(pushed(bus, path)))
    infringing: set[str] = set()
    started = time.monotonic()
    for tenth in range(SECONDS * 10):
        batch = []
        for number in range(RATE // 10):
            name = f"load-{tenth}-{number}"
            copied = number % 20 == 0
            batch.append(listing(name, "Zorvex diver replica" if copied else "Oak dining table"))
            if copied:
                infringing.add(name)
        bus.publish(batch)
        if tenth == 10:
            pusher.start()
        time.sleep(max(0.0, started + (tenth + 1) / 10 - time.monotonic()))
    pusher.join()
    wait_in_use(worker, f"{told[0]['version']}@{told[0]['offset']}")
    bus.publish([listing("load-last", "Zorvex diver replica")])
    infringing.add("load-last")
    worker.settle()
    records = [r for r in bus.takedowns() if r["listing_id"].startswith("load-")]
    assert Counter(r["listing_id"] for r in records) == Counter(infringing)
    versions = [f"{each['version']}@{each['offset']}" for each in (first, *told)]
    assert {r["policy_version"] for r in records} == set(versions)


def test_a_corrupt_policy_is_refused_by_running_workers_and_by_one_that_starts_later(
    bus: Bus, worker: WorkerProcess, tmp_path: Path
) -> None:
    good = pushed(bus, written(tmp_path, "Good"))
    in_use = f"{good['version']}@{good['offset']}"
    wait_in_use(worker, in_use)
    bus.send(topics.POLICIES, [("default", b"\x00\x00\x00\x00\x63corrupt"), ("default", None)])
    bus.send(topics.POLICIES, [("default", b"nonsense")])
    wait_for(lambda: worker.metric("assayer_policy_refused") == 3, 20, "three refused")
    bus.publish([listing("after-corrupt", "Zorvex diver replica")])
    assert bus.takedown("after-corrupt")["policy_version"] == in_use
    assert version_in_use(worker) == in_use
    rows = json_lines(policy(bus, "list", "--json").stdout)
    assert [row["state"] for row in rows[-3:]] == ["refused"] * 3
    assert all(row["refusal"] for row in rows[-3:])
    assert "refused" in policy(bus, "list").stdout
    with WorkerProcess(bus.settings, tmp_path) as later:
        later.wait_ready()
        assert version_in_use(later) == in_use
        assert later.metric("assayer_policy_refused") == 3
    better = pushed(bus, written(tmp_path, "Better"))
    wait_in_use(worker, f"{better['version']}@{better['offset']}")
    wait_for(lambda: worker.metric("assayer_policy_refused") == 0, 20, "none refused")


def test_what_is_refused_or_fails_its_tests_is_not_published(bus: Bus, tmp_path: Path) -> None:
    before = len(bus.messages(topics.POLICIES))
    rule = "when: mark_hidden\n"
    misspelt = written(tmp_path, "Unknown", rule, "when: mark_hiden\n")
    unknown = policy(bus, "push", misspelt)
    assert unknown.returncode == 1
    assert "mark_hidden" in unknown.stderr
    failing = written(tmp_path, "Failing", rule, "when: mark_plain\n")
    failed = policy(bus, "push", failing)
    assert failed.returncode == 1
    assert "was not published" in failed.stderr
    assert policy(bus, "push").returncode == 2
    assert policy(bus, "push", "--version", "default-0000000000000000").returncode == 1
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe")
    assert policy(bus, "push", str(binary)).returncode == 1
    assert len(bus.messages(topics.POLICIES)) == before


def test_a_roll_back_is_a_push_of_an_old_version(
    bus: Bus, worker: WorkerProcess, tmp_path: Path
) -> None:
    old = pushed(bus, written(tmp_path, "Old"))
    new = pushed(
        bus,
        written(tmp_path, "New"),
        "--author",
        "ada",
        "--comment",
        "a mistake",
    )
    wait_in_use(worker, f"{new['version']}@{new['offset']}")
    back = pushed(bus, "--version", f"{old['version']}@{old['offset']}", "--comment", "undone")
    wait_in_use(worker, f"{old['version']}@{back['offset']}")
    found = states(bus)
    assert found[old["offset"]] == "replaced"
    assert found[new["offset"]] == "replaced"
    assert found[back["offset"]] == "in force"
    shown = policy(bus, "list").stdout
    assert "ada" in shown
    assert "a mistake" in shown
    assert f"In force: {old['version']}@{back['offset']}" in shown


def test_a_snoozed_rule_counts_and_acts_not_until_it_ends(bus: Bus, worker: WorkerProcess) -> None:
    made = policy(
        bus, "snooze", "replica-words", "--seller", "s-museum", "--until", "2999-01-01",
        "--reason", "sells museum copies", "--json",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    snooze = json.loads(made.stdout)
    wait_for(lambda: worker.metric("assayer_policy_snoozes") == 1, 20, "a rule that is muted")
    bus.publish(
        [
            listing("muted", "Zorvex diver replica", seller_id="s-museum"),
            listing("not-muted", "Zorvex diver replica", seller_id="s-other"),
        ]
    )
    assert bus.takedown("not-muted")["policy_version"].endswith(f"@{max(states(bus))}")
    worker.settle()
    assert "muted" not in {record["listing_id"] for record in bus.takedowns()}
    assert worker.metric("assayer_rule_hits_total", rule="replica-words", mode="snoozed") == 1
    assert snooze["snooze_id"] in policy(bus, "snooze").stdout
    ended = policy(bus, "snooze", "--end", snooze["snooze_id"])
    assert ended.returncode == 0, ended.stderr
    wait_for(lambda: worker.metric("assayer_policy_snoozes") == 0, 20, "no rule that is muted")
    bus.publish([listing("muted", "Zorvex diver replica", seller_id="s-museum", revision=2)])
    assert bus.takedown("muted")["revision"] == 2


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("no-rule", "--seller", "s", "--until", "2999-01-01", "--reason", "r"), 1, "no rule"),
        (("replica-word", "--seller", "s", "--until", "2999-01-01", "--reason", "r"), 1,
         "replica-words"),
        (("replica-words", "--until", "2999-01-01", "--reason", "r"), 2, "for whom"),
        (("replica-words", "--seller", "s", "--brand", "b", "--until", "2999-01-01", "--reason",
          "r"), 2, "for whom"),
        (("replica-words", "--seller", "s", "--reason", "r"), 2, "until when"),
        (("replica-words", "--seller", "s", "--until", "2999-01-01"), 2, "why"),
        (("replica-words", "--seller", "s", "--until", "2001-01-01", "--reason", "r"), 2, "passed"),
        (("replica-words", "--seller", "s", "--until", "soon", "--reason", "r"), 2, "--until"),
        (("--end", "no-such"), 1, "no snooze"),
    ],
)  # fmt: skip
def test_a_snooze_that_makes_no_sense_is_refused(
    bus: Bus, arguments: tuple[str, ...], code: int, told: str
) -> None:
    before = len(bus.messages(topics.POLICIES))
    result = policy(bus, "snooze", *arguments)
    assert (result.returncode, result.stdout) == (code, "")
    assert told in result.stderr
    assert len(result.stderr.strip().splitlines()) <= 2
    assert len(bus.messages(topics.POLICIES)) == before


def test_a_candidate_is_counted_on_live_traffic_and_acts_on_nothing(
    bus: Bus, worker: WorkerProcess, tmp_path: Path
) -> None:
    none = policy(bus, "diff", "--live")
    assert (none.returncode, none.stdout) == (1, "")
    path = tmp_path / "stricter.yaml"
    path.write_text(STRICTER, encoding="utf-8")
    in_use = version_in_use(worker)
    candidate = pushed(bus, str(path), "--candidate")
    wait_for(lambda: states(bus)[candidate["offset"]] == "on trial", 20, "a candidate on trial")
    wait_for(lambda: worker.metric("assayer_policy_candidate") == 1, 20, "the worker tries it")
    bus.publish(
        [
            *(listing(f"trial-{n}", "Z0rvex diver", seller_id="s-trial") for n in range(7)),
            listing("trial-copy", "Zorvex replica"),
            listing("trial-plain", "Zorvex diver", seller_id="s-plain"),
        ]
    )
    assert bus.review("trial-6")["policy_version"] == in_use
    assert bus.takedown("trial-copy")["policy_version"] == in_use

    def counted() -> list[dict[str, Any]]:
        result = policy(bus, "diff", "--live", "--json")
        assert result.returncode == 0, result.stderr
        lines: list[dict[str, Any]] = json_lines(result.stdout)
        return lines if lines[-1]["judged"] >= 9 else []

    change, total = wait_for(counted, 20, "nine listings on trial")
    assert (change["change"], change["rule"], change["listings"]) == (
        "newly_removed", "hidden-mark", 7,
    )  # fmt: skip
    assert {each["listing_id"] for each in change["samples"]} == {f"trial-{n}" for n in range(7)}
    assert (total["judged"], total["differ"]) == (9, 7)
    assert not {r["listing_id"] for r in bus.takedowns()} & {f"trial-{n}" for n in range(7)}
    assert worker.metric("assayer_rule_hits_total", rule="hidden-mark", mode="candidate") == 7
    shown = policy(bus, "diff", "--live").stdout
    assert "removed, and was not" in shown
    assert "Z0rvex diver" in shown
    assert policy(bus, "withdraw", "--comment", "too strict").returncode == 0
    assert states(bus)[candidate["offset"]] == "ended"
    wait_for(lambda: worker.metric("assayer_policy_candidate") == 0, 20, "the trial to end")
    assert policy(bus, "withdraw").returncode == 1
