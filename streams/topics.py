"""Every topic, declared once: its key, its schema, partitions, retention and compaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, get_args

FOR_EVER: Final = -1
DAY_MS: Final = 86_400_000


Role = Literal["worker", "operator", "setup", "bus", "downstream", "moderator"]
"""Who comes to Kafka: `assayer worker`; a person with the commands; `assayer topics create` and
`check`; who publishes listings; who acts on takedowns; who looks at reviews and puts up again."""
ROLES: Final[tuple[Role, ...]] = get_args(Role)


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it has to be.

    `writers` and `readers` are who may: what `written_by` and `read_by` say in words. `partitions`
    None takes the configured number. `retention_ms` -1 keeps for ever.
    """

    name: str
    key: str
    schema: str
    written_by: str
    read_by: str
    writers: frozenset[Role]
    readers: frozenset[Role]
    partitions: int | None = None
    retention_ms: int = 30 * DAY_MS
    compacted: bool = False
    max_message_bytes: int = 1_048_588
    config: dict[str, str] = field(default_factory=dict)

    def configuration(self) -> dict[str, str]:
        """Return the broker's configuration of this topic."""
        return {
            "cleanup.policy": "compact" if self.compacted else "delete",
            "retention.ms": str(self.retention_ms),
            "retention.bytes": "-1",
            "max.message.bytes": str(self.max_message_bytes),
            **self.config,
        }


LISTINGS: Final = Topic(
    "marketplace.listings",
    key="listing_id",
    schema="listing",
    written_by="the platform's bus",
    read_by="monitoring",
    writers=frozenset({"bus", "operator"}),
    readers=frozenset({"worker", "operator"}),
    # A listing too large to judge still has to reach the dead letters.
    max_message_bytes=8_388_608,
)
SELLERS: Final = Topic(
    "marketplace.sellers",
    key="seller_id",
    schema="seller",
    written_by="the platform's bus",
    read_by="monitoring",
    writers=frozenset({"bus", "operator"}),
    readers=frozenset({"worker", "operator"}),
    compacted=True,
    retention_ms=FOR_EVER,
)
SALES: Final = Topic(
    "marketplace.sales",
    key="listing_id",
    schema="sale",
    written_by="the platform's bus",
    read_by="monitoring",
    writers=frozenset({"bus", "operator"}),
    readers=frozenset({"worker", "operator"}),
    retention_ms=400 * DAY_MS,
)
RIGHTS: Final = Topic(
    "assayer.rights",
    key="right_id",
    schema="right",
    written_by="assayer rights load and withdraw",
    read_by="monitoring: every worker holds all of it",
    writers=frozenset({"operator"}),
    readers=frozenset({"worker", "operator"}),
    # A version is an offset: one partition, kept for ever, never compacted.
    partitions=1,
    retention_ms=FOR_EVER,
)
POLICIES: Final = Topic(
    "assayer.policies",
    key="policy",
    schema="policy",
    written_by="assayer policy",
    read_by="monitoring: every worker follows all of it",
    writers=frozenset({"worker", "operator"}),
    readers=frozenset({"worker", "operator"}),
    partitions=1,
    retention_ms=FOR_EVER,
)
TAKEDOWNS: Final = Topic(
    "assayer.takedowns",
    key="listing_id",
    schema="takedown",
    written_by="monitoring; downstream, where a listing is put up again",
    read_by="downstream; monitoring, for standing and removals",
    writers=frozenset({"worker", "operator", "moderator"}),
    readers=frozenset({"worker", "operator", "downstream", "moderator"}),
    retention_ms=FOR_EVER,
)
REVIEWS: Final = Topic(
    "assayer.reviews",
    key="listing_id",
    schema="review",
    written_by="monitoring",
    read_by="downstream",
    writers=frozenset({"worker", "operator"}),
    readers=frozenset({"operator", "downstream", "moderator"}),
    retention_ms=400 * DAY_MS,
)
REJUDGE: Final = Topic(
    "assayer.rejudge",
    key="listing_id",
    schema="listing",
    written_by="monitoring, for listings judged while Redis was away",
    read_by="monitoring, when Redis is back",
    writers=frozenset({"worker", "operator"}),
    readers=frozenset({"worker"}),
    retention_ms=7 * DAY_MS,
    max_message_bytes=8_388_608,
)
SIGHTINGS: Final = Topic(
    "assayer.sightings",
    key="partition",
    schema="sightings",
    written_by="monitoring, while a rule of the policy asks for it",
    read_by="monitoring (history)",
    writers=frozenset({"worker"}),
    readers=frozenset({"worker", "operator"}),
    retention_ms=90 * DAY_MS,
)
HELD: Final = Topic(
    "assayer.held",
    key="listing_id",
    schema="held",
    written_by="monitoring, for takedowns over a quota; assayer breaker",
    read_by="assayer breaker, monitoring (how many wait)",
    writers=frozenset({"worker", "operator"}),
    readers=frozenset({"worker", "operator"}),
    # A takedown stands in it whole, and none is dropped because nobody has looked at it for long.
    retention_ms=FOR_EVER,
    max_message_bytes=2_097_152,
)
DEAD_LETTERS: Final = Topic(
    "assayer.dead-letters",
    key="topic",
    schema="dead-letter",
    written_by="every pillar",
    read_by="assayer dead-letters",
    writers=frozenset({"worker", "operator"}),
    readers=frozenset({"operator"}),
    retention_ms=90 * DAY_MS,
    max_message_bytes=16_777_216,
)

TOPICS: Final[tuple[Topic, ...]] = (
    LISTINGS,
    SELLERS,
    SALES,
    RIGHTS,
    POLICIES,
    TAKEDOWNS,
    REVIEWS,
    REJUDGE,
    SIGHTINGS,
    HELD,
    DEAD_LETTERS,
)
