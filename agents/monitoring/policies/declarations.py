"""What a policy is and what may stand in its file.

A key is declared here: its name in `TOP_KEYS` or `RULE_KEYS`, what it says as a field of `Policy`
or `Rule`. It is read in `reading.py` and described in `schema.py`; CONTRIBUTING tells the whole
way under 'Add a key to policies'.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from agents.breaker.quotas import Quota, Quotas
from agents.monitoring.policies.cases import Case
from agents.monitoring.policies.expressions import Condition
from agents.monitoring.signals import Facts

Outcome = Literal["review", "remove"]
Mode = Literal["enforce", "shadow"]

OUTCOMES: Final[tuple[Outcome, ...]] = ("review", "remove")
MODES: Final[tuple[Mode, ...]] = ("enforce", "shadow")
REASON_NAMES: Final = ("mark", "owner", "brand", "price_ratio", "text")
"""What a reason template may name."""

TOP_KEYS: Final = ("policy", "doc", "reviews", "guard", "breaker", "definitions", "rules")
RULE_KEYS: Final = (
    "name", "when", "outcome", "mode", "weight", "quota", "ground", "reason", "owner", "tests"
)  # fmt: skip
QUOTA_KEYS: Final = ("per_minute", "per_hour", "factor")
BREAKER_KEYS: Final = (*QUOTA_KEYS, "brand", "rule")
NEEDED: Final = {
    "name": "give it one: lower-case words with hyphens",
    "when": "the condition under which it fires; see: assayer policy signals",
    "outcome": f"one of {', '.join(OUTCOMES)}",
    "ground": "what the seller is told was infringed, such as 'Trademark infringement'",
    "reason": "what the seller is told of the facts; {mark} stands for the mark",
}
"""Keys that every rule has, with what to write there."""
QUOTA_HINT: Final = "write how many, such as '{per_minute: 20, per_hour: 200}'"
UNKNOWN_KEYS: Final = {"quota": "a quota is a rule's; those of all takedowns stand in 'breaker'"}
"""Keys of a policy that may be expected and are none, with the way out."""

NAME: Final = r"[a-z][a-z0-9-]{1,60}"
DEFINITION_NAME: Final = r"[a-z][a-z0-9_]{0,60}"
DEFAULT_WEIGHT: Final[dict[Outcome, float]] = {"remove": 0.9, "review": 0.5}

MAX_RULES: Final = 200
MAX_DEFINITIONS: Final = 200
MAX_REASON: Final = 1000
MAX_QUOTA: Final = 1_000_000_000
MAX_FACTOR: Final = 1000
MAX_POLICY_STEPS: Final = 4000
"""What all rules may cost together, definitions written out: 0.1 ms a candidate at the worst."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that was accepted."""

    name: str
    outcome: Outcome
    weight: float
    ground: str
    reason: str
    mode: Mode
    owner: str
    condition: Condition
    line: int
    quota: Quota | None = None
    """How many takedowns it may decide before more are held; None: as every rule."""
    tests: tuple[Case, ...] = ()


@dataclass(frozen=True, slots=True)
class Budget:
    """How many cases people can review; what is more overflows."""

    per_hour: int = 60
    """Three people who take three minutes a case *(start value)*."""
    per_day: int = 400
    """The same three, seven hours a day, less what is not review *(start value)*."""


BUDGET_KEYS: Final = ("per_hour", "per_day")
MAX_BUDGET: Final = 1_000_000


Evaluate = Callable[[Facts], list[int]]
"""Returns the indexes of the rules that fire, in the policy's order."""


@dataclass(frozen=True)
class Policy:
    """A compiled policy."""

    name: str
    version: str
    rules: tuple[Rule, ...]
    """Removals first, so that the deciding rule is the first that fires."""
    fired: Evaluate
    """The rules known to hold."""
    possible: Evaluate
    """Those, and the rules that facts of the store that are unknown could still make hold."""
    conceivable: Evaluate
    """Those, and the rules that signals that are late, and not read here, could make hold."""
    guard: Condition | None
    definitions: dict[str, Condition]
    reviews: Budget = Budget()
    quotas: Quotas = field(default_factory=Quotas)
    """How many takedowns go through before more are held for a person."""
    text: str = field(default="", repr=False, compare=False)
    """The file's content, as its version names it."""
