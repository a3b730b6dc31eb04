"""A click each second, to set picture against sound by: the same samples at the same positions, however it is cut."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

LEVEL = 0.5
PITCH_HZ = 2000.0
LENGTH_S = 0.02


@cache
def click(sample_rate_hz: int) -> Floats:
    """One click, (samples,): a cosine that is loudest with its first sample and has died away after LENGTH_S."""
    time_s = np.arange(round(LENGTH_S * sample_rate_hz)) / sample_rate_hz
    return (LEVEL * np.cos(2 * np.pi * PITCH_HZ * time_s) * np.exp(-time_s * 6.9 / LENGTH_S)).astype(np.float32)


def clicks(begin: int, count: int, sample_rate_hz: int, channels: int) -> Floats:
    """The `count` samples from position `begin` on, (count, channels): a click at each whole second, else silence."""
    one = click(sample_rate_hz)
    place = np.arange(begin, begin + count) % sample_rate_hz
    mono = np.where(place < len(one), one[np.minimum(place, len(one) - 1)], 0.0).astype(np.float32)
    return np.repeat(mono[:, None], channels, axis=1)
