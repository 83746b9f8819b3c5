"""Memory freed and kept, in a process of its own: the thresholds count for all of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from streams.memory import memory_limit

FAULTS = """
import resource
import numpy as np
from streams.memory import give_memory_back, keep_batches_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(50):
        [np.ones(4 << 20, np.uint8) for _ in range(4)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults()
give_memory_back()
untouched = faults()
keep_batches_memory()
faults()
print(untouched, faults())
"""


def test_memory_of_one_batch_is_used_again_by_the_next() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True, timeout=60
    )
    before, after = map(int, done.stdout.split())
    assert before > 1_000
    assert after < before / 20


@pytest.mark.parametrize(
    ("own", "files", "limit"),
    [
        ("0::/\n", {"memory.max": "268435456"}, 268_435_456),
        ("0::/pods/one\n", {"memory.max": "max", "pods/memory.max": "5000000"}, 5_000_000),
        ("0::/a/b\n", {"a/memory.max": "9000000", "a/b/memory.max": "8000000"}, 8_000_000),
        (
            "4:cpu:/a\n3:memory,hugetlb:/b\n",
            {"memory/a/memory.limit_in_bytes": "1", "memory/b/memory.limit_in_bytes": "7000000"},
            7_000_000,
        ),
        ("3:memory:/away\n", {"memory/memory.limit_in_bytes": "6000000"}, 6_000_000),
        ("0::/\n", {"memory.max": "max"}, None),
        ("3:memory:/\n", {"memory/memory.limit_in_bytes": "9223372036854771712"}, None),
        ("", {}, None),
    ],
)
def test_the_limit_of_memory_is_the_least_of_those_that_bind(
    own: str, files: dict[str, str], limit: int | None, tmp_path: Path
) -> None:
    """None: no group limits it, so that it is what the machine has."""
    for name, text in files.items():
        path = tmp_path / "groups" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    (tmp_path / "own").write_text(own)
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert memory_limit(tmp_path / "groups", tmp_path / "own") == (limit or machine)
