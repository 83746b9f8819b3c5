"""Runs the benchmark of judgement: `python -m tests.benchmarks.judgement --help`."""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from agents.monitoring.judge import Verdict
from agents.records import Listing
from tests.benchmarks.judgement import bases, real, report
from tests.benchmarks.judgement.halves import HALVES
from tests.benchmarks.judgement.run import Tried, cases, run

RESULTS: Final = Path(__file__).parent / "RESULTS.md"


def main(arguments: list[str]) -> None:
    """Generate, judge, count, print."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.judgement",
        description="Generated evasions and honest listings, and real rows, through the shipped "
        "judgement. Tune on the half 'dev', report the half 'test'.",
        epilog="Example: python -m tests.benchmarks.judgement --data DIR --class zh --show 5",
    )
    parser.add_argument("--data", type=Path, help="folder with lazada*.csv, shein*.csv and "
                        "shopee*.csv; the shipped sample without it")  # fmt: skip
    parser.add_argument("--half", choices=HALVES, default="dev")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=int, default=12, help="cases a class and language (12)")
    parser.add_argument("--class", dest="only", default="",
                        help="only cases whose class, technique or language has this in it"
                        )  # fmt: skip
    parser.add_argument("--show", type=int, default=0, metavar="N",
                        help="print N cases of each class that did not come out as promised"
                        )  # fmt: skip
    parser.add_argument("--misses", type=Path, help="write every such case as JSON lines")
    parser.add_argument("--no-real", action="store_true", help="generated cases only")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name}")
    given = parser.parse_args(arguments)
    started = time.monotonic()
    rows = bases.real_rows(given.data) if given.data else bases.sample_rows()
    generated = list(cases(rows, given.half, given.seed, given.size))
    if given.only:
        wanted = given.only.casefold()
        generated = [
            case
            for case in generated
            if wanted in f"{case.name}\n{case.technique}\n{case.language}".casefold()
        ]
    print(f"{len(generated):,} cases …", file=sys.stderr, flush=True)
    tried = run(generated)
    parts = [report.generated(tried)]
    runs: list[real.Run] = []
    if not given.no_real and not given.only:
        print("untouched listings …", file=sys.stderr, flush=True)
        runs = [
            *real.judge_rows(rows, given.seed),
            real.judge_priced(rows, given.seed),
            *real.judge_absent(rows, given.half, given.seed),
        ]
        parts.append(report.real(runs))
    what = "real rows" if given.data else "the shipped sample"
    head = (
        f"# Judgement\n\nHalf '{given.half}', seed {given.seed}, over {what} ({len(rows):,}).\n\n"
        f"{report.HONESTY}"
    )
    page = "\n\n".join([head, *parts]) + "\n"
    print(page)
    if given.show:
        _show(tried, runs, given.show)
    if given.misses:
        _write_misses(given.misses, tried)
    if given.write:
        command = f"python -m tests.benchmarks.judgement{' --data DIR' if given.data else ''}"
        command += f" --half {given.half} --seed {given.seed} --size {given.size} --write"
        RESULTS.write_text(f"{page}\n`{command}`\n", encoding="utf-8")
    print(f"{time.monotonic() - started:.0f} s", file=sys.stderr)


def _show(tried: Sequence[Tried], runs: Sequence[real.Run], count: int) -> None:
    by_class: dict[str, list[Tried]] = {}
    for item in tried:
        if not item.kept:
            by_class.setdefault(item.case.name, []).append(item)
    for name, items in by_class.items():
        print(f"\n## {name}: {len(items)} not as promised")
        for item in random.Random(0).sample(items, min(count, len(items))):
            case = item.case
            print(
                f"- [{case.language}] mark {case.mark.name!r} technique {case.technique!r} phrase "
                f"{case.phrase!r}: promised {report.text_of(case.promised)}"
                f"{', LOST AT THE SCREEN' if item.lost_at_screen else ''}"
            )
            _show_listing(case.listing, item.verdict)
    for one in runs:
        if one.alarms:
            print(f"\n## {one.name}: {len(one.alarms)} acted on")
            for alarm in one.alarms[:count]:
                _show_listing(alarm.listing, alarm.verdict)


def _show_listing(listing: Listing, verdict: Verdict) -> None:
    print(f"    title       {listing.title!r}")
    if listing.description:
        print(f"    description {listing.description[:160]!r}")
    print(f"    {verdict.outcome} {', '.join(verdict.rules) or '-'}")
    for item in verdict.evidence[:5]:
        folds = " ".join(item.folds)
        print(f"      {item.signal} {item.field} {item.text!r} {folds} {item.note[:90]}")


def _write_misses(path: Path, tried: Sequence[Tried]) -> None:
    with path.open("wb") as out:
        for item in tried:
            if not item.kept:
                case = item.case
                line = {
                    "class": case.name, "language": case.language, "technique": case.technique,
                    "phrase": case.phrase, "expected": sorted(case.promised),
                    "outcome": item.verdict.outcome, "lost_at_screen": item.lost_at_screen,
                    "listing": case.listing, "rights": [case.mark.right], "seller": case.seller,
                }  # fmt: skip
                out.write(msgspec.json.encode(line) + b"\n")


if __name__ == "__main__":
    main(sys.argv[1:])
