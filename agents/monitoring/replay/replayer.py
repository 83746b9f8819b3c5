"""Judges recorded listings by two policies at once, batch by batch, and counts what differs.

The worker's own functions. What is not repeated is what the worker remembers: what was taken down
before, how fast a seller lists, what an update replaced. Rules that ask for it abstain.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from agents.monitoring.comparison import Ruling
from agents.monitoring.judge import Examination, Judge
from agents.monitoring.policies import Policy, compile_policy
from agents.monitoring.registry import Registry, compile_registry
from agents.monitoring.remembering import needs_of
from agents.monitoring.replay.findings import Findings
from agents.monitoring.screening import Limits, examine_all, listing_decoder, screen
from agents.monitoring.signals import PACE, REMOVALS, SELLER, UPDATES
from agents.monitoring.snoozes import Snooze, Snoozes
from agents.records import YEAR_2000_MS, Listing, Refused, Right, Seller, read_jsonl
from agents.reputation import SellerFacts, facts_of, read_facts
from streams.batches import Record
from streams.schema_registry import SchemaRegistry
from streams.settings import Settings
from streams.store import Store, StoreUnavailable

REMEMBERED: Final = REMOVALS | PACE | UPDATES
"""Signals that a replay does not know."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A policy of a replay as it is handed from process to process."""

    asked: str
    """What it was called on the command line."""
    version: str
    text: bytes
    snoozes: tuple[Snooze, ...] = ()

    def compiled(self) -> Policy:
        """Return the policy.

        Raises:
            PolicyError: it is refused.
        """
        return replace(compile_policy(self.text, self.asked), version=self.version)


@dataclass(frozen=True, slots=True)
class Setup:
    """All that a replay judges by, the listings apart."""

    old: Candidate
    new: Candidate
    rights: bytes
    """A JSON array."""
    registry_version: str
    limits: Limits
    now: int
    """When the replay began, UTC ms: for the standing of sellers, which decays."""
    settings: Settings | None = None
    """None where no server is needed."""
    sellers: Path | None = None
    """File of the sellers; without it the store is asked, if there is one."""
    store: bool = False
    """Whether the store is asked about sellers."""
    store_away: str = ""
    """Why it is not, where it should be."""

    def registry(self) -> Registry:
        """Return the compiled rights."""
        rights = msgspec.json.decode(self.rights, type=list[Right])
        return compile_registry(rights, self.registry_version)


def abstaining(policy: Policy, signals: frozenset[str]) -> list[str]:
    """Return the rules that act and ask for one of these signals."""
    return [
        rule.name
        for rule in policy.rules
        if rule.mode == "enforce" and rule.condition.signals & signals
    ]


class Replayer:
    """Judges batches. A context manager: it holds a connection to the store, if it asks one."""

    def __init__(self, setup: Setup, schema_registry: SchemaRegistry | None = None) -> None:
        """Compile rights and policies, and read the file of sellers.

        Raises:
            PolicyError: a policy is refused.
            OSError: the file of sellers can't be read.
        """
        self._setup = setup
        old, new = setup.old, setup.new
        self._judge = Judge(
            setup.registry(),
            old.compiled(),
            Snoozes(old.snoozes),
            new.compiled(),
            Snoozes(new.snoozes),
        )
        self._decoder = listing_decoder(schema_registry) if schema_registry else None
        self._known = _sellers_of(setup.sellers) if setup.sellers else {}
        self._store = Store(setup.settings) if setup.store and setup.settings else None
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._store is not None:
            self._runner.run(self._store.close())
        self._runner.close()

    def add_records(self, found: Findings, records: Sequence[Record]) -> None:
        """Judge records of the listings' topic, each at its own time.

        Raises:
            RegistryUnavailableError: a schema is not known and can't be fetched.
        """
        if self._decoder is None:
            raise ValueError("records need a schema registry")
        away = self._decoder.fetch(self._decoder.unknown(record.value for record in records))
        if away is not None:
            raise away
        found.count_read([record.timestamp for record in records])
        screened = screen(records, self._judge, self._decoder, self._setup.limits, None)
        self._decide(found, [examination for _, examination in screened.examined])
        # After the others: a listing that can't be decided is one of them.
        found.unreadable.update(failure.reason for failure in screened.failures)

    def add_listings(self, found: Findings, listings: Sequence[Listing]) -> None:
        """Judge listings, each at its `occurred_at`."""
        found.count_read([listing.occurred_at for listing in listings])
        latest = self._setup.now + self._setup.limits.clock_ahead_s * 1000
        timely = [each for each in listings if YEAR_2000_MS <= each.occurred_at <= latest]
        found.unreadable.update({"bad_time": len(listings) - len(timely)})
        examined = examine_all(self._judge, timely)
        failed = [each for each in examined if isinstance(each, Exception)]
        found.unreadable.update({"judge_error": len(failed)})
        self._decide(found, [each for each in examined if isinstance(each, Examination)])

    def _decide(self, found: Findings, examined: Iterable[Examination]) -> None:
        concerned = [each for each in examined if each.matches]
        facts, asked = self._facts(concerned)
        for examination in concerned:
            listing = examination.listing
            seller = facts.get(listing.seller_id) or facts_of(listing.seller_id, None)
            if facts.get(listing.seller_id) is None and listing.seller_id in asked:
                found.strangers += 1
            try:
                judgement = self._judge.decide(examination, seller)
            except Exception:  # noqa: BLE001 - one listing must not stop the others
                found.unreadable["judge_error"] += 1
                continue
            after = judgement.on_trial
            if after is None:
                raise RuntimeError("a judge with a candidate says nothing of it")
            before = Ruling(judgement.verdict.outcome, judgement.verdict.rules)
            found.add(listing, examination.now, before, after)

    def _facts(
        self, examined: Sequence[Examination]
    ) -> tuple[Mapping[str, SellerFacts], frozenset[str]]:
        """Return what is known of the sellers that could make a difference, and who they are."""
        sellers = frozenset(
            each.listing.seller_id
            for each in examined
            if any(needs_of(policy, each) & SELLER for policy in self._judge.policies)
        )
        if self._store is None:
            known = {seller: facts_of(seller, self._known.get(seller)) for seller in sellers}
            return known, frozenset()
        if not sellers:
            return {}, sellers
        try:
            facts, _ = self._runner.run(
                read_facts(self._store, sorted(sellers), (), self._setup.now)
            )
        except StoreUnavailable:
            return {}, sellers
        return facts, sellers


def _sellers_of(path: Path) -> dict[str, Seller]:
    return {
        seller.seller_id: seller
        for seller in read_jsonl(path, Seller)
        if not isinstance(seller, Refused)
    }
