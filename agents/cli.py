"""The `assayer` command: puts the commands together and turns errors into one line and a code."""

from __future__ import annotations

import os
import re
import sys
from importlib.metadata import version
from typing import Any, Final

from cyclopts import App, Parameter

# No linear algebra is done, and numpy's would start a thread a core that waits for some, for 50 ms.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from agents.commands.console import NO, UNREACHABLE, WRONG, CommandError, complain

COMMANDS: Final = (
    ("demo", "demo:demo", "Run everything embedded, on a shipped sample; no server needed."),
    ("worker", "worker:worker", "Run the stream processor."),
    ("topics", "topics:app", "Make the topics, or compare them with what is configured."),
    ("doctor", "doctor:doctor", "Try every dependency and setting; say how to mend them."),
    ("feed", "feed:feed", "Publish rows of CSV or JSON Lines files as listings."),
    ("screen", "screen:screen", "Judge listings from a file, with no server."),
    ("sweep", "sweep:sweep", "Judge the live catalogue again, for new rights or rules."),
    ("policy", "policy:app", "Policies: check, test, publish, compare, undo; mute a rule."),
    ("explain", "explain:explain", "Every reason of a takedown; judged again, as it was."),
    ("rights", "rights:app", "The registry of rights: check, load, list, export, withdraw."),
    ("images", "images:app", "PDQ hashes of pictures, as rights hold them."),
    ("views", "views:app", "Facts in Redis, rebuilt from Kafka."),
    ("breaker", "breaker:app", "Takedowns held over a quota: status, release, discard."),
    ("dead-letters", "dead_letters:app", "Records that could not be handled: list, show, replay."),
)
"""Every command: its name, where it stands in `agents.commands`, and its line in the list."""


def command_line(asked: str = "") -> App:
    """Return the command line; `asked` is the command that will be called, if any.

    That one is shown with its own help, the others with their line: nothing else is imported, so
    --help and screen do not wait for Faust.
    """
    app = App(
        name="assayer",
        help="Screens marketplace listings as they stream by, and takes down what infringes a "
        "registered right before anyone buys it.",
        version=lambda: version("assayer"),
        help_epilogue=""
        if asked in {name for name, _, _ in COMMANDS}
        else "Start with: assayer demo",
        default_parameter=Parameter(show_default=_worth_showing),
    )
    app.register_install_completion_command()
    for name, target, summary in COMMANDS:
        app.command(f"agents.commands.{target}", name=name, help=None if name == asked else summary)
    return app


def _worth_showing(default: Any) -> Any:
    """Return what `--help` shows of a default: nothing where it is 'not given'."""
    return None if default in (False, ()) else default


def main(arguments: list[str] | None = None) -> None:
    """Run the command and exit: 0 done, 1 no, 2 wrong usage or input, 3 unreachable server.

    As shells have it, 130 after Ctrl-C and 141 where nobody reads what is printed.
    """
    sys.exit(_run(sys.argv[1:] if arguments is None else arguments))


def _run(arguments: list[str]) -> int:
    from cyclopts.exceptions import CycloptsError

    try:
        app = command_line(arguments[0] if arguments else "")
        result: Any = app(arguments, exit_on_error=False, print_error=False)
    except CommandError as error:
        complain(f"assayer: {error}")
        return error.code
    except CycloptsError as error:
        complain(f"assayer: {_usage_error(error)}; see: assayer {_named(arguments)}--help")
        return WRONG
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else (WRONG if exit_.code else 0)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Python would say so once more when it empties stdout at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:  # the last one to hear of it: told in a line, or raised as a bug
        code = _code_of(error)
        if code is None:
            raise
        complain(f"assayer: {_one_line(error)}")
        return code
    return result if isinstance(result, int) else 0


def _code_of(error: Exception) -> int | None:
    """Return the exit code of an error that is nobody's bug; None for the others."""
    from confluent_kafka import KafkaError, KafkaException
    from pydantic import ValidationError
    from pydantic_settings import SettingsError

    from agents.monitoring.data_files import DataFileError

    if isinstance(error, DataFileError):
        return WRONG  # before what reads such a file, as policies do

    from agents.monitoring.policies import PolicyError
    from streams.log_reader import MissingTopicError
    from streams.producer import DeliveryError
    from streams.schema_registry import IncompatibleSchemaError
    from streams.tls import CertificateFileError
    from streams.topic_admin import TopicRefusedError
    from streams.unavailable import UNAVAILABLE

    if isinstance(error, UNAVAILABLE):
        return UNREACHABLE
    refused = MissingTopicError | DeliveryError | IncompatibleSchemaError | TopicRefusedError
    if isinstance(error, refused):
        return NO
    wrong_input = PolicyError | ValidationError | SettingsError | CertificateFileError
    if isinstance(error, wrong_input | UnicodeDecodeError | OSError):
        return WRONG
    if isinstance(error, KafkaException):
        # What no caller has explained: settings the client will not take, or no answer.
        wrong = error.args[0].code() == KafkaError._INVALID_ARG  # noqa: SLF001 - a public name
        return WRONG if wrong else UNREACHABLE
    return None


def _named(arguments: list[str]) -> str:
    """Return the command that the arguments begin with, for the way to its help."""
    known = bool(arguments) and arguments[0] in {name for name, _, _ in COMMANDS}
    return f"{arguments[0]} " if known else ""


def _usage_error(error: Exception) -> str:
    """Return what is wrong with the arguments, without Python's view of them."""
    # Cyclopts shows a value that failed a check as Python has it: (PosixPath('rights.jsonl'),).
    missing = re.search(r'"([^"]+)" does not exist', str(error))
    if missing:
        return f"there is no file '{missing[1]}'"
    return re.sub(r"(?<!\.)\.$", "", _one_line(error))


def _one_line(error: Exception) -> str:
    from confluent_kafka import KafkaException
    from pydantic import ValidationError

    if isinstance(error, ValidationError):
        return "; ".join(_told(problem["loc"], problem["msg"]) for problem in error.errors())
    if isinstance(error, KafkaException):
        return f"Kafka: {error.args[0].str()}; check the ASSAYER_KAFKA_… settings"
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} of a file is not UTF-8; where no other was named, it is .env"
    return " ".join(str(error).split())


def _told(location: tuple[int | str, ...], message: str) -> str:
    """Return what is wrong with a setting, or with a name of a `.env` file that is none."""
    from streams.settings import Settings

    name = "_".join(map(str, location))
    if name not in Settings.model_fields:
        return f"{name.upper()} in .env is no setting; remove it, or see: assayer doctor"
    return f"ASSAYER_{name.upper()}: {message.removeprefix('Value error, ')}"


if __name__ == "__main__":
    main()
