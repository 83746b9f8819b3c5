"""Faults that want a stage of their own."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from redis import Redis as RedisClient

from agents.monitoring.monitor import GROUP
from agents.records import Seller
from deploy.services import Kafka, Redis
from streams import topics
from streams.settings import Settings
from tests.chaos.faults import STOP_SECONDS
from tests.chaos.fleet import Fleet
from tests.chaos.reckoning import lag, settled
from tests.chaos.servers import Servers
from tests.chaos.traffic import Traffic
from tests.harness import (
    RIGHT,
    Bus,
    WorkerProcess,
    listing,
    now_ms,
    run_command,
    unlimited,
    wait_for,
)


@pytest.mark.long
def test_the_order_in_which_servers_start_does_not_matter(tmp_path: Path) -> None:
    """A worker is started before there is any server; they come one by one, the topics last.

    It is alive all the while, says what it lacks, and judges once everything is there.
    """
    servers = Servers()
    try:
        with Fleet(servers.settings, tmp_path, 1) as fleet:
            worker = fleet.workers[0]
            assert worker.failing().keys() >= {"kafka", "redis", "schema_registry", "partitions"}
            assert worker.get("/health/live")[0] == 200
            servers.redis.start()
            servers.registry.start()
            time.sleep(2)
            assert "kafka" in worker.failing()
            assert worker.ended is None
            servers.kafka.start()
            bus = Bus(servers.settings)
            bus.publish([listing("first", "Zorvex replica")], rights=[RIGHT])
            fleet.wait_ready()
            assert bus.takedown("first")["listing_id"] == "first"
    finally:
        for server in (servers.kafka, servers.redis, servers.registry):
            server.close()


@pytest.fixture
def own_redis() -> Iterator[Redis]:
    with Redis() as server:
        yield server


@pytest.mark.long
def test_a_full_redis_refuses_views_and_stops_no_takedown(
    settings: Settings, own_redis: Redis, tmp_path: Path
) -> None:
    """`noeviction`, and no memory left: takedowns go on, a seller's view waits and says why.

    With memory again the view goes on by itself.
    """
    bus = Bus(settings.model_copy(update={"redis_url": type(settings.redis_url)(own_redis.url)}))
    bus.publish(rights=[RIGHT])
    client = RedisClient(port=own_redis.port)
    with WorkerProcess(bus.settings, tmp_path) as worker:
        worker.wait_ready()
        client.config_set("maxmemory", 1)
        bus.publish(
            [listing("replica", "Zorvex replica")],
            sellers=[Seller("s-1", created_at=now_ms())],
        )
        assert bus.takedown("replica")
        why = (
            f"view standing waits: Redis at 127.0.0.1:{own_redis.port} refuses: command not allowed"
        )
        wait_for(lambda: why in worker.text, 20, lambda: f"why it waits\n{worker.text}")
        assert max(bus.committed(GROUP, topics.TAKEDOWNS).values()) <= 0
        client.config_set("maxmemory", 0)
        settled(bus.settings, 60)
        assert client.exists(f"{bus.settings.topic_prefix}assayer:seller:s-1")
    client.close()


def _harmed(content: bytes, how: int) -> bytes:
    middle = len(content) // 2
    return (
        content[:middle] + bytes([content[middle] ^ 0x55]) + content[middle + 1 :],
        content[:middle],
        b"",
        random.Random(1).randbytes(len(content)),
    )[how % 4]


@pytest.mark.long
def test_what_was_compiled_and_is_harmed_is_compiled_anew(
    settings: Settings, tmp_path: Path
) -> None:
    """Every file of the cache is harmed, each in another way: the worker starts and judges.

    And what it compiled anew is whole: the next start leaves the files as they are.
    """
    bus = Bus(settings)
    bus.publish(rights=[RIGHT])
    home = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    with WorkerProcess(settings, tmp_path, **home) as worker:
        worker.wait_ready()
    files = sorted(path for path in (tmp_path / "cache").rglob("*") if path.is_file())
    assert files
    whole = [path.read_bytes() for path in files]
    for how, path in enumerate(files):
        path.write_bytes(_harmed(path.read_bytes(), how))
    with WorkerProcess(settings, tmp_path, **home) as worker:
        worker.wait_ready()
        bus.publish(
            [listing("hidden", "Z0rvex r3plica"), listing("honest", "Not a Zorvex replica")]
        )
        assert bus.takedown("hidden")
        assert {each["listing_id"] for each in bus.takedowns()} == {"hidden"}
    assert [path.stat().st_size for path in files] == [len(content) for content in whole]


@pytest.mark.long
def test_a_clock_that_jumps_loses_nothing(settings: Settings, tmp_path: Path) -> None:
    """The worker's clock goes an hour ahead, then ten minutes behind, then an hour behind.

    Ahead and a little behind, all is judged. An hour behind, every listing is of the future to it:
    they are dead letters, whole, and taken down when they are replayed under the right time.
    """
    bus = Bus(settings)
    bus.publish(rights=[RIGHT])
    clock = tmp_path / "clock"
    clock.write_text("0")
    command = [sys.executable, "-m", "tests.chaos.jumping_worker", str(clock)]
    with WorkerProcess(settings, tmp_path, command) as worker:
        worker.wait_ready()
        for name, seconds in (("ahead", 3600), ("a little behind", -600)):
            clock.write_text(str(seconds))
            bus.publish([listing(name, "Zorvex replica")])
            assert bus.takedown(name)
        clock.write_text("-3600")
        bus.publish([listing("behind", "Zorvex replica")])
        letters = wait_for(lambda: bus.records(topics.DEAD_LETTERS), 30, "a dead letter")
        assert [letter["reason"] for letter in letters] == ["bad_time"]
        assert worker.ready()
        clock.write_text("0")
        replayed = run_command(settings, "dead-letters", "replay", "--reason", "bad_time")
        assert replayed.returncode == 0, replayed.stderr
        assert bus.takedown("behind")
        assert worker.ended is None


def test_a_stop_in_the_middle_of_a_flood_takes_ten_seconds(
    settings: Settings, tmp_path: Path
) -> None:
    """SIGTERM with thousands of listings waiting: exit 0 in time; the next one does the rest."""
    bus = Bus(settings)
    bus.publish(rights=[RIGHT])
    names = [f"l{number}" for number in range(6_000)]
    flood = {"ASSAYER_BATCH_RECORDS": "50", **unlimited(tmp_path)}
    with WorkerProcess(settings, tmp_path, **flood) as worker:
        worker.wait_ready()
        bus.publish(listing(name, f"Zorvex replica {name}") for name in names)
        wait_for(lambda: worker.handled() > 100, 60, "first listings")
        asked = time.monotonic()
        assert worker.stop() == 0, worker.text
        assert time.monotonic() - asked < STOP_SECONDS
    with WorkerProcess(settings, tmp_path, **flood) as again:
        settled(settings, 120)
        assert again.ended is None
    assert {each["listing_id"] for each in bus.takedowns()} == set(names)


MOST_MB = 80
LARGE = 20_000
"""Characters of a description; those that wait are 120 MB together."""


@pytest.mark.long
def test_under_overload_lag_grows_and_memory_does_not(settings: Settings, tmp_path: Path) -> None:
    """What waits is many times what a worker may hold, and it holds no more than it may."""
    bus = Bus(settings)
    bus.publish(rights=[RIGHT])
    chance = random.Random("overload")
    small = {"ASSAYER_BATCH_RECORDS": "20", "ASSAYER_BATCHES_IN_FLIGHT": "2"}
    with WorkerProcess(settings, tmp_path, **small, **unlimited(tmp_path)) as worker:
        worker.wait_ready()
        before = most = _resident_mb(worker.pid)
        worker.suspend()
        for start in range(0, 6_000, 1_000):
            bus.publish(
                listing(f"l{n}", "Zorvex chair", description=chance.randbytes(LARGE // 2).hex())
                for n in range(start, start + 1_000)
            )
        worker.resume()
        wait_for(lambda: worker.metric("assayer_consumer_lag") > 1_000, 20, "lag that is told")
        while lag(settings).get(topics.LISTINGS.name):
            most = max(most, _resident_mb(worker.pid))
            time.sleep(0.1)
        assert worker.get("/health/live")[0] == 200
        assert most - before < MOST_MB, f"{before:.0f} MB, then {most:.0f} MB"


def _resident_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4 / 1024


@pytest.fixture
def small_disk() -> Iterator[Kafka]:
    """A broker whose log directory is a small file system of its own."""
    kafka = Kafka(heap="384m")
    data = kafka.folder / "data"
    data.mkdir()
    options = ["-t", "tmpfs", "-o", "size=48m", "assayer-chaos", str(data)]
    if subprocess.run(["mount", *options], capture_output=True, check=False).returncode:
        kafka.close()
        pytest.skip("a file system of its own takes root and the right to mount")
    try:
        with kafka:
            yield kafka
    finally:
        kafka.kill()
        subprocess.run(["umount", "-l", str(data)], check=True)


def _fill(path: Path) -> None:
    """Write until the file system takes no more."""
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(b"\0" * 4096):
            pass


@pytest.mark.long
def test_a_full_log_directory_ends_the_broker_and_loses_nothing(
    settings: Settings, small_disk: Kafka, tmp_path: Path
) -> None:
    """The disk fills up and the broker ends; it is started when there is room, and all goes on."""
    bus = Bus(settings.model_copy(update={"kafka_bootstrap": small_disk.bootstrap}))
    bus.publish(rights=[RIGHT])
    filler = small_disk.folder / "data" / "filler"
    with (
        WorkerProcess(bus.settings, tmp_path, **unlimited(tmp_path)) as worker,
        Traffic(bus.settings, "full", 100) as traffic,
    ):
        worker.wait_ready()
        wait_for(lambda: worker.handled() > 100, 60, "first listings")
        _fill(filler)
        wait_for(lambda: not small_disk.running, 60, "a broker that gives up")
        wait_for(lambda: "kafka" in worker.failing(), 30, "a worker that says so")
        assert worker.get("/health/live")[0] == 200
        filler.unlink()
        small_disk.start()
        before = worker.handled()
        wait_for(lambda: worker.handled() > before + 200, 60, lambda: f"it goes on\n{worker.text}")
        published = traffic.stop()
        settled(bus.settings, 60)
    ids = {(each["listing_id"], each["revision"]) for each in bus.takedowns()}
    assert ids == published.infringing
