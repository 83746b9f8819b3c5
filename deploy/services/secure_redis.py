"""A Redis by TLS alone, whose users may do what their lists say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from deploy.services.process import accepts
from deploy.services.redis import Redis


class SecureRedis(Redis):
    """A real Redis; `url` is `rediss://`, and whoever comes shows a certificate and a password."""

    name = "secure-redis"

    def __init__(self, certificate: Path, key: Path, authority: Path, users: Sequence[str]) -> None:
        """Prepare a Redis; `users` are lines of its file of access control lists."""
        super().__init__()
        self._tls = {
            "--tls-cert-file": certificate,
            "--tls-key-file": key,
            "--tls-ca-cert-file": authority,
        }
        self.users = self.folder / "users.acl"
        self.users.write_text("".join(f"user {line}\n" for line in users))

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"rediss://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        """Return the command line."""
        return [
            str(self._binary),
            *("--port", "0", "--tls-port", str(self.port), "--bind", "127.0.0.1"),
            *(word for option, path in self._tls.items() for word in (option, str(path))),
            *("--aclfile", str(self.users)),
            *("--save", "", "--appendonly", "no", "--dir", str(self.folder)),
        ]

    def answers(self) -> bool:
        """Return whether it listens: who may ask it more is for the caller to know."""
        return accepts(self.port)
