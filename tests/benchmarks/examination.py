"""What a listing costs that the byte screen lets through: decoded, examined, judged, recorded."""

from __future__ import annotations

import gc
import io
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import fastavro
import msgspec

import schemas
from agents.monitoring.decisions import decision_of
from agents.monitoring.judge import Examination, Judge
from agents.monitoring.marks import Found, Seen
from agents.monitoring.policies import default_policy
from agents.monitoring.registry import compile_registry
from agents.monitoring.remembering import ask_of, needs_of
from agents.monitoring.screening import listing_decoder, to_listing, to_listings
from agents.records import DAY_MS, Listing, parse_time
from agents.reputation import SellerFacts, Standing
from agents.takedowns import TakedownEvents, takedown
from streams.codec import HEADER_BYTES, Encoder
from streams.schema_registry import SchemaRegistry
from streams.settings import Settings
from tests.benchmarks import catalogue, machine
from tests.benchmarks.report import Section, Table, percentile, ratios, spread
from tests.benchmarks.subjects import Options

NOW: Final = parse_time("2026-12-01T12:00:00Z")
LISTINGS: Final = 3_000
INFRINGING: Final = 0.1
"""Share of the listings that infringe: among all it is a tenth of that."""
BATCH: Final = 100
TOGETHER: Final = 50
"""Listings that are examined at a time."""
GOAL_US: Final = 150.0
JUDGEMENT: Final = "full judgement"
ALONE: Final = "the same, read by itself"
DECODING: Final = "one decoding by fastavro"

CLEAN: Final = SellerFacts("bench:seller", NOW - 900 * DAY_MS, True, Standing())


@dataclass(frozen=True, slots=True)
class Hit:
    """A listing that passed the screen: its value, and what the screen saw in it."""

    value: bytes
    seen: Seen


class Timed(NamedTuple):
    """What became of a listing, and the microseconds of processor time that took."""

    outcome: str
    us: float


class Bench:
    """Everything between the bytes of a listing and the bytes of its takedown, in one process."""

    def __init__(self) -> None:
        """Compile 1,200 rights and the default policy."""
        self.rights = catalogue.rights()
        self.judge = Judge(compile_registry(self.rights, "1"), default_policy())
        registry = SchemaRegistry.connect(Settings(schema_registry_url="mock://examination"))
        self.encoder = Encoder(registry, "marketplace.listings", "listing")
        self.decoder = listing_decoder(registry)
        self.events = TakedownEvents(
            "takedowns",
            "reviews",
            Encoder(registry, "takedowns", "takedown"),
            Encoder(registry, "reviews", "review"),
        )

    def encoded(self, listing: Listing) -> bytes:
        """Return a listing's value as it lies in Kafka."""
        value = self.encoder.encode(msgspec.to_builtins(listing))
        self.decoder.fetch(self.decoder.unknown([value]))
        return value

    def hits(self, listings: Sequence[Listing]) -> list[Hit]:
        """Return those that the screen lets through, screened in batches."""
        found: list[Hit] = []
        for first in range(0, len(listings), BATCH):
            values = [self.encoded(listing) for listing in listings[first : first + BATCH]]
            for number, seen in self.judge.screen(self.decoder.project_all(values).texts).items():
                if seen is not None:
                    found.append(Hit(values[number], seen))
        return found

    def decide(self, examination: Examination) -> str:
        """Return the outcome, all asked and recorded: as the worker does it, without a store."""
        ask_of(examination, needs_of(self.judge.policy, examination))
        judgement = self.judge.decide(examination, CLEAN, explain=False)
        if judgement.verdict.outcome != "allow":
            self.events.event(takedown(decision_of(examination, judgement, 0, NOW)))
        return judgement.verdict.outcome

    def judged(self, hits: Sequence[Hit]) -> list[Timed]:
        """Take the hits of a batch the whole way, with what the screen saw.

        What is done at once for all of them is shared out equally.
        """
        started = time.thread_time_ns()
        listings: list[Listing] = []
        found: list[Found] = []
        for hit, listing in zip(
            hits, to_listings(self.decoder, [hit.value for hit in hits]), strict=True
        ):
            assert isinstance(listing, Listing)
            seen = self.judge.found(listing, hit.seen)
            assert seen is not None
            listings.append(listing)
            found.append(seen)
        texts = self.judge.read_together(listings, found)
        shared = _since(started) / len(hits)
        judged: list[Timed] = []
        for listing, seen, read in zip(listings, found, texts, strict=True):
            started = time.thread_time_ns()
            outcome = self.decide(self.judge.examine(listing, NOW, {}, seen, texts=read))
            judged.append(Timed(outcome, shared + _since(started)))
        return judged

    def judged_alone(self, hits: Sequence[Hit]) -> list[Timed]:
        """Take them as if none had been screened, and nothing were read at once."""
        judged: list[Timed] = []
        for hit in hits:
            started = time.thread_time_ns()
            listing = to_listing(self.decoder, hit.value)
            outcome = self.decide(self.judge.examine(listing, NOW, {}))
            judged.append(Timed(outcome, _since(started)))
        return judged


