"""What is remembered of removed listings, linked sellers and updates, through a real worker."""

from __future__ import annotations

from typing import Any

import msgspec

from agents.records import DAY_MS, Image, Seller
from streams import topics
from tests.harness import Bus, WorkerProcess, listing, now_ms, run_command, wait_for
from tests.integration.history import (
    publish_takedowns,
    removal,
    reviewed,
)

PICTURE = "".join(f"{n:x}" * 4 for n in range(16))
OTHER_PICTURE = "".join(f"{15 - n:x}{n:x}" * 2 for n in range(16))


def test_a_relisting_by_the_same_seller_is_reviewed(bus: Bus, worker: WorkerProcess) -> None:
    """The words of copying are gone, the order is another: it is recognised all the same."""
    title = "Zorvex Diver 300 automatic men watch steel bracelet blue dial"
    bus.publish([listing("re-1", f"{title} replica", seller_id="s-re")])
    taken = bus.takedown("re-1")
    assert taken["fingerprint"]["title"]
    worker.settle()
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
    review = bus.review("re-2")
    assert review["rules"] == ["relisted"]
    note = next(e["note"] for e in review["evidence"] if e["signal"] == "relisted")
    assert taken["takedown_id"] in note
    bus.publish([listing("re-end", "Zor\u200bvex end", seller_id="s-end")])
    bus.review("re-end")
    assert not reviewed(bus) & {"re-3", "re-4"}


GOODS = "Diver 300 automatic men watch steel bracelet blue dial, sapphire glass, 42 mm"


def _watched(worker: WorkerProcess, count: float) -> None:
    """Return once the worker knows of so many watched sellers more."""
    wait_for(
        lambda: worker.metric("assayer_watched_sellers") >= count, 20, f"{count} watched sellers"
    )


def test_a_relisting_without_the_mark_is_reviewed(bus: Bus, worker: WorkerProcess) -> None:
    """The mark is dropped, or another name stands in its place, by the seller or one linked."""
    before = worker.metric("assayer_watched_sellers")
    bus.publish(
        sellers=[
            Seller("s-bare", identifiers={"bank": ("b-bare",)}),
            Seller("s-bare-2", identifiers={"bank": ("b-bare",)}),
        ]
    )
    worker.settle()
    bus.publish([listing("bare-1", f"Zorvex {GOODS}, replica 1:1", seller_id="s-bare")])
    taken = bus.takedown("bare-1")
    worker.settle()
    _watched(worker, before + 2)
    bus.publish(
        [
            listing("bare-2", GOODS, seller_id="s-bare"),
            listing("bare-3", f"Zandero {GOODS}", seller_id="s-bare"),
            listing("bare-4", f"{GOODS} AAA quality", seller_id="s-bare-2"),
            listing("bare-5", GOODS, seller_id="s-bare-nobody"),
            listing("bare-6", "Oak side table with two drawers, 60 cm, waxed", seller_id="s-bare"),
            listing("bare-7", GOODS, seller_id="s-bare", kind="DELETED", revision=2),
        ]
    )
    for listing_id, rule in (
        ("bare-2", "relisted"),
        ("bare-3", "relisted"),
        ("bare-4", "relisted-by-linked-seller"),
    ):
        review = bus.review(listing_id)
        assert review["rules"] == [rule]
        assert review["right_ids"] == ["tm-1"]
        assert review["units_sold_before"] == 0
        assert "uses the mark" not in review["statement"]["facts"]
        assert not [e for e in review["evidence"] if e["signal"] == "mark"]
        (note,) = [e["note"] for e in review["evidence"] if "relisted" in e["signal"]]
        assert taken["takedown_id"] in note
        assert "% alike" in note
        assert "s-bare" not in str(review["evidence"])
        explained = run_command(bus.settings, "explain", review["takedown_id"])
        assert explained.returncode == 0, explained.stdout + explained.stderr
    bus.publish([listing("bare-end", "Zor\u200bvex end", seller_id="s-end")])
    bus.review("bare-end")
    worker.settle()
    assert not reviewed(bus) & {"bare-5", "bare-6", "bare-7"}


