"""The worker's command ends, whatever holds its stop up."""

from __future__ import annotations

import subprocess
import sys

import pytest

_HANGS = """
import threading
from agents.commands.worker import LastResort
last_resort = LastResort(0.2)
last_resort.begin({first})
last_resort.begin(7)
threading.Thread(target=threading.Event().wait).start()  # the interpreter waits for it at its end
"""


@pytest.mark.parametrize("code", [0, 1])
def test_a_stop_that_hangs_is_ended_with_the_first_code(code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _HANGS.format(first=code)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == code
    assert "read again at the next start" in done.stderr
