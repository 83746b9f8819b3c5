"""Many literal patterns looked for at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import hyperscan
import numpy as np

from agents.monitoring.marks.characters import Ints
from streams.aside import give_way


class Literals:
    """Patterns of bytes, compiled, each with a number that others may have too.

    Not for use from two threads at once: Hyperscan's scratch space belongs to one scan at a time.
    """

    def __init__(
        self, exact: Sequence[tuple[bytes, int]], caseless: Sequence[tuple[bytes, int]] = ()
    ) -> None:
        """Compile patterns: of the `caseless`, Latin letters are found as capitals too."""
        self._database: hyperscan.Database | None = None
        patterns = [(pattern, number, 0) for pattern, number in sorted(set(exact))]
        patterns += [
            (pattern, number, hyperscan.HS_FLAG_CASELESS)
            for pattern, number in sorted(set(caseless))
        ]
        if not patterns:
            return
        give_way()
        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self._database.compile(
            expressions=[pattern for pattern, _, _ in patterns],
            ids=[number for _, number, _ in patterns],
            elements=len(patterns),
            flags=[flags for _, _, flags in patterns],
            literal=True,
        )

    def find(self, data: bytes) -> tuple[Ints, Ints]:
        """Return the numbers of the patterns found, and where each ends."""
        found: tuple[list[int], list[int]] = ([], [])
        if self._database is not None:
            self._database.scan(data, match_event_handler=_collect, context=found)
        return np.array(found[0], np.intp), np.array(found[1], np.intp)


def _collect(id_: int, start: int, end: int, flags: int, context: object) -> None:  # noqa: ARG001
    numbers, ends = cast(tuple[list[int], list[int]], context)
    numbers.append(id_)
    ends.append(end)
