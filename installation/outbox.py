"""What waits to be sent to one child: a thread writes it, so that a child that does not read blocks nobody. What is
small goes at once while nothing waits and the pipe has room: on a busy machine a thread's waking costs milliseconds."""

from __future__ import annotations

import contextlib
import queue
import select
import threading
from multiprocessing.connection import Connection
from typing import Any

from installation.commands import Set

WAITING = 4096
"""Messages, at the most: a child that reads so slowly is stuck, and whoever watches it sees to it."""
SMALL = (Set,)
"""Messages of a few hundred bytes, of which a pipe that can be written to takes one without blocking."""


class Outbox:
    """Used by one thread. `close` ends the writing once all before it is written; nothing is raised: whether the child
    lives is not found out here."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._waiting: queue.Queue[Any] = queue.Queue(WAITING)
        self._put = self._written = 0
        self._room = select.poll()
        self._room.register(connection.fileno(), select.POLLOUT)
        threading.Thread(target=self._write, daemon=True).start()

    def send(self, message: Any) -> None:
        """Send `message` after all before it; when too many wait it is dropped."""
        if isinstance(message, SMALL) and self._put == self._written and self._has_room():
            with contextlib.suppress(BrokenPipeError, OSError):
                self._connection.send(message)
            return
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(message)
            self._put += 1

    def close(self) -> None:
        """Nothing more comes."""
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(None)

    def _has_room(self) -> bool:
        return any(event == select.POLLOUT for _, event in self._room.poll(0))

    def _write(self) -> None:
        """Ends when the pipe does, or with None."""
        with contextlib.suppress(BrokenPipeError, OSError, EOFError):
            while (message := self._waiting.get()) is not None:
                self._connection.send(message)
                self._written += 1
