"""`assayer policy push|list|show|withdraw`: what becomes of policies on the topic."""

from __future__ import annotations

import asyncio
import getpass
import time
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from cyclopts.types import ExistingFile

from agents.commands.console import NO, CommandError, Json, complain, emit, say, table
from agents.records import format_time

if TYPE_CHECKING:
    from agents.monitoring.policies import Policy
    from agents.monitoring.policy_log import Entry, PolicyChange, PolicyLog, State
    from streams.schema_registry import SchemaRegistry
    from streams.settings import Settings

Flag = Annotated[bool, Parameter(negative="")]


def push(
    file: ExistingFile | None = None,
    /,
    *,
    version: str | None = None,
    candidate: Flag = False,
    author: str | None = None,
    comment: str = "",
    json: Json = False,
) -> None:
    """Publish a policy: every worker compiles it aside and swaps to it between batches.

    It is checked, and its tests are run, before it is published; exit 1 when it is refused. A
    `--candidate` runs beside the enforced policy, is counted and acts on nothing; see: assayer
    policy diff --live. To undo a change, push an old version.

    Example: assayer policy push policy.yaml --comment 'parts are not measured by price'

    Parameters
    ----------
    file
        Policy in YAML.
    version
        Instead of a file, a version that was published before; see: assayer policy list.
    candidate
        Put it on trial beside the enforced one.
    author
        Who makes the change; the user's name without it.
    comment
        Why.
    json
        Report as JSON.
    """
    from agents.monitoring.policies import read_file
    from agents.monitoring.policy_publish import policy_change, publish_change

    if (file is None) == (version is None):
        raise CommandError("say which policy: a file, or --version; see: assayer policy push -h")
    settings, registry = connect()
    log = read(settings, registry)
    raw = read_file(file) if file is not None else _old_text(log, version or "").encode()
    policy = _tried(raw, str(file or version))
    change = policy_change(
        "CANDIDATE" if candidate else "POLICY",
        policy.name,
        raw.decode(),
        author=author or user(),
        comment=comment,
    )
    asyncio.run(publish_change(settings, registry, change))
    offset = _offset_of(read(settings, registry), change)
    if json:
        emit({"version": policy.version, "offset": offset, "kind": change.kind})
    elif candidate:
        say(f"{policy.version} is on trial, at offset {offset}; see: assayer policy diff --live")
    else:
        say(f"{policy.version}@{offset} is published; see: assayer policy list")


def list_(*, json: Json = False) -> None:
    """Show every change of the policies, oldest first: by whom, why, and what became of it.

    Example: assayer policy list

    Parameters
    ----------
    json
        Report as JSON lines.
    """
    settings, registry = connect()
    log = read(settings, registry)
    log.check_all()
    state = in_force(settings, log)
    rows = [_row(entry, state) for entry in log.entries]
    if json:
        for row in rows:
            emit(row)
        return
    table(
        [
            (
                str(row["offset"]),
                row["published_at"],
                row["kind"],
                row["version"] or row["about"],
                row["author"],
                row["state"],
                row["comment"] or row["refusal"].partition("\n")[0],
            )
            for row in rows
        ],
        ("offset", "published", "change", "version", "author", "state", "comment"),
    )
    pinned = settings.policy_file is not None
    say(f"In force: {state.policy.version}{', by ASSAYER_POLICY_FILE' if pinned else ''}")


def show(version: str, /) -> None:
    """Print the text of a policy that was published.

    Example: assayer policy show default-0123456789abcdef@7

    Parameters
    ----------
    version
        A version as verdicts and `policy list` have it.
    """
    say(_old_text(read(*connect()), version).rstrip("\n"))


