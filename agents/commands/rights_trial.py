"""Files of rights, checked and tried on recent listings before they are published."""

from __future__ import annotations

import codecs
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agents.alliance.rights_check import problems_of, shown
from agents.commands.console import CommandError, complain, progress
from agents.records import Refused, Right, read_jsonl
from streams.settings import Settings

if TYPE_CHECKING:
    from agents.monitoring.reach import Reach, Touched

_TOLD: Final = 5
"""Rows of a file of listings that are named when they can't be read."""


@dataclass(frozen=True, slots=True)
class Row:
    """A right of a file that can be used, and where it stands."""

    path: str
    line: int
    right: Right


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of the rights of some files."""

    accepted: list[Right]
    refused: list[Refused]
    confirmed: list[Refused]
    """What would have been refused, had it not been confirmed."""


@dataclass
class TriedRights:
    """The rights of files: those that can be used, rows that can't, what recent listings say."""

    rows: list[Row]
    refused: list[Refused]
    paths: tuple[str, ...]
    confirm: frozenset[str] = frozenset()
    unmeasured: str = "no right can be used"
    """Why the share of recent listings is not known; nothing where it was measured."""
    _reach: Reach | None = field(default=None, repr=False)

    @property
    def listings(self) -> int:
        """How many listings the rights were measured against."""
        return self._reach.listings if self._reach else 0

    def measure(self, against: Path | None) -> None:
        """Measure all rights at once against the listings of a file, or the newest of the topic.

        Raises:
            KafkaUnavailableError, RegistryUnavailableError, MissingTopicError: no file is given.
            OSError: the file can't be read.
        """
        from agents.monitoring.reach import Reach
        from agents.monitoring.recent_listings import MOST, from_file, from_topic

        if not self.rows:
            return
        passed: list[Refused] = []
        total: int | None
        if against is None:
            batches, total = from_topic(Settings()), MOST
        else:
            batches, total = from_file(against, passed.append), None
        reach: Reach | None = None
        with progress("measuring", total) as advance:
            for batch in batches:
                # Not before there is a listing: where there is no server, nobody waits for it.
                reach = reach or Reach([row.right for row in self.rows], _now())
                reach.add(batch)
                advance(len(batch))
        for row in passed[:_TOLD]:
            complain(f"passed over {row}")
        if passed[_TOLD:]:
            complain(f"passed over {len(passed) - _TOLD} more rows of {against}")
        self._reach = reach or Reach([], _now())
        self.unmeasured = ""

    def touched(self, row: Row) -> Touched | None:
        """Return what a right would have touched; None where that was not measured."""
        return self._reach.touched(row.right.right_id) if self._reach else None

    def outcome(self) -> Outcome:
        """Return which rights are accepted and why others are refused, in the files' order."""
        from agents.monitoring.dangers import dangers_of, share_danger, told

        accepted: list[Right] = []
        refused = list(self.refused)
        confirmed: list[Refused] = []
        for row in self.rows:
            dangers = list(dict.fromkeys(dangers_of(row.right)))
            share = share_danger(row.right, self._reach) if self._reach else None
            # Told once: a word of any listing is told with the count of those it touches.
            if share and all(danger.mark != share.mark for danger in dangers):
                dangers.append(share)
            agreed = row.right.right_id in self.confirm
            for danger in dangers:
                text = told(danger, self.touched(row), self.listings)
                if agreed:
                    confirmed.append(Refused(row.path, row.line, text))
                    continue
                way_out = f"or accept it with --confirm {shown(row.right.right_id)[1:-1]}"
                text += f"; {danger.remedy}, {way_out}"
                refused.append(Refused(row.path, row.line, text))
            if agreed or not dangers:
                accepted.append(row.right)
        return Outcome(accepted, sorted(refused, key=self._place), confirmed)

    def _place(self, refused: Refused) -> tuple[int, int]:
        return self.paths.index(refused.path), refused.line

    def needless(self, outcome: Outcome) -> list[str]:
        """Return the ids that were confirmed and would not have been refused."""
        said = {(row.path, row.line) for row in outcome.confirmed}
        needed = {row.right.right_id for row in self.rows if (row.path, row.line) in said}
        usable = {row.right.right_id for row in self.rows}
        return sorted((self.confirm & usable) - needed)

    def told(self) -> str:
        """Return what the share of recent listings was measured against, or why it was not."""
        from agents.monitoring.dangers import FEWEST_LISTINGS

        if self.unmeasured:
            return f"the share of recent listings was not measured: {self.unmeasured}"
        if self.listings < FEWEST_LISTINGS:
            return (
                f"the share of recent listings says nothing yet: {self.listings} were there, and "
                f"{FEWEST_LISTINGS} are needed"
            )
        return f"measured against {self.listings:,} recent listings"


def try_rights(paths: Sequence[Path], confirm: Sequence[str] = ()) -> TriedRights:
    """Return the rights of files, checked and not measured yet.

    Raises:
        CommandError: no file is named, or a right is confirmed that stands in none.
    """
    if not paths:
        raise CommandError("say which files; see: assayer rights --help")
    rows: list[Row] = []
    refused: list[Refused] = []
    known: set[str] = set()
    usable: set[str] = set()
    for path in dict.fromkeys(paths):
        for number, row in _numbered(path):
            if isinstance(row, Refused):
                refused.append(row)
                continue
            known.add(row.right_id)
            problems = problems_of(row)
            if row.right_id in usable:
                problems.append(f"field 'right_id': {shown(row.right_id)} stands twice")
            if problems:
                refused += [Refused(str(path), number, problem) for problem in problems]
            else:
                usable.add(row.right_id)
                rows.append(Row(str(path), number, row))
    for right_id in confirm:
        if right_id not in known:
            raise CommandError(f"--confirm: no right {shown(right_id)} in these files")
    return TriedRights(rows, refused, tuple(map(str, paths)), frozenset(confirm))


def read_checked(paths: Sequence[Path]) -> tuple[list[Right], list[Refused]]:
    """Return the rights of files that can be used, disasters and all, and the rows that can't.

    Raises:
        CommandError: no file is named.
    """
    tried = try_rights(paths)
    return [row.right for row in tried.rows], tried.refused


def _numbered(path: Path) -> Iterator[tuple[int, Right | Refused]]:
    """Yield the rows with their line numbers; blank lines count as lines."""
    lines = [
        number
        for number, line in enumerate(_without_mark(path.read_bytes()).split(b"\n"), start=1)
        if line.strip()
    ]
    yield from zip(lines, read_jsonl(path, Right), strict=True)


def _without_mark(content: bytes) -> bytes:
    return content.removeprefix(codecs.BOM_UTF8)


def _now() -> int:
    return time.time_ns() // 1_000_000
