"""Reads the data files that are shipped, and says where one is broken."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml


class DataFileError(ValueError):
    """A shipped data file that can't be used: names file, line, what is wrong and what to do."""


MEND: Final = "correct that line, or install the assayer again"
"""What to do about it."""

# libyaml's where it is there: a tenth of the time.
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(path: Path, error: type[DataFileError] = DataFileError) -> Any:
    """Return what a YAML file holds.

    Raises:
        DataFileError: as the type `error`: the file can't be read or is no YAML.
    """
    try:
        return yaml.load(path.read_bytes(), Loader=_LOADER)  # noqa: S506 - both are safe loaders
    except OSError as problem:
        raise error(f"{path.name}: can't be read: {problem.strerror}; install it again") from None
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        line = f"{mark.line + 1}" if mark else "1"
        raise error(f"{path.name}:{line}: no YAML: {problem.problem or problem}; {MEND}") from None
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as problem:
        text = " ".join(str(problem).split())
        raise error(f"{path.name}:1: no YAML: {text}; {MEND}") from None


def line_of(path: Path, *keys: str, value: str | None = None) -> int:
    """Return the line, from 1, of an entry: under these keys, the first with this value.

    The line of the innermost key that is there, where no entry has the value.
    """
    node = yaml.compose(path.read_bytes(), Loader=_LOADER)
    line = 1
    for key in keys:
        if not isinstance(node, yaml.MappingNode):
            break
        for name, inner in node.value:
            if name.value == key:
                line, node = name.start_mark.line + 1, inner
                break
        else:
            break
    waiting = [node] if value is not None else []
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, yaml.ScalarNode) and one.value == value:
            return int(one.start_mark.line) + 1
        if isinstance(one, yaml.SequenceNode):
            waiting = [*one.value, *waiting]
        if isinstance(one, yaml.MappingNode):
            waiting = [*(part for pair in one.value for part in pair), *waiting]
    return line
