"""A replay on several cores: a process each, which takes one part after the other."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Final

from agents.monitoring.replay.findings import Findings
from agents.monitoring.replay.replayer import Replayer, Setup
from agents.monitoring.replay.sources import Part, whole
from streams.schema_registry import SchemaRegistry

PATIENCE: Final = 5.0
"""Seconds that a process gets to end before it is killed."""

_CONTEXT: Final = multiprocessing.get_context("spawn")
"""Forked processes would share the connections of the Kafka client, which does not survive it."""

Advance = Callable[[int], object]


class ReplayError(RuntimeError):
    """A process of the replay ended before its work did."""


def replay(setup: Setup, parts: Sequence[Part], processes: int, advance: Advance) -> Findings:
    """Return what is found in all parts; `advance` is told what was done of their sizes.

    With one process it is this one. Whatever ends the replay, Ctrl-C among it, ends the others.

    Raises:
        ReplayError: a process died.
        KafkaUnavailableError, MissingTopicError, RegistryUnavailableError, OSError: as told by the
            process it happened to.
    """
    processes = min(processes, len(parts))
    if processes <= 1:
        with _replayer(setup) as replayer:
            return whole(part.replay(replayer, advance) for part in parts)
    # The largest first, so that none is left over for one process at the end.
    waiting = sorted(range(len(parts)), key=lambda number: parts[number].size)
    found: dict[int, Findings] = {}
    with _started(setup, processes) as running:
        busy = list(running)
        for connection in busy:
            _give(running, connection, parts, waiting)
        while busy:
            wait(busy)
            for connection in [each for each in busy if each.poll()]:
                told = _told(running, connection)
                if isinstance(told, Exception):
                    raise told
                if isinstance(told, int):
                    advance(told)
                    continue
                number, found[number] = told
                if not _give(running, connection, parts, waiting):
                    busy.remove(connection)
    return whole(found[number] for number in range(len(parts)))


_Running = dict[Connection, SpawnProcess]


def _give(
    running: _Running, connection: Connection, parts: Sequence[Part], waiting: list[int]
) -> bool:
    """Give a process its next part; return whether there was one."""
    try:
        if waiting:
            number = waiting.pop()
            connection.send((number, parts[number]))
            return True
        connection.send(None)
    except ConnectionError:
        raise ReplayError(_death(running[connection])) from None
    return False


def _told(running: _Running, connection: Connection) -> Exception | int | tuple[int, Findings]:
    """Return what a process says: an error, how far it came, or what it found in which part."""
    try:
        told: Exception | int | tuple[int, Findings] = connection.recv()
    except (EOFError, ConnectionError):
        raise ReplayError(_death(running[connection])) from None
    return told


@contextmanager
def _started(setup: Setup, processes: int) -> Iterator[_Running]:
    """Start processes, and end them whatever happens."""
    running: _Running = {}
    try:
        with _deaf_to_interrupts():
            for _ in range(processes):
                ours, theirs = _CONTEXT.Pipe()
                process = _CONTEXT.Process(target=_work, args=(theirs, setup), daemon=True)
                process.start()
                theirs.close()
                running[ours] = process
        yield running
    finally:
        for connection, process in running.items():
            connection.close()
            process.terminate()
        for process in running.values():
            process.join(PATIENCE)
            if process.is_alive():
                process.kill()
                process.join()


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Start processes that leave Ctrl-C, which reaches all of a terminal, to this one."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _work(connection: Connection, setup: Setup) -> None:
    """Replay the parts that are given, and send what is found in each; runs in its own process."""
    try:
        with _replayer(setup) as replayer:
            while (given := connection.recv()) is not None:
                number, part = given
                connection.send((number, part.replay(replayer, connection.send)))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # whoever asked is gone
    except Exception as error:  # noqa: BLE001 - raised where the replay was asked for
        connection.send(_portable(error))


def _replayer(setup: Setup) -> Replayer:
    settings = setup.settings
    return Replayer(setup, SchemaRegistry.connect(settings) if settings else None)


def _portable(error: Exception) -> Exception:
    """Return an error that another process can raise."""
    text = str(error)
    try:
        made = type(error)(text)
    except Exception:  # noqa: BLE001 - an error that is not made of its text
        return ReplayError(f"{type(error).__name__}: {text}")
    return made if str(made) == text else ReplayError(f"{type(error).__name__}: {text}")


def _death(process: SpawnProcess) -> str:
    process.join(PATIENCE)
    code = process.exitcode
    how = f"signal {-code}" if code is not None and code < 0 else f"exit {code}"
    return (
        f"a process of the replay ended by itself ({how}) before its work was done; if memory was "
        "short, try fewer with --processes"
    )