def test_pictures_and_gtins_are_recognised(bus: Bus, worker: WorkerProcess) -> None:
    near = f"{int(PICTURE, 16) ^ 0x1111:064x}"
    shared = (Image("u", PICTURE, 90), Image("v", OTHER_PICTURE, 90))
    bus.publish(
        [
            listing("pic-1", "Zorvex replica", seller_id="s-pic", images=shared[:1]),
            listing("gtin-1", "Zorvex replica", seller_id="s-pic", gtins=("4006381333931",)),
        ]
    )
    bus.takedown("pic-1")
    bus.takedown("gtin-1")
    worker.settle()
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
    assert "same picture" in str(bus.review("pic-2")["evidence"])
    assert "same GTIN" in str(bus.review("gtin-2")["evidence"])
    assert "pic-3" not in reviewed(bus)


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
    bus.takedown("ring-1")
    worker.settle()
    bus.publish(
        [
            listing("ring-2", title, seller_id="s-ring-2"),
            listing("ring-3", title, seller_id="s-crowd-7"),
            listing("ring-4", "Zorvex pocket watch with chain, engraved lid", seller_id="s-ring-2"),
        ]
    )
    review = bus.review("ring-2")
    assert review["rules"] == ["relisted-by-linked-seller"]
    assert "a bank account" in str(review["evidence"])
    assert "s-ring-1" not in str(review)
    bus.publish(sellers=[Seller("s-ring-2", identifiers={"bank": ("b-9",)})])
    worker.settle()
    bus.publish(
        [
            listing("ring-5", title, seller_id="s-ring-2"),
            listing("ring-end", "Zor\u200bvex end", seller_id="s-end"),
        ]
    )
    bus.review("ring-end")
    assert not reviewed(bus) & {"ring-3", "ring-4", "ring-5"}


def test_what_was_reinstated_or_is_long_ago_does_not_count(bus: Bus, worker: WorkerProcess) -> None:
    titles = {
        "back": "Zorvex Aurora 38mm mother of pearl dial, ladies",
        "old": "Zorvex Meridian world timer, brown strap, 42mm",
        "recent": "Zorvex Pilot big date, green canvas, 45mm",
    }
    days = {"back": 5, "old": 181, "recent": 179}
    removals = {
        name: removal(f"past-{name}", "s-past", title, now_ms() - days[name] * DAY_MS)
        for name, title in titles.items()
    }
    again = removals["back"]
    reinstated = msgspec.structs.replace(again, action="REINSTATED", decided_at=now_ms())
    # The removal is repeated after the reinstatement, as a replay would.
    publish_takedowns(bus, [*removals.values(), reinstated, again])
    worker.settle()
    bus.publish(listing(f"new-{name}", title, seller_id="s-past") for name, title in titles.items())
    assert bus.review("new-recent")["rules"] == ["relisted"]
    bus.publish([listing("past-end", "Zor\u200bvex end", seller_id="s-end")])
    bus.review("past-end")
    assert not reviewed(bus) & {"new-back", "new-old"}


def test_a_burst_and_a_switch_are_noticed(bus: Bus, worker: WorkerProcess) -> None:
    """Both rules are in shadow: they are counted, and nothing follows."""

    def hits(rule: str) -> float:
        return worker.metric("assayer_rule_hits_total", rule=rule, mode="shadow")

    bus.publish(sellers=[Seller("s-burst", verified=False, created_at=now_ms() - 900 * DAY_MS)])
    before = {rule: hits(rule) for rule in ("branded-burst", "bait-and-switch")}
    moment = now_ms()
    new: dict[str, Any] = {"seller_id": "s-burst", "kind": "CREATED"}
    watch: dict[str, Any] = {"seller_id": "s-bait", "category_path": ("Watches", "Diving")}
    case: dict[str, Any] = {"seller_id": "s-bait", "category_path": ("Accessories", "Cases")}
    history = [
        listing(f"h-{day}-{n}", "Zorvex watch", occurred_at=moment - day * DAY_MS, **new)
        for day in (2, 4, 6)
        for n in range(2)
    ]
    many = [
        listing(f"b-{n}", f"Zorvex watch model {n}", occurred_at=moment, **new) for n in range(25)
    ]
    bus.publish([*history, *many])
    bus.publish(
        [
            listing("bait", "Silicone case for Zorvex Diver, black", brand="CoverCo", **case),
            listing("steady", "Zorvex Diver 300 steel", brand="Zorvex", **watch),
        ]
    )
    wait_for(lambda: bus.messages(topics.SIGHTINGS), 20, "sightings")
    worker.settle()
    typos = listing(
        "steady", "Zorvex Diver 300 stel", revision=2, brand="Zorvx", price_minor=100, **watch
    )
    bus.publish([listing("b-last", "Zorvex watch model x", occurred_at=moment, **new), typos])
    wait_for(lambda: hits("branded-burst") == before["branded-burst"] + 1, 20, "the burst")
    assert hits("bait-and-switch") == before["bait-and-switch"]
    switched = listing(
        "bait", "Zorvex Diver 300 automatic watch", revision=2, brand="Zorvex", **watch
    )
    bus.publish([switched])
    wait_for(lambda: hits("bait-and-switch") == before["bait-and-switch"] + 1, 20, "the switch")
    assert not reviewed(bus) & {"b-last", "bait", "steady"}
