"""Who takes part, and the rounds that they run in turning order."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from tests.benchmarks.machine import Cores
from tests.benchmarks.peers.contest import (
    Contest,
    Ground,
    run_ours,
    run_peer,
    run_plain_faust,
)
from tests.benchmarks.peers.programs import PEERS, RAW, MissingPeerError, Peer
from tests.benchmarks.peers.work import Outcome

OURS: Final = "ours, whole way"
JUDGING_FAUST: Final = "plain Faust, judging as ours"
"""The agent of `tests/benchmarks/plain_faust.py`: it has our functions, so it is no peer's."""


@dataclass(frozen=True, slots=True)
class Entrant:
    """One that runs in every round."""

    name: str
    run: Callable[[int], Outcome]
    """Runs it; is told the number of the round. Raises RuntimeError."""
    beside: str = ""
    """Of a contestant under another condition: who it is set beside."""


@dataclass(frozen=True, slots=True)
class Rounds:
    """What the rounds came to."""

    contests: dict[str, dict[int, Contest]] = field(default_factory=dict)
    """By name and number of the round."""
    missing: dict[str, str] = field(default_factory=dict)
    """Who can't be had here, and why."""
    failures: dict[str, dict[int, str]] = field(default_factory=dict)
    """Who failed in which rounds, and why."""
    beside: dict[str, str] = field(default_factory=dict)
    """Who stands for another condition, and whom it is set beside."""


def base_entrants(where: Ground, cores: Cores, missing: dict[str, str]) -> list[Entrant]:
    """Return ours and its peers; who can't be had here is noted as missing, with the reason."""
    entrants = [_ours(OURS, where, cores)]
    for peer in PEERS:
        try:
            entrants.append(_peer(peer, peer.name, where, cores))
        except MissingPeerError as error:
            missing[peer.name] = str(error)
    faust = Entrant(
        JUDGING_FAUST,
        lambda number: run_plain_faust(where, cores.contestant, f"peers-judging-{number}"),
    )
    return [*entrants, faust]


def further_entrants(where: Ground, base: Ground, cores: Cores) -> list[Entrant]:
    """Return ours under a further condition, and the raw client where the topic is another."""
    words = where.condition.words
    ours = _ours(f"ours, {words}", where, cores, OURS)
    if where.condition.workers != base.condition.workers:
        return [ours]
    return [ours, _peer(RAW, f"{RAW.name}, {words}", where, cores, RAW.name)]


def _ours(name: str, where: Ground, cores: Cores, beside: str = "") -> Entrant:
    each = [cores.worker(number) for number in range(where.condition.workers)]
    return Entrant(name, lambda _number: run_ours(where, each), beside)


def _peer(peer: Peer, name: str, where: Ground, cores: Cores, beside: str = "") -> Entrant:
    command = peer.command()
    group = "peers-" + "-".join(name.replace(",", "").split())

    def work(number: int) -> Outcome:
        return run_peer(command, peer, where, cores.contestant, f"{group}-{number}")

    return Entrant(name, work, beside)


def play(
    entrants: Sequence[Entrant],
    count: int,
    watch: Callable[[Callable[[], Outcome]], Contest],
    rounds: Rounds,
) -> None:
    """Let each entrant run once a round, watched; who begins changes from round to round.

    Of who fails the reason is noted, and the rounds go on. Raises RuntimeError when ours fails.
    """
    rounds.beside.update({entrant.name: entrant.beside for entrant in entrants if entrant.beside})
    for number in range(1, count + 1):
        first = number % len(entrants)
        for entrant in (*entrants[first:], *entrants[:first]):
            try:
                contest = watch(partial(entrant.run, number))
            except RuntimeError as error:
                if entrant.name == OURS:
                    raise
                _tell(f"round {number}: {error}")
                rounds.failures.setdefault(entrant.name, {})[number] = _reason(str(error))
                continue
            rounds.contests.setdefault(entrant.name, {})[number] = contest
            _tell(
                f"round {number}: {entrant.name}: {contest.outcome.rate:,.0f}/s, "
                f"{contest.outcome.cpu_us:.1f} µs CPU"
            )


def _reason(log: str) -> str:
    """Return the line of a log that names an error, the last one of several; else its last line."""
    lines = log.strip().splitlines()
    return next((line for line in reversed(lines) if _ERROR.match(line)), lines[-1])


_ERROR: Final = re.compile(r"[\w.]*(?:Error|Exception|Timeout)\b")


def _tell(line: str) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)
