"""`assayer doctor`: tries every dependency and setting, and says how to mend what is wrong."""

from __future__ import annotations

import asyncio
import difflib
import http.client
import socket
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import SecretStr

from agents.commands.console import NO, UNREACHABLE, Json, emit, leave, say, table
from streams.settings import ENV_PREFIX, Settings, unknown_variables

State = Literal["ok", "wrong", "unreachable"]


@dataclass(frozen=True, slots=True)
class Check:
    """What was tried, how it went, and what to do."""

    name: str
    state: State
    detail: str


def doctor(*, json: Json = False) -> None:
    """Try every dependency and setting; say what is wrong and how to mend it.

    Exit 0 when all is well, 1 when something has to be mended, 3 when a server can't be reached.

    Example: assayer doctor

    Parameters
    ----------
    json
        Report as JSON lines.
    """
    settings = Settings()
    values = effective(settings)
    checks = [
        _variables(),
        _policy(settings),
        _kafka(settings),
        _registry(settings),
        _redis(settings),
    ]
    if checks[2].state == "ok" and checks[3].state == "ok":
        checks.append(_topics(settings))
    checks.append(_port(settings))
    if json:
        emit({"settings": values})
        for check in checks:
            emit({"check": check.name, "state": check.state, "detail": check.detail})
    else:
        table(list(values.items()), ("setting", "value"))
        say()
        table([(c.name, c.state, c.detail) for c in checks], ("check", "state", "detail"))
    if any(check.state == "unreachable" for check in checks):
        leave(UNREACHABLE)
    if any(check.state == "wrong" for check in checks):
        leave(NO)


def effective(settings: Settings) -> dict[str, str]:
    """Return the settings as variables with their values, secrets masked."""
    return {
        f"{ENV_PREFIX}{name}".upper(): _masked(getattr(settings, name))
        for name in Settings.model_fields
    }


def _masked(value: Any) -> str:
    if isinstance(value, SecretStr):
        return "********" if value.get_secret_value() else ""
    return "" if value is None else str(value)


def _variables() -> Check:
    known = [f"{ENV_PREFIX}{name}".upper() for name in Settings.model_fields]
    wrong = []
    for name in unknown_variables():
        close = difflib.get_close_matches(name.upper(), known, 1)
        wrong.append(f"{name} is no setting" + (f" (did you mean {close[0]}?)" if close else ""))
    return Check("variables", "wrong" if wrong else "ok", "; ".join(wrong))


def _policy(settings: Settings) -> Check:
    from agents.monitoring.policies import PolicyError, default_policy, load_policy

    try:
        path = settings.policy_file
        policy = load_policy(path) if path else default_policy()
    except PolicyError as error:
        return Check("policy", "wrong", str(error))
    return Check("policy", "ok", f"{policy.version}, {len(policy.rules)} rules")


def _try(name: str, attempt: Callable[[], str]) -> Check:
    try:
        return Check(name, "ok", attempt())
    except ConnectionError as error:
        return Check(name, "unreachable", str(error))


def _kafka(settings: Settings) -> Check:
    from streams.kafka import ping

    def attempt() -> str:
        return f"{settings.kafka_bootstrap}, brokers: {ping(settings)}"

    return _try("kafka", attempt)


def _registry(settings: Settings) -> Check:
    from streams.schema_registry import SchemaRegistry

    def attempt() -> str:
        SchemaRegistry.connect(settings).ping()
        return settings.schema_registry_url

    return _try("schema registry", attempt)


def _redis(settings: Settings) -> Check:
    from streams.store import Store

    async def ping() -> None:
        store = Store(settings)
        try:
            await store.ping()
        finally:
            await store.close()

    def attempt() -> str:
        asyncio.run(ping())
        return "answers"

    return _try("redis", attempt)


def _topics(settings: Settings) -> Check:
    from streams.schema_registry import SchemaRegistry
    from streams.topic_admin import TopicAdmin

    states = TopicAdmin(settings, SchemaRegistry.connect(settings)).check()
    missing = [state.topic for state in states if state.state == "missing"]
    if missing:
        return Check(
            "topics", "wrong", f"missing: {', '.join(missing)}; run: assayer topics create"
        )
    differing = [
        f"{state.topic}: {'; '.join(state.differences)}"
        for state in states
        if state.state == "differs"
    ]
    return Check("topics", "wrong" if differing else "ok", " | ".join(differing))


def _port(settings: Settings) -> Check:
    where = f"{settings.metrics_host}:{settings.metrics_port}"
    if _worker_serves(where):
        return Check("metrics port", "ok", f"a worker serves at {where}")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.metrics_host, settings.metrics_port))
        except OSError as error:
            return Check(
                "metrics port",
                "wrong",
                f"{where}: {error.strerror}; something else serves there: set ASSAYER_METRICS_PORT",
            )
    return Check("metrics port", "ok", f"{where} is free")


def _worker_serves(where: str) -> bool:
    """Return whether a worker's health is answered there, ready or not."""
    try:
        with urllib.request.urlopen(f"http://{where}/health/live", timeout=2) as response:
            body = response.read(10_000)
    except urllib.error.HTTPError as error:
        body = error.read(10_000)
    except (OSError, http.client.HTTPException):
        return False
    return b'"checks"' in body and b'"event_loop"' in body
