"""`python -m tests.chaos`: faults on real servers while listings stream; exit 1 on a finding."""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
from pathlib import Path

from tests.chaos.faults import FAULTS
from tests.chaos.run import run

FLAT = 1.15
"""Memory at the end over that of the second quarter: more is growth."""


def main(arguments: list[str] | None = None) -> int:
    """Run, a line for each fault, then what was found; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--listings", type=int, default=1_000_000, help="at least so many")
    parser.add_argument("--faults", type=int, default=100)
    parser.add_argument("--rate", type=int, default=400, help="listings a second")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--seed", default=secrets.token_hex(4))
    parser.add_argument("--fault", action="append", choices=sorted(FAULTS), help="only these")
    parser.add_argument("--logs", type=Path, help="folder that keeps the workers' logs")
    asked = parser.parse_args(arguments)
    _say(f"seed {asked.seed}")
    with tempfile.TemporaryDirectory() as folder:
        if asked.logs:
            asked.logs.mkdir(parents=True, exist_ok=True)
        outcome = run(
            asked.logs or Path(folder),
            seed=asked.seed,
            listings=asked.listings,
            faults=asked.faults,
            rate=asked.rate,
            workers=asked.workers,
            names=asked.fault or (),
            tell=_say,
        )
    _say(outcome.shown())
    before, after = outcome.memory_mb
    if after > before * FLAT:
        _say("WRONG: memory grows")
    if not outcome.recovered:
        _say("WRONG: the full rate was not back within 30 s of every fault's end")
    return 0 if outcome.good and outcome.recovered and after <= before * FLAT else 1


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
