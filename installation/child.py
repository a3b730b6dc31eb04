"""A child process as the conductor sees it: started, spoken to, listened to, found dead or stuck, started again.

Nothing here blocks the conductor's loop: what is sent and what is heard goes through a thread each, and what a child is
started with is small. What must be done is done before it is talked about.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import multiprocessing
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

import psutil

from installation.commands import Pulse, Stop
from installation.link import SIGNALS
from installation.outbox import Outbox

SPAWN = multiprocessing.get_context("spawn")
WELL_AFTER_S = 10.0
"""A child that lived so long was well: the next restart is at once again."""
LONGEST_PAUSE_S = 30.0
STOP_S = 3.0
COUNTED = ("samples", "broken_steps", "knob_rewrites", "trajectories_played", "frames")
"""Figures that count from a process's start: those of the dead are added to those of the living."""


@dataclass(frozen=True)
class Role:
    """What a child is: its main function, how long it may show no progress, exit codes that mean «again, please»."""

    name: str
    main: Callable[[Connection, Any], None]
    patience_s: float
    first_patience_s: float = 20.0
    wants_restart: tuple[int, ...] = ()


def nothing() -> tuple[Any, ...]:
    """No first messages."""
    return ()


@dataclass
class Child:
    """One running (or dead) process of a role. `setup` makes what it is started with, a few kilobytes at the most;
    `greet` the first messages it is sent, of any size. `heard` and `log` are called on the loop."""

    role: Role
    setup: Callable[[], Any]
    heard: Callable[[Any], None]
    log: Callable[[str, str], None]
    greet: Callable[[], tuple[Any, ...]] = nothing
    restarts: int = 0
    rss_mb: float = 0.0
    down_s: float = 0.0
    """Time with no process that shows progress, since the first did."""
    last_code: int | None = None
    """How the one before ended, if it did."""
    last_progress: int = -1
    """How far the one before came; -1 if it never showed any life."""
    pulsed: bool = False
    """Whether the newest has shown life."""
    _figures: dict[str, Any] = field(default_factory=dict)
    _past: Counter[str] = field(default_factory=Counter)
    _process: BaseProcess | None = None
    _outbox: Outbox | None = None
    _reader: threading.Thread | None = None
    _progress: int = -1
    _moved_s: float = 0.0
    _began_s: float = 0.0
    _down_since_s: float | None = None
    _pause_s: float = 0.0
    _again: asyncio.TimerHandle | None = None
    _closing: bool = False

    @property
    def alive(self) -> bool:
        """Whether there is a process that lives."""
        return self._process is not None and self._process.is_alive()

    @property
    def figures(self) -> dict[str, Any]:
        """Its part of the report: as the newest process gave it, with what those before it counted."""
        return self._figures | {key: self._figures.get(key, 0) + count for key, count in self._past.items()}

    def start(self) -> None:
        """Start the process, unless there is one; if the system refuses, try again later."""
        self._again = None
        if self._process is not None:
            return
        try:
            self._spawn()
        except OSError as error:
            self._later()
            self.log(self.role.name, f"can't be started: {error}; trying again")

    def _spawn(self) -> None:
        loop = asyncio.get_running_loop()
        ours, theirs = SPAWN.Pipe()
        try:
            given = (theirs, self.setup())
            process = SPAWN.Process(target=self.role.main, args=given, name=self.role.name, daemon=True)
            with _signals_held():
                process.start()
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self._process, self._progress, self.pulsed = process, -1, False
        self._began_s = self._moved_s = time.monotonic()
        loop.add_reader(process.sentinel, self._died)
        take = functools.partial(self._take, process)
        self._reader = threading.Thread(target=_read, args=(ours, loop, take), daemon=True)
        self._reader.start()
        self._outbox = Outbox(ours)
        for greeting in self.greet():
            self.send(greeting)
        self.log(self.role.name, f"started, process {process.pid}")

    def send(self, message: Any) -> None:
        """Send `message`, never waiting; one that is not there hears nothing."""
        if self._outbox is not None:
            self._outbox.send(message)

    def watch(self, now_s: float) -> None:
        """Kill the child when it shows no progress for longer than its patience, and note its memory."""
        if not self.alive or self._process is None:
            return
        with contextlib.suppress(psutil.Error):
            self.rss_mb = max(self.rss_mb, psutil.Process(self._process.pid).memory_info().rss / 1e6)
        patience_s = self.role.patience_s if self.pulsed else self.role.first_patience_s
        if now_s - self._moved_s > patience_s:
            self._process.kill()
            self.log(self.role.name, f"no progress for {patience_s:g} s: killed")

    async def stop(self) -> None:
        """Ask it to end, wait STOP_S, then end it; hear what it said last."""
        self._closing = True
        if self._again:
            self._again.cancel()
            self._again = None
        process, reader = self._process, self._reader
        if process is None:
            return
        self.send(Stop())
        await _until(lambda: not process.is_alive(), STOP_S)
        if process.is_alive():
            process.kill()
            self.log(self.role.name, f"did not end in {STOP_S:g} s: killed")
            await _until(lambda: not process.is_alive(), 1.0)
        await _until(lambda: reader is None or not reader.is_alive(), 1.0)
        await asyncio.sleep(0)
        self._leave()

    def reopen(self) -> None:
        """After `stop`: start it with what its setup says now."""
        self._closing = False
        self._pause_s = 0.0
        self._keep_count()
        self.start()

    def _take(self, process: BaseProcess, message: Any) -> None:
        """What `process` said; the pulse of one that has ended says nothing of the one there is."""
        if isinstance(message, Pulse) and process is self._process:
            if message.progress > self._progress:
                self._progress, self._moved_s, self.pulsed = message.progress, time.monotonic(), True
                if self._down_since_s is not None:
                    self.down_s += time.monotonic() - self._down_since_s
                    self._down_since_s = None
            self._figures = message.figures
        self.heard(message)

    def _died(self) -> None:
        process = self._process
        if process is None or process.is_alive():
            return
        self.last_code, self.last_progress = process.exitcode, self._progress
        if self._closing:
            asyncio.get_running_loop().remove_reader(process.sentinel)
            return
        self._leave()
        now_s = time.monotonic()
        if self.pulsed:
            self._down_since_s = now_s
        wanted = self.last_code in self.role.wants_restart
        if wanted or now_s - self._began_s > WELL_AFTER_S:
            self._pause_s = 0.0
        self.restarts += 1
        self._keep_count()
        pause_s = self._later()
        if not wanted:
            self.log(self.role.name, f"died ({_cause(self.last_code)}); starting again in {pause_s:g} s")

    def _later(self) -> float:
        """Start again after a pause, which grows; the pause."""
        pause_s = self._pause_s
        self._again = asyncio.get_running_loop().call_later(pause_s, self.start)
        self._pause_s = min(LONGEST_PAUSE_S, max(0.5, pause_s * 2.0))
        return pause_s

    def _keep_count(self) -> None:
        """What the one that ended has counted."""
        self._past.update({key: int(self._figures[key]) for key in COUNTED if key in self._figures})
        self._figures = {key: value for key, value in self._figures.items() if key not in COUNTED}

    def _leave(self) -> None:
        if self._process is not None:
            asyncio.get_running_loop().remove_reader(self._process.sentinel)
        if self._outbox is not None:
            self._outbox.close()
            self._outbox = None
        self._process = None


async def _until(happened: Callable[[], bool], seconds: float) -> None:
    until_s = time.monotonic() + seconds
    while not happened() and time.monotonic() < until_s:
        await asyncio.sleep(0.01)


def _cause(code: int | None) -> str:
    return f"signal {signal.Signals(-code).name}" if code is not None and code < 0 else f"exit code {code}"


def _read(connection: Connection, loop: asyncio.AbstractEventLoop, take: Callable[[Any], None]) -> None:
    """The hearing thread: ends when the child's end is closed."""
    with contextlib.suppress(EOFError, OSError, RuntimeError):
        while True:
            loop.call_soon_threadsafe(take, connection.recv())


@contextlib.contextmanager
def _signals_held() -> Any:
    """While a child is started signals wait: none is lost, and the child inherits them held, until `follow_parent`."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
