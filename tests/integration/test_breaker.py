"""The breaker on a real Kafka and Redis, under two workers, as operators and downstream see it."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from agents.breaker.held import Held
from agents.breaker.queue import read_queue
from agents.breaker.quotas import HOUR_S
from agents.records import Listing, Right
from agents.takedowns import takedown_id
from deploy.services import Prometheus
from streams import topics
from streams.producer import Producer
from streams.settings import Settings
from tests.harness import RIGHT, Bus, WorkerProcess, listing, policy_with, run_command, wait_for

RULES: Final = Path(__file__).resolve().parents[2] / "deploy/prometheus/rules/flow.yaml"
FLOOD: Final = 400
QUOTA: Final = 150
OTHER: Final = Right("tm-2", "Quandrel Ltd", mark="Quandrel", brand="Quandrel House")


@contextmanager
def two_workers(settings: Settings, folder: Path, quotas: str) -> Iterator[list[WorkerProcess]]:
    """Run two ready workers under the default policy with these quotas; kill what is left."""
    policy = policy_with(folder, quotas)
    with ExitStack() as running:
        workers = [WorkerProcess(settings, folder, **policy) for _ in range(2)]
        for worker in workers:
            running.enter_context(worker)
        for worker in workers:
            worker.wait_ready()
        yield workers


def within_an_hour(seconds: float) -> None:
    """Return when the hour of the clock goes on for as long as that."""
    left = HOUR_S - time.time() % HOUR_S
    if left < seconds:
        time.sleep(left)


def handled(workers: list[WorkerProcess], **labels: str) -> int:
    return int(sum(worker.metric("assayer_listings_total", **labels) for worker in workers))


def gauges(workers: list[WorkerProcess]) -> set[float]:
    return {worker.metric("assayer_held_takedowns") for worker in workers}


def released(workers: list[WorkerProcess]) -> float:
    return sum(worker.metric("assayer_takedowns_total") for worker in workers)


def ids(records: list[dict[str, Any]]) -> Counter[str]:
    return Counter(record["takedown_id"] for record in records)


def breaker(bus: Bus, *arguments: str, code: int = 0) -> dict[str, Any]:
    """Return what a command reports as JSON."""
    done = run_command(bus.settings, "breaker", *arguments, "--json")
    assert done.returncode == code, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.timeout(400)
def test_the_breaker_holds_exactly_the_excess_under_two_workers(
    settings: Settings, tmp_path: Path
) -> None:
    """400 takedowns of one rule with a quota of 150: from the flood to the last one decided.

    Each id is sent or held, none is lost, other listings go on; both workers tell the same number,
    an alert fires, a restart changes nothing, and what a person decides comes out once.
    """
    bus = Bus(settings)
    bus.publish(rights=[RIGHT, OTHER])
    flood = [listing(f"l-{n}", f"Zorvex watch replica {n}") for n in range(FLOOD)]
    expected = {takedown_id(each.listing_id, 1) for each in flood}
    honest = [listing(f"chair-{n}", f"Oak chair {n}") for n in range(100)]
    beside = [
        # Not the flood's seller: a bad standing would have it removed.
        listing("hidden", "Zor\u200bvex watch", seller_id="s-hidden"),
        listing("super", "Zor\u200bvex super clone"),
    ]
    quotas = f"{{rule: {{per_minute: {QUOTA}, per_hour: {QUOTA}, factor: 0}}}}"
    within_an_hour(90)
    with two_workers(settings, tmp_path, quotas) as workers:
        bus.publish([*flood, *honest, *beside])
        total = FLOOD + len(honest) + len(beside)
        wait_for(lambda: handled(workers) == total, 60, lambda: f"all handled\n{workers[0].text}")
        assert all(handled([worker], outcome="remove") for worker in workers), "both had a part"
        assert handled(workers, outcome="remove") == FLOOD + 1
        through, held = ids(bus.takedowns()), ids(bus.records(topics.HELD))
        assert bus.takedown("super")["rules"][0] == "hidden-mark-supported"
        del through[takedown_id("super", 1)]
        assert bus.review("hidden")
        assert (len(through), len(held)) == (QUOTA, FLOOD - QUOTA)
        assert {*through.values(), *held.values()} == {1}
        assert through.keys() | held.keys() == expected
        wait_for(lambda: gauges(workers) == {FLOOD - QUOTA}, 20, lambda: str(gauges(workers)))
        assert released(workers) == QUOTA + 1
        _see_the_alert(workers)
        workers[0].kill()
        assert workers[1].stop() == 0, workers[1].text

    with two_workers(settings, tmp_path, quotas) as workers:
        wait_for(lambda: gauges(workers) == {FLOOD - QUOTA}, 20, lambda: str(gauges(workers)))
        assert ids(bus.takedowns()).keys() & expected == through.keys()
        _see_the_status(bus)
        _release_half_and_discard_the_rest(bus, workers, through, held)
        _publish_all_of_it_again(bus, workers, flood, through)


def _see_the_alert(workers: list[WorkerProcess]) -> None:
    targets = [worker.url.removeprefix("http://") for worker in workers]
    with Prometheus(*targets, rules=RULES) as prometheus:
        (alert,) = wait_for(
            lambda: prometheus.query('ALERTS{alertstate="firing"}'), 30, "an alert that fires"
        )
        assert alert["metric"]["alertname"] == "AssayerTakedownsHeld"


def _see_the_status(bus: Bus) -> None:
    told = breaker(bus, "status", "--newest", "3")
    assert told["held"] == FLOOD - QUOTA
    by_key = {quota["quota"]: quota for quota in told["quotas"]}
    rule = by_key["rule:replica-words"]
    assert rule["hour"] == {"used": QUOTA, "limit": QUOTA}
    assert (rule["minute"]["limit"], rule["baseline"]) == (QUOTA, 0)
    assert rule["held"] == FLOOD - QUOTA
    assert by_key["all"]["hour"]["used"] == QUOTA + 1
    assert by_key["brand:zorvex"]["held"] == 0
    assert len(told["newest"]) == 3
    assert all(each["rule"] == "replica-words" for each in told["newest"])
    assert all(each["brand"] == "Zorvex" for each in told["newest"])
    explained = run_command(bus.settings, "explain", told["newest"][0]["takedown_id"])
    assert explained.returncode == 0, explained.stderr
    assert "Zorvex watch replica" in explained.stdout
    shown = run_command(bus.settings, "breaker", "status").stdout
    assert f"{QUOTA:,} of {QUOTA:,}" in shown
    assert f"{FLOOD - QUOTA} takedowns are held" in shown


def _release_half_and_discard_the_rest(
    bus: Bus, workers: list[WorkerProcess], through: Counter[str], held: Counter[str]
) -> None:
    waiting = {each.takedown_id: each for each in read_queue(bus.settings).open()}
    half = len(held) // 2
    before = released(workers)
    told = breaker(
        bus, "release", "--rule", "replica-words", "--brand", "ZORVEX", "--limit", str(half),
        "--author", "ann", "--reason", "looked at",
    )  # fmt: skip
    assert told == {"released": half, "before": 0, "refused": [], "held": len(held) - half}
    sent = ids(bus.takedowns())
    new = {id_ for id_ in held if id_ in sent}
    assert len(new) == half
    assert set(sent.values()) == {1}
    for message in bus.messages(topics.TAKEDOWNS):
        id_ = next(id_ for id_ in sent if id_ in dict(message.headers())["ce_id"].decode())
        if id_ in waiting:
            assert message.value() == waiting[id_].value, "the very same takedown"
            assert message.key() == waiting[id_].listing_id.encode()
    wait_for(lambda: released(workers) == before + half, 20, "released ones are counted")
    wait_for(lambda: gauges(workers) == {len(held) - half}, 20, lambda: str(gauges(workers)))

    one = next(iter(new))
    left = next(id_ for id_ in held if id_ not in new)
    again = breaker(bus, "release", one, left, "no-such-id", "--author", "ann", code=1)
    assert again == {
        "released": 1, "before": 1, "refused": ["no-such-id"], "held": len(held) - half - 1,
    }  # fmt: skip
    told = breaker(bus, "discard", "--all", "--reason", "the rule was wrong", "--author", "ben")
    assert told == {"discarded": len(held) - half - 1, "before": 0, "refused": [], "held": 0}
    wait_for(lambda: gauges(workers) == {0}, 20, lambda: str(gauges(workers)))
    refused = run_command(
        bus.settings, "breaker", "release", next(id_ for id_ in held if id_ not in new | {left})
    )
    assert refused.returncode == 1
    assert "was discarded by ben at 2" in refused.stderr
    marks = [record for record in bus.records(topics.HELD) if record["state"] != "HELD"]
    assert Counter((mark["state"], mark["author"], mark["reason"]) for mark in marks) == {
        ("RELEASED", "ann", "looked at"): half,
        ("RELEASED", "ann", ""): 1,
        ("DISCARDED", "ben", "the rule was wrong"): len(held) - half - 1,
    }
    through.update([*new, left])


def _publish_all_of_it_again(
    bus: Bus, workers: list[WorkerProcess], flood: list[Listing], through: Counter[str]
) -> None:
    """What was sent passes again under its id, what was discarded stays so; nothing is counted."""
    before = handled(workers)
    bus.publish(flood)
    wait_for(lambda: handled(workers) == before + FLOOD, 60, "all handled again")
    for worker in workers:
        worker.settle()
    sent = ids([r for r in bus.takedowns() if r["listing_id"] != "super"])
    assert sent.keys() == through.keys()
    assert gauges(workers) == {0}
    rule = next(q for q in breaker(bus, "status")["quotas"] if q["quota"] == "rule:replica-words")
    assert rule["hour"]["used"] in (QUOTA, 0)  # 0 where an hour began meanwhile


def test_a_release_that_was_cut_short_is_run_again_without_doubles(
    settings: Settings, tmp_path: Path
) -> None:
    """A kill between the takedowns of a chunk and their marks leaves takedowns without one."""
    bus = Bus(settings)
    bus.publish(rights=[RIGHT, OTHER])
    brand = "{brand: {per_minute: 0, per_hour: 0, factor: 0}}"
    with WorkerProcess(settings, tmp_path, **policy_with(tmp_path, brand)) as worker:
        worker.wait_ready()
        bus.publish(listing(f"l-{n}", f"Quandrel bag replica {n}") for n in range(30))
        wait_for(lambda: handled([worker]) == 30, 30, worker.text)
        assert not bus.messages(topics.TAKEDOWNS)
        waiting = read_queue(settings).open()
        assert {each.reason for each in waiting} == {
            "over the quota of brand 'quandrel house': 0 a minute, with a baseline of 0.0 an hour"
        }
        _send(settings, waiting[:12])
        told = breaker(bus, "release", "--brand", "quandrel HOUSE", "--limit", "20")
        assert (told["released"], told["held"]) == (20, 10)
        assert breaker(bus, "release", "--all")["released"] == 10
        assert breaker(bus, "release", "--all")["released"] == 0
        sent = ids(bus.takedowns())
        assert sent == Counter(each.takedown_id for each in waiting)
        wait_for(lambda: gauges([worker]) == {0}, 20, "none held")
        assert worker.metric("assayer_takedowns_total") == 30


def _send(settings: Settings, held: list[Held]) -> None:
    """Send takedowns as a release does, and die."""

    async def work() -> None:
        producer = Producer(settings)
        try:
            topic = settings.topic(topics.TAKEDOWNS.name)
            await producer.deliver_within([each.takedown_event(topic) for each in held], 20)
        finally:
            producer.close()

    asyncio.run(work())
