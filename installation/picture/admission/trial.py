"""Shaders tried before they are shown, in a throw-away process: nothing an author writes can hang or crash the stage.

Nothing here waits. The last good picture goes on while a trial runs, which takes about as long as Python and OpenGL
take to start; one that hangs is killed. What is drawn in that process, and how, is in `rehearsal`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from installation.picture.admission import waiting
from installation.picture.admission.verdict import CAUSES, CRASHES, HANGS, UNTRIED, Verdict

DEADLINE_S = 8.0
"""For compiling and drawing, on a machine that has time for it; a software renderer compiles a hard shader for seconds
the first time. Time in which it was not let run is not counted, up to BUSY times as much."""
BUSY = 4.0
OPENING_S = 30.0
"""For Python and OpenGL to start: if they don't, that is not the shader's."""
FRAME_S = 1.5
NICER = 5
"""How much nicer than its parent a trial is."""
BYTES_AT_MOST = 1 << 20
LINE_AT_MOST = 8192
CHATTER_AT_MOST = 400
ORDER = ("-m", "installation.picture.admission.rehearsal")
"""What Python runs."""


class Trial:
    """The shader in `path` drawn at `size` (width, height) px in a process of its own. It hangs if it takes longer
    than `deadline_s`, or one frame longer than `frame_s`. `now_s` is any clock that only goes forward."""

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        now_s: float,
        deadline_s: float = DEADLINE_S,
        frame_s: float = FRAME_S,
    ) -> None:
        self.path, self._deadline_s, self._begun_s = path, deadline_s, now_s
        self._waited: dict[int, float] = {}
        words = [str(os.getpid()), *map(str, size), str(BUSY * deadline_s), str(frame_s), str(path)]
        self._verdict: Verdict | None = None
        self._renderer: str | None = None
        self._unread, self._read, self._chatter = b"", 0, ""
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._process = _started(words)
        except OSError as error:
            self._verdict = Verdict(UNTRIED, f"{path.name}: can't be tried: {error}")

    @property
    def gone(self) -> bool:
        """Whether its process has ended."""
        return self._process is None or self._process.poll() is not None

    def poll(self, now_s: float) -> Verdict | None:
        """The verdict, once there is one; asked as often as one likes, never waits."""
        if self._verdict is None:
            gone = self.gone  # asked first: what it said before it ended is read after
            said = self._hear(now_s)
            self._verdict = said or (self._end(now_s) if gone else self._late(now_s))
            if self._verdict is not None:
                self.kill()
        return self._verdict

    def kill(self) -> None:
        """End its process, without waiting until it has."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()

    def close(self, patience_s: float = 0.5) -> None:
        """End its process and let go of it; one that hangs in a driver is waited for no longer than `patience_s`."""
        self.kill()
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(patience_s)
            if self._process.stdout:
                self._process.stdout.close()

    def _hear(self, now_s: float) -> Verdict | None:
        """What the process has said since, as a verdict if it is one."""
        for line in self._lines():
            message = _message(line)
            if message is None:
                self._chatter = (self._chatter + " " + line.decode("utf-8", "replace").strip())[-CHATTER_AT_MOST:]
            elif isinstance(message.get("opened"), str):
                self._renderer, self._begun_s = str(message["opened"])[:200], now_s
                self._waited = waiting.waited(self._process.pid) if self._process else {}
            elif message.get("cause") in CAUSES:
                line_ = message.get("line")
                number = line_ if type(line_) is int else None
                sentence, moves = str(message.get("sentence", "")), bool(message.get("moves", True))
                return self._judged(str(message["cause"]), sentence, now_s, number, moves)
        if self._read > BYTES_AT_MOST:
            return self._judged(CRASHES, f"{self.path.name}: said more than {BYTES_AT_MOST} bytes", now_s)
        return None

    def _lines(self) -> list[bytes]:
        """Whole lines that came; never waits, and reads no more than there was room for."""
        if self._process is None or self._process.stdout is None:
            return []
        try:
            found = os.read(self._process.stdout.fileno(), 65536)
        except BlockingIOError:
            return []
        self._read += len(found)
        *lines, rest = (self._unread + found).split(b"\n")
        self._unread = rest[-LINE_AT_MOST:]
        return [line for line in lines if line.strip()]

    def _late(self, now_s: float) -> Verdict | None:
        """The verdict on one that still runs: it hangs, once its time is up."""
        seconds = now_s - self._begun_s
        if self._renderer is None:
            late = seconds > OPENING_S
            return (
                self._judged(UNTRIED, f"{self.path.name}: no trial began in {OPENING_S:g} s", now_s) if late else None
            )
        if seconds <= self._deadline_s:
            return None
        if self._process is not None and seconds < BUSY * self._deadline_s:
            seconds -= waiting.between(self._waited, waiting.waited(self._process.pid))
            if seconds <= self._deadline_s:
                return None
        sentence = f"{self.path.name}: was not compiled and drawn in {self._deadline_s:g} s"
        return self._judged(HANGS, sentence, now_s)

    def _end(self, now_s: float) -> Verdict:
        """The verdict on one that ended without giving any."""
        code = self._process.returncode if self._process is not None else None
        if code == -signal.SIGALRM:
            return self._judged(HANGS, f"{self.path.name}: was not compiled and drawn in {self._deadline_s:g} s", now_s)
        how = f"signal {signal.Signals(-code).name}" if code is not None and code < 0 else f"exit code {code}"
        if self._renderer is None:
            return self._judged(UNTRIED, f"{self.path.name}: can't be tried ({how}) {self._chatter}".strip(), now_s)
        return self._judged(CRASHES, f"{self.path.name}: the trial died ({how}) {self._chatter}".strip(), now_s)

    def _judged(self, cause: str, sentence: str, now_s: float, line: int | None = None, moves: bool = True) -> Verdict:
        return Verdict(cause, sentence, line, now_s - self._begun_s, self._renderer or "", moves)


def _started(words: list[str]) -> subprocess.Popen[bytes]:
    """The process, in a group of its own: a ^C in the terminal is not the shader's doing. Not in a session of its own,
    for Linux gives each as much of the processor as the whole show, however nice."""
    process = subprocess.Popen(
        [sys.executable, *ORDER, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        process_group=0,
    )
    if process.stdout is not None:
        os.set_blocking(process.stdout.fileno(), False)
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, process.pid, min(19, os.getpriority(os.PRIO_PROCESS, 0) + NICER))
    return process


def _message(line: bytes) -> dict[str, Any] | None:
    """What a line says, if it is one of ours."""
    if not line.startswith(b"{"):
        return None
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None
