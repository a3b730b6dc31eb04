"""A child process's end of the pipe to the conductor: commands in, heartbeats and sentences out, and the watch that
ends the child when its parent is gone."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from typing import Any

from installation.commands import Pulse, Said, Stop

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What ends a show: the conductor's to hear, ignored by its children."""
PULSE_S = 0.25
"""How often a child says it is alive."""
GRACE_S = 3.0
"""How long a child whose parent died may take to close before it is ended."""


class Link:
    """One child's end. `drain` never blocks; `pulse` never blocks for long: the conductor always reads."""

    def __init__(self, connection: Connection, process: str) -> None:
        self._connection = connection
        self._process = process
        self._last_pulse_s = 0.0
        self._progress = 0
        self.stopped = False

    def drain(self) -> list[Any]:
        """The commands that came since; a closed pipe is a `Stop`."""
        commands: list[Any] = []
        try:
            while self._connection.poll():
                commands.append(self._connection.recv())
        except (EOFError, OSError):
            commands.append(Stop())
        if any(isinstance(command, Stop) for command in commands):
            self.stopped = True
        return commands

    def wait(self, seconds: float) -> None:
        """Sleep until a command comes or `seconds` have passed."""
        try:
            self._connection.poll(max(0.0, seconds))
        except (EOFError, OSError):
            self.stopped = True

    def send(self, message: Any) -> None:
        """Give the conductor `message`; a pipe that is closed is noticed by `drain`."""
        try:
            self._connection.send(message)
        except (BrokenPipeError, OSError):
            self.stopped = True

    def say(self, sentence: str) -> None:
        """A sentence for the run's log."""
        self.send(Said(self._process, sentence))

    def pulse(self, now_s: float, progress: int, figures: Callable[[], dict[str, Any]], at_once: bool = False) -> None:
        """A heartbeat, at most one a PULSE_S; `progress` must grow with real work or the child is started again."""
        if at_once or now_s - self._last_pulse_s >= PULSE_S:
            self._last_pulse_s = now_s
            self.send(Pulse(self._process, progress, figures()))


def follow_parent() -> None:
    """In a child: leave signals to the conductor, and end when it ends, closing if there is time and anyway if not."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        time.sleep(GRACE_S)
        os._exit(3)

    threading.Thread(target=watch, name="parent watch", daemon=True).start()
