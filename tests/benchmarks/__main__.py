"""Runs benchmarks and prints, or writes, what they found."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.benchmarks import machine
from tests.benchmarks.report import merge, section_text
from tests.benchmarks.subjects import SUBJECTS, Options, load

RESULTS = Path(__file__).parent / "RESULTS.md"
CODECS = ("none", "lz4", "zstd", "snappy", "gzip")


def codecs(text: str) -> tuple[str, ...]:
    """Return the codecs of a list with commas; raises ArgumentTypeError."""
    found = tuple(text.split(","))
    if unknown := [codec for codec in found if codec not in CODECS]:
        raise argparse.ArgumentTypeError(f"no codec '{unknown[0]}'; there are {', '.join(CODECS)}")
    return found


def numbers(text: str) -> tuple[int, ...]:
    """Return the numbers of a list with commas; raises ArgumentTypeError."""
    found = text.split(",")
    if not all(number.isdecimal() and int(number) for number in found):
        raise argparse.ArgumentTypeError(f"'{text}' is no number from 1, or several with commas")
    return tuple(int(number) for number in found)


def main(arguments: list[str]) -> None:
    """Run the subjects that were asked for, one after the other."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description=__doc__,
        epilog="Example: python -m tests.benchmarks throughput --rounds 3 --listings 50000",
    )
    parser.add_argument("subjects", nargs="+", choices=["all", *SUBJECTS], metavar="SUBJECT",
                        help=f"all, or some of: {', '.join(SUBJECTS)}")  # fmt: skip
    parser.add_argument("--write", action="store_true", help=f"write the results to {RESULTS.name}")
    parser.add_argument("--rounds", type=int, default=5, help="rounds to take the median of (5)")
    parser.add_argument("--listings", type=int, default=200_000, help="listings a round (200000)")
    parser.add_argument("--seconds", type=int, default=20, help="length of a latency run (20)")
    parser.add_argument("--compression", type=codecs, default=("none",), metavar="CODEC,…",
                        help="how the listings' producer compresses (none); of several, peers "
                        f"sets the others beside the first: {', '.join(CODECS)}")  # fmt: skip
    parser.add_argument("--partitions", type=numbers, default=(machine.PARTITIONS,), metavar="N,…",
                        help="partitions for peers (4), in the same way")  # fmt: skip
    parser.add_argument("--workers", type=numbers, default=(1,), metavar="N,…",
                        help="workers of ours at once for peers (1), in the same way")  # fmt: skip
    parser.add_argument("--data", type=Path,
                        help="folder with lazada-*.csv, shein-*.csv, shopee-*.csv: real rows "
                        "instead of generated ones")  # fmt: skip
    parser.add_argument(
        "--short",
        action="store_true",
        help="of real rows the beginning of the description and one picture",
    )
    given = parser.parse_args(arguments)
    # Written as it would be typed again; a path of this machine means nothing elsewhere.
    shown = [
        "DIR" if argument == str(given.data) else argument
        for argument in arguments
        if argument != "--write"
    ]
    where = machine.cores()
    machine.pin(where.servers)
    texts = {}
    for name in SUBJECTS if "all" in given.subjects else dict.fromkeys(given.subjects):
        command = " ".join([
            "python -m tests.benchmarks", name,
            *(word for word in shown if word not in given.subjects),
        ])  # fmt: skip
        options = Options(
            cores=where,
            command=command,
            rounds=given.rounds,
            listings=given.listings,
            seconds=given.seconds,
            compressions=given.compression,
            partitions=given.partitions,
            workers=given.workers,
            data=given.data,
            short=given.short,
        )
        print(f"{name} …", file=sys.stderr, flush=True)
        texts[name] = section_text(load(name)(options))
        print(texts[name], end="\n\n", flush=True)
        if given.write:
            page = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else ""
            RESULTS.write_text(merge(page, texts, SUBJECTS), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
