"""Makes the current registry: all of it anew while rights are few, what has changed where many."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from agents.monitoring.compiled_marks import CompiledMarks, CompilingFailedError, rows_of
from agents.monitoring.layered_registry import Layer
from agents.monitoring.registry import Registry, compile_registry
from agents.records import Right
from streams.aside import aside, giving_way

log = logging.getLogger(__name__)

MANY: Final = 20_000
"""Rights from which on their marks are compiled once, by a process beside, and kept in a file."""
MOST_CHANGES: Final = 2_000
"""Changes from which on all marks are compiled anew; so many take a fifth of a second."""
LEAST_SHARE: Final = 0.02
"""Share of the rights that a file of marks may differ by, to serve until they are compiled anew."""


class RegistryMaker:
    """The newest registry of rights that change. For one thread; it compiles in others."""

    def __init__(self, many: int = MANY, most_changes: int = MOST_CHANGES) -> None:
        """Lay changes over a compiled layer from `many` rights on, no more than `most_changes`."""
        self._many = many
        self._most_changes = most_changes
        self._registry: Registry | None = None
        self._layer: Layer | None = None
        self._changes: dict[str, Right | None] = {}
        """What has changed since the layer was compiled, by id."""
        self._merging: threading.Thread | None = None
        self._merged: Layer | None = None
        self._since_merge: set[str] = set()
        """What has changed since the marks that are being compiled were taken."""

    def make(self, rights: Mapping[str, Right], changed: Collection[str], version: str) -> Registry:
        """Return the registry of these rights, of which some have changed since the last call.

        The first call with many blocks until their marks are compiled, or read from a file.
        """
        if self._layer is None and len(rights) < self._many:
            self._registry = compile_registry(rights.values(), version, self._registry)
            return self._registry
        if self._layer is None:
            self._load(rights)
        else:
            self._changes |= {each: rights.get(each) for each in giving_way(changed)}
            self._since_merge.update(changed)
            self._take_merged(rights)
        assert self._layer is not None, "loaded above"  # noqa: S101
        registry = self._registry = self._layer.with_changes(self._changes, version)
        if len(self._changes) > self._most_changes and self._merging is None:
            self._merge(registry.rights)
        return registry

    def wait(self) -> None:
        """Wait until no marks are being compiled."""
        if self._merging is not None:
            self._merging.join()

    def _load(self, rights: Mapping[str, Right]) -> None:
        """Take the marks of these rights from a file that has most of them, or compile them."""
        started = time.perf_counter()
        ordered = sorted(rights.values(), key=lambda right: right.right_id)
        rows = rows_of(ordered)
        found = CompiledMarks.found(rows) or self._nearly(rights)
        compiled = found or CompiledMarks.compiled(rows, os.cpu_count() or 1)
        self._layer, self._changes = Layer.of(compiled, rights)
        log.info(
            "marks of %d rights %s in %.1f s, %d differ",
            len(rights),
            "read" if found else "compiled",
            time.perf_counter() - started,
            len(self._changes),
        )

    def _nearly(self, rights: Mapping[str, Right]) -> CompiledMarks | None:
        """Return the marks of a file that differs from these rights by little."""
        for compiled in CompiledMarks.kept():
            if abs(len(compiled.rows) - len(rights)) > LEAST_SHARE * len(rights):
                continue
            _, changes = Layer.of(compiled, rights)
            if len(changes) <= LEAST_SHARE * len(rights):
                return compiled
        return None

    def _merge(self, rights: Sequence[Right]) -> None:
        """Compile these rights beside, from where the next call takes them."""
        self._since_merge = set()
        self._merging = threading.Thread(
            target=self._compile_aside, args=(rights,), name="compiles marks", daemon=True
        )
        self._merging.start()

    def _compile_aside(self, rights: Sequence[Right]) -> None:
        with aside():
            try:
                compiled = CompiledMarks.compiled(rows_of(rights), 1)
            except (CompilingFailedError, OSError):
                log.exception("marks could not be compiled; those compiled before serve on")
                return
            self._merged, _ = Layer.of(compiled, {right.right_id: right for right in rights})

    def _take_merged(self, rights: Mapping[str, Right]) -> None:
        """Use what was compiled beside, if that is done."""
        if self._merging is None or self._merging.is_alive():
            return
        self._merging.join()
        self._merging = None
        if self._merged is not None:
            self._layer, self._merged = self._merged, None
            self._changes = {each: rights.get(each) for each in self._since_merge}
            log.info("marks of %d rights compiled beside are in use", len(rights))
