"""What a user of Redis has to be allowed: these commands, on keys of this installation, no more."""

from __future__ import annotations

from typing import Final

from streams.settings import Settings
from streams.store import key_prefix

COMMANDS: Final = (
    *("echo", "eval", "multi", "exec", "time"),
    *("get", "set", "mget", "del", "unlink", "exists", "expire", "expireat", "scan"),
    *("incr", "incrby", "decr"),
    *("hget", "hset", "hdel", "hmget", "hgetall", "hincrby", "hincrbyfloat"),
    *("sadd", "srem", "scard", "smembers"),
    *("zadd", "zrem", "zscore", "zrangebyscore", "zrevrange", "zrevrangebyscore"),
    *("zremrangebyrank", "zremrangebyscore", "lpush", "lrange", "ltrim", "pfadd", "pfcount"),
)
"""Every command that is sent, by clients and in scripts. None of them looks at other users' keys,
except `scan`, which tells their names."""


def access_list(settings: Settings, user: str = "") -> str:
    """Return the line of Redis's access control list for a user; the password is still to be set.

    `user` is the one of the settings, or `assayer`, when nothing is said.
    """
    name = user or settings.redis_username or "assayer"
    allowed = " ".join(f"+{command}" for command in COMMANDS)
    keys = f"~{key_prefix(settings)}*"
    return f"user {name} on resetpass resetkeys resetchannels {keys} -@all {allowed}"
