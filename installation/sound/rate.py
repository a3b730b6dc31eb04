"""From the model's sample rate to the card's, when they differ: a polyphase windowed-sinc filter whose state is plain.

A library resampler hides its state, and what is hidden can't be wound back when a knob is turned; hence this one.
Kaiser-windowed sinc (Smith, *Digital Audio Resampling*), 48 taps a phase: pass band flat to 0.1 dB up to 0.9 of the
lower Nyquist frequency, images and aliases at least 80 dB down beyond 1.1 of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, gcd

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

TAPS = 48
NEARLY = 0.1
"""A rate so little higher than what it becomes needs no longer filter: what a detuned model asks for."""
_BETA = 8.6


@dataclass(frozen=True)
class RateState:
    """The last samples that came in, and where between them the next one out lies, in units of 1/up of a sample."""

    past: Floats
    phase: int


class RateChanger:
    """`from_hz` → `to_hz` for (samples, channels). When they are equal it is a pass-through, or if it is `steady` a
    delay as long as any other's, so that the rate can be turned without a seam."""

    def __init__(self, from_hz: int, to_hz: int, channels: int, steady: bool = False) -> None:
        common = gcd(from_hz, to_hz)
        self.up, self.down = to_hz // common, from_hz // common
        self.channels = channels
        self.idle = self.up == self.down
        self._steady = steady
        self._taps = TAPS * max(1, ceil(self.down / self.up - NEARLY))
        if self.idle:
            return
        cutoff = min(1.0, self.up / self.down)
        offsets = np.arange(self._taps) - (self._taps / 2 - 1)
        distance = offsets[None, :] - np.arange(self.up)[:, None] / self.up
        reach = self._taps / 2
        window = np.i0(_BETA * np.sqrt(np.clip(1.0 - (distance / reach) ** 2, 0.0, 1.0))) / np.i0(_BETA)
        phases = cutoff * np.sinc(cutoff * distance) * window
        self._phases = (phases / phases.sum(axis=1, keepdims=True)).astype(np.float32)

    @property
    def latency(self) -> float:
        """Delay in samples at the rate that comes in."""
        return 0.0 if self.idle and not self._steady else self._taps / 2

    def start(self) -> RateState:
        """The state of one that has heard nothing."""
        return RateState(np.zeros((self._taps - 1, self.channels), np.float32), 0)

    def carried(self, state: RateState, to: RateChanger) -> RateState:
        """`state` for another changer `to` that goes on with the same sound."""
        past = np.zeros((to._taps - 1, self.channels), np.float32)
        kept = min(len(past), len(state.past))
        past[-kept:] = state.past[-kept:]
        return RateState(past, round(state.phase / self.up * to.up))

    def change(self, sound: Floats, state: RateState) -> tuple[Floats, RateState]:
        """All samples out that `sound` (samples, channels) completes, and the next state."""
        line = np.concatenate([state.past, sound])
        if self.idle:
            first = self._taps // 2 - 1 if self._steady else self._taps - 1
            return line[first : first + len(sound)], RateState(line[len(sound) :], 0)
        count = max(0, -(-(len(sound) * self.up - state.phase) // self.down))
        ticks = state.phase + np.arange(count) * self.down
        places, phases = ticks // self.up, ticks % self.up
        windows = np.lib.stride_tricks.sliding_window_view(line, self._taps, axis=0)
        out = np.einsum("nct,nt->nc", windows[places], self._phases[phases])
        next_phase = state.phase + count * self.down - len(sound) * self.up
        return np.ascontiguousarray(out, np.float32), RateState(line[len(sound) :], next_phase)
