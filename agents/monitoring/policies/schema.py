"""The JSON Schema of a policy file, for editors: made of the same declarations the check uses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from agents.breaker.quotas import BRAND, FACTOR, IN_ALL, RULE, Quota
from agents.monitoring.policies.cases import CASE_KEYS, CASE_OUTCOMES, DURATION, STEP_KEYS
from agents.monitoring.policies.declarations import (
    BREAKER_KEYS,
    BUDGET_KEYS,
    DEFAULT_WEIGHT,
    DEFINITION_NAME,
    MAX_BUDGET,
    MAX_DEFINITIONS,
    MAX_FACTOR,
    MAX_QUOTA,
    MAX_REASON,
    MAX_RULES,
    MODES,
    NAME,
    OUTCOMES,
    QUOTA_KEYS,
    REASON_NAMES,
    RULE_KEYS,
    TOP_KEYS,
    Budget,
)
from agents.monitoring.policies.expressions import LANGUAGE, MAX_CHARS
from agents.monitoring.signals import SIGNALS
from agents.records import Listing, Right, Seller

FILE: Final = Path(__file__).with_name("policy.schema.json")
"""The committed schema; a test holds it to what `text` returns."""
_JSON_TYPES: Final = {"bool": "boolean", "number": "number", "text": "string"}


def text() -> str:
    """Return the schema as JSON, with a line break at its end."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def schema() -> dict[str, Any]:
    """Return the schema, draft 2020-12."""
    condition = {"type": ["string", "boolean"], "maxLength": MAX_CHARS}
    signals = "\n".join(f"- {name}: {signal.doc}" for name, signal in SIGNALS.items())
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Policy of the assayer",
        "description": "Rules about listings that name a registered mark.",
        **_object(
            {
                "policy": _text("Name of the policy; it begins its version."),
                "doc": _text("What it is for."),
                "reviews": _object(
                    {
                        "per_hour": _cases(Budget().per_hour, "an hour"),
                        "per_day": _cases(Budget().per_day, "a UTC day"),
                    },
                    BUDGET_KEYS,
                    [],
                )
                | {
                    "description": "How many cases people can review: listings of one seller, "
                    "right and rule within a day are one. What is more overflows."
                },
                "guard": condition
                | {"description": "Nothing is decided about a listing unless this holds."},
                "breaker": _breaker(),
                "definitions": {
                    "type": "object",
                    "description": "Conditions by name, to be used in others further down.",
                    "propertyNames": {"pattern": f"^{DEFINITION_NAME}$"},
                    "additionalProperties": condition,
                    "maxProperties": MAX_DEFINITIONS,
                },
                "rules": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": MAX_RULES,
                    "items": _rule(condition, signals),
                },
            },
            TOP_KEYS,
            ["rules"],
        ),
    }


def _rule(condition: dict[str, Any], signals: str) -> dict[str, Any]:
    names = ", ".join(f"{{{name}}}" for name in REASON_NAMES)
    return _object(
        {
            "name": _text("Lower-case words with hyphens.") | {"pattern": f"^{NAME}$"},
            "when": condition
            | {"description": f"When it fires: {LANGUAGE}. The signals:\n{signals}"},
            "outcome": {"enum": list(OUTCOMES), "description": "What follows."},
            "mode": {
                "enum": list(MODES),
                "default": "enforce",
                "description": "A rule in shadow is counted and acts on nothing.",
            },
            "weight": {
                "type": "number",
                "exclusiveMinimum": 0,
                "maximum": 1,
                "description": "How strongly it speaks against the listing. Without it: "
                + ", ".join(f"{value} for {key}" for key, value in DEFAULT_WEIGHT.items())
                + ".",
            },
            "quota": _object(_quota(RULE), QUOTA_KEYS, [])
            | {"description": "Takedowns it may decide; those beyond are held for a person."},
            "ground": _text("What the seller is told was infringed."),
            "reason": _text(f"What the seller is told of the facts; it may name {names}.")
            | {"maxLength": MAX_REASON},
            "owner": _text("Who answers for it."),
            "tests": {
                "type": "array",
                "description": "What has to come out; run by: assayer policy test",
                "items": _case(),
            },
        },
        RULE_KEYS,
        ["name", "when", "outcome", "ground", "reason"],
    )


