"""`assayer explain`: why a listing was taken down, and whether it would be again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from cyclopts import Parameter

from agents.carets import pointed_at
from agents.commands.console import (
    NO,
    WRONG,
    CommandError,
    Json,
    complain,
    emit,
    leave,
    progress,
    say,
)
from agents.records import format_time, parse_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agents.monitoring.explanation import Explainer, Explanation
    from agents.records import Evidence, Listing, Takedown
    from streams.schema_registry import SchemaRegistry
    from streams.settings import Settings


def explain(
    *takedown_ids: str,
    every: Annotated[bool, Parameter(name="--all", negative="")] = False,
    since: str | None = None,
    json: Json = False,
) -> None:
    """Show every reason of a takedown, held or not, or of a review, and judge it again.

    Policy and rights are made again as they were in the versions it names, and the verdict from the
    recorded listing and what was known of the seller. Exit 1 where it does not come out the same to
    the byte, with what differs, and where there is no such takedown or it can't be made again.

    Example: assayer explain 0c9b8a6e-4c1f-5b53-9a55-0a7c3b1d2e4f

    Parameters
    ----------
    takedown_ids
        Ids, as takedowns and reviews have them.
    every
        Check all takedowns and reviews instead; those that come out otherwise are shown.
    since
        With --all, only those published since; ISO 8601.
    json
        Report as JSON lines.
    """
    from agents.monitoring.explanation import Explainer
    from agents.monitoring.policies import default_policy, load_policy
    from streams.kafka import ping
    from streams.schema_registry import SchemaRegistry
    from streams.settings import Settings

    if every == bool(takedown_ids):
        raise CommandError("say which takedowns: ids, or --all; see: assayer explain --help")
    if since is not None and not every:
        raise CommandError("--since goes with --all")
    moment = _moment(since)
    settings = Settings()
    registry = SchemaRegistry.connect(settings)
    ping(settings)
    registry.ping()
    path = settings.policy_file
    known = (default_policy(), *((load_policy(path),) if path else ()))
    explainer = Explainer(settings, registry, known)
    if every:
        _check_all(settings, registry, explainer, moment, json=json)
    else:
        _explain(settings, registry, explainer, takedown_ids, json=json)


def _explain(
    settings: Settings,
    registry: SchemaRegistry,
    explainer: Explainer,
    ids: tuple[str, ...],
    *,
    json: bool,
) -> None:
    from agents.breaker.queue import held_takedowns
    from agents.takedown_log import takedowns_of

    found = takedowns_of(settings, registry, ids)
    elsewhere = set(ids) - found.keys()
    if elsewhere:
        found |= held_takedowns(settings, registry, elsewhere)
    answer = True
    for takedown_id in ids:
        recorded = found.get(takedown_id)
        if recorded is None:
            complain(f"no takedown or review '{takedown_id}' on their topics")
            answer = False
            continue
        made = _made(explainer, recorded)
        answer = answer and not isinstance(made, str) and not made.differences
        if json:
            emit(_row(recorded, made))
        else:
            _show(recorded, made)
    if not answer:
        leave(NO)


def _check_all(
    settings: Settings,
    registry: SchemaRegistry,
    explainer: Explainer,
    since: int | None,
    *,
    json: bool,
) -> None:
    from agents.takedown_log import all_takedowns

    same = 0
    others = 0
    with progress("judging again") as advance:
        for recorded, made in _each(
            explainer, all_takedowns(settings, registry, since=since, advance=advance)
        ):
            if not isinstance(made, str) and not made.differences:
                same += 1
                continue
            others += 1
            if json:
                emit(_row(recorded, made))
            else:
                told = made if isinstance(made, str) else "; ".join(made.differences)
                say(f"{recorded.takedown_id}  {recorded.listing_id}  {told}")
    if json:
        emit({"same": same, "others": others})
    else:
        say(f"{same:,} of {same + others:,} come out the same to the byte")
    if others or not same:
        if not same and not others:
            complain("no takedowns or reviews there")
        leave(NO)


def _each(
    explainer: Explainer, given: Iterable[Takedown]
) -> Iterator[tuple[Takedown, Explanation | str]]:
    for recorded in given:
        if recorded.action != "REINSTATED":
            yield recorded, _made(explainer, recorded)


def _made(explainer: Explainer, recorded: Takedown) -> Explanation | str:
    """Return the explanation, or why there is none."""
    from agents.monitoring.explanation import UnrepeatableError

    try:
        return explainer.explain(recorded)
    except UnrepeatableError as error:
        return f"can't be judged again: {error}"


def _show(recorded: Takedown, made: Explanation | str) -> None:
    what = {"REMOVED": "removed", "REVIEW": "sent to review", "REINSTATED": "put up again"}
    say(
        f"{recorded.takedown_id}: listing '{recorded.listing_id}', revision {recorded.revision}, "
        f"{what[recorded.action]} {format_time(recorded.decided_at)}"
    )
    say(f"  by {', '.join(recorded.rules) or 'a person'}; score {recorded.score:g}")
    say(f"  policy {recorded.policy_version}, registry {recorded.registry_version}")
    say(f"  {recorded.statement.ground}: {recorded.statement.facts}")
    for each in recorded.evidence:
        _show_evidence(each, made if isinstance(made, str) else made.listing)
    if isinstance(made, str):
        say(f"  {made}")
    elif made.differences:
        say("  Judged again it comes out otherwise:")
        for difference in made.differences:
            say(f"    {difference}")
    else:
        say("  Judged again it comes out the same, to the byte.")


def _show_evidence(each: Evidence, listing: Listing | str) -> None:
    where = f" in {each.field}" if each.field else ""
    right = f" [{each.right_id}]" if each.right_id else ""
    say(f"  - {each.signal}{where}: {each.note}{right}")
    if each.end <= each.start:
        return
    text = _text(listing, each.field) if not isinstance(listing, str) else None
    line, start = (each.text, 0) if text is None else _line(text, each.start)
    shown, carets = pointed_at(line, start, min(each.end - each.start, len(line) - start))
    say(f"      {shown}")
    say(f"      {carets}")
    if each.folds:
        say(f"      undone: {', '.join(each.folds)}")


def _text(listing: Listing, field: str) -> str | None:
    """Return the text of a listing's field by the name that evidence has for it."""
    name, _, key = field.partition(".")
    value = getattr(listing, name, None)
    if isinstance(value, dict):
        value = value.get(key)
    return value if isinstance(value, str) else None


