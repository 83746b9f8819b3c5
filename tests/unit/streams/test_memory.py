"""Memory freed and kept, in a process of its own: the thresholds count for all of it."""

from __future__ import annotations

import subprocess
import sys

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
