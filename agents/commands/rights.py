"""`assayer rights`: checks, publishes and shows the rights registry."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cyclopts import App, Parameter
from cyclopts.types import ExistingFile

from agents.alliance.rights_check import shown
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
from agents.commands.rights_trial import Outcome, TriedRights, try_rights
from agents.records import TIME_FIELDS, AuthorisedSeller, Right, format_time
from streams.kafka import KafkaUnavailableError
from streams.log_reader import MissingTopicError
from streams.schema_registry import RegistryUnavailableError
from streams.settings import Settings

app = App(
    name="rights",
    help="The registry of rights: check, load, list, export, withdraw.",
    help_epilogue="Example: assayer rights load rights.jsonl",
)


Against = Annotated[ExistingFile | None, Parameter(name="--against")]
Confirm = Annotated[tuple[str, ...], Parameter(name="--confirm", negative="")]


@app.command
def check(
    *files: ExistingFile, against: Against = None, confirm: Confirm = (), json: Json = False
) -> None:
    """Check files of rights without publishing them; exit 1 when a row is refused.

    Refused is what can't be used, and what would be a disaster: a mark of one letter, a stop word,
    an empty alias, a right that would touch more than 2 % of recent listings. Those are read from
    the listings' topic, or with --against from a file; without either their share is not measured,
    which is said.

    Example: assayer rights check rights.jsonl --against listings.jsonl

    Parameters
    ----------
    files
        JSON Lines, a right a line in the names of the schema.
    against
        Recent listings, JSON Lines, instead of those of the topic; no server is needed then.
    confirm
        Id of a right to accept although it would be a disaster; repeat it for several.
    json
        Report as JSON lines: a line a right with the listings it would touch, each refusal, a sum.
    """
    tried = try_rights(files, confirm)
    try:
        tried.measure(against)
    except (KafkaUnavailableError, RegistryUnavailableError, MissingTopicError) as error:
        tried.unmeasured = f"{error}; or give --against LISTINGS.jsonl"
    outcome = tried.outcome()
    _report(tried, outcome, json=json)
    if json:
        emit({"accepted": len(outcome.accepted), **_sums(tried, outcome)})
    else:
        say(f"{len(outcome.accepted)} rights can be published, {len(outcome.refused)} problems")
    if outcome.refused:
        leave(NO)


@app.command
def load(
    *files: ExistingFile, against: Against = None, confirm: Confirm = (), json: Json = False
) -> None:
    """Publish rights to the registry; exit 1 when a row is refused, the others are published.

    Refused is what `rights check` refuses. A real brand may well be named in more than 2 % of the
    listings, or be called by an everyday word: say so with --confirm.

    Example: assayer rights load rights.jsonl --confirm tm-17

    Parameters
    ----------
    files
        JSON Lines, a right a line in the names of the schema.
    against
        Recent listings, JSON Lines, to measure against instead of those of the topic.
    confirm
        Id of a right to publish although it would be a disaster; repeat it for several.
    json
        Report as JSON lines: a line a right with the listings it would touch, each refusal, a sum.
    """
    from agents.alliance.rights_publish import publish_rights
    from streams.kafka import ping
    from streams.schema_registry import SchemaRegistry

    tried = try_rights(files, confirm)
    settings = Settings()
    registry = SchemaRegistry.connect(settings)
    ping(settings)
    registry.ping()
    try:
        tried.measure(against)
    except MissingTopicError as error:
        tried.unmeasured = str(error)
    outcome = tried.outcome()
    _report(tried, outcome, json=json)
    with progress("publishing rights", len(outcome.accepted)) as advance:
        asyncio.run(publish_rights(settings, outcome.accepted, advance, registry))
    if json:
        emit({"published": len(outcome.accepted), **_sums(tried, outcome)})
    else:
        say(f"{len(outcome.accepted)} rights published, {len(outcome.refused)} problems")
    if outcome.refused:
        leave(NO)


@app.command
def withdraw(*right_ids: str, json: Json = False) -> None:
    """Withdraw rights: what they protected is no longer looked for.

    Example: assayer rights withdraw tm-123

    Parameters
    ----------
    right_ids
        Ids of the rights; an id that is not in the registry ends the command with exit 1.
    json
        Report as JSON.
    """
    from agents.alliance.rights_log import read_rights
    from agents.alliance.rights_publish import withdraw_rights
    from streams.schema_registry import SchemaRegistry

    if not right_ids:
        raise CommandError("say which rights; see: assayer rights list")
    settings = Settings()
    known = read_rights(settings, SchemaRegistry.connect(settings)).rights
    unknown = [right_id for right_id in right_ids if right_id not in known]
    asyncio.run(withdraw_rights(settings, [i for i in right_ids if i in known]))
    for right_id in unknown:
        complain(f"no right '{right_id}' in the registry; see: assayer rights list")
    withdrawn = len(right_ids) - len(unknown)
    if json:
        emit({"withdrawn": withdrawn, "unknown": unknown})
    else:
        say(f"{withdrawn} rights withdrawn")
    if unknown:
        leave(NO)


@app.command(name="list")
def list_(*, json: Json = False) -> None:
    """Show the rights of the registry.

    Example: assayer rights list

    Parameters
    ----------
    json
        Report as JSON lines.
    """
    from agents.alliance.rights_log import read_rights
    from streams.schema_registry import SchemaRegistry

    settings = Settings()
    log = read_rights(settings, SchemaRegistry.connect(settings))
    rights = sorted(log.rights.values(), key=lambda right: right.right_id)
    if json:
        for right in rights:
            emit(_readable(right))
        return
    table(
        [
            (
                right.right_id,
                right.mark or "(image)",
                right.owner,
                ",".join(right.territories) or "everywhere",
                format_time(right.valid_until)[:10] if right.valid_until else "",
            )
            for right in rights
        ],
        ("right", "mark", "owner", "territories", "valid until"),
    )
    say(f"{len(rights)} rights, registry version {log.version}")
    for offset, reason in log.refused:
        complain(f"offset {offset} is no right: {reason}")


@app.command
def export(
    file: Annotated[Path | Literal["-"], Parameter(allow_leading_hyphen=True)] = "-",
) -> None:
    """Write the rights as JSON Lines, as `rights load` reads them.

    Example: assayer rights export backup.jsonl

    Parameters
    ----------
    file
        Where to write; `-` is stdout.
    """
    from agents.alliance.rights_log import read_rights
    from streams.schema_registry import SchemaRegistry

    path = None if str(file) == "-" else Path(file)
    if path is not None:
        if str(path).startswith("-"):
            raise CommandError(f"no option {path}; see: assayer rights --help")
        if not path.parent.is_dir():
            raise CommandError(f"{path}: there is no folder {path.parent}")
        if path.is_dir():
            raise CommandError(f"{path}: a folder; say which file")
    settings = Settings()
    log = read_rights(settings, SchemaRegistry.connect(settings))
    rights = sorted(log.rights.values(), key=lambda right: right.right_id)
    if path is None:
        for right in rights:
            emit(_readable(right))
        return
    lines = [msgspec.json.encode(_readable(right), order="sorted") for right in rights]
    try:
        path.write_bytes(b"".join(line + b"\n" for line in lines))
    except OSError as error:
        raise CommandError(f"{path}: can't be written: {error.strerror}") from None
    say(f"{len(rights)} rights written to {file}")


def _report(tried: TriedRights, outcome: Outcome, *, json: bool) -> None:
    """Tell what was refused, what was confirmed, and what the share was measured against."""
    if json:
        for row in tried.rows:
            touched = tried.touched(row)
            emit(
                {
                    "path": row.path,
                    "line": row.line,
                    "right_id": row.right.right_id,
                    "touched": touched.listings if touched else None,
                    "listings": tried.listings if touched else None,
                }
            )
        for refused in outcome.refused:
            emit({"path": refused.path, "line": refused.line, "reason": refused.reason})
        for confirmed in outcome.confirmed:
            emit({"path": confirmed.path, "line": confirmed.line, "confirmed": confirmed.reason})
        return
    for refused in outcome.refused:
        complain(f"refused {refused}")
    for confirmed in outcome.confirmed:
        say(f"confirmed {confirmed}")
    for right_id in tried.needless(outcome):
        say(f"right {shown(right_id)} needs no confirmation")
    if tried.rows:
        say(tried.told())


def _sums(tried: TriedRights, outcome: Outcome) -> dict[str, object]:
    """Return the sums of a report beside those that were accepted."""
    return {
        "refused": len(outcome.refused),
        "confirmed": len({(row.path, row.line) for row in outcome.confirmed}),
        "listings": tried.listings,
        "share": tried.told(),
    }


def _readable(right: Right) -> dict[str, object]:
    """Return the right with its times as ISO 8601."""
    record: dict[str, object] = msgspec.to_builtins(right)
    for name in TIME_FIELDS[Right]:
        value = record[name]
        if isinstance(value, int):
            record[name] = format_time(value)
    sellers = record["authorised_sellers"]
    if isinstance(sellers, list):
        for seller in sellers:
            for name in TIME_FIELDS[AuthorisedSeller]:
                if seller[name] is not None:
                    seller[name] = format_time(seller[name])
    return record
