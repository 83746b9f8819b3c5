"""The long run, short: some faults while listings stream by, and the reckoning."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.run import run


@pytest.mark.timeout(300)
def test_faults_lose_double_and_invent_nothing(tmp_path: Path) -> None:
    """More partitions, a full Redis, a half-open network, dead letters that are refused.

    Every infringing revision has exactly one takedown id, no honest one has any, dead letters are
    exactly the poison, standing is what a rebuild makes, and no stop takes longer than it may.
    """
    outcome = run(
        tmp_path,
        seed="short",
        listings=2_000,
        faults=4,
        rate=150,
        workers=2,
        names=(
            "partitions_added",
            "redis_full",
            "kafka_half_open",
            "dead_letters_refused",
        ),
    )
    assert outcome.good, outcome.shown()
    assert outcome.faults == 4
    assert outcome.listings >= 2_000
    assert outcome.infringing > 50
