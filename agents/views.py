"""Every view: what the worker keeps up to date and `assayer views rebuild` makes anew."""

from __future__ import annotations

from typing import Final

from agents import reputation
from agents.history import recall
from streams.views import Fold

FOLDS: Final[tuple[Fold, ...]] = (*reputation.FOLDS, *recall.FOLDS)
