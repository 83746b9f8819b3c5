"""`assayer policy snooze`: mutes a rule for a seller, a brand or a listing."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any

import msgspec

from agents.commands.console import NO, WRONG, CommandError, Json, emit, say, table
from agents.commands.policy_life import connect, in_force, now, read, user
from agents.records import format_time, parse_time

if TYPE_CHECKING:
    from agents.monitoring.policy_log import State
    from agents.monitoring.snoozes import Snooze, SnoozeSubject

    Subjects = dict[SnoozeSubject, str | None]


def snooze(
    rule: str | None = None,
    /,
    *,
    seller: str | None = None,
    brand: str | None = None,
    listing: str | None = None,
    until: str | None = None,
    reason: str = "",
    end: str | None = None,
    author: str | None = None,
    json: Json = False,
) -> None:
    """Mute a rule for one seller, brand or listing until a date; without a rule, show who is muted.

    It ends by itself. What the muted rule would have decided is counted, and not acted on.

    Example: assayer policy snooze cheap-mark --seller shop-7 --until 2026-12-31 --reason 'sale'

    Parameters
    ----------
    rule
        Name of a rule of the policy in force.
    seller
        Id of the seller it is muted for.
    brand
        Brand it is muted for, as the right has it.
    listing
        Id of the listing it is muted for.
    until
        From this moment on the rule counts again; ISO 8601.
    reason
        Why; it is needed.
    end
        Id of a snooze to end at once.
    author
        Who makes the change; the user's name without it.
    json
        Report as JSON lines.
    """
    settings, registry = connect()
    log = read(settings, registry)
    current = in_force(settings, log)
    if rule is None and end is None:
        _list_snoozes(current, json=json)
        return
    if end is not None:
        made = _ended(current, end)
    else:
        subjects: dict[SnoozeSubject, str | None] = {
            "SELLER": seller,
            "BRAND": brand,
            "LISTING": listing,
        }
        made = _new_snooze(current, rule or "", subjects, until, reason)
    from agents.monitoring.policy_publish import publish_change, snooze_change

    asyncio.run(publish_change(settings, registry, snooze_change(made, author=author or user())))
    if json:
        emit(_snooze_row(made))
    elif end is not None:
        say(f"rule '{made.rule}' counts again for {made.subject.lower()} '{made.subject_id}'")
    else:
        say(
            f"{made.snooze_id}: rule '{made.rule}' is muted for {made.subject.lower()} "
            f"'{made.subject_id}' until {format_time(made.until)}"
        )


def _new_snooze(
    current: State,
    rule: str,
    subjects: dict[SnoozeSubject, str | None],
    until: str | None,
    reason: str,
) -> Snooze:
    from agents.monitoring.policies.problems import did_you_mean
    from agents.monitoring.snoozes import Snooze

    given = [(subject, id_) for subject, id_ in subjects.items() if id_]
    if len(given) != 1:
        raise CommandError("say for whom: one of --seller, --brand, --listing")
    if until is None or not reason.strip():
        raise CommandError("say until when and why: --until 2026-12-31 --reason '…'")
    names = [each.name for each in current.policy.rules]
    if rule not in names:
        hint = did_you_mean(rule, names) or f"there are {', '.join(names)}"
        raise CommandError(f"no rule '{rule}' in {current.policy.version}; {hint}", NO)
    try:
        moment = parse_time(until)
    except ValueError as error:
        raise CommandError(f"--until: {error}; try 2026-12-31T12:00:00Z", WRONG) from None
    if moment <= now():
        raise CommandError(f"--until: {format_time(moment)} has passed", WRONG)
    ((subject, id_),) = given
    return Snooze(uuid.uuid4().hex[:12], rule, subject, id_, moment, reason.strip())


def _ended(current: State, snooze_id: str) -> Snooze:
    for each in current.snoozes.running(now()):
        if each.snooze_id == snooze_id:
            return msgspec.structs.replace(each, until=now())
    raise CommandError(f"no snooze '{snooze_id}' that runs; see: assayer policy snooze", NO)


def _list_snoozes(current: State, *, json: bool) -> None:
    running = current.snoozes.running(now())
    if json:
        for each in running:
            emit(_snooze_row(each))
        return
    table(
        [
            (
                each.snooze_id,
                each.rule,
                each.subject.lower(),
                each.subject_id,
                format_time(each.until),
                each.reason,
            )
            for each in running
        ],
        ("id", "rule", "for", "which", "until", "reason"),
    )


def _snooze_row(each: Snooze) -> dict[str, Any]:
    row: dict[str, Any] = msgspec.to_builtins(each)
    return row | {"until": format_time(each.until)}
