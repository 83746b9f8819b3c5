"""The replay of `assayer policy diff`: puts together what it needs, runs it and reports."""

from __future__ import annotations

import asyncio
import os
import re
import time
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from agents.commands.console import NO, WRONG, CommandError, complain, leave, progress
from agents.records import Refused, Seller, parse_time, read_jsonl

if TYPE_CHECKING:
    from agents.commands.replay_report import Report
    from agents.monitoring.policy_log import PolicyLog, State
    from agents.monitoring.replay.replayer import Candidate, Setup
    from agents.monitoring.replay.sources import Range, Recorded
    from streams.schema_registry import SchemaRegistry
    from streams.settings import Settings

VERSION: Final = re.compile(r"[a-z][a-z0-9-]*-[0-9a-f]{16}(@\d+)?")
DEFAULT_NAME: Final = "default"
CURRENT: Final = "current"
NAMES: Final = (DEFAULT_NAME, CURRENT)
LISTINGS: Final = "marketplace.listings"


@dataclass(frozen=True, slots=True)
class Asked:
    """The arguments of the command."""

    old: str
    new: str
    from_: str | None
    to: str | None
    listings: Path | None
    registry: int | None
    rights: Path | None
    sellers: Path | None
    html: Path | None
    processes: int | None


def compare(asked: Asked, *, json: bool) -> None:
    """Replay and report; exit 1 where rows were refused or there is nothing to replay."""
    from agents.commands.replay_page import page
    from agents.commands.replay_report import emit_report, say_report
    from agents.monitoring.replay.sources import NothingRecordedError

    range_ = _range_of(asked)
    _check(asked)
    try:
        report, refused = _replayed(asked, range_)
    except NothingRecordedError as error:
        raise CommandError(str(error), NO) from None
    if asked.html is not None:
        _write(asked.html, page(report))
    if json:
        emit_report(report)
    else:
        say_report(report, asked.html)
    if refused:
        leave(NO)


def _range_of(asked: Asked) -> Range:
    from agents.monitoring.replay.sources import Range

    if asked.from_ is None and asked.listings is None:
        raise CommandError("say from when: --from 2026-11-24T12:00:00Z, or --listings FILE")
    range_ = Range(_moment("--from", asked.from_), _moment("--to", asked.to))
    if range_.start is not None and range_.end is not None and range_.start >= range_.end:
        raise CommandError(f"--to: nothing lies {range_}")
    return range_


def _moment(name: str, given: str | None) -> int | None:
    if given is None:
        return None
    try:
        return parse_time(int(given) if given.isdigit() else given)
    except ValueError as error:
        raise CommandError(f"{name}: {error}; try 2026-11-24T12:00:00Z", WRONG) from None


def _check(asked: Asked) -> None:
    """Refuse what makes no sense, before anything takes long."""
    for each in (asked.old, asked.new):
        if each in NAMES or Path(each).is_file() or VERSION.fullmatch(each):
            continue
        raise CommandError(
            f"there is no file '{each}'; a policy is a file, a version as `assayer policy list` "
            f"shows it, {DEFAULT_NAME} or {CURRENT}"
        )
    if asked.registry is not None and asked.rights is not None:
        raise CommandError("the rights are those of --registry or of --rights, not of both")
    if asked.registry is not None and asked.registry < 0:
        raise CommandError("--registry: a version is an offset, 0 or more")
    if asked.processes is not None and asked.processes < 1:
        raise CommandError("--processes: one at least")
    if asked.html is not None:
        if not asked.html.parent.is_dir():
            raise CommandError(f"{asked.html}: there is no folder {asked.html.parent}")
        if asked.html.is_dir():
            raise CommandError(f"{asked.html}: a folder; say which file")


class _Servers:
    """What Kafka says of policies and rights; asked only when it is needed."""

    @cached_property
    def settings(self) -> Settings:
        from streams.settings import Settings

        return Settings()

    @cached_property
    def registry(self) -> SchemaRegistry:
        from streams.schema_registry import SchemaRegistry

        return SchemaRegistry.connect(self.settings)

    @cached_property
    def policies(self) -> PolicyLog:
        from agents.commands.policy_life import read

        return read(self.settings, self.registry)

    @cached_property
    def state(self) -> State:
        from agents.commands.policy_life import in_force

        return in_force(self.settings, self.policies)


def _replayed(asked: Asked, range_: Range) -> tuple[Report, int]:
    """Return the report, and how many rows of files were refused."""
    from agents.commands.replay_report import Report, notes_of
    from agents.monitoring.replay.processes import ReplayError, replay
    from agents.monitoring.replay.sources import NothingRecordedError

    servers = _Servers()
    setup, refused = _setup(asked, servers)
    recorded = _recorded(asked, servers, range_)
    total = sum(part.size for part in recorded.parts)
    processes = asked.processes or len(os.sched_getaffinity(0))
    try:
        with progress("replaying", total, "bytes" if asked.listings else "listings") as advance:
            found = replay(setup, recorded.parts, processes, advance)
    except ReplayError as error:
        raise CommandError(str(error), NO) from None
    for row in found.refused:
        complain(f"refused {asked.listings}:{row.line}: {row.reason}")
    if (others := found.unreadable["refused"] - len(found.refused)) > 0:
        complain(f"refused {others:,} more rows of {asked.listings}")
    if not found.read:
        where = asked.listings or servers.settings.topic(LISTINGS)
        raise NothingRecordedError(f"{where}: no listings {range_}")
    notes = (*recorded.notes, *notes_of(setup, found))
    return Report(setup, range_, found, notes), refused + found.unreadable["refused"]


