"""What is remembered of removed listings, linked sellers and updates, through a real worker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis

from agents.history.fingerprints import fingerprint
from agents.history.recall import FOLDS, Ask
from agents.monitoring.judge import Examination, Judge
from agents.monitoring.policies import default_policy
from agents.monitoring.registry import compile_registry
from agents.monitoring.remembering import ask_of, needs_of, read
from agents.records import Image, Seller, Statement, Takedown
from agents.takedowns import TakedownEvents, takedown_id
from deploy.services import Kafka, Redis, SchemaRegistryServer
from streams import topics
from streams.codec import Decoder, Encoder
from streams.log_reader import LogReader
from streams.producer import Producer
from streams.settings import Settings
from streams.store import Store
from streams.views import View
from tests.harness import RIGHT, Bus, WorkerProcess, listing, now_ms, run_command, wait_for

DAY_MS = 86_400_000
PICTURE = "".join(f"{n:x}" * 4 for n in range(16))
OTHER_PICTURE = "".join(f"{15 - n:x}{n:x}" * 2 for n in range(16))


def _settled(worker: WorkerProcess) -> None:
    """Return when the views have applied what was published."""

    def lag() -> float:
        time.sleep(1.2)  # the gauge is set once a second
        lines = worker.get("/metrics")[1].splitlines()
        return sum(
            float(line.rpartition(" ")[2])
            for line in lines
            if line.startswith("assayer_consumer_lag{") and ".listings" not in line
        )

    wait_for(lambda: lag() == 0, 30, "the views")


def _takedown(bus: Bus, listing_id: str) -> dict[str, Any]:
    def look() -> list[dict[str, Any]]:
        return [r for r in bus.takedowns() if r["listing_id"] == listing_id]

    found: list[dict[str, Any]] = wait_for(look, 20, f"a takedown of {listing_id}")
    return found[0]


def _review(bus: Bus, listing_id: str) -> dict[str, Any]:
    def look() -> list[dict[str, Any]]:
        return [r for r in bus.records(topics.REVIEWS) if r["listing_id"] == listing_id]

    found: list[dict[str, Any]] = wait_for(look, 20, f"a review of {listing_id}")
    return found[0]


def _reviewed(bus: Bus) -> set[str]:
    return {record["listing_id"] for record in bus.records(topics.REVIEWS)}


def _publish_takedowns(bus: Bus, records: Sequence[Takedown]) -> None:
    """Publish takedowns as another pillar would."""
    names = [bus.settings.topic(topic.name) for topic in (topics.TAKEDOWNS, topics.REVIEWS)]
    encoders = [
        Encoder(bus.registry, names[0], "takedown"),
        Encoder(bus.registry, names[1], "review"),
    ]
    events = TakedownEvents(names[0], names[1], encoders[0], encoders[1])

    async def work() -> None:
        producer = Producer(bus.settings)
        try:
            await producer.deliver_within([events.event(record) for record in records], 20)
        finally:
            producer.close()

    asyncio.run(work())


def _removal(listing_id: str, seller_id: str, title: str, decided_at: int) -> Takedown:
    return Takedown(
        takedown_id=takedown_id(listing_id, 1),
        action="REMOVED",
        listing_id=listing_id,
        revision=1,
        seller_id=seller_id,
        policy_version="test",
        registry_version="1",
        listing_occurred_at=decided_at,
        received_at=decided_at,
        decided_at=decided_at,
        statement=Statement("ground", "facts", "redress"),
        fingerprint=fingerprint(title.lower()),
    )


def _state(settings: Settings) -> dict[str, Any]:
    """Return what the views of history hold, offsets apart."""
    client = redis.Redis.from_url(settings.redis_url.get_secret_value())
    prefix = f"{settings.topic_prefix}assayer:"
    state: dict[str, Any] = {}
    for fold in FOLDS:
        for pattern in fold.keys:
            for key in client.scan_iter(match=prefix + pattern):
                name = key.decode().removeprefix(prefix)
                kind = client.type(key)
                if name.startswith("branded:"):
                    state[name] = client.pfcount(key)
                elif kind == b"hash":
                    state[name] = client.hgetall(key)
                elif kind == b"set":
                    state[name] = client.smembers(key)
                elif kind == b"zset":
                    state[name] = client.zrange(key, 0, -1, withscores=True)
                else:
                    state[name] = client.get(key)
                ttl: Any = client.pttl(key)
                state[name] = (
                    state[name],
                    round((time.time() + ttl / 1000) / 60) if ttl > 0 else ttl,
                )
    client.close()
    return state


def test_a_relisting_by_the_same_seller_is_reviewed(bus: Bus, worker: WorkerProcess) -> None:
    """The words of copying are gone, the order is another: it is recognised all the same."""
    title = "Zorvex Diver 300 automatic men watch steel bracelet blue dial"
    bus.publish([listing("re-1", f"{title} replica", seller_id="s-re")])
    taken = _takedown(bus, "re-1")
    assert taken["fingerprint"]["title"]
    _settled(worker)
    bus.publish(
        [
            listing(
                "re-2",
                "Blue dial steel bracelet watch men Zorvex Diver 300 automatic",
                seller_id="s-re",
            ),
            listing("re-3", title, seller_id="s-somebody-else"),
            listing(
                "re-4",
                "Zorvex ladies quartz, white leather strap, rose gold case",
                seller_id="s-re",
            ),
        ]
    )
    review = _review(bus, "re-2")
    assert review["rules"] == ["relisted"]
    note = next(e["note"] for e in review["evidence"] if e["signal"] == "relisted")
    assert taken["takedown_id"] in note
    bus.publish([listing("re-end", "Zor\u200bvex end", seller_id="s-end")])
    _review(bus, "re-end")
    assert not _reviewed(bus) & {"re-3", "re-4"}


def test_pictures_and_gtins_are_recognised(bus: Bus, worker: WorkerProcess) -> None:
    near = f"{int(PICTURE, 16) ^ 0x1111:064x}"
    shared = (Image("u", PICTURE, 90), Image("v", OTHER_PICTURE, 90))
    bus.publish(
        [
            listing("pic-1", "Zorvex replica", seller_id="s-pic", images=shared[:1]),
            listing("gtin-1", "Zorvex replica", seller_id="s-pic", gtins=("4006381333931",)),
        ]
    )
    _takedown(bus, "pic-1")
    _takedown(bus, "gtin-1")
    _settled(worker)
    bus.publish(
        [
            listing(
                "pic-2", "Quite another Zorvex", seller_id="s-pic", images=(Image("w", near, 80),)
            ),
            listing(
                "pic-3", "Yet another Zorvex", seller_id="s-pic", images=(Image("w", near, 30),)
            ),
            listing("gtin-2", "The real Zorvex", seller_id="s-pic", gtins=("04006381333931",)),
        ]
    )
    assert "same picture" in str(_review(bus, "pic-2")["evidence"])
    assert "same GTIN" in str(_review(bus, "gtin-2")["evidence"])
    assert "pic-3" not in _reviewed(bus)


def test_a_relisting_by_a_linked_seller_is_reviewed(bus: Bus, worker: WorkerProcess) -> None:
    """A shared bank account is enough to look; what 30 sellers share is not, nor a link alone."""
    crowd = [Seller(f"s-crowd-{n}", identifiers={"device": ("agency",)}) for n in range(30)]
    bus.publish(
        sellers=[
            Seller("s-ring-1", identifiers={"bank": ("b-1",), "device": ("agency",)}),
            Seller("s-ring-2", identifiers={"bank": ("b-1",), "phone": ("p-2",)}),
            *crowd,
        ]
    )
    title = "Zorvex Nightfall 41mm chronograph black ceramic bezel"
    bus.publish([listing("ring-1", f"{title}, replica", seller_id="s-ring-1")])
    _takedown(bus, "ring-1")
    _settled(worker)
    bus.publish(
        [
            listing("ring-2", title, seller_id="s-ring-2"),
            listing("ring-3", title, seller_id="s-crowd-7"),
            listing("ring-4", "Zorvex pocket watch with chain, engraved lid", seller_id="s-ring-2"),
        ]
    )
    review = _review(bus, "ring-2")
    assert review["rules"] == ["relisted-by-linked-seller"]
    assert "a bank account" in str(review["evidence"])
    assert "s-ring-1" not in str(review)
    bus.publish(sellers=[Seller("s-ring-2", identifiers={"bank": ("b-9",)})])
    _settled(worker)
    bus.publish(
        [
            listing("ring-5", title, seller_id="s-ring-2"),
            listing("ring-end", "Zor\u200bvex end", seller_id="s-end"),
        ]
    )
    _review(bus, "ring-end")
    assert not _reviewed(bus) & {"ring-3", "ring-4", "ring-5"}


def test_what_was_reinstated_or_is_long_ago_does_not_count(bus: Bus, worker: WorkerProcess) -> None:
    titles = {
        "back": "Zorvex Aurora 38mm mother of pearl dial, ladies",
        "old": "Zorvex Meridian world timer, brown strap, 42mm",
        "recent": "Zorvex Pilot big date, green canvas, 45mm",
    }
    days = {"back": 5, "old": 181, "recent": 179}
    removals = {
        name: _removal(f"past-{name}", "s-past", title, now_ms() - days[name] * DAY_MS)
        for name, title in titles.items()
    }
    again = removals["back"]
    reinstated = msgspec.structs.replace(again, action="REINSTATED", decided_at=now_ms())
    # The removal is repeated after the reinstatement, as a replay would.
    _publish_takedowns(bus, [*removals.values(), reinstated, again])
    _settled(worker)
    bus.publish(listing(f"new-{name}", title, seller_id="s-past") for name, title in titles.items())
    assert _review(bus, "new-recent")["rules"] == ["relisted"]
    bus.publish([listing("past-end", "Zor\u200bvex end", seller_id="s-end")])
    _review(bus, "past-end")
    assert not _reviewed(bus) & {"new-back", "new-old"}


def test_a_burst_and_a_switch_are_noticed(bus: Bus, worker: WorkerProcess) -> None:
    """Both rules are in shadow: they are counted, and nothing follows."""

    def hits(rule: str) -> float:
        return worker.metric("assayer_rule_hits_total", rule=rule, mode="shadow")

    bus.publish(sellers=[Seller("s-burst", verified=False, created_at=now_ms() - 900 * DAY_MS)])
    before = {rule: hits(rule) for rule in ("branded-burst", "bait-and-switch")}
    moment = now_ms()
    history = [
        listing(
            f"h-{day}-{n}",
            "Zorvex watch",
            seller_id="s-burst",
            kind="CREATED",
            occurred_at=moment - day * DAY_MS,
        )
        for day in (2, 4, 6)
        for n in range(2)
    ]
    many = [
        listing(
            f"b-{n}",
            f"Zorvex watch model {n}",
            seller_id="s-burst",
            kind="CREATED",
            occurred_at=moment,
        )
        for n in range(25)
    ]
    bus.publish([*history, *many])
    bus.publish(
        [
            listing(
                "bait",
                "Silicone case for Zorvex Diver, black",
                seller_id="s-bait",
                revision=1,
                brand="CoverCo",
                category_path=("Accessories", "Cases"),
            ),
            listing(
                "steady",
                "Zorvex Diver 300 steel",
                seller_id="s-bait",
                revision=1,
                brand="Zorvex",
                category_path=("Watches", "Diving"),
            ),
        ]
    )
    wait_for(lambda: bus.messages(topics.SIGHTINGS), 20, "sightings")
    _settled(worker)
    bus.publish(
        [
            listing(
                "b-last",
                "Zorvex watch model x",
                seller_id="s-burst",
                kind="CREATED",
                occurred_at=moment,
            ),
            listing(
                "steady",
                "Zorvex Diver 300 stel",
                seller_id="s-bait",
                revision=2,
                brand="Zorvx",
                category_path=("Watches", "Diving"),
                price_minor=100,
            ),
        ]
    )
    wait_for(lambda: hits("branded-burst") == before["branded-burst"] + 1, 20, "the burst")
    assert hits("bait-and-switch") == before["bait-and-switch"]
    bus.publish(
        [
            listing(
                "bait",
                "Zorvex Diver 300 automatic watch",
                seller_id="s-bait",
                revision=2,
                brand="Zorvex",
                category_path=("Watches", "Diving"),
            ),
        ]
    )
    wait_for(lambda: hits("bait-and-switch") == before["bait-and-switch"] + 1, 20, "the switch")
    assert not _reviewed(bus) & {"b-last", "bait", "steady"}


def test_replays_change_nothing_and_a_rebuilt_view_is_the_same(
    bus: Bus, worker: WorkerProcess
) -> None:
    _settled(worker)
    state = _state(bus.settings)
    kinds = {key.partition(":")[0] for key in state}
    assert kinds == {"removal", "removed", "links-of", "link", "seen", "branded"}

    async def replay() -> None:
        store = Store(bus.settings)
        for fold in FOLDS:
            view = View(fold, bus.settings, store, Decoder(bus.registry, fold.schema))
            for partition in range(bus.settings.topic_partitions):
                reader = LogReader(bus.settings, view.topic, partition)
                for records in reader.read_to_end():
                    assert not await view.apply(partition, records)
                reader.close()
        await store.close()

    asyncio.run(replay())
    assert _state(bus.settings) == state
    done = run_command(bus.settings, "views", "rebuild", "removals", "links", "sightings")
    assert done.returncode == 0, done.stderr
    assert _state(bus.settings) == state


def test_a_batch_takes_one_round_trip_and_a_second_where_there_is_something_to_compare(
    bus: Bus, worker: WorkerProcess
) -> None:
    """However many listings are asked about."""

    class Counting(Store):
        calls = 0

        async def call(self, *args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            return await super().call(*args, **kwargs)

    title = "Zorvex Atlas 40mm moon phase, silver dial"
    _publish_takedowns(bus, [_removal("trip", "trip-seller", title, now_ms())])
    _settled(worker)
    judge = Judge(compile_registry([RIGHT], "1"), default_policy())

    def asks(seller_id: str) -> dict[int, tuple[Ask, Examination]]:
        found = {}
        for number in range(90):
            examination = judge.examine(
                listing(f"trip-{number}", title, seller_id=seller_id, revision=2), now_ms()
            )
            ask = ask_of(examination, needs_of(judge.policy, examination))
            assert ask is not None
            found[number] = (ask, examination)
        return found

    async def trips(seller_id: str) -> tuple[int, int]:
        store = Counting(bus.settings)
        try:
            _, _, pasts = await read(store, ["s1", "s2"], ["l1"], asks(seller_id), now_ms())
        finally:
            await store.close()
        return store.calls, sum(bool(past.relisted) for past in pasts.values())

    assert asyncio.run(trips("somebody")) == (1, 0)
    assert asyncio.run(trips("trip-seller")) == (2, 90)


@pytest.fixture
def own_redis() -> Iterator[Redis]:
    with Redis() as service:
        yield service


@pytest.mark.usefixtures("topic_prefix")
def test_without_redis_rules_abstain_and_the_listing_is_judged_again(
    kafka: Kafka,
    schema_registry: SchemaRegistryServer,
    own_redis: Redis,
    topic_prefix: str,
    tmp_path: Path,
) -> None:
    settings = Settings(
        kafka_bootstrap=kafka.bootstrap,
        schema_registry_url=schema_registry.url,
        redis_url=own_redis.url,  # type: ignore[arg-type]
        topic_prefix=topic_prefix,
        topic_partitions=2,
        session_timeout_s=6.0,
    )
    bus = Bus(settings)
    bus.publish(rights=[RIGHT])
    title = "Zorvex Diver 300 automatic men watch steel bracelet blue dial"
    with WorkerProcess(settings, tmp_path) as worker:
        worker.wait_ready()
        bus.publish([listing("away-1", f"{title} replica", seller_id="s-away")])
        _takedown(bus, "away-1")
        _settled(worker)
        own_redis.kill()
        bus.publish(
            [
                listing("away-2", title, seller_id="s-away"),
                listing("away-3", "Zor\u200bvex", seller_id="s-x"),
            ]
        )
        notes = [e["note"] for e in _review(bus, "away-3")["evidence"]]
        assert any("did not answer" in note for note in notes)
        wait_for(
            lambda: {m.key() for m in bus.messages(topics.REJUDGE)} >= {b"away-2"},
            20,
            "the listing among those to judge again",
        )
        assert "away-2" not in _reviewed(bus)
        own_redis.start()  # empty: the views are rebuilt
        assert _review(bus, "away-2")["rules"] == ["relisted"]
