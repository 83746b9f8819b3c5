"""`assayer topics`: makes the topics and checks them."""

from __future__ import annotations

from cyclopts import App

from agents.commands.console import NO, Json, complain, emit, leave, say, table
from streams.settings import Settings

app = App(
    name="topics",
    help="Make the topics, or compare them with what is configured.",
    help_epilogue="Example: assayer topics check",
)


@app.command
def create(*, json: Json = False) -> None:
    """Make the topics that are missing and register the schema of every value.

    One that is there already is left as it is; exit 1 when it is not as it has to be.

    Example: assayer topics create

    Parameters
    ----------
    json
        Report as JSON lines.
    """
    from streams.schema_registry import SchemaRegistry
    from streams.topic_admin import TopicAdmin

    settings = Settings()
    admin = TopicAdmin(settings, SchemaRegistry.connect(settings))
    states = admin.create()
    differing = [state for state in admin.check() if state.state == "differs"]
    if json:
        for state in states:
            emit({"topic": state.topic, "state": state.state, "schema_id": state.schema_id})
    else:
        table(
            [(state.topic, state.state, str(state.schema_id)) for state in states],
            ("topic", "state", "schema"),
        )
    for state in differing:
        complain(f"{state.topic} is not as it has to be: {'; '.join(state.differences)}")
    if differing:
        leave(NO)
    if not json:
        say("Next: assayer rights load RIGHTS.jsonl, then assayer worker")


@app.command
def check(*, json: Json = False) -> None:
    """Compare the topics with what is configured; exit 1 when one is missing or differs.

    Example: assayer topics check --json

    Parameters
    ----------
    json
        Report as JSON lines.
    """
    from streams.schema_registry import SchemaRegistry
    from streams.topic_admin import TopicAdmin

    settings = Settings()
    states = TopicAdmin(settings, SchemaRegistry.connect(settings)).check()
    if json:
        for state in states:
            emit(
                {
                    "topic": state.topic,
                    "state": state.state,
                    "differences": list(state.differences),
                }
            )
    else:
        table(
            [(state.topic, state.state, "; ".join(state.differences)) for state in states],
            ("topic", "state", "differences"),
        )
    if any(state.state != "ok" for state in states):
        leave(NO)
