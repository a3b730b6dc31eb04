"""Looks now and then whether something native is there again, in a process that may hang or crash without harm."""

from __future__ import annotations

import subprocess
import sys

FIRST_S = 0.5
LONGEST_S = 10.0
DEADLINE_S = 8.0


class Probe:
    """Runs `installation` with `words` from time to time, soon at first and then every LONGEST_S; exit code 0 means it
    is there. One that hangs ends itself after DEADLINE_S (see `limit`)."""

    def __init__(self, words: tuple[str, ...], now_s: float) -> None:
        self._order = [sys.executable, "-m", "installation", *words]
        self._process: subprocess.Popen[bytes] | None = None
        self._pause_s = FIRST_S
        self._due_s = now_s + FIRST_S

    def found(self, now_s: float) -> bool:
        """Whether it is there; asked as often as one likes, never waits."""
        if self._process is None:
            if now_s >= self._due_s:
                quiet = subprocess.DEVNULL
                self._process = subprocess.Popen(self._order, stdin=quiet, stdout=quiet, stderr=quiet)
                self._due_s = now_s
            return False
        code = self._process.poll()
        if code is None:
            if now_s - self._due_s > DEADLINE_S + 2.0:
                self._process.kill()
            return False
        self._process = None
        self._pause_s = min(LONGEST_S, self._pause_s * 2.0)
        self._due_s = now_s + self._pause_s
        return code == 0

    def close(self) -> None:
        """End a look under way."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def limit() -> None:
    """In the process that looks: end it after DEADLINE_S, whatever it hangs in."""
    import signal

    if hasattr(signal, "alarm"):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(int(DEADLINE_S))
