"""A proxy for TCP on loopback that counts who connects, and is a bad network when it is told to."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import Self

_PIECE = 65_536


class TcpProxy:
    """Passes bytes on to a port of loopback, both ways. A context manager.

    The port stays the same, whatever is done to the network: `cut`, `slow`, `hang`, `mend`.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        """How many were opened so far."""
        self._delay = 0.0
        self._hangs = False
        self._open: set[socket.socket] = set()
        self._deaf: set[socket.socket] = set()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._accept_aside()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()

    def cut(self) -> None:
        """Break every connection and refuse new ones."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._break()

    def slow(self, seconds: float) -> None:
        """Hold every piece of what is sent for so long, in both directions."""
        self._delay = seconds

    def hang(self) -> None:
        """Swallow what is sent: connections stay and say nothing, new ones as well (half-open)."""
        self._hangs = True

    def mend(self, *, silently: bool = False) -> None:
        """Be a good network again; connections that hung are broken, for the other side forgot.

        Silently, they stay and say nothing for ever, as where a firewall forgot them: only new ones
        are good.
        """
        hung, self._hangs, self._delay = self._hangs, False, 0.0
        if hung and silently:
            with self._lock:
                self._deaf |= self._open
        elif hung:
            self._break()
        if self._listener.fileno() < 0:
            self._listener = socket.create_server(("127.0.0.1", self.port))
            self._accept_aside()

    def _break(self) -> None:
        with self._lock:
            ends, self._open = self._open, set()
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept_aside(self) -> None:
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            try:
                server = socket.create_connection(("127.0.0.1", self._target), timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            with self._lock:
                self._open |= {client, server}
            for ends in ((client, server), (server, client)):
                threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(_PIECE):
                if self._delay:
                    time.sleep(self._delay)
                if not self._hangs and source not in self._deaf:
                    target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._open -= {source, target}
            self._deaf -= {source, target}
