"""Keeps the judge current: follows rights and policies, each in a thread of its own."""

from __future__ import annotations

from agents.monitoring.judge import Judge
from agents.monitoring.judge_maker import JudgeMaker
from agents.monitoring.policies import Policy
from streams import topics
from streams.log_follower import LogFollower
from streams.schema_registry import SchemaRegistry
from streams.settings import Settings


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
        maker = self._maker = JudgeMaker(registry, policy, pinned=pinned)
        self._following_rights = LogFollower(
            settings, topics.RIGHTS.name, maker.apply_rights, maker.renew_registry
        )
        self._following_policies = LogFollower(
            settings, topics.POLICIES.name, maker.apply_policies, maker.renew_policy
        )

    @property
    def loaded(self) -> bool:
        """Whether rights and policies were read to their end once."""
        return self._maker.made

    @property
    def refused_policies(self) -> tuple[str, ...]:
        """Why changes of policies behind the one in force are not used."""
        return self._maker.refused_policies

    @property
    def error(self) -> str:
        """What is wrong with following the rights; empty when nothing is."""
        return self._following_rights.error

    @property
    def policy_error(self) -> str:
        """What is wrong with following the policies; empty when nothing is."""
        return self._following_policies.error

    @property
    def followed_at(self) -> dict[str, float]:
        """When rights and policies were last followed without an error; seconds since 1970."""
        return {
            "rights": self._following_rights.followed_at,
            "policies": self._following_policies.followed_at,
        }

    @property
    def current(self) -> Judge:
        """The judge of the newest registry and policy. Raises RuntimeError before `load`."""
        return self._maker.current

    def load(self) -> Judge:
        """Read the topics to their end, compile, and go on following them in threads; blocks.

        Raises:
            KafkaUnavailableError: no broker answers.
            RegistryUnavailableError: a schema can't be had.
            MissingTopicError: there is no such topic.
        """
        self._following_rights.load()
        self._following_policies.load()
        self._maker.renew_policy()
        self._maker.renew_registry()
        self._following_rights.follow()
        self._following_policies.follow()
        return self.current

    def close(self) -> None:
        """Stop following."""
        self._following_rights.close()
        self._following_policies.close()

    def unrecorded(self) -> bool:
        """Return whether the topic does not hold the policy that is not of the topic."""
        return self._maker.unrecorded()
