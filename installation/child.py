"""A child process as the conductor sees it: started, spoken to, listened to, found dead or stuck, started again.

Nothing here ever blocks the conductor: what is sent waits in a bounded queue for a thread, and a child that does not
read is a stuck child.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import queue
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

import psutil

from installation.commands import Pulse, Stop

SPAWN = multiprocessing.get_context("spawn")
QUEUED = 4096
"""Messages waiting for one child, at the most; beyond that the oldest knowledge it lacks is its own fault."""
WELL_AFTER_S = 10.0
"""A child that lived so long was well: the next restart is at once again."""
LONGEST_PAUSE_S = 30.0
STOP_S = 3.0


@dataclass(frozen=True)
class Role:
    """What a child is: its main function, how long it may show no progress, exit codes that mean «again, please»."""

    name: str
    main: Callable[[Connection, Any], None]
    patience_s: float
    first_patience_s: float = 20.0
    wants_restart: tuple[int, ...] = ()


@dataclass
class Child:
    """One running (or dead) process of a role."""

    role: Role
    setup: Callable[[], Any]
    heard: Callable[[Any], None]
    log: Callable[[str, str], None]
    restarts: int = 0
    figures: dict[str, Any] = field(default_factory=dict)
    rss_mb: float = 0.0
    _process: BaseProcess | None = None
    _connection: Connection | None = None
    _outbox: queue.Queue[Any] = field(default_factory=lambda: queue.Queue(QUEUED))
    _progress: int = -1
    _moved_s: float = 0.0
    _began_s: float = 0.0
    _pause_s: float = 0.0
    _again: asyncio.TimerHandle | None = None
    _closing: bool = False

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.is_alive()

    def start(self) -> None:
        """Start the process; its pipe and its death are watched by the running loop."""
        ours, theirs = SPAWN.Pipe()
        self._outbox = queue.Queue(QUEUED)
        self._progress, self._began_s = -1, time.monotonic()
        self._moved_s = self._began_s
        process = SPAWN.Process(target=self.role.main, args=(theirs, self.setup()), name=self.role.name, daemon=True)
        with _signals_ignored():
            process.start()
        theirs.close()
        self._process, self._connection = process, ours
        self.log(self.role.name, f"started, process {process.pid}")
        loop = asyncio.get_running_loop()
        loop.add_reader(ours.fileno(), self._read)
        loop.add_reader(process.sentinel, self._died)
        threading.Thread(target=_write, args=(ours, self._outbox), name=f"to {self.role.name}", daemon=True).start()

    def send(self, message: Any) -> None:
        """Queue `message`; when the queue is full the child is stuck, and `watch` will see to it."""
        with contextlib.suppress(queue.Full):
            self._outbox.put_nowait(message)

    def watch(self, now_s: float) -> None:
        """Kill the child when it shows no progress for longer than its patience, and note its memory."""
        if not self.alive or self._process is None:
            return
        with contextlib.suppress(psutil.Error):
            self.rss_mb = max(self.rss_mb, psutil.Process(self._process.pid).memory_info().rss / 1e6)
        patience_s = self.role.patience_s if self._progress >= 0 else self.role.first_patience_s
        if now_s - self._moved_s > patience_s:
            self.log(self.role.name, f"no progress for {patience_s:g} s: killed")
            self._process.kill()

    async def stop(self) -> None:
        """Ask it to end, wait STOP_S, then end it."""
        self._closing = True
        if self._again:
            self._again.cancel()
        process = self._process
        if process is None:
            return
        self.send(Stop())
        until_s = time.monotonic() + STOP_S
        while process.is_alive() and time.monotonic() < until_s:
            await asyncio.sleep(0.01)
        if process.is_alive():
            self.log(self.role.name, f"did not end in {STOP_S:g} s: killed")
            process.kill()
            process.join(1.0)
        if self._process is process:
            self._drain()
            self._leave()

    async def renew(self) -> None:
        """Stop it, and start it with what its setup says now."""
        await self.stop()
        self._closing = False
        self.start()

    def _read(self) -> None:
        if self._connection is None:
            return
        try:
            while self._connection.poll():
                self._take(self._connection.recv())
        except (EOFError, OSError):
            asyncio.get_running_loop().remove_reader(self._connection.fileno())

    def _drain(self) -> None:
        """What a child that ended said last."""
        with contextlib.suppress(EOFError, OSError):
            while self._connection is not None and self._connection.poll():
                self._take(self._connection.recv())

    def _take(self, message: Any) -> None:
        if isinstance(message, Pulse):
            if message.progress > self._progress:
                self._progress, self._moved_s = message.progress, time.monotonic()
            self.figures = message.figures
        self.heard(message)

    def _died(self) -> None:
        process = self._process
        if process is None or process.is_alive():
            return
        code = process.exitcode
        self._drain()
        self._leave()
        if self._closing:
            return
        now_s = time.monotonic()
        wanted = code in self.role.wants_restart
        if wanted or now_s - self._began_s > WELL_AFTER_S:
            self._pause_s = 0.0
        self.restarts += 1
        if not wanted:
            cause = f"signal {signal.Signals(-code).name}" if code is not None and code < 0 else f"exit code {code}"
            self.log(self.role.name, f"died ({cause}); starting again in {self._pause_s:g} s")
        self._again = asyncio.get_running_loop().call_later(self._pause_s, self.start)
        self._pause_s = min(LONGEST_PAUSE_S, max(0.5, self._pause_s * 2.0))

    def _leave(self) -> None:
        loop = asyncio.get_running_loop()
        if self._process is not None:
            loop.remove_reader(self._process.sentinel)
        if self._connection is not None:
            loop.remove_reader(self._connection.fileno())
            self._connection.close()
        self._outbox.put_nowait(None) if not self._outbox.full() else None
        self._connection = None
        self._process = None


def _write(connection: Connection, outbox: queue.Queue[Any]) -> None:
    """The sending thread: ends when the pipe does."""
    with contextlib.suppress(BrokenPipeError, OSError, EOFError):
        while (message := outbox.get()) is not None:
            connection.send(message)


class _signals_ignored:  # noqa: N801
    """While a child is started: it inherits «ignored», so that Ctrl-C on the terminal is the conductor's alone."""

    def __enter__(self) -> None:
        self._before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        for number in self._before:
            signal.signal(number, signal.SIG_IGN)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