def _since(started: int) -> float:
    """Return the microseconds of processor time since a moment."""
    return (time.thread_time_ns() - started) / 1e3


def run(options: Options) -> Section:
    """Measure every listing in every way, in every round."""
    described = machine.description(options.cores)
    bench = Bench()
    supply = catalogue.Catalogue([right.mark for right in bench.rights], options.data)
    count = min(LISTINGS, options.listings)
    hits = bench.hits(list(supply.listings(count, NOW, naming=1.0, infringing=INFRINGING)))
    outcomes = Counter(each.outcome for each in bench.judged(hits))
    with machine.pinned(options.cores.contestant):
        taken = measure(ways(bench), hits, options.rounds)
    medians = {
        name: [statistics.median(times) for times in rounds] for name, rounds in taken.items()
    }
    tails = {name: [percentile(times, 0.99) for times in rounds] for name, rounds in taken.items()}
    acted = ", ".join(f"{outcomes[name]:,} {name}" for name in ("allow", "review", "remove"))
    return Section(
        title="Examination",
        how=(
            f"{len(hits):,} {'real rows' if options.data else 'generated listings'} that name one "
            f"of {len(bench.rights):,} marks and passed the byte screen ({acted}), on one core, "
            f"{TOGETHER} at a time as in a batch of {TOGETHER * 10} of which a tenth name a mark: "
            "decoded, what the screen saw taken up, vocabulary, price, numbers and category read, "
            "asked what the store would be asked, judged, and the takedown or review made and "
            "encoded. Processor time of the thread; what is read at once for all of them is shared "
            "out equally. Beside it each listing read for marks and words by itself, with no batch "
            "to share that with, and nothing but its decoding."
        ),
        command=options.command,
        machine=described,
        tables=(
            Table(
                ("ratio, round by round", "p50"),
                tuple(
                    (
                        f"{one} to {other}",
                        spread(ratios(medians[one], medians[other])).text(1, " ×"),
                    )
                    for one, other in ((JUDGEMENT, DECODING), (ALONE, JUDGEMENT))
                ),
            ),
            Table(
                ("way", "p50, µs a listing", "p99"),
                tuple(
                    (name, spread(medians[name]).text(1), spread(tails[name]).text(0))
                    for name in taken
                ),
            ),
        ),
        notes=(f"The goal for the full judgement is {GOAL_US:.0f} µs at p50.",),
    )


Way = Callable[[Sequence[Hit]], Sequence[Timed]]


def ways(bench: Bench) -> dict[str, Way]:
    """Return what is measured: the judgement, and what it is compared with."""
    schema = fastavro.parse_schema(schemas.without_docs(schemas.load("listing")))

    def decoding(hits: Sequence[Hit]) -> list[Timed]:
        taken: list[Timed] = []
        for hit in hits:
            started = time.thread_time_ns()
            stream = io.BytesIO(hit.value)
            stream.seek(HEADER_BYTES)
            fastavro.schemaless_reader(stream, schema, None)
            taken.append(Timed("decoded", _since(started)))
        return taken

    return {JUDGEMENT: bench.judged, ALONE: bench.judged_alone, DECODING: decoding}


def measure(
    candidates: dict[str, Way], hits: Sequence[Hit], rounds: int
) -> dict[str, list[list[float]]]:
    """Return for each way and round the microseconds of processor time of each listing."""
    batches = [hits[first : first + TOGETHER] for first in range(0, len(hits), TOGETHER)]
    for way in candidates.values():  # what is compiled at first use, and caches of words
        way(hits)
    taken: dict[str, list[list[float]]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, way in candidates.items():
            gc.collect()
            taken[name].append([each.us for batch in batches for each in way(batch)])
    return taken
