"""Keeps the judge current: follows rights and policies, compiles aside, swaps between batches."""

from __future__ import annotations

import logging
import threading
import time

from agents.alliance.rights_log import RightsLog, rights_decoder
from agents.monitoring.judge import Judge
from agents.monitoring.policies import Policy
from agents.monitoring.policy_log import PolicyLog, State, offset_of, policies_decoder
from agents.monitoring.registry import Registry, compile_registry
from streams import topics
from streams.log_follower import LogFollower
from streams.log_reader import LogRecord
from streams.schema_registry import SchemaRegistry
from streams.settings import Settings

log = logging.getLogger(__name__)


class JudgeKeeper:
    """The current judge, and the threads that renew it.

    `load` reads both topics and returns with the first judge; from then on `current` may change at
    any moment, so a batch takes it once. What can't be read as a right, and a policy that is
    refused, is passed over; everything else keeps serving.

    `policy` serves until the topic has one; with `pinned` it serves whatever the topic says.
    """

    def __init__(
        self,
        settings: Settings,
        registry: SchemaRegistry,
        policy: Policy,
        *,
        pinned: bool = False,
    ) -> None:
        self._rights = RightsLog(rights_decoder(registry))
        self._policies = PolicyLog(policies_decoder(registry))
        self._fallback = policy
        self._pinned = pinned
        self._swapping = threading.Lock()
        self._registry: Registry | None = None
        self._state: State | None = None
        self._current: Judge | None = None
        self.refused_policies: tuple[str, ...] = ()
        """Why changes of policies behind the one in force are not used."""
        self._following_rights = LogFollower(
            settings, topics.RIGHTS.name, self._apply_rights, self._renew_registry
        )
        self._following_policies = LogFollower(
            settings, topics.POLICIES.name, self._policies.apply, self._renew_policy
        )

    @property
    def loaded(self) -> bool:
        """Whether rights and policies were read to their end once."""
        return self._current is not None

    @property
    def error(self) -> str:
        """What is wrong with following the rights; empty when nothing is."""
        return self._following_rights.error

    @property
    def policy_error(self) -> str:
        """What is wrong with following the policies; empty when nothing is."""
        return self._following_policies.error

    @property
    def current(self) -> Judge:
        """The judge of the newest registry and policy. Raises RuntimeError before `load`."""
        if self._current is None:
            raise RuntimeError("rights and policies were not loaded yet")
        return self._current

    def load(self) -> Judge:
        """Read the topics to their end, compile, and go on following them in threads; blocks.

        Raises:
            KafkaUnavailableError: no broker answers.
            RegistryUnavailableError: a schema can't be had.
            MissingTopicError: there is no such topic.
        """
        self._following_rights.load()
        self._following_policies.load()
        self._renew_policy()
        self._renew_registry()
        self._following_rights.follow()
        self._following_policies.follow()
        return self.current

    def close(self) -> None:
        """Stop following."""
        self._following_rights.close()
        self._following_policies.close()

    def unrecorded(self) -> bool:
        """Return whether the topic does not hold the policy that is not of the topic."""
        return not self._policies.has(self._fallback.version.rpartition("-")[2])

    def _apply_rights(self, records: list[LogRecord]) -> None:
        for record, error in self._rights.apply(records):
            log.warning(
                "offset %d of the rights is no right, and passed over: %s", record.offset, error
            )

    def _renew_registry(self) -> None:
        started = time.perf_counter()
        registry = compile_registry(self._rights.rights.values(), str(self._rights.version))
        with self._swapping:
            self._registry = registry
            self._swap()
        log.info(
            "registry version %s in use: %d rights, compiled in %.2f s",
            registry.version,
            len(registry.rights),
            time.perf_counter() - started,
        )

    def _renew_policy(self) -> None:
        state = self._policies.state(self._fallback, pinned=self._pinned)
        refused = self._policies.refused_since(offset_of(state.policy.version))
        with self._swapping:
            changed = self._state is None or self._state.policy.version != state.policy.version
            self._state = state
            self._swap()
        self.refused_policies = tuple(entry.refusal for entry in refused)
        if changed:
            log.info("policy version %s in use", state.policy.version)
        for entry in refused:
            log.warning(
                "offset %d of the policies is refused, the one in use serves on: %s",
                entry.offset,
                entry.refusal.splitlines()[0] if entry.refusal else "",
            )

    def _swap(self) -> None:
        if self._registry is not None and self._state is not None:
            state = self._state
            self._current = Judge(self._registry, state.policy, state.snoozes, state.candidate)
