"""Makes a verdict again from what was recorded with it, and says what differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from agents.alliance.rights_log import NONE, RightsLog, rights_decoder
from agents.monitoring.decisions import decision_of
from agents.monitoring.inputs import past_of, seller_of
from agents.monitoring.judge import Judge, Outcome, Verdict
from agents.monitoring.policies import Policy
from agents.monitoring.policy_log import State, UnknownVersionError, read_policies
from agents.monitoring.registry import compile_registry
from agents.monitoring.screening import listing_decoder, to_listing
from agents.monitoring.snoozes import NO_SNOOZES
from agents.records import Inputs, Listing, Takedown
from agents.takedowns import takedown
from streams import topics
from streams.codec import DecodeError
from streams.log_reader import LogReader, LogRecord, MissingTopicError
from streams.schema_registry import SchemaRegistry
from streams.settings import Settings

MAX_JUDGES: Final = 8
"""Compiled judges that are kept: takedowns of one time share theirs."""


class UnrepeatableError(LookupError):
    """What the verdict was made from is not to be had any more."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A verdict as it was recorded, and as it comes out again."""

    takedown: Takedown
    listing: Listing
    differences: tuple[str, ...]
    """What comes out otherwise, in words; empty where the verdict is the same to the byte."""


class Explainer:
    """Judges again, under the policies and rights of any past version. Its calls block.

    Raises:
        KafkaUnavailableError, MissingTopicError, RegistryUnavailableError: at the start.
    """

    def __init__(
        self, settings: Settings, registry: SchemaRegistry, policies: tuple[Policy, ...] = ()
    ) -> None:
        """`policies` are known beside those of the topic: of a file, or as shipped."""
        self._settings = settings
        self._policies = read_policies(settings, registry)
        self._beside = {policy.version: policy for policy in policies}
        self._rights_decoder = rights_decoder(registry)
        self._rights = _all(settings, settings.topic(topics.RIGHTS.name))
        self._decoder = listing_decoder(registry)
        self._judges: dict[tuple[str, str], Judge] = {}

    def explain(self, recorded: Takedown) -> Explanation:
        """Return what comes out when the verdict of a takedown or review is made again.

        Raises:
            UnrepeatableError: it was made by a person, or what it was made from can't be had.
        """
        if recorded.inputs is None:
            raise UnrepeatableError("it keeps nothing of what it was made from")
        judge = self._judge(recorded.policy_version, recorded.registry_version)
        listing = self._listing(recorded, recorded.inputs)
        try:
            seller, past = seller_of(recorded.inputs), past_of(recorded.inputs)
        except msgspec.DecodeError as error:
            raise UnrepeatableError(f"what the store said can't be read: {error}") from None
        examination = judge.examine(listing, recorded.received_at)
        judgement = judge.decide(examination, seller, past)
        before, after = _verdict(recorded), judgement.verdict
        differences = []
        if before.to_json() != after.to_json():
            differences = _differences(before, after)
        elif after.outcome != "allow":
            again = takedown(
                decision_of(examination, judgement, None, recorded.received_at, recorded.inputs)
            )
            old, new = recorded.statement, again.statement
            if old != new:
                differences = [f"statement: '{old.facts}' was recorded, '{new.facts}' comes out"]
        return Explanation(recorded, listing, tuple(differences))

    def _judge(self, policy_version: str, registry_version: str) -> Judge:
        key = (policy_version, registry_version)
        if key not in self._judges:
            while len(self._judges) >= MAX_JUDGES:
                del self._judges[next(iter(self._judges))]
            state = self._state(policy_version)
            registry = compile_registry(
                self._rights_at(registry_version).rights.values(), registry_version
            )
            self._judges[key] = Judge(registry, state.policy, state.snoozes)
        return self._judges[key]

    def _state(self, version: str) -> State:
        try:
            return self._policies.rebuild(version)
        except UnknownVersionError as error:
            if version in self._beside:
                return State(self._beside[version], NO_SNOOZES)
            raise UnrepeatableError(str(error)) from None

    def _rights_at(self, version: str) -> RightsLog:
        name = topics.RIGHTS.name
        try:
            offset = int(version)
        except ValueError:
            raise UnrepeatableError(
                f"registry version '{version}' is none of {name}: it was made from a file"
            ) from None
        log = RightsLog(self._rights_decoder)
        log.apply(record for record in self._rights if record.offset <= offset)
        if offset not in (log.version, NONE):
            raise UnrepeatableError(f"{name} holds no registry version {version} (any more)")
        return log

    def _listing(self, recorded: Takedown, inputs: Inputs) -> Listing:
        value = inputs.listing
        where = f"{inputs.topic}, partition {inputs.partition}, offset {inputs.offset}"
        if value is None:
            value = self._read_again(inputs, where)
        away = self._decoder.fetch(self._decoder.unknown([value]))
        if away is not None:
            raise away
        try:
            listing = to_listing(self._decoder, value)
        except DecodeError as error:
            raise UnrepeatableError(f"the listing of {where} can't be read: {error}") from None
        if (listing.listing_id, listing.revision) != (recorded.listing_id, recorded.revision):
            raise UnrepeatableError(
                f"at {where} is revision {listing.revision} of '{listing.listing_id}', another one"
            )
        return listing

    def _read_again(self, inputs: Inputs, where: str) -> bytes:
        reader = LogReader(self._settings, inputs.topic, inputs.partition)
        try:
            low, end = reader.bounds()
            if not low <= inputs.offset < end:
                raise UnrepeatableError(
                    f"its listing was too large to keep, and {where} is past its retention"
                )
            reader.seek(inputs.offset)
            for _ in range(20):
                records = reader.read(0.5, 1)
                if records:
                    break
        except MissingTopicError as error:
            raise UnrepeatableError(str(error)) from None
        finally:
            reader.close()
        if not records or records[0].offset != inputs.offset or records[0].value is None:
            raise UnrepeatableError(f"its listing was too large to keep, and {where} holds none")
        return records[0].value


def _all(settings: Settings, topic: str) -> list[LogRecord]:
    reader = LogReader(settings, topic)
    try:
        return [record for records in reader.read_to_end() for record in records]
    finally:
        reader.close()


def _verdict(recorded: Takedown) -> Verdict:
    outcome: Outcome = "remove" if recorded.action == "REMOVED" else "review"
    return Verdict(
        recorded.listing_id,
        recorded.revision,
        outcome,
        recorded.score,
        recorded.rules,
        recorded.evidence,
        recorded.policy_version,
        recorded.registry_version,
    )


def _differences(before: Verdict, after: Verdict) -> list[str]:
    old: dict[str, Any] = msgspec.to_builtins(before)
    new: dict[str, Any] = msgspec.to_builtins(after)
    told = []
    for name, value in old.items():
        if name != "evidence" and value != new[name]:
            told.append(f"{name}: {_short(value)} was recorded, and {_short(new[name])} comes out")
    gone = [each for each in old["evidence"] if each not in new["evidence"]]
    come = [each for each in new["evidence"] if each not in old["evidence"]]
    told += [f"evidence that does not come out again: {_short(each)}" for each in gone]
    told += [f"evidence that was not recorded: {_short(each)}" for each in come]
    if not told:
        told.append("evidence: the same, in another order")
    return told


def _short(value: object) -> str:
    text = msgspec.json.encode(value, order="sorted").decode()
    return text if len(text) <= 300 else text[:299] + "…"
