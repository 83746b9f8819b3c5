"""Faults, one after the other, while listings stream by; then the reckoning."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Self

from confluent_kafka import KafkaException

from tests.chaos.faults import FAULTS, Scene, plan
from tests.chaos.fleet import Fleet
from tests.chaos.reckoning import Findings, Progress, reckon
from tests.chaos.servers import Servers
from tests.chaos.traffic import Traffic
from tests.harness import RIGHT, Bus, unlimited

RECOVERY_SECONDS = 30.0
"""Within which the full rate has to be back after a fault."""
RATE_WINDOW = 3.0
USUAL_SECONDS = 2.0
"""What may always be waiting: offsets are committed once a second."""
FULL = 0.9
"""Share of the published rate that counts as the full one."""
PAGE_KB = 4


@dataclass
class Outcome:
    """What a run found. `good` is whether nothing was."""

    seed: str
    listings: int = 0
    infringing: int = 0
    faults: int = 0
    seconds: float = 0.0
    recoveries: dict[str, list[float]] = field(default_factory=dict)
    """Seconds from each fault's end to the full rate."""
    restarts: dict[int, int] = field(default_factory=dict)
    slow_stops: list[float] = field(default_factory=list)
    memory_mb: tuple[float, float] = (0.0, 0.0)
    """Of the steady worker: medians of the second and the last quarter of the run."""
    findings: Findings = field(default_factory=Findings)

    def shown(self) -> str:
        """Return the outcome as lines for a person."""
        times = [each for of_fault in self.recoveries.values() for each in of_fault]
        late = {name: max(each) for name, each in self.recoveries.items()}
        worst = max(late, key=lambda name: late[name], default="none")
        before, after = self.memory_mb
        lines = (
            f"seed {self.seed}: {self.listings:,} listings, {self.faults} faults in "
            f"{self.seconds:,.0f} s\n"
            f"{self.infringing:,} infringing revisions, {self.findings.takedowns:,} taken down "
            f"under one id each, {self.findings.repeated:,} events repeated, "
            f"{self.findings.replayed:,} listings replayed\n"
            f"full rate after a fault: median {median(times or [0]):.1f} s, "
            f"most {max(times or [0]):.1f} s ({worst})\n"
            f"memory of the steady worker: {before:.0f} MB, at the end {after:.0f} MB\n"
            f"workers that ended by themselves, by exit code: {self.restarts or 'none'}"
        ).splitlines()
        lines += [f"WRONG: a stop took {took:.1f} s" for took in self.slow_stops]
        lines += [f"WRONG: {line}" for line in self.findings.wrong]
        if self.good:
            lines.append("nothing is lost, doubled or invented")
        return "\n".join(lines)

    @property
    def good(self) -> bool:
        """Whether nothing was lost, doubled or invented, and no stop took too long."""
        return not self.findings.wrong and not self.slow_stops

    @property
    def recovered(self) -> bool:
        """Whether the full rate was back in time after every fault."""
        return all(max(each) <= RECOVERY_SECONDS for each in self.recoveries.values())


class _Memory:
    """Resident megabytes of the steady worker, once a second. A context manager."""

    def __init__(self, pid: Callable[[], int]) -> None:
        self._pid = pid
        self._samples: list[float] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(1.0):
            try:
                pages = int(Path(f"/proc/{self._pid()}/statm").read_text().split()[1])
            except (OSError, IndexError):
                continue
            self._samples.append(pages * PAGE_KB / 1024)

    def quarters(self) -> tuple[float, float]:
        """Return the medians of the second and the last quarter."""
        quarter = len(self._samples) // 4
        if not quarter:
            return 0.0, 0.0
        return median(self._samples[quarter : 2 * quarter]), median(self._samples[-quarter:])


def run(
    folder: Path,
    *,
    seed: str,
    listings: int,
    faults: int,
    rate: int,
    workers: int = 3,
    names: Sequence[str] = (),
    tell: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Publish at least so many listings, make so many faults, and reckon.

    `names` are the kinds of faults to choose from, all if empty. `rate` is listings a second.
    """
    chance = random.Random(f"faults {seed}")
    outcome = Outcome(seed)
    began = time.monotonic()
    with Servers() as servers:
        bus = Bus(servers.settings)
        bus.publish(rights=[RIGHT])
        free = {"ASSAYER_BATCH_RECORDS": "100", **unlimited(folder)}
        with Fleet(servers.linked, folder, workers, **free) as fleet:
            fleet.wait_ready()
            scene = Scene(servers, fleet, bus, chance)
            with (
                Traffic(servers.settings, seed, rate) as traffic,
                _Memory(lambda: fleet.workers[scene.steady].pid) as memory,
            ):
                progress = Progress(servers.settings)
                for number, name in enumerate(plan(chance, faults, list(names)), 1):
                    scene.pause(1, 4)
                    FAULTS[name](scene)
                    took = _recovery(progress, rate)
                    outcome.recoveries.setdefault(name, []).append(took)
                    outcome.faults = number
                    tell(f"{number}/{faults} {name}: full rate after {took:.1f} s")
                while traffic.published.listings < listings:
                    time.sleep(0.5)
                published = traffic.stop()
                outcome.memory_mb = memory.quarters()
                progress.close()
            fleet.wait_ready()
            outcome.findings = reckon(bus, published, scene.poison, 180)
            outcome.restarts = dict(fleet.ended)
            outcome.slow_stops = scene.slow_stops
            outcome.listings = published.listings
            outcome.infringing = len(published.infringing)
    outcome.seconds = time.monotonic() - began
    return outcome


def _recovery(progress: Progress, rate: int) -> float:
    """Return the seconds until listings are handled as fast as they come, or all are."""
    began = time.monotonic()
    samples: list[tuple[float, int]] = []
    while time.monotonic() - began < 4 * RECOVERY_SECONDS:
        try:
            done, end = progress.now()
        except KafkaException:
            time.sleep(0.5)
            continue
        now = time.monotonic()
        if end - done <= USUAL_SECONDS * rate:
            break
        samples = [each for each in samples if now - each[0] <= RATE_WINDOW]
        if samples and now - samples[0][0] > RATE_WINDOW / 2:
            handled = (done - samples[0][1]) / (now - samples[0][0])
            if handled >= FULL * rate:
                break
        samples.append((now, done))
        time.sleep(0.5)
    return time.monotonic() - began
