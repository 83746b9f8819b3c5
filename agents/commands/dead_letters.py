"""`assayer dead-letters`: shows what could not be handled, and sends it back once it can be."""

from __future__ import annotations

import asyncio
import base64
from typing import Annotated, Any

from cyclopts import App, Parameter

from agents.commands.console import (
    NO,
    CommandError,
    Json,
    complain,
    emit,
    leave,
    progress,
    say,
    table,
)
from agents.dead_letter_log import UNSENDABLE, DeadLetter, read_dead_letters, replay_letters
from agents.records import format_time
from streams.settings import Settings

app = App(
    name="dead-letters",
    help="Records that could not be handled: list, show, replay.",
    help_epilogue="Example: assayer dead-letters list",
)


@app.command(name="list")
def list_(*, topic: str | None = None, reason: str | None = None, json: Json = False) -> None:
    """List the dead letters, oldest first.

    Example: assayer dead-letters list --reason undecodable

    Parameters
    ----------
    topic
        Only those that came from this topic.
    reason
        Only those with this reason.
    json
        Report as JSON lines.
    """
    letters = _chosen(topic, reason)
    if json:
        for letter in letters:
            emit(_summary(letter))
        return
    table(
        [
            (
                letter.id,
                f"{letter.record['topic']}:{letter.record['partition']}:{letter.record['offset']}",
                letter.record["reason"],
                format_time(letter.record["failed_at"]),
                letter.record["error"][:80],
            )
            for letter in letters
        ],
        ("id", "came from", "reason", "failed at", "error"),
    )
    say(f"{len(letters)} dead letters; see one with: assayer dead-letters show ID")


@app.command
def show(letter_id: str) -> None:
    """Show one dead letter whole, its bytes in base64.

    Example: assayer dead-letters show 0:17

    Parameters
    ----------
    letter_id
        Id as `list` shows it: partition and offset in the dead letters' topic.
    """
    for letter in read_dead_letters(Settings()):
        if letter.id == letter_id:
            emit(_whole(letter))
            return
    raise CommandError(f"no dead letter '{letter_id}'; see: assayer dead-letters list", NO)


@app.command
def replay(
    *ids: str,
    topic: str | None = None,
    reason: str | None = None,
    all_: Annotated[bool, Parameter(name="--all", negative="")] = False,
    json: Json = False,
) -> None:
    """Send dead letters back to the topics they came from, with their keys, bytes and headers.

    A letter that fails again comes back as a new one. What was replayed stays in the dead letters.

    Example: assayer dead-letters replay --reason registry_unavailable

    Parameters
    ----------
    ids
        Ids as `list` shows them.
    topic
        Those that came from this topic.
    reason
        Those with this reason.
    all_
        Every one.
    json
        Report as JSON.
    """
    if not (ids or topic or reason or all_):
        raise CommandError("say which: ids, --topic, --reason or --all")
    if all_ and (ids or topic or reason):
        raise CommandError("--all: every letter, so neither ids nor --topic nor --reason beside it")
    letters = _chosen(topic, reason)
    if ids:
        letters = [letter for letter in letters if letter.id in ids]
        for missing in sorted(set(ids) - {letter.id for letter in letters}):
            complain(f"no dead letter '{missing}'; see: assayer dead-letters list")
    whole = [letter for letter in letters if letter.record["reason"] not in UNSENDABLE]
    for letter in letters:
        if letter not in whole:
            complain(f"dead letter '{letter.id}' can't be replayed: {letter.record['reason']}")
    partial, letters = len(whole) < len(letters), whole
    with progress("replaying", len(letters)) as advance:
        asyncio.run(replay_letters(Settings(), letters, advance))
    if json:
        emit({"replayed": len(letters)})
    else:
        say(f"{len(letters)} dead letters replayed")
    if partial or not letters or len(letters) < len(set(ids)):
        leave(NO)


def _chosen(topic: str | None, reason: str | None) -> list[DeadLetter]:
    return [
        letter
        for letter in read_dead_letters(Settings())
        if (topic is None or letter.record["topic"] == topic)
        and (reason is None or letter.record["reason"] == reason)
    ]


def _summary(letter: DeadLetter) -> dict[str, Any]:
    record = letter.record
    return {
        "id": letter.id,
        "topic": record["topic"],
        "partition": record["partition"],
        "offset": record["offset"],
        "reason": record["reason"],
        "error": record["error"],
        "failed_at": format_time(record["failed_at"]),
        "bytes": len(record["value"] or b""),
    }


def _whole(letter: DeadLetter) -> dict[str, Any]:
    record = letter.record
    return {
        **_summary(letter),
        "timestamp": format_time(record["timestamp"]),
        "key": _base64(record["key"]),
        "value": _base64(record["value"]),
        "headers": [[header["key"], _base64(header["value"])] for header in record["headers"]],
    }


def _base64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()