def _setup(asked: Asked, servers: _Servers) -> tuple[Setup, int]:
    """Return what is judged by, and how many rows of files were refused."""
    from agents.monitoring.replay.replayer import Setup
    from agents.monitoring.screening import Limits

    now = time.time_ns() // 1_000_000
    settings = servers.settings
    old, new = _candidate(asked.old, asked, servers), _candidate(asked.new, asked, servers)
    rights, version, refused = _rights(asked, servers)
    setup = Setup(
        old,
        new,
        rights,
        version,
        Limits(settings.max_record_bytes, settings.max_clock_ahead_s),
        now,
        settings if asked.listings is None else None,
        asked.sellers,
    )
    if asked.sellers is not None:
        return setup, refused + _refused_sellers(asked.sellers)
    if asked.listings is not None:
        return setup, refused
    away = _store_away(settings, now)
    return replace(setup, store=not away, store_away=away), refused


def _candidate(asked: str, all_: Asked, servers: _Servers) -> Candidate:
    """Return a policy of the command line, compiled once so that what is wrong is told here."""
    from agents.monitoring.policies import DEFAULT, compile_policy, default_policy, read_file
    from agents.monitoring.replay.replayer import Candidate

    path = Path(asked)
    if asked == DEFAULT_NAME:
        raw, version, snoozes = read_file(DEFAULT), default_policy().version, None
    elif asked == CURRENT:
        raw, version = _current(servers)
        snoozes = servers.state.snoozes.all
    elif path.is_file():
        raw, snoozes = read_file(path), None
        version = compile_policy(raw, asked).version
    else:
        return _published(asked, servers)
    if snoozes is None:
        # Without Kafka nobody knows of any.
        snoozes = () if _serverless(all_) else servers.state.snoozes.all
    return Candidate(asked, version, raw, snoozes)


def _current(servers: _Servers) -> tuple[bytes, str]:
    """Return the text and the version of the policy in force."""
    from agents.monitoring.policies import DEFAULT, read_file

    version = servers.state.policy.version
    published = servers.policies.text_of(version)
    if published is not None:
        return published.encode(), version
    return read_file(servers.settings.policy_file or DEFAULT), version


def _published(version: str, servers: _Servers) -> Candidate:
    """Return a policy of the topic, or the shipped one where no worker has kept it there yet."""
    from agents.monitoring.policies import DEFAULT, default_policy, read_file
    from agents.monitoring.policy_log import UnknownVersionError
    from agents.monitoring.replay.replayer import Candidate

    try:
        state = servers.policies.rebuild(version)
    except UnknownVersionError as error:
        if version != default_policy().version:
            raise CommandError(str(error), NO) from None
        return Candidate(version, version, read_file(DEFAULT), servers.state.snoozes.all)
    text = servers.policies.text_of(version) or ""
    then = "@" in version
    snoozes = state.snoozes if then else servers.state.snoozes
    return Candidate(version, state.policy.version, text.encode(), snoozes.all)


def _serverless(asked: Asked) -> bool:
    """Return whether nothing that was asked for lies in Kafka."""
    named = [each for each in (asked.old, asked.new) if not Path(each).is_file()]
    return (
        asked.listings is not None
        and asked.rights is not None
        and all(each == DEFAULT_NAME for each in named)
    )


def _rights(asked: Asked, servers: _Servers) -> tuple[bytes, str, int]:
    """Return the rights as a JSON array, their version, and how many rows were refused."""
    from agents.alliance.rights_log import UnknownRegistryError, read_rights
    from agents.commands.rights_trial import read_checked
    from agents.monitoring.registry import content_version

    if asked.rights is not None:
        accepted, problems = read_checked((asked.rights,))
        for row in problems:
            complain(f"refused {row}")
        return msgspec.json.encode(accepted), content_version(accepted), len(problems)
    try:
        log = read_rights(servers.settings, servers.registry, asked.registry)
    except UnknownRegistryError as error:
        raise CommandError(str(error), NO) from None
    return msgspec.json.encode(list(log.rights.values())), str(log.version), 0


def _refused_sellers(path: Path) -> int:
    refused = [row for row in read_jsonl(path, Seller) if isinstance(row, Refused)]
    for row in refused:
        complain(f"refused {row}")
    return len(refused)


def _store_away(settings: Settings, now: int) -> str:
    """Return why nothing can be learnt of sellers from the store; empty where it can."""
    from agents.reputation import read_facts
    from streams.store import Store, StoreUnavailable

    async def ask() -> str:
        store = Store(settings)
        try:
            await read_facts(store, (), (), now)
        except StoreUnavailable as error:
            return str(error)
        finally:
            await store.close()
        return ""

    return asyncio.run(ask())


def _recorded(asked: Asked, servers: _Servers, range_: Range) -> Recorded:
    from agents.monitoring.replay.sources import from_file, from_topic

    if asked.listings is None:
        servers.registry.ping()
        return from_topic(servers.settings, range_)
    try:
        return from_file(asked.listings, range_)
    except ValueError as error:
        raise CommandError(str(error)) from None


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{path}: can't be written: {error.strerror}") from None
