"""`assayer rights`: checks, publishes and shows the rights registry."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cyclopts import App, Parameter
from cyclopts.types import ExistingFile

from agents.alliance.rights_check import problems_of
from agents.commands.console import NO, CommandError, complain, emit, leave, progress, say, table
from agents.records import TIME_FIELDS, AuthorisedSeller, Refused, Right, format_time, read_jsonl
from streams.settings import Settings

app = App(
    name="rights",
    help="The registry of rights: check, load, list, export, withdraw.",
    help_epilogue="Example: assayer rights load rights.jsonl",
)

Json = Annotated[bool, Parameter(name="--json", negative="")]


def read_checked(paths: tuple[Path, ...]) -> tuple[list[Right], list[Refused]]:
    """Return the rights of the files that can be used, and the rows that can't, with reasons.

    Raises:
        CommandError: no file is named.
    """
    if not paths:
        raise CommandError("say which files; see: assayer rights --help")
    accepted: dict[str, Right] = {}
    refused: list[Refused] = []
    for path in paths:
        for number, row in _numbered(path):
            if isinstance(row, Refused):
                refused.append(row)
                continue
            problems = problems_of(row)
            if row.right_id in accepted:
                problems.append(f"field 'right_id': '{row.right_id}' stands twice")
            if problems:
                refused += [Refused(str(path), number, problem) for problem in problems]
            else:
                accepted[row.right_id] = row
    return list(accepted.values()), refused


def _numbered(path: Path) -> list[tuple[int, Right | Refused]]:
    """Return the rows with their line numbers; blank lines count as lines."""
    lines = [
        number
        for number, line in enumerate(path.read_bytes().split(b"\n"), start=1)
        if line.strip()
    ]
    return list(zip(lines, read_jsonl(path, Right), strict=True))


@app.command
def check(*files: ExistingFile, json: Json = False) -> None:
    """Check files of rights without publishing them; exit 1 when a row is refused.

    Example: assayer rights check rights.jsonl

    Parameters
    ----------
    files
        JSON Lines, a right a line in the names of the schema.
    json
        Report as JSON lines.
    """
    _need(files)
    accepted, refused = read_checked(files)
    _report(refused, json=json)
    if json:
        emit({"accepted": len(accepted), "refused": len(refused)})
    else:
        say(f"{len(accepted)} rights can be published, {len(refused)} problems")
    if refused:
        leave(NO)


@app.command
def load(*files: ExistingFile, json: Json = False) -> None:
    """Publish rights to the registry; exit 1 when a row is refused, the others are published.

    Example: assayer rights load rights.jsonl

    Parameters
    ----------
    files
        JSON Lines, a right a line in the names of the schema.
    json
        Report as JSON lines.
    """
    from agents.alliance.rights_publish import publish_rights

    _need(files)
    accepted, refused = read_checked(files)
    _report(refused, json=json)
    with progress("publishing rights", len(accepted)) as advance:
        asyncio.run(publish_rights(Settings(), accepted, advance))
    if json:
        emit({"published": len(accepted), "refused": len(refused)})
    else:
        say(f"{len(accepted)} rights published, {len(refused)} problems")
    if refused:
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
def export(file: Path | Literal["-"] = "-") -> None:
    """Write the rights as JSON Lines, as `rights load` reads them.

    Example: assayer rights export backup.jsonl

    Parameters
    ----------
    file
        Where to write; `-` is stdout.
    """
    from agents.alliance.rights_log import read_rights
    from streams.schema_registry import SchemaRegistry

    settings = Settings()
    log = read_rights(settings, SchemaRegistry.connect(settings))
    rights = sorted(log.rights.values(), key=lambda right: right.right_id)
    if file == "-" or str(file) == "-":
        for right in rights:
            emit(_readable(right))
        return
    lines = [msgspec.json.encode(_readable(right), order="sorted") for right in rights]
    Path(file).write_bytes(b"".join(line + b"\n" for line in lines))
    say(f"{len(rights)} rights written to {file}")


def _need(files: tuple[Path, ...]) -> None:
    if not files:
        raise CommandError("say which files; see: assayer rights --help")


def _report(refused: list[Refused], *, json: bool) -> None:
    for row in refused:
        if json:
            emit({"path": row.path, "line": row.line, "reason": row.reason})
        else:
            complain(f"refused {row}")


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
