"""What Redis holds under a key, of whichever kind it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final


def value_of(client: Any, key: bytes) -> Any:
    """Return the value of a key, comparable with what it was before."""
    return _READ[client.type(key)](client, key)


def _without_count(value: bytes) -> bytes:
    return value[16:] if value.startswith(b"HYLL") else value


def _rounded(value: bytes) -> bytes | float:
    """Return a sum of decayed cases to nine digits: the last ones go by the order of partitions.

    What is read of them is rounded further, so that verdicts do not.
    """
    return float(f"{float(value):.9g}") if re.fullmatch(rb"-?[0-9]+\.[0-9]+", value) else value


_READ: Final[dict[bytes, Callable[[Any, bytes], Any]]] = {
    # A sketch of distinct values begins with what was last counted in it: no part of the state.
    b"string": lambda client, key: _without_count(client.get(key)),
    b"hash": lambda client, key: {k: _rounded(v) for k, v in client.hgetall(key).items()},
    b"set": lambda client, key: client.smembers(key),
    b"zset": lambda client, key: client.zrange(key, 0, -1, withscores=True),
    b"list": lambda client, key: client.lrange(key, 0, -1),
}
