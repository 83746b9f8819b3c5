"""`assayer sweep`: judges the live catalogue again, for new rights or rules."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from agents.commands.console import NO, CommandError, Json, emit, progress, say
from agents.records import format_time
from streams.settings import Settings

if TYPE_CHECKING:
    from agents.monitoring.sweeping.sweep import Outcome, Wish

Names = Annotated[tuple[str, ...], Parameter(negative="", consume_multiple=True)]
Switch = Annotated[bool, Parameter(negative="")]


def sweep(
    *,
    right: Names = (),
    rule: Names = (),
    since: int | None = None,
    until: int | None = None,
    rate: int | None = None,
    judged_only: Switch = False,
    again: Switch = False,
    json: Json = False,
) -> None:
    """Judge the live catalogue again for rights or rules that are new; take down what infringes.

    Reads all of marketplace.listings, joins no group and commits nothing. The latest revision of
    each listing is judged under the registry and the policy in force, and acted on where a right
    or rule named here speaks against it and it was not decided on before.

    A sweep that was cut short goes on where it was when the same command is given again. Workers
    sweep by themselves for rights that come and rules that begin to act.

    Example: assayer sweep --right tm-17 tm-18

    Parameters
    ----------
    right
        Ids of rights of the registry; may stand several times.
    rule
        Names of rules that the policy enforces, instead of rights.
    since
        Instead of rights: all that came, or match more, after this version of the registry.
    until
        Up to this version of the registry; the newest without it.
    rate
        Records read a second; ASSAYER_SWEEP_RATE without it.
    judged_only
        Leave out listings that the workers have not come to: they judge those themselves.
    again
        Begin anew, though the same sweep was done within the last 30 days.
    json
        Report as JSON.
    """
    from agents.monitoring.sweeping.state import SweepTakenError
    from agents.monitoring.sweeping.subject import UnknownSubjectError
    from agents.monitoring.sweeping.sweep import Wish

    if sum(map(bool, (right, rule, since is not None))) != 1:
        raise CommandError("name what to sweep for: either --right, or --rule, or --since")
    if until is not None and since is None:
        raise CommandError("--until: say from which version with --since")
    if rate is not None and rate < 1:
        raise CommandError(f"--rate {rate}: at least one record a second")
    settings = Settings()
    versions = None if since is None else (since, until if until is not None else 2**63 - 1)
    usual = settings.sweep_rate or int(Settings.model_fields["sweep_rate"].get_default())
    wish = Wish(right, rule, versions, rate or usual, again, judged_only)
    try:
        outcome = asyncio.run(_run(settings, wish))
    except (UnknownSubjectError, SweepTakenError) as error:
        raise CommandError(str(error), NO) from None
    except asyncio.CancelledError:
        raise CommandError("stopped; the same command goes on where it was", NO) from None
    _report(outcome, json=json)


async def _run(settings: Settings, wish: Wish) -> Outcome | None:
    from agents.monitoring.sweeping.sweep import sweep as run

    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - asyncio.run made it
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await run(settings, wish, progress)


def _report(outcome: Outcome | None, *, json: bool) -> None:
    if outcome is None:
        if json:
            emit({"swept": False})
        else:
            say("nothing to sweep for: no right came that matches more than before")
        return
    counts = outcome.counts
    if json:
        emit(
            {
                "swept": not outcome.before,
                "sweep": outcome.subject.id,
                "rights": sorted(outcome.subject.rights),
                "rules": sorted(outcome.subject.rules),
                **counts,
                "removed_by_rule": outcome.rules,
                "seconds": round(outcome.seconds, 3),
                "finished_at": outcome.finished,
            }
        )
        return
    if outcome.before:
        say(
            f"swept already, finished {format_time(outcome.finished)}; --again does it anew. It "
            "came to this:"
        )
    say(
        f"{counts['read']:,} records read, {counts['judged']:,} listings judged: "
        f"{counts['removed']:,} removed, {counts['reviewed']:,} sent to review, "
        f"{counts['held']:,} held, "
        f"{counts['already_decided']:,} decided on before; {outcome.seconds:,.1f} s"
    )
    if counts["held"]:
        say("what is held waits for a person; see: assayer breaker status")
    if counts["failed"]:
        say(f"{counts['failed']:,} could not be judged; see: assayer dead-letters list")
