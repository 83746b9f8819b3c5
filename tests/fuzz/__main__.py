"""`python -m tests.fuzz`: fuzz every decoder and parser; exit 1 when something was found.

`--sanitize` builds the C with AddressSanitizer and UndefinedBehaviorSanitizer, which takes gcc.
"""

from __future__ import annotations

import argparse
import secrets
import sys

from tests.fuzz.run import built_with_sanitizers, run
from tests.fuzz.targets import TARGETS


def main(arguments: list[str] | None = None) -> int:
    """Fuzz, a line for each target; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", default=secrets.token_hex(4))
    parser.add_argument("--target", action="append", choices=sorted(TARGETS))
    parser.add_argument("--sanitize", action="store_true")
    asked = parser.parse_args(arguments)
    sys.stdout.write(f"seed {asked.seed}\n")
    names = asked.target or list(TARGETS)
    share = asked.inputs / sum(TARGETS[name][1] for name in names)
    total, failed = 0, 0
    libraries = built_with_sanitizers() if asked.sanitize else None
    for name in names:
        outcome = run(name, max(1, round(TARGETS[name][1] * share)), asked.seed, libraries)
        total += outcome.inputs
        failed += bool(outcome.finding)
        sys.stdout.write(f"{outcome.shown()}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{total:,} inputs, {failed} targets with a finding\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
