"""Workers are killed, join and leave while listings stream by: nothing is lost, nothing doubled."""

from __future__ import annotations

import time
from collections import Counter
from functools import partial
from pathlib import Path
from threading import Thread

import pytest

from agents.monitoring.monitor import GROUP
from agents.takedowns import takedown_id
from streams import topics
from streams.settings import Settings
from tests.harness import RIGHT, Bus, WorkerProcess, listing, unlimited, wait_for

LISTINGS = 24_000
INFRINGING_EVERY = 40
KILLS = 3


@pytest.mark.timeout(400)
def test_kill_join_and_leave_lose_no_listing(settings: Settings, tmp_path: Path) -> None:
    """24,000 listings, three SIGKILLs in the middle, a second worker that joins and leaves.

    Every infringing listing has takedown events under exactly one id; every listing was passed by a
    committed offset; and no offset was committed before the takedowns behind it were on the broker,
    or a listing of a killed worker would be missing.
    """
    bus = Bus(settings)
    infringing = {f"l{n}" for n in range(0, LISTINGS, INFRINGING_EVERY)}
    bus.publish(rights=[RIGHT])
    # Many batches, so that every kill meets some in flight; every takedown goes through.
    slow = {"ASSAYER_BATCH_RECORDS": "50", **unlimited(tmp_path)}
    publishing = Thread(target=_publish, args=(bus, infringing))
    with WorkerProcess(settings, tmp_path, **slow) as first:
        first.wait_ready()
        publishing.start()
        wait_for(lambda: first.handled() > 1000, 60, "first listings")
        first.kill()
    for _ in range(1, KILLS):
        with WorkerProcess(settings, tmp_path, **slow) as victim:
            wait_for(partial(_handled, victim, 1000), 60, "a middle to be killed in")
            assert not _all_committed(bus)
            victim.kill()

    with WorkerProcess(settings, tmp_path, **slow) as survivor:
        survivor.wait_ready()
        with WorkerProcess(settings, tmp_path, **slow) as guest:
            guest.wait_ready()
            time.sleep(1)
            assert guest.stop() == 0, guest.text
        ends = wait_for(lambda: _all_committed(bus), 120, lambda: f"all committed\n{survivor.text}")
        publishing.join()
        assert survivor.stop() == 0, survivor.text

    assert sum(ends.values()) == LISTINGS
    takedowns = bus.takedowns()
    ids = Counter((takedown["listing_id"], takedown["takedown_id"]) for takedown in takedowns)
    assert {listing_id for listing_id, _ in ids} == infringing
    assert all(id_ == takedown_id(listing_id, 1) for listing_id, id_ in ids)
    assert not bus.messages(topics.DEAD_LETTERS)


def _publish(bus: Bus, infringing: set[str]) -> None:
    """Publish the listings steadily, so that workers die while more arrive."""
    for start in range(0, LISTINGS, 800):
        bus.publish(
            listing(
                f"l{n}",
                f"Zorvex watch replica {n}" if f"l{n}" in infringing else f"Plain chair {n}",
            )
            for n in range(start, start + 800)
        )
        time.sleep(0.3)


def _handled(worker: WorkerProcess, count: int) -> bool:
    return worker.handled() > count


def _all_committed(bus: Bus) -> dict[int, int]:
    """Return the committed offsets once they are at the partitions' ends, else nothing."""
    committed = bus.committed(GROUP, topics.LISTINGS)
    if any(offset < 0 for offset in committed.values()):
        return {}
    return dict(committed) if sum(committed.values()) == LISTINGS else {}