def _line(text: str, start: int) -> tuple[str, int]:
    """Return the line of a text that a place is in, and the place in it."""
    begin = text.rfind("\n", 0, start) + 1
    end = text.find("\n", start)
    return text[begin : end if end >= 0 else len(text)], start - begin


def _row(recorded: Takedown, made: Explanation | str) -> dict[str, Any]:
    row: dict[str, Any] = {
        "takedown_id": recorded.takedown_id,
        "action": recorded.action,
        "listing_id": recorded.listing_id,
        "revision": recorded.revision,
        "rules": recorded.rules,
        "score": recorded.score,
        "policy_version": recorded.policy_version,
        "registry_version": recorded.registry_version,
        "evidence": [msgspec.to_builtins(each) for each in recorded.evidence],
        "statement": msgspec.to_builtins(recorded.statement),
    }
    if isinstance(made, str):
        return row | {"same": None, "problem": made, "differences": []}
    return row | {
        "same": not made.differences,
        "problem": "",
        "differences": list(made.differences),
    }


def _moment(since: str | None) -> int | None:
    if since is None:
        return None
    try:
        return parse_time(int(since) if since.isdigit() else since)
    except ValueError as error:
        raise CommandError(f"--since: {error}; try 2026-11-24T12:00:00Z", WRONG) from None
