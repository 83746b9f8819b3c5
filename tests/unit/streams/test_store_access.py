"""The commands that Redis has to allow are those that are sent."""

from __future__ import annotations

import re
from pathlib import Path

import streams
from streams.settings import Settings
from streams.store_access import COMMANDS, access_list

ROOT = Path(streams.__file__).parents[1]
IN_SCRIPTS = re.compile(r"redis\.call\(\s*'([A-Z]+)'")
AS_ARGUMENTS = re.compile(r'^\s+\*?\(*"([A-Z]+)", (?:self\.|\*|f")', re.MULTILINE)
CLIENT = {"delete": "del", "scan_iter": "scan", "execute": "exec", "pipeline": "multi"}


def _texts() -> list[str]:
    paths = [path for folder in ("streams", "agents") for path in (ROOT / folder).rglob("*.py")]
    texts = [path.read_text(encoding="utf-8") for path in paths]
    return [text for text in texts if "Store" in text or "redis.call" in text]


def test_each_command_that_is_allowed_is_sent() -> None:
    words = set(re.findall(r"[a-z]+(?=\()|'[A-Z]+'|\"[A-Z]+\"", " ".join(_texts())))
    sent = {CLIENT.get(word.strip("'\"").lower(), word.strip("'\"").lower()) for word in words}
    assert set(COMMANDS) - sent <= {"scan"}, "scan is sent as scan_iter"


def test_each_command_that_a_script_calls_is_allowed() -> None:
    called = {word.lower() for text in _texts() for word in IN_SCRIPTS.findall(text)}
    called |= {word.lower() for text in _texts() for word in AS_ARGUMENTS.findall(text)}
    assert len(called) > 20
    assert called <= set(COMMANDS)


def test_the_list_allows_keys_of_this_installation_alone() -> None:
    line = access_list(Settings(topic_prefix="shop."), "worker")
    assert line.startswith("user worker on resetpass resetkeys resetchannels ~shop.assayer:* -@all")
    assert "allkeys" not in line
    assert "+@" not in line
