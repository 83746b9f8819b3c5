"""What stands already is judged by itself when rights come, and when rules begin to act."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any

import msgspec
import psutil

from agents.monitoring.sweeping.automatic import SWEEPS_GROUP
from agents.monitoring.sweeping.judging import PORTION
from agents.records import Right
from streams import topics
from streams.settings import Settings
from streams.topics import Topic
from tests.harness import RIGHT, Bus, WorkerProcess, listing, run_command, wait_for

NEW = Right("tm-new", "Quillor Bags SA", mark="Quillor")
POLICY = """
policy: copies-only
rules:
  - name: copies
    when: mark and in_force and not authorised and replica_words
    outcome: remove
    mode: enforce
    ground: Trademark infringement
    reason: The listing names {mark} and calls its goods copies.
"""


def another(settings: Settings) -> Bus:
    """Return a new installation on the same servers."""
    prefix = f"a{uuid.uuid4().hex[:10]}."
    return Bus(settings.model_copy(update={"topic_prefix": prefix, "topic_partitions": 3}))


def swept_up_to(bus: Bus, topic: Topic) -> int:
    """Return the offset from which on of rights or policies nothing was swept for."""
    return bus.committed(SWEEPS_GROUP, topic)[0]


def removed(bus: Bus) -> dict[str, list[str]]:
    """Return by listing the sources of its takedowns."""
    found: dict[str, list[str]] = {}
    for record in bus.takedowns():
        found.setdefault(record["listing_id"], []).append(record["source"])
    return found


def push(bus: Bus, folder: Path, text: str) -> None:
    path = folder / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    result = run_command(bus.settings, "policy", "push", str(path))
    assert result.returncode == 0, result.stderr


def test_a_right_that_comes_takes_down_what_stands(settings: Settings, tmp_path: Path) -> None:
    bus = another(settings)
    bus.publish(rights=[RIGHT])
    with WorkerProcess(bus.settings, tmp_path) as worker:
        worker.wait_ready()
        # While nothing was judged yet, there is nothing to sweep.
        wait_for(lambda: swept_up_to(bus, topics.RIGHTS) == 1, 30, "a first position")
        bus.publish(rights=[Right("tm-idle", "Nobody", mark="Vandermolen")])
        wait_for(lambda: swept_up_to(bus, topics.RIGHTS) == 2, 30, "the next position")
        assert "swept:" not in worker.text

        stood = [listing(f"stood-{n}", f"Quillor tote no. {n}, replica") for n in range(30)]
        bus.publish([*stood, listing("honest", "Canvas tote")])
        bus.publish([msgspec.structs.replace(stood[0], kind="DELETED", revision=2)])
        worker.settle()
        assert not bus.takedowns()
        bus.publish(rights=[NEW])
        wait_for(lambda: worker.metric("assayer_registry_version") == 2, 30, "the right in use")
        bus.publish([listing("after", "Quillor tote, new replica")])
        wait_for(lambda: swept_up_to(bus, topics.RIGHTS) == 3, 60, lambda: worker.text)
        expected = {f"stood-{n}": ["SWEEP"] for n in range(1, 30)} | {"after": ["MONITORING"]}
        assert removed(bus) == expected
        assert worker.metric("assayer_swept_listings_total", step="removed") == 29
        assert worker.metric("assayer_takedowns_total", source="SWEEP") == 29
        assert worker.metric("assayer_sweep_running") == 0
        explained = run_command(bus.settings, "explain", "--all")
        assert explained.returncode == 0, explained.stdout

        # What is told of a right and matches nothing is no reason to sweep.
        swept = worker.text.count("swept:")
        bus.publish(rights=[msgspec.structs.replace(NEW, owner="Quillor Bags SpA")])
        wait_for(lambda: swept_up_to(bus, topics.RIGHTS) == 4, 30, "the position after it")
        assert worker.text.count("swept:") == swept == 1
        assert worker.stop() == 0


def test_a_rule_that_begins_to_act_takes_down_what_stands(
    settings: Settings, tmp_path: Path
) -> None:
    bus = another(settings)
    bus.publish(rights=[RIGHT])
    push(bus, tmp_path, POLICY.replace("mode: enforce", "mode: shadow"))
    with WorkerProcess(bus.settings, tmp_path) as worker:
        worker.wait_ready()
        bus.publish([listing("stood", "Zorvex diver, AAA quality replica")])
        worker.settle()
        assert not bus.takedowns()
        push(bus, tmp_path, POLICY)
        record = wait_for(bus.takedowns, 60, lambda: worker.text)[0]
        assert (record["listing_id"], record["source"]) == ("stood", "SWEEP")
        assert record["rules"] == ["copies"]
        behind = int(record["policy_version"].partition("@")[2]) + 1
        wait_for(lambda: swept_up_to(bus, topics.POLICIES) == behind, 30, lambda: worker.text)


def test_a_sweep_whose_worker_is_killed_goes_on_with_the_next(
    settings: Settings, tmp_path: Path
) -> None:
    """The machine dies: the worker and the sweep's own process. Another worker takes over."""
    bus = another(settings)
    bus.publish(rights=[RIGHT])
    stood = [f"stood-{n}" for n in range(160)]
    slowly = {"ASSAYER_SWEEP_RATE": "20"}
    with WorkerProcess(bus.settings, tmp_path, **slowly) as first:
        first.wait_ready()
        bus.publish([listing(name, f"Quillor bag {name}, replica") for name in stood])
        first.settle()
        bus.publish(rights=[NEW])
        some: Any = wait_for(bus.takedowns, 90, lambda: first.text)
        processes = [psutil.Process(first.pid), *psutil.Process(first.pid).children()]
        for process in processes:
            process.kill()
    assert 0 < len(some) < len(stood)
    with WorkerProcess(bus.settings, tmp_path) as second:
        second.wait_ready()
        wait_for(lambda: swept_up_to(bus, topics.RIGHTS) == 2, 90, lambda: second.text)
        found = removed(bus)
        assert found.keys() == set(stood)
        assert all(set(sources) == {"SWEEP"} for sources in found.values())
        # Of those before the kill none was sent again, a portion at most apart.
        assert sum(map(len, found.values())) <= len(stood) + PORTION
        assert second.metric("assayer_swept_listings_total", step="read") == len(stood)


def test_no_sweep_begins_by_itself_where_that_is_switched_off(
    settings: Settings, tmp_path: Path
) -> None:
    bus = another(settings)
    with WorkerProcess(bus.settings, tmp_path, ASSAYER_SWEEP_RATE="0") as worker:
        worker.wait_ready()
        bus.publish([listing("stood", "Zorvex diver, replica")])
        worker.settle()
        bus.publish(rights=[RIGHT])
        wait_for(lambda: worker.metric("assayer_registry_version") == 0, 30, "the right in use")
        time.sleep(6)  # longer than a sweep takes to begin
        assert swept_up_to(bus, topics.RIGHTS) < 0
        assert not bus.takedowns()
        assert run_command(bus.settings, "sweep", "--right", RIGHT.right_id).returncode == 0
        assert removed(bus) == {"stood": ["SWEEP"]}
