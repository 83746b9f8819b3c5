"""A stream of listings with its judge, and the policies and registries that are swapped in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count, cycle
from typing import Final

import msgspec

from agents.monitoring.decisions import decision_of
from agents.monitoring.judge import Judge
from agents.monitoring.judge_maker import JudgeMaker
from agents.monitoring.policies import DEFAULT, default_policy
from agents.monitoring.policy_publish import policy_change
from agents.monitoring.screening import Limits, listing_decoder, screen
from agents.records import DAY_MS, Listing, Right, parse_time
from agents.reputation import SellerFacts, Standing
from agents.takedowns import TakedownEvents, takedown
from streams import topics
from streams.codec import Encoder
from streams.log_reader import LogRecord
from streams.schema_registry import SchemaRegistry
from streams.settings import Settings
from tests.benchmarks import catalogue

NOW: Final = parse_time("2026-12-01T12:00:00Z")
RULES: Final = 200
"""Rules of the largest policy; more are refused."""
LIMITS: Final = Limits(record_bytes=1_000_000, clock_ahead_s=900)
CLEAN: Final = SellerFacts("bench:seller", NOW - 900 * DAY_MS, True, Standing())

Work = Callable[[], None]
"""What is done aside."""


class Bench:
    """A stream of listings, and the records that change what it is judged by."""

    def __init__(self, rights: Sequence[Right], listings: Sequence[Listing]) -> None:
        """Make the first judge of these rights and the default policy."""
        registry = SchemaRegistry.connect(Settings(schema_registry_url="mock://swap-pause"))
        self._rights = list(rights)
        self._right_encoder = Encoder(registry, topics.RIGHTS.name, topics.RIGHTS.schema)
        self._policy_encoder = Encoder(registry, topics.POLICIES.name, topics.POLICIES.schema)
        self._events = TakedownEvents(
            "takedowns",
            "reviews",
            Encoder(registry, "takedowns", "takedown"),
            Encoder(registry, "reviews", "review"),
        )
        encoder = Encoder(registry, topics.LISTINGS.name, topics.LISTINGS.schema)
        values = [encoder.encode(msgspec.to_builtins(listing)) for listing in listings]
        self._decoder = listing_decoder(registry)
        self._decoder.fetch(self._decoder.unknown(values))
        self._stream = cycle([LogRecord(n, NOW, b"", value, ()) for n, value in enumerate(values)])
        self._numbers = count()
        self.maker = JudgeMaker(registry, default_policy())
        self.maker.renew_policy()
        self.registry(marks=True)()

    def judge_next(self) -> Judge:
        """Judge the next listing of the stream; return the judge that did."""
        judge = self.maker.current
        screened = screen([next(self._stream)], judge, self._decoder, LIMITS, NOW)
        for _, examination in screened.examined:
            judgement = judge.decide(examination, CLEAN)
            if judgement.verdict.outcome != "allow":
                self._events.event(takedown(decision_of(examination, judgement, 0, NOW)))
        return judge

    def registry(self, *, marks: bool) -> Work:
        """Publish all rights again; return what a worker does with the records.

        Each has another price. With `marks` one has another alias as well, and the marks of all are
        compiled anew.
        """
        number = next(self._numbers)
        if marks:
            first = msgspec.structs.replace(self._rights[0], aliases=(f"Bench mark {number}",))
            self._rights[0] = first
        changed = [
            msgspec.structs.replace(right, reference_price_minor=catalogue.REFERENCE + number)
            for right in self._rights
        ]
        records = [
            LogRecord(
                number * len(changed) + position,
                NOW,
                right.right_id.encode(),
                self._right_encoder.encode(msgspec.to_builtins(right)),
                (),
            )
            for position, right in enumerate(changed)
        ]

        def work() -> None:
            self.maker.apply_rights(records)
            self.maker.renew_registry()

        return work

    def policy(self, text: str) -> Work:
        """Push a policy with a new comment; return what a worker does with the record."""
        number = next(self._numbers)
        change = policy_change("POLICY", "bench", f"{text}\n# {number}\n", author="bench")
        value = self._policy_encoder.encode(msgspec.to_builtins(change))

        def work() -> None:
            self.maker.apply_policies([LogRecord(number, NOW, b"bench", value, ())])
            self.maker.renew_policy()

        return work


CHANGES: Final[dict[str, tuple[int, Callable[[Bench], Work]]]] = {
    "a policy: the default one": (20, lambda bench: bench.policy(DEFAULT.read_text("utf-8"))),
    f"a policy: {RULES} rules, the most there may be": (
        4,
        lambda bench: bench.policy(largest_policy()),
    ),
    "a registry: all marks compiled": (3, lambda bench: bench.registry(marks=True)),
    "a registry: the same marks, other prices": (10, lambda bench: bench.registry(marks=False)),
}
"""What is swapped, and how often in a round."""


def largest_policy() -> str:
    """Return the text of a policy with as many rules as one may have, each of 16 steps."""
    rules = (
        f"""  - name: rule-{number}
    when: mark and price_ratio < 0.{number % 90 + 10} and seller_age_days < {number + 1}
      and not seller_verified and (replica_words or mark_hidden or seller_standing > 0.5)
    outcome: review
    ground: Possible trademark infringement
    reason: The listing names '{{mark}}'.
"""
        for number in range(RULES)
    )
    return "policy: bench\nguard: mark and in_force and not authorised\nrules:\n" + "".join(rules)
