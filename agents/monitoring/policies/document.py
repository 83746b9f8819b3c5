"""Reads a YAML file as nodes that know their places, within bounds, and nothing but data.

No anchors, aliases, tags or merges: a file of a few lines could stand for gigabytes by them. Plain
scalars are read as in YAML 1.2: `true`, `false`, `null` and numbers; `no` is a country.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import yaml

from agents.monitoring.policies.problems import Report
from streams.aside import giving_way

MAX_BYTES: Final = 262_144
MAX_DEPTH: Final = 12
MAX_NODES: Final = 50_000

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's: 20 times as fast, and its messages are those of the golden files."""
_INTEGER: Final = re.compile(r"[-+]?[0-9]{1,18}", re.ASCII)
_FLOAT: Final = re.compile(r"[-+]?(?:[0-9]{1,18}\.[0-9]{0,18}|\.[0-9]{1,18})(?:e[-+]?[0-9]{1,2})?")


@dataclass(slots=True)
class Node:
    """A node of the file; `start` and `end` are positions in its text."""

    kind: Literal["mapping", "sequence", "scalar"]
    start: int
    end: int
    text: str = ""
    """Of a scalar."""
    plain: bool = False
    """Whether a scalar stands without quotes."""
    items: list[Node] = field(default_factory=list)
    """Of a sequence; of a mapping, its keys and values by turns."""

    def pairs(self) -> list[tuple[Node, Node]]:
        """Return the keys and values of a mapping."""
        return list(zip(self.items[::2], self.items[1::2], strict=False))


def read(report: Report) -> Node | None:
    """Return the root of the report's text; None where it can't be read, which is reported."""
    try:
        return _compose(report)
    except yaml.MarkedYAMLError as error:
        at = _index(error.problem_mark or error.context_mark)
        report.add(
            f"not YAML: {error.problem or error.context}",
            "quote texts that hold ': ', ' #' or begin with a sign; indent with spaces",
            start=at,
            end=at + 1,
        )
    except yaml.YAMLError as error:
        at = getattr(error, "position", None) or 0
        reason = getattr(error, "reason", None) or str(error)
        report.add(f"not YAML: {reason}", start=at, end=at + 1)
    return None


def text_of(raw: bytes) -> tuple[str, str]:
    """Return the text of a file's content, and what is wrong with it, empty when nothing is."""
    if len(raw) > MAX_BYTES:
        return "", f"more than {MAX_BYTES:,} bytes, and a policy may have no more"
    try:
        return raw.removeprefix(codecs.BOM_UTF8).decode("utf-8"), ""
    except UnicodeDecodeError as error:
        return "", f"not UTF-8 text: byte {error.start} can't be read"


def _compose(report: Report) -> Node | None:
    root: Node | None = None
    open_: list[Node] = []
    count = 0
    for event in giving_way(yaml.parse(report.text, Loader=_LOADER)):
        start, end = _index(event.start_mark), _index(event.end_mark)
        if isinstance(event, yaml.DocumentStartEvent) and root is not None:
            report.add("a second document", "one policy a file", start=start, end=end)
            return None
        if isinstance(event, yaml.CollectionEndEvent):
            open_.pop().end = end
            continue
        if not isinstance(event, yaml.NodeEvent):
            continue
        flaw, hint = _flaw(event)
        count += 1
        if len(open_) >= MAX_DEPTH and not isinstance(event, yaml.ScalarEvent):
            flaw, hint = f"nested deeper than {MAX_DEPTH}", "a policy is nested five deep at most"
        elif count > MAX_NODES:
            flaw, hint = f"more than {MAX_NODES:,} keys and values", "make several policies of it"
        if flaw:
            report.add(flaw, hint, start=start, end=end)
            return None
        node = _node(event, start, end)
        if open_:
            open_[-1].items.append(node)
        else:
            root = node
        if node.kind != "scalar":
            open_.append(node)
    return root


def _index(mark: Any) -> int:
    return mark.index if mark is not None else 0


def _flaw(event: yaml.NodeEvent) -> tuple[str, str]:
    if isinstance(event, yaml.AliasEvent):
        return "an alias", "write it out, or give a condition a name under 'definitions'"
    if event.anchor is not None:
        return "an anchor", "write it out, or give a condition a name under 'definitions'"
    if getattr(event, "tag", None) is not None:
        return "a tag", "leave it out: a policy is texts, numbers, lists and mappings"
    return "", ""


def _node(event: yaml.NodeEvent, start: int, end: int) -> Node:
    if isinstance(event, yaml.MappingStartEvent):
        return Node("mapping", start, end)
    if isinstance(event, yaml.SequenceStartEvent):
        return Node("sequence", start, end)
    assert isinstance(event, yaml.ScalarEvent)  # noqa: S101 - there are no other nodes
    return Node("scalar", start, end, event.value, not event.style)


def builtin(node: Node) -> Any:
    """Return the node as dicts, lists, texts, numbers, booleans and None."""
    if node.kind == "mapping":
        return {key.text: builtin(value) for key, value in node.pairs()}
    if node.kind == "sequence":
        return [builtin(item) for item in node.items]
    if not node.plain:
        return node.text
    match node.text:
        case "true":
            return True
        case "false":
            return False
        case "null" | "~" | "":
            return None
    if _INTEGER.fullmatch(node.text):
        return int(node.text)
    if _FLOAT.fullmatch(node.text):
        return float(node.text)
    return node.text


def place(node: Node, text: str, start: int, end: int) -> tuple[int, int]:
    """Return where the characters `start` to `end` of a scalar's value stand in the file's text.

    YAML folds lines and knows escapes; what is not blank comes in the same order. Where it can't be
    followed, the whole scalar is returned.
    """
    at = node.start
    first = last = -1
    value = node.text
    for index, character in enumerate(value[: max(end, start + 1)]):
        if character.isspace():
            continue
        found = text.find(character, at, node.end)
        if found < 0:
            return node.start, node.end
        if index >= start:
            first = found if first < 0 else first
            last = found
        at = found + 1
    if first < 0:
        return (at, at + 1) if at > node.start else (node.start, node.end)
    return first, last + 1
