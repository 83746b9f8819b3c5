"""What a sweep is for: rights that are new in the registry, or rules that are new in the policy."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from agents.alliance.rights_log import RightsLog, rights_decoder
from agents.monitoring.judge import Examination, Judgement
from agents.monitoring.policies import Policy, Rule
from agents.monitoring.registry import Registry, compile_registry
from agents.records import Right
from streams import topics
from streams.aside import giving_way
from streams.kafka import ping
from streams.log_reader import LogReader
from streams.schema_registry import SchemaRegistry
from streams.settings import Settings

_SAID_ONLY: Final = {"owner": "", "member_id": "", "office": "", "registration_number": ""}
"""Fields of a right that are told and match nothing."""


class UnknownSubjectError(LookupError):
    """A right that is not in the registry, or a rule that the policy does not enforce."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Rights or rules, never both. The id names them in the state they are swept for."""

    id: str
    rights: frozenset[str] = frozenset()
    rules: frozenset[str] = frozenset()

    def screened_by(self, registry: Registry) -> Registry:
        """Return the registry to look for: of these rights only, or all of it for rules.

        With fewer marks no more is overlooked: where marks overlap the longest stands, so that one
        that is not swept could only hide another.
        """
        if self.rules:
            return registry
        swept = (right for right in registry.rights if right.right_id in self.rights)
        return compile_registry(swept, registry.version)

    def may_concern(self, examination: Examination, policy: Policy) -> bool:
        """Return whether a listing that was examined under `screened_by` has to be judged."""
        if not self.rules:
            return bool(examination.matches)
        return any(
            policy.rules[index].name in self.rules
            for match in examination.matches
            for index in policy.possible(match.facts)
        )

    def concerns(self, judgement: Judgement) -> bool:
        """Return whether a verdict rests on what is swept for."""
        if self.rules:
            return not self.rules.isdisjoint(judgement.verdict.rules)
        return any(right.right_id in self.rights for right in judgement.rights)


def of_rights(log: RightsLog, right_ids: Collection[str]) -> Subject:
    """Return the subject of rights as they were last published.

    Raises:
        UnknownSubjectError: one is not in the registry.
    """
    for right_id in right_ids:
        if right_id not in log.rights:
            raise UnknownSubjectError(
                f"no right '{right_id}' in the registry; see: assayer rights list"
            )
    published = sorted((right_id, log.published_at(right_id)) for right_id in set(right_ids))
    return Subject(_digest(published), rights=frozenset(right_ids))


def of_rules(policy: Policy, names: Collection[str]) -> Subject:
    """Return the subject of rules of the policy in force.

    Raises:
        UnknownSubjectError: the policy does not enforce one.
    """
    enforced = {rule.name for rule in policy.rules if rule.mode == "enforce"}
    for name in names:
        if name not in enforced:
            raise UnknownSubjectError(
                f"policy {policy.version} enforces no rule '{name}'; it enforces "
                f"{', '.join(sorted(enforced))}"
            )
    return Subject(_digest([sorted(set(names)), policy.version]), rules=frozenset(names))


def changed_rights(
    settings: Settings, registry: SchemaRegistry, since: int, until: int
) -> Subject | None:
    """Return the rights that match more under registry version `until` than under `since`.

    None where there are none. Blocks while it reads all of the topic.

    Raises:
        KafkaUnavailableError, MissingTopicError, RegistryUnavailableError
    """
    ping(settings)
    registry.ping()
    log = RightsLog(rights_decoder(registry))
    reader = LogReader(settings, settings.topic(topics.RIGHTS.name))
    before: Mapping[str, Right] | None = None
    try:
        for records in reader.read_to_end():
            log.apply(record for record in records if record.offset <= since)
            if before is None and records[-1].offset > since:
                before = dict(log.rights)
            log.apply(record for record in records if since < record.offset <= until)
    finally:
        reader.close()
    if before is None:
        return None
    old = before
    rights = giving_way(log.rights.items())
    wider = [each for each, right in rights if widens(old.get(each), right)]
    return of_rights(log, wider) if wider else None


def widens(before: Right | None, after: Right) -> bool:
    """Return whether a right may match what it did not match before.

    Not so where only what is told of it has changed, or sellers were authorised in addition.
    """
    if before is None:
        return True
    if not set(before.authorised_sellers) <= set(after.authorised_sellers):
        return True
    old, new = (
        msgspec.structs.replace(right, authorised_sellers=(), **_SAID_ONLY)
        for right in (before, after)
    )
    return old != new


def newly_enforced(before: Policy, after: Policy) -> tuple[str, ...]:
    """Return the rules that may act on what no rule acted on before.

    Those are enforced now and were not, or ask for something else, or end in another outcome.
    """
    if before.version == after.version:
        return ()
    old = {rule.name: rule for rule in before.rules if rule.mode == "enforce"}
    return tuple(
        rule.name
        for rule in after.rules
        if rule.mode == "enforce" and _says(before, old.get(rule.name)) != _says(after, rule)
    )


def _says(policy: Policy, rule: Rule | None) -> object:
    """Return what decides when a rule acts and how, definitions and guard included."""
    if rule is None:
        return None
    definitions = sorted((name, each.text) for name, each in policy.definitions.items())
    guard = policy.guard.text if policy.guard is not None else ""
    return rule.condition.text, rule.outcome, guard, definitions


def _digest(of: object) -> str:
    return hashlib.sha256(msgspec.json.encode(of)).hexdigest()[:16]
