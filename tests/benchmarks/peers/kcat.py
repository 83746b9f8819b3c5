"""kcat, a consumer in C: the floor.

It tells nothing while it runs, so a run that connects and finds nothing is taken off.
"""

from __future__ import annotations

import os
import subprocess
import time

from tests.benchmarks.peers.work import Job, Outcome, cpu_of, main


def consume_only(job: Job) -> Outcome:
    """Consume, and print nothing."""
    idle, idle_cpu, idle_broker = _run(job, "end")
    seconds, cpu, broker = _run(job, "beginning")
    version = subprocess.run(["kcat", "-V"], capture_output=True, text=True, check=True).stdout
    return Outcome(
        # 'Version 1.7.1 (JSON, Avro, Transactions, librdkafka 2.0.2 …)'
        version.partition("Version ")[2].partition(" ")[0],
        job.listings,
        seconds - idle,
        cpu - idle_cpu,
        broker - idle_broker,
        job.listings,
        0,
        0,
    )


def _run(job: Job, begin: str) -> tuple[float, float, float]:
    """Read from an offset to the end of every partition.

    Return the seconds, and the CPU seconds of it and of the broker. Raises RuntimeError.
    """
    command = ["kcat", "-C", "-q", "-e", "-b", job.bootstrap, "-t", job.topic, "-o", begin]
    quickly = ["-X", "fetch.wait.max.ms=1"]  # at the end nothing is waited for
    broker = cpu_of(job.broker)
    started = time.perf_counter()
    process = subprocess.Popen([*command, *quickly, "-f", ""], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"kcat ended with {process.returncode}")
    return seconds, used.ru_utime + used.ru_stime, cpu_of(job.broker) - broker


if __name__ == "__main__":
    main({"consume only": consume_only})
