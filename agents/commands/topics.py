"""`assayer topics`: makes the topics, checks them, and says who may do what with them."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from agents.commands.console import NO, CommandError, Json, complain, emit, leave, say, table
from streams.settings import Settings
from streams.topics import ROLES, Role

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


@app.command
def acls(
    *roles: Role,
    principal: str = "",
    apply: Annotated[bool, Parameter(negative="")] = False,
    json: Json = False,
) -> None:
    """Print the access control entries that each role needs in Kafka, and no more.

    Roles: worker; operator, a person with the commands; setup, for topics create and check; bus,
    who publishes listings; downstream, who acts on takedowns; moderator, who looks at reviews and
    puts up again. All without any.

    Example: assayer topics acls worker --principal User:assayer --apply

    Parameters
    ----------
    roles
        Whose entries.
    principal
        Who has the role, as Kafka names it; User: and the role's name without it.
    apply
        Create them in Kafka as well.
    json
        Report as JSON lines.
    """
    from agents.access import access_of, grant

    if principal and ":" not in principal:
        raise CommandError(f"--principal: '{principal}' has no kind; write User:{principal}")
    settings = Settings()
    found = [
        acl
        for role in roles or ROLES
        for acl in access_of(settings, role, principal or f"User:{role}")
    ]
    found = list(dict.fromkeys(found))
    if apply:
        grant(settings, found)
    rows = [(acl.principal, acl.operation, acl.resource, acl.pattern, acl.name) for acl in found]
    names = ("principal", "operation", "resource", "pattern", "name")
    if json:
        for row in rows:
            emit(dict(zip(names, row, strict=True)))
    else:
        table(rows, names)
        if apply:
            say(f"{len(found)} entries stand in Kafka")
