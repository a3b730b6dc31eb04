"""What a model makes on its way to a file: through the voice's own guard, on time, in blocks of any length."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from installation.errors import RenderError
from installation.sound.guard import LOUDEST, SUB_BLOCK, Guard

Floats = npt.NDArray[np.float32]

MOST = 1 << 16
"""Samples given to the guard at once."""


class Outlet:
    """Keeps DC and peaks above the ceiling from a file of `channels` at `sample_rate_hz`."""

    def __init__(self, channels: int, sample_rate_hz: int) -> None:
        self._guard = Guard(channels, sample_rate_hz)
        self._state = self._guard.start()
        self._waiting = np.zeros((0, channels), np.float32)
        self._late = self._guard.latency

    def push(self, sound: Floats) -> Floats:
        """What can leave now that `sound` (samples, channels) came, on time with all that left before.
        RenderError if any of it is no sound."""
        line = np.concatenate([self._waiting, sound])
        whole = len(line) // SUB_BLOCK * SUB_BLOCK
        self._waiting = line[whole:]
        made = [self._waiting[:0]]
        for begin in range(0, whole, MOST):
            safe, self._state, sane = self._guard.process(line[begin : min(begin + MOST, whole)], self._state)
            if not sane:
                raise RenderError(f"the model made what is no sound: not a number, infinite or beyond ±{LOUDEST:g}")
            made.append(safe)
        out = np.concatenate(made)
        first = min(self._late, len(out))
        self._late -= first
        return out[first:]

    def end(self) -> Floats:
        """What has not left yet."""
        left = self._guard.latency - self._late + len(self._waiting)
        silence = np.zeros((self._guard.latency + SUB_BLOCK, self._waiting.shape[1]), np.float32)
        return self.push(silence)[:left]


def let_out(sound: Floats, sample_rate_hz: int) -> Floats:
    """All of a `sound` (samples, channels) at once."""
    outlet = Outlet(sound.shape[1], sample_rate_hz)
    return np.concatenate([outlet.push(sound), outlet.end()])
