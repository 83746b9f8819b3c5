"""`assayer views`: what Redis holds, made anew from Kafka."""

from __future__ import annotations

import asyncio

from cyclopts import App

from agents.commands.console import CommandError, Json, emit, say
from streams.settings import Settings

app = App(
    name="views",
    help="What Redis holds of sellers, sales and listings: rebuilt from Kafka at any time.",
    help_epilogue="Example: assayer views rebuild",
)


@app.command
def rebuild(*names: str, json: Json = False) -> None:
    """Drop views and fold their topics again; rules that need them abstain meanwhile.

    Example: assayer views rebuild standing

    Parameters
    ----------
    names
        sellers, sales, standing, removals, links or sightings; all without it.
    json
        Report as JSON lines.
    """
    from agents.views import FOLDS
    from streams.codec import Decoder
    from streams.kafka import ping
    from streams.schema_registry import SchemaRegistry
    from streams.store import Store
    from streams.views import View

    known = {fold.view: fold for fold in FOLDS}
    for name in names:
        if name not in known:
            raise CommandError(f"no view '{name}'; there are {', '.join(known)}")
    settings = Settings()
    registry = SchemaRegistry.connect(settings)

    async def work() -> None:
        store = Store(settings)
        try:
            # Nothing is dropped that could not be made again now.
            await asyncio.to_thread(ping, settings)
            await asyncio.to_thread(registry.ping)
            await store.ping()
            for name in names or known:
                view = View(known[name], settings, store, Decoder(registry, known[name].schema))
                await view.drop()
                await view.ensure()
                if json:
                    emit({"view": name, "state": "rebuilt"})
                else:
                    say(f"{name} rebuilt from {view.topic}")
        finally:
            await store.close()

    asyncio.run(work())


@app.command
def acl(*, user: str = "") -> None:
    """Print the line of Redis's access control list that a worker needs, and no more.

    Put it into the file of `aclfile`, with `#` and the SHA-256 of a password behind it.

    Example: assayer views acl --user assayer >> users.acl

    Parameters
    ----------
    user
        Whom it is for; ASSAYER_REDIS_USERNAME, or assayer, without it.
    """
    from streams.store_access import access_list

    say(access_list(Settings(), user))
