"""`assayer screen`: the worker's judgement with no server."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from cyclopts.types import ExistingFile

from agents.commands.console import NO, WRONG, CommandError, Json, complain, leave, progress
from agents.records import Listing, Refused, Seller, parse_time, read_jsonl


def screen(
    listings: ExistingFile,
    /,
    *,
    rights: ExistingFile,
    policy: ExistingFile | None = None,
    sellers: ExistingFile | None = None,
    now: str | None = None,
    json: Json = False,  # noqa: ARG001 - verdicts are JSON lines whatever is asked
) -> None:
    """Judge listings from a file, with no server: one verdict a line, in the input's order.

    The same functions as the worker's. A row that can't be read is refused on stderr with file,
    line, field and reason; the others are judged, and the command ends with exit 1.

    Example: assayer screen listings.jsonl --rights rights.jsonl --sellers sellers.jsonl

    Parameters
    ----------
    listings
        JSON Lines, a listing a line in the names of the schema.
    rights
        JSON Lines, a right a line in the names of the schema.
    policy
        Policy file; the default policy without it.
    sellers
        JSON Lines, a seller a line, with `upheld` and `cleared` cases; without it nothing is known
        of the sellers, and rules that need it abstain.
    now
        Time of judgement, ISO 8601; now without it.
    json
        Verdicts are always JSON lines; accepted for symmetry.
    """
    from agents.commands.rights_trial import read_checked
    from agents.monitoring.judge import Judge
    from agents.monitoring.policies import default_policy, load_policy
    from agents.monitoring.registry import compile_registry, content_version
    from agents.reputation import facts_of

    moment = _moment(now)
    rules = load_policy(policy) if policy else default_policy()
    accepted, problems = read_checked((rights,))
    refused = len(problems)
    for row in problems:
        complain(f"refused {row}")
    known: dict[str, Seller] = {}
    if sellers:
        for seller in read_jsonl(sellers, Seller):
            if isinstance(seller, Refused):
                complain(f"refused {seller}")
                refused += 1
            else:
                known[seller.seller_id] = seller
    judge = Judge(compile_registry(accepted, content_version(accepted)), rules)
    out = sys.stdout.buffer
    with progress("screening", _lines(listings)) as advance:
        for listing in read_jsonl(listings, Listing):
            advance(1)
            if isinstance(listing, Refused):
                complain(f"refused {listing}")
                refused += 1
                continue
            facts = facts_of(listing.seller_id, known.get(listing.seller_id))
            try:
                verdict = judge.judge(listing, facts, moment).verdict
            except Exception as error:  # noqa: BLE001 - one listing must not stop the others
                complain(
                    f"refused {listings}: listing '{listing.listing_id}' can't be judged: "
                    f"{type(error).__name__}: {error}"
                )
                refused += 1
                continue
            out.write(verdict.to_json() + b"\n")
    out.flush()
    if refused:
        leave(NO)


def _moment(now: str | None) -> int:
    if now is None:
        return time.time_ns() // 1_000_000
    try:
        return parse_time(int(now) if now.isdigit() else now)
    except ValueError as error:
        raise CommandError(f"--now: {error}; try 2026-11-24T12:00:00Z", WRONG) from None


def _lines(path: Path) -> int | None:
    """Return how many lines there are, where somebody watches."""
    if not sys.stderr.isatty():
        return None
    with path.open("rb") as file:
        return sum(1 for _ in file)
