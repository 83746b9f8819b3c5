"""Policies as a fold over `assayer.policies`: which is enforced, which is on trial, what is muted.

A version is '<name>-<content hash>@<offset>', with the offset of the last change in force: of the
policy, or of a rule muted under it. Without an offset nothing on the topic is in force, and the
policy is one of a file, or the shipped one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal

import msgspec

from agents.monitoring.policies import Policy, PolicyError, compile_policy
from agents.monitoring.snoozes import Snooze, Snoozes
from agents.records import Long
from streams import topics
from streams.codec import DecodeError, Decoder
from streams.kafka import ping
from streams.log_reader import LogReader, LogRecord
from streams.schema_registry import SchemaRegistry
from streams.settings import Settings

PolicyKind = Literal["POLICY", "CANDIDATE", "WITHDRAWN", "SNOOZE", "RECORDED"]

KEPT: Final = 8
"""Compiled policies that are kept, those used last: a large one takes megabytes."""
NONE: Final = -1
"""Offset of a state to which no change was applied."""


class PolicyChange(msgspec.Struct, frozen=True):
    """A record of the topic."""

    policy: str
    kind: PolicyKind
    published_at: Long
    text: str = ""
    content_hash: str = ""
    author: str = ""
    comment: str = ""
    snooze: Snooze | None = None


def content_hash(text: str) -> str:
    """Return what names a policy's content: 16 hex digits of its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(slots=True)
class Entry:
    """A record of the topic as it was read."""

    offset: int
    change: PolicyChange | None
    """None where it is no change of a policy at all."""
    refusal: str = ""
    """Why it is not used; empty while nothing is known against it."""


@dataclass(frozen=True, slots=True)
class State:
    """What listings are judged by, as far as the topic says."""

    policy: Policy
    """With the version that verdicts carry."""
    snoozes: Snoozes
    candidate: Policy | None = None
    since: int = NONE
    """Offset of the policy; NONE where it is not of the topic."""


class UnknownVersionError(LookupError):
    """A version of a policy that can't be made again from the topic."""


