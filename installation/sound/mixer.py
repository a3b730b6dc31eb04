"""Model channels to card channels: gain, pan and every fade, as straight ramps no shorter than FADE_S."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

FADE_S = 0.020
"""Any change of gain takes this long: at start, at stop, on mute, on a turned knob."""


def pan_gains(pan: float, channels_in: int, channels_out: int) -> Floats:
    """Gain from each model channel to each card channel, (channels_in, channels_out); `pan` -1..1.

    Constant power (sine and cosine law) from mono to stereo; balance from stereo to stereo; card channels beyond the
    second get what the first two get in turn.
    """
    angle = (min(1.0, max(-1.0, pan)) + 1.0) * math.pi / 4.0
    left, right = math.cos(angle), math.sin(angle)
    gains = np.zeros((channels_in, channels_out), np.float32)
    for out in range(channels_out):
        side = left if out % 2 == 0 else right
        if channels_out == 1:
            gains[:, 0] = 1.0 / channels_in
        elif channels_in == 1:
            gains[0, out] = side
        else:
            gains[out % channels_in, out] = min(1.0, side * math.sqrt(2.0))
    return gains


def wide_gains(pan: float, channels_out: int) -> Floats:
    """Gain from the two sides of a mono model to each card channel, (2, channels_out): where both sides are alike, what
    `pan_gains` makes of one."""
    mono = pan_gains(pan, 1, channels_out)[0]
    gains = np.zeros((2, channels_out), np.float32)
    for out in range(channels_out):
        gains[out % 2, out] = mono[out]
    return gains


def decibels(gain_db: float) -> float:
    """Linear gain of `gain_db`."""
    return float(10.0 ** (gain_db / 20.0))


class Mixer:
    """Applies a matrix of gains, gliding from the one before. Its state is that matrix; it starts in silence."""

    def __init__(self, channels_in: int, channels_out: int, sample_rate_hz: int) -> None:
        self.channels_in = channels_in
        self.channels_out = channels_out
        self._ramp = np.linspace(0.0, 1.0, max(2, int(FADE_S * sample_rate_hz)), dtype=np.float32)[:, None, None]

    def start(self) -> Floats:
        """Silence: what is mixed first fades in."""
        return np.zeros((self.channels_in, self.channels_out), np.float32)

    def mix(self, sound: Floats, target: Floats, state: Floats) -> tuple[Floats, Floats]:
        """`sound` (samples, channels_in) → (samples, channels_out), and the gains it ended on.

        A block shorter than the fade takes the gains only as far as it goes; the next one goes on.
        """
        if np.array_equal(target, state):
            return sound @ target, state
        count = len(sound)
        length = min(count, len(self._ramp))
        out = sound @ target
        gains = state + (target - state) * self._ramp[:length]
        out[:length] = np.einsum("si,sio->so", sound[:length], gains)
        return out, (target if length == len(self._ramp) else gains[-1])
