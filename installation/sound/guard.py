"""What stands between any model and the room: no DC, nothing above the ceiling, nothing that is not a number.

The limiter looks ahead: gain is a minimum over sub-blocks of 32 samples, held and averaged so that it has arrived
before the peak does, and let go exponentially. Peaks are true peaks, the maximum of the sound oversampled four times
(ITU-R BS.1770-5, Annex 2). Everything it remembers is in its state, so any block can be made again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

CEILING_DB = -1.0
"""dBFS true peak."""
SUB_BLOCK = 32
LOOK_AHEAD = 4
"""Sub-blocks between a sample's arrival and its departure: 2.7 ms at 48 kHz."""
RELEASE_S = 0.08
DC_HZ = 8.0
LOUDEST = 1e4
"""What is beyond, infinite or not a number is no sound."""
_TAPS = 16
_PHASES = 4


def _oversampling() -> Doubles:
    """Windowed-sinc interpolator, (phases, taps): quarter-sample positions between the two middle taps."""
    offsets = np.arange(_TAPS) - (_TAPS / 2 - 1)
    phases = []
    for phase in range(1, _PHASES):
        distance = offsets - phase / _PHASES
        window = 0.5 + 0.5 * np.cos(math.pi * distance / (_TAPS / 2))
        phases.append(np.sinc(distance) * window)
    return np.array(phases)


@dataclass(frozen=True)
class GuardState:
    """What the guard remembers: DC filter, samples not yet let out, gains decided for them."""

    previous_in: Doubles
    previous_out: Doubles
    delayed: Floats
    needed: Doubles
    held: Doubles
    released: float
    gain: float
    last: Floats


class Guard:
    """DC block, NaN stop and look-ahead limiter for (samples, channels); delays by `latency` samples."""

    latency = SUB_BLOCK * (LOOK_AHEAD + 1)

    def __init__(self, channels: int, sample_rate_hz: int) -> None:
        self.channels = channels
        self._ceiling = 10.0 ** (CEILING_DB / 20.0)
        self._pole = 1.0 - 2.0 * math.pi * DC_HZ / sample_rate_hz
        self._recovery = 1.0 - math.exp(-SUB_BLOCK / (RELEASE_S * sample_rate_hz))
        self._decay = np.exp(-np.arange(1, 65537) / (0.004 * sample_rate_hz)).astype(np.float32)[:, None]
        self._filters = _oversampling()

    def start(self) -> GuardState:
        """The state of a guard that has heard nothing."""
        nothing = np.zeros(self.channels)
        return GuardState(
            previous_in=nothing,
            previous_out=nothing,
            delayed=np.zeros((self.latency, self.channels), np.float32),
            needed=np.ones(LOOK_AHEAD + 1),
            held=np.ones(LOOK_AHEAD),
            released=1.0,
            gain=1.0,
            last=np.zeros(self.channels, np.float32),
        )

    def process(self, sound: Floats, state: GuardState) -> tuple[Floats, GuardState, bool]:
        """`sound` (samples, channels), samples a multiple of SUB_BLOCK → as many safe samples, the next state, and
        whether the sound was whole: a block with a NaN or infinity becomes the dying away of the sample before it."""
        whole = bool((np.abs(sound) < LOUDEST).all())
        if not whole:
            sound = state.last * self._decay[: len(sound)]
        state = replace(state, last=sound[-1].copy())
        clean, previous_in, previous_out = self._block_dc(sound, state)
        line = np.concatenate([state.delayed, clean])
        needed = np.concatenate([state.needed, self._needed(line, len(sound))])
        gains, held, released = self._gains(needed, state)
        out = line[: len(sound)] * self._interpolated(state.gain, gains)
        return (
            out.astype(np.float32),
            replace(
                state,
                previous_in=previous_in,
                previous_out=previous_out,
                delayed=line[len(sound) :],
                needed=needed[-(LOOK_AHEAD + 1) :],
                held=held,
                released=released,
                gain=float(gains[-1]),
            ),
            whole,
        )

    def _block_dc(self, sound: Floats, state: GuardState) -> tuple[Floats, Doubles, Doubles]:
        """One-pole DC block y[n] = x[n] - x[n-1] + r y[n-1], in closed form over stretches short enough for r^-n."""
        out = np.empty_like(sound)
        before, after = state.previous_in, state.previous_out
        for begin in range(0, len(sound), 1024):
            stretch = sound[begin : begin + 1024].astype(np.float64)
            powers = self._pole ** np.arange(len(stretch))[:, None]
            steps = np.diff(stretch, axis=0, prepend=before[None, :])
            filtered = powers * (np.cumsum(steps / powers, axis=0) + self._pole * after)
            out[begin : begin + 1024] = filtered
            before, after = stretch[-1], filtered[-1]
        return out, before, after

    def _needed(self, line: Floats, count: int) -> Doubles:
        """Gain each new sub-block needs to stay under the ceiling, judged with the samples around it.

        The interpolator needs samples on both sides, so the sub-block judged is the one before the newest: `line` ends
        with the `count` new samples, and the judged stretch ends SUB_BLOCK earlier.
        """
        end = len(line) - SUB_BLOCK
        start = end - count
        half = _TAPS // 2
        around = line[start - half + 1 : end + half]
        peak = np.abs(line[start:end]).max(axis=1)
        for channel in range(self.channels):
            for taps in self._filters:
                between = np.convolve(around[:, channel], taps[::-1], mode="valid")
                np.maximum(peak, np.abs(between[:count]), out=peak)
        peaks = peak.reshape(-1, SUB_BLOCK).max(axis=1).astype(np.float64)
        return np.asarray(np.minimum(1.0, self._ceiling / np.maximum(peaks, 1e-9)))

    def _gains(self, needed: Doubles, state: GuardState) -> tuple[Doubles, Doubles, float]:
        """Gain at the end of each sub-block that leaves now: minimum over the look-ahead, exponential release, mean."""
        count = len(needed) - (LOOK_AHEAD + 1)
        windows = np.lib.stride_tricks.sliding_window_view(needed, LOOK_AHEAD + 1)[1:]
        floors = windows.min(axis=1)
        released = state.released
        line = np.empty(count)
        for index in range(count):
            released = min(float(floors[index]), released + (1.0 - released) * self._recovery)
            line[index] = released
        held = np.concatenate([state.held, line])
        means = np.lib.stride_tricks.sliding_window_view(held, LOOK_AHEAD).mean(axis=1)[1:]
        return means, held[-LOOK_AHEAD:], released

    def _interpolated(self, before: float, gains: Doubles) -> Doubles:
        """Straight lines between the gains at the ends of sub-blocks, (samples, 1)."""
        ends = np.concatenate([[before], gains])
        fraction = (np.arange(SUB_BLOCK) + 1.0) / SUB_BLOCK
        return (ends[:-1, None] + np.diff(ends)[:, None] * fraction).reshape(-1, 1)
