"""A listing that comes again without the mark: which rights speak against it, and which do not."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Final

from agents.history.fingerprints import alone
from agents.history.recall import Past, Relisting
from agents.monitoring.policies import Policy
from agents.monitoring.registry import Registry, authorisation, in_force
from agents.monitoring.signals import REMOVALS, SELLER, Facts
from agents.records import Listing

MOST_RIGHTS: Final = 8
"""Rights not named by the listing that one verdict is made under."""


def unnamed_needs(policy: Policy) -> frozenset[str]:
    """Return what the store is asked for a listing that names no mark and shows no known picture.

    Empty where no rule could act on one that is nearly the same as something removed.
    """
    could = set(policy.possible(Facts(in_force=True)))
    could -= set(policy.possible(Facts(in_force=True, relisted=False, linked_relisted=False)))
    asked = {name for index in could for name in policy.rules[index].condition.signals}
    return frozenset(asked & SELLER) | REMOVALS if could else frozenset()


def counted(past: Past | None, *, named: bool) -> Past | None:
    """Return of the past what counts: beside a mark that is named, all of it.

    A likeness that stands for itself has to be the closer.
    """
    if past is None or named:
        return past
    return replace(past, relisted=_sure(past.relisted), linked_relisted=_sure(past.linked_relisted))


def unnamed_rights(
    past: Past | None, registry: Registry, listing: Listing, now: int, named: Collection[str]
) -> list[tuple[int, bool, bool]]:
    """Return the rights, apart from those `named`, under which the listing comes again.

    By position in the registry, with whether this seller's own removals or those of linked ones say
    so. Rights that are not in force, or whose owner has authorised the seller, are left out.
    """
    if past is None:
        return []
    own = _rights(_sure(past.relisted) or ())
    linked = _rights(_sure(past.linked_relisted) or ())
    found = []
    for right_id in dict.fromkeys((*own, *linked)):
        position = registry.positions.get(right_id)
        if right_id in named or position is None:
            continue
        right = registry.rights[position]
        if in_force(right, listing, now) and not authorisation(right, listing, now)[0]:
            found.append((position, right_id in own, right_id in linked))
    return found[:MOST_RIGHTS]


def _sure(relistings: tuple[Relisting, ...] | None) -> tuple[Relisting, ...] | None:
    if relistings is None:
        return None
    return tuple(each for each in relistings if alone(each.alike))


def _rights(relistings: Iterable[Relisting]) -> dict[str, None]:
    return dict.fromkeys(right for each in relistings for right in each.removal.right_ids)
