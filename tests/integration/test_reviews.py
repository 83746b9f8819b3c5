"""Reviews through real workers: what of them there is time for, on the topic and in the metrics."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

from streams import topics
from streams.settings import Settings
from tests.harness import RIGHT, Bus, WorkerProcess, listing, wait_for

POLICY = """
policy: tight
reviews: {per_hour: 3, per_day: 4}
guard: mark and in_force and not authorised
rules:
  - {name: hidden, when: mark_hidden, outcome: review, weight: 0.6, ground: g, reason: r}
  - {name: named, when: mark_plain, outcome: review, weight: 0.2, ground: g, reason: r}
"""


def test_two_workers_give_people_no_more_cases_than_the_policy_has_time_for(
    settings: Settings, tmp_path: Path
) -> None:
    """Six sellers with four listings each are six cases, of which three are to be worked."""
    bus = Bus(settings)
    bus.publish(rights=[RIGHT])
    policy = tmp_path / "tight.yaml"
    policy.write_text(POLICY)
    environment = {"ASSAYER_POLICY_FILE": str(policy)}
    with (
        WorkerProcess(settings, tmp_path, **environment) as one,
        WorkerProcess(settings, tmp_path, **environment) as other,
    ):
        for worker in (one, other):
            worker.wait_ready()
        one.wait_ready()  # with the partitions that the other has left it
        bus.publish(
            listing(f"r-{seller}-{n}", f"Zor\u200bvex no. {n}", seller_id=f"s-{seller}")
            for n in range(4)
            for seller in range(6)
        )
        wait_for(
            lambda: len(bus.records(topics.REVIEWS)) == 24,
            60,
            lambda: f"24 reviews: {len(bus.records(topics.REVIEWS))}\n{one.text}\n{other.text}",
        )
        records = bus.records(topics.REVIEWS)
        assert all(record["budget_asked"] for record in records)
        assert {record["priority"] for record in records} == {0.6}
        cases: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
        for record in records:
            cases[record["seller_id"]].add((record["group_id"], record["queue"]))
        assert all(len(of_seller) == 1 for of_seller in cases.values())
        queues = Counter(queue for of_seller in cases.values() for _, queue in of_seller)
        assert queues == {"WORK": 3, "OVERFLOW": 3}

        def counted(queue: str) -> float:
            return sum(w.metric("assayer_reviews_total", queue=queue) for w in (one, other))

        wait_for(lambda: (counted("work"), counted("overflow")) == (12, 12), 10, "the counts")

        def used() -> float:
            return max(
                w.metric("assayer_review_budget_used_ratio", window="hour") for w in (one, other)
            )

        wait_for(lambda: used() == 1.0, 10, "a budget that is used up")
        # The same again changes nothing: each is one review, delivered twice.
        bus.publish([listing("r-0-0", "Zor\u200bvex no. 0", seller_id="s-0")])
        wait_for(lambda: len(bus.records(topics.REVIEWS)) == 25, 60, "the review again")
        again = bus.review("r-0-0")
        assert {(again["group_id"], again["queue"])} == cases["s-0"]