class PolicyLog:
    """Applies the records of the topic in order. What is no change is kept as refused."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._compiled: dict[str, Policy | PolicyError] = {}
        self.entries: list[Entry] = []

    def apply(self, records: Iterable[LogRecord]) -> None:
        """Apply records.

        Raises:
            RegistryUnavailableError: a record's schema is not known and can't be fetched. Nothing
                was applied.
        """
        records = list(records)
        away = self._decoder.fetch(self._decoder.unknown(record.value for record in records))
        if away is not None:
            raise away
        self.entries += map(self._entry, records)

    def _entry(self, record: LogRecord) -> Entry:
        if record.value is None:
            return Entry(record.offset, None, "no value; nothing is deleted from this topic")
        try:
            change = msgspec.convert(self._decoder.decode(record.value), PolicyChange)
        except (DecodeError, msgspec.ValidationError) as error:
            return Entry(record.offset, None, f"not a change of a policy: {error}")
        return Entry(record.offset, change, _flaw(change))

    def state(self, fallback: Policy, *, pinned: bool = False) -> State:
        """Return what is in force: the newest policy that compiles, `fallback` where none does.

        With `pinned` it is `fallback` whatever the topic says; rules are muted all the same.
        """
        enforced = None if pinned else self._newest("POLICY")
        policy, since = (fallback, NONE) if enforced is None else enforced
        muted = [entry for entry in self.entries if not entry.refusal and _snooze_of(entry)]
        offset = max(since, muted[-1].offset if muted else NONE)
        return State(
            _with_offset(policy, offset),
            Snoozes.of(map(_snooze_of, muted)),
            self._candidate(policy),
            since,
        )

    def _candidate(self, enforced: Policy) -> Policy | None:
        found = self._newest("CANDIDATE", ends="WITHDRAWN")
        if found is None or found[0].version == enforced.version:
            return None
        return found[0]

    def refused_since(self, offset: int) -> list[Entry]:
        """Return the entries behind this offset that are not used."""
        return [entry for entry in self.entries if entry.offset > offset and entry.refusal]

    def check_all(self) -> None:
        """Compile every policy, so that each entry says why it is refused."""
        for entry in self.entries:
            self._compile(entry)

    def has(self, hash_: str) -> bool:
        """Return whether the topic holds a policy of this content."""
        return any(
            entry.change is not None and entry.change.content_hash == hash_ and entry.change.text
            for entry in self.entries
        )

    def text_of(self, version: str) -> str | None:
        """Return the text of a policy that was published; None where there is none.

        It goes by '<name>-<content hash>', with or without an offset, or by the hash alone.
        """
        wanted = version.partition("@")[0]
        for entry in self.entries:
            change = entry.change
            if change is None or not change.text or entry.refusal:
                continue
            if wanted in (f"{change.policy}-{change.content_hash}", change.content_hash):
                return change.text
        return None

    def rebuild(self, version: str) -> State:
        """Return what was in force when verdicts carried this version.

        Raises:
            UnknownVersionError: the topic holds no policy of this content, or no such offset.
        """
        name_and_hash, _, at = version.partition("@")
        hash_ = name_and_hash.rpartition("-")[2]
        for entry in self.entries:
            if entry.change is not None and entry.change.content_hash == hash_:
                policy = self._compile(entry)
                if policy is not None and policy.version == name_and_hash:
                    break
        else:
            raise UnknownVersionError(
                f"{topics.POLICIES.name} holds no policy '{name_and_hash}'; see: assayer policy "
                "list"
            )
        offset = int(at) if at.isdigit() else NONE
        if offset != NONE and not any(entry.offset == offset for entry in self.entries):
            raise UnknownVersionError(
                f"{topics.POLICIES.name} holds nothing at offset {at} of version '{version}'"
            )
        snoozes = (
            _snooze_of(entry)
            for entry in self.entries
            if entry.offset <= offset and not entry.refusal
        )
        return State(_with_offset(policy, offset), Snoozes.of(snoozes))

    def _newest(
        self, kind: PolicyKind, ends: PolicyKind | None = None
    ) -> tuple[Policy, int] | None:
        for entry in reversed(self.entries):
            if entry.change is None or entry.refusal:
                continue
            if entry.change.kind == ends:
                return None
            if entry.change.kind == kind and (policy := self._compile(entry)) is not None:
                return policy, entry.offset
        return None

    def _compile(self, entry: Entry) -> Policy | None:
        """Return the policy of an entry; note why where it is refused."""
        change = entry.change
        if change is None or entry.refusal or not change.text:
            return None
        made = self._compiled.pop(change.content_hash, None)
        if made is None:
            try:
                made = compile_policy(change.text.encode(), f"offset {entry.offset}")
            except PolicyError as error:
                made = error
        self._compiled[change.content_hash] = made  # used last, and so the last to be dropped
        if len(self._compiled) > KEPT:
            del self._compiled[next(iter(self._compiled))]
        if isinstance(made, PolicyError):
            entry.refusal = str(made)
            return None
        return made


def offset_of(version: str) -> int:
    """Return the offset that a policy's version ends in; NONE where it has none."""
    at = version.rpartition("@")[2]
    return int(at) if "@" in version and at.isdigit() else NONE


def _with_offset(policy: Policy, offset: int) -> Policy:
    return policy if offset == NONE else replace(policy, version=f"{policy.version}@{offset}")


def _flaw(change: PolicyChange) -> str:
    """Return what speaks against a change before its policy is compiled."""
    if change.kind == "SNOOZE":
        return "" if change.snooze is not None else "it mutes a rule, and says not which"
    if change.kind != "WITHDRAWN" and content_hash(change.text) != change.content_hash:
        return f"its text is not that of its content hash '{change.content_hash:.40}'"
    return ""


def _snooze_of(entry: Entry) -> Snooze | None:
    change = entry.change
    return change.snooze if change is not None and change.kind == "SNOOZE" else None


def read_policies(
    settings: Settings, registry: SchemaRegistry, until: int | None = None
) -> PolicyLog:
    """Return the policies as they are now, or were before offset `until`.

    Blocks while it reads all of the topic.

    Raises:
        KafkaUnavailableError, MissingTopicError, RegistryUnavailableError
    """
    ping(settings)
    registry.ping()
    log = PolicyLog(policies_decoder(registry))
    reader = LogReader(settings, settings.topic(topics.POLICIES.name))
    try:
        for records in reader.read_to_end():
            log.apply(each for each in records if until is None or each.offset < until)
    finally:
        reader.close()
    return log


def policies_decoder(registry: SchemaRegistry) -> Decoder:
    """Return the decoder of the topic's values."""
    return Decoder(registry, topics.POLICIES.schema)