def _breaker() -> dict[str, Any]:
    brand = _object(_quota(BRAND), QUOTA_KEYS, []) | {"description": "Of each brand."}
    rule = _object(_quota(RULE), QUOTA_KEYS, []) | {
        "description": "Of each rule that has no quota of its own."
    }
    return _object(_quota(IN_ALL) | {"brand": brand, "rule": rule}, BREAKER_KEYS, []) | {
        "description": "Takedowns that go through in all; those beyond are held for a person."
    }


def _quota(default: Quota) -> dict[str, Any]:
    def count(window: str, value: int) -> dict[str, Any]:
        return {
            "type": "integer",
            "minimum": 0,
            "maximum": MAX_QUOTA,
            "description": f"That go through in a {window} in any case; {value:,} without it.",
        }

    return {
        "per_minute": count("minute", default.per_minute),
        "per_hour": count("hour", default.per_hour),
        "factor": {
            "type": "number",
            "minimum": 0,
            "maximum": MAX_FACTOR,
            "description": "How many times the baseline goes through; "
            f"{FACTOR:g} without it, 0 makes the numbers fixed limits.",
        },
    }


def _case() -> dict[str, Any]:
    fires = {"type": "boolean", "description": "Whether the rule fires."}
    outcome = {"enum": list(CASE_OUTCOMES), "description": "What the whole policy says."}
    facts = {
        name: {
            "type": [_JSON_TYPES[signal.type], "null"]
            if signal.optional
            else _JSON_TYPES[signal.type],
            "description": signal.doc,
        }
        for name, signal in SIGNALS.items()
    }
    step = _object(
        {
            "after": _text("How far the clock moves on: '30 days'.") | {"pattern": f"^{DURATION}$"},
            "fires": fires,
            "outcome": outcome,
        },
        STEP_KEYS,
        ["after"],
    )
    return _object(
        {
            "name": _text("What it shows."),
            "facts": {
                "type": "object",
                "description": "Signals as they are given. Without a listing, the right is in "
                "force and everything else false or unknown unless it is said.",
                "properties": facts,
                "additionalProperties": False,
            },
            "listing": _record(Listing, "A listing in the names of its schema."),
            "right": _record(Right, "The right it is judged against."),
            "seller": _record(Seller, "Its seller; without one, nothing is known of the seller."),
            "now": {"type": ["string", "integer"], "description": "When it is judged, ISO 8601."},
            "fires": fires,
            "outcome": outcome,
            "then": {"type": "array", "description": "The same, later.", "items": step},
        },
        CASE_KEYS,
        [],
    )


def _record(type_: type, doc: str) -> dict[str, Any]:
    names: tuple[str, ...] = type_.__struct_fields__  # type: ignore[attr-defined]
    return {
        "type": "object",
        "description": doc,
        "properties": dict.fromkeys(names, True),
        "additionalProperties": False,
    }


def _cases(default: int, of: str) -> dict[str, Any]:
    bounds = {"minimum": 1, "maximum": MAX_BUDGET, "default": default}
    return {"type": "integer", "description": f"Cases {of}.", **bounds}


def _text(doc: str) -> dict[str, Any]:
    return {"type": "string", "description": doc}


def _object(
    properties: dict[str, Any], keys: tuple[str, ...], required: list[str]
) -> dict[str, Any]:
    """Return an object of exactly these keys. Raises KeyError where one is not described."""
    if properties.keys() - set(keys):
        raise KeyError(*(properties.keys() - set(keys)))
    return {
        "type": "object",
        "properties": {key: properties[key] for key in keys},
        "required": required,
        "additionalProperties": False,
    }