def withdraw(*, author: str | None = None, comment: str = "", json: Json = False) -> None:
    """End the trial of the candidate.

    Example: assayer policy withdraw --comment 'too many clean sellers'

    Parameters
    ----------
    author
        Who makes the change; the user's name without it.
    comment
        Why.
    json
        Report as JSON.
    """
    from agents.monitoring.policy_publish import publish_change, withdrawal

    settings, registry = connect()
    log = read(settings, registry)
    candidate = in_force(settings, log).candidate
    if candidate is None:
        raise CommandError("there is no candidate on trial; see: assayer policy list", NO)
    hash_ = candidate.version.rpartition("-")[2]
    change = withdrawal(candidate.name, hash_, author=author or user(), comment=comment)
    asyncio.run(publish_change(settings, registry, change))
    if json:
        emit({"withdrawn": candidate.version})
    else:
        say(f"{candidate.version} is on trial no more")


def _row(entry: Entry, state: State) -> dict[str, Any]:
    change = entry.change
    if change is None:
        return {
            "offset": entry.offset, "published_at": "", "kind": "", "version": "", "about": "",
            "author": "", "comment": "", "state": "refused", "refusal": entry.refusal,
        }  # fmt: skip
    version = f"{change.policy}-{change.content_hash}" if change.text else ""
    about = ""
    if change.snooze is not None:
        each = change.snooze
        about = f"{each.rule} for {each.subject.lower()} {each.subject_id} until "
        about += format_time(each.until)
    return {
        "offset": entry.offset,
        "published_at": format_time(change.published_at),
        "kind": change.kind,
        "version": version,
        "about": about,
        "author": change.author,
        "comment": change.comment or (change.snooze.reason if change.snooze else ""),
        "state": _state_of(entry, change, version, state),
        "refusal": entry.refusal,
    }


def _state_of(entry: Entry, change: PolicyChange, version: str, state: State) -> str:
    if entry.refusal:
        return "refused"
    if change.kind == "POLICY":
        return "in force" if state.since == entry.offset else "replaced"
    if change.kind == "CANDIDATE":
        on_trial = state.candidate is not None and state.candidate.version == version
        return "on trial" if on_trial else "ended"
    if change.snooze is not None:
        running = change.snooze in state.snoozes.running(now())
        return "muted" if running else "ended"
    return "kept"


def _tried(raw: bytes, name: str) -> Policy:
    """Return the policy; refuse it with what is wrong, or with the tests that fail."""
    from agents.monitoring.policies import check_policy
    from agents.monitoring.rule_tests import run

    checked = check_policy(raw, name)
    for problem in checked.problems:
        complain(problem.shown() + "\n")
    if checked.policy is None:
        raise CommandError(f"{name} is refused, and was not published", NO)
    failed = run(checked.policy).failed
    for result in failed:
        complain(
            f"{name}:{result.line}: failed: rule '{result.rule}', {result.case}: {result.failure}"
        )
    if failed:
        raise CommandError(f"{name}: {len(failed)} tests fail; it was not published", NO)
    return checked.policy


def _old_text(log: PolicyLog, version: str) -> str:
    text = log.text_of(version)
    if text is None:
        raise CommandError(f"no policy '{version}' was published; see: assayer policy list", NO)
    return text


def _offset_of(log: PolicyLog, change: PolicyChange) -> int:
    return next(entry.offset for entry in reversed(log.entries) if entry.change == change)


def in_force(settings: Settings, log: PolicyLog) -> State:
    """Return what is in force, by the topic and the settings."""
    from agents.monitoring.policies import default_policy, load_policy

    path = settings.policy_file
    return log.state(load_policy(path) if path else default_policy(), pinned=path is not None)


def connect() -> tuple[Settings, SchemaRegistry]:
    """Return the settings and the schema registry of the commands."""
    from streams.schema_registry import SchemaRegistry
    from streams.settings import Settings

    settings = Settings()
    return settings, SchemaRegistry.connect(settings)


def read(settings: Settings, registry: SchemaRegistry) -> PolicyLog:
    """Return the policies as the topic has them."""
    from agents.monitoring.policy_log import read_policies

    return read_policies(settings, registry)


def user() -> str:
    """Return who makes a change where nobody says."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def now() -> int:
    """Return UTC milliseconds."""
    return time.time_ns() // 1_000_000
