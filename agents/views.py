"""Every view: what the worker keeps up to date and `assayer views rebuild` makes anew."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from agents import reputation
from agents.breaker import held
from agents.history import recall
from streams.codec import Decoder
from streams.metrics import Metrics
from streams.schema_registry import SchemaRegistry
from streams.settings import Settings
from streams.store import Store, StoreUnavailable
from streams.unavailable import UNAVAILABLE
from streams.views import Fold, View

log = logging.getLogger(__name__)

FOLDS: Final[tuple[Fold, ...]] = (*reputation.FOLDS, *recall.FOLDS, *held.FOLDS)


class Views:
    """All views of a worker, and whether they are complete."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        registry: SchemaRegistry,
        metrics: Metrics | None = None,
    ) -> None:
        """With `metrics`, what is read to bring a view up to date is counted there."""
        self._store = store
        self._views = [
            View(fold, settings, store, Decoder(registry, fold.schema), _counter(metrics, fold))
            for fold in FOLDS
        ]
        self.by_topic: dict[str, list[View]] = {}
        """The views of each topic, by its full name."""
        for view in self._views:
            self.by_topic.setdefault(view.topic, []).append(view)
        self._told = False
        self.complete = False

    async def ensure(self) -> None:
        """Bring all up to date; what can't be done now, with a server away, is left for later."""
        try:
            await asyncio.gather(*(view.ensure() for view in self._views))
        except UNAVAILABLE as error:
            if self.complete or not self._told:
                log.warning("views are not up to date: %s", error)
            self.complete, self._told = False, True
        else:
            self.complete, self._told = True, False

    async def mend(self) -> None:
        """Bring all up to date where one is not complete: Redis may have lost it meanwhile."""
        stand = [await self._stands(view) for view in self._views]
        if not (self.complete and all(stand)):
            await self.ensure()

    async def _stands(self, view: View) -> bool:
        try:
            return bool(await self._store.call(lambda client: client.exists(view.ready_key)))
        except StoreUnavailable:
            return False


def _counter(metrics: Metrics | None, fold: Fold) -> Callable[[int], None]:
    """Return what counts the records that are read to catch up."""
    return (lambda _: None) if metrics is None else metrics.view_catch_up.labels(fold.view).inc
