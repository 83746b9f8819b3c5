"""Makes the current judge of records: compiles what is new aside, and swaps between batches."""

from __future__ import annotations

import logging
import threading
import time

from agents.alliance.rights_log import RightsLog, rights_decoder
from agents.monitoring.judge import Judge
from agents.monitoring.policies import Policy
from agents.monitoring.policy_log import PolicyLog, State, offset_of, policies_decoder
from agents.monitoring.registry import Registry
from agents.monitoring.registry_maker import RegistryMaker
from streams.log_reader import LogRecord
from streams.schema_registry import SchemaRegistry

log = logging.getLogger(__name__)


class JudgeMaker:
    """The current judge, of the records of rights and policies that were applied.

    Rights may be renewed in one thread, policies in another: each applies its records, then renews.
    `current` may change at any moment, so a batch takes it once. What can't be read as a right, and
    a policy that is refused, is passed over; everything else keeps serving.

    `policy` serves until the topic has one; with `pinned` it serves whatever the topic says.
    """

    def __init__(self, registry: SchemaRegistry, policy: Policy, *, pinned: bool = False) -> None:
        self._rights = RightsLog(rights_decoder(registry))
        self._policies = PolicyLog(policies_decoder(registry))
        self._fallback = policy
        self._pinned = pinned
        self._swapping = threading.Lock()
        self._registries = RegistryMaker()
        self._changed: set[str] = set()
        """Rights that the registry in use does not have as they are."""
        self._registry: Registry | None = None
        self._state: State | None = None
        self._current: Judge | None = None
        self.refused_policies: tuple[str, ...] = ()
        """Why changes of policies behind the one in force are not used."""

    @property
    def made(self) -> bool:
        """Whether there is a judge: registry and policy were renewed once."""
        return self._current is not None

    @property
    def current(self) -> Judge:
        """The judge of the newest registry and policy. Raises RuntimeError before there is one."""
        if self._current is None:
            raise RuntimeError("rights and policies were not loaded yet")
        return self._current

    def unrecorded(self) -> bool:
        """Return whether the topic does not hold the policy that is not of the topic."""
        return not self._policies.has(self._fallback.version.rpartition("-")[2])

    def apply_rights(self, records: list[LogRecord]) -> None:
        """Apply records of the rights, in order. Raises RegistryUnavailableError, none applied."""
        for record, error in self._rights.apply(records):
            log.warning(
                "offset %d of the rights is no right, and passed over: %s", record.offset, error
            )

    def apply_policies(self, records: list[LogRecord]) -> None:
        """Apply records of the policies, in order; raises as `apply_rights` does."""
        self._policies.apply(records)

    def renew_registry(self) -> None:
        """Compile the rights beside the registry in use, and swap."""
        started = time.perf_counter()
        self._changed |= self._rights.take_changed()
        registry = self._registries.make(
            self._rights.rights, self._changed, str(self._rights.version)
        )
        self._changed = set()
        with self._swapping:
            self._registry = registry
            self._swap()
        log.info(
            "registry version %s in use: %d rights, made in %.2f s",
            registry.version,
            len(registry.rights),
            time.perf_counter() - started,
        )

    def renew_policy(self) -> None:
        """Compile the newest policy beside the one in use, and swap."""
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
