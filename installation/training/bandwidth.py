"""Up to which frequency a recording holds anything: one that was an MP3, or was made at a lower rate, ends early."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

WINDOW = 4096
MOST_FRAMES = 2_000
"""Spread over the recording."""
SILENT_DB = -90.0
"""Of the recording's loudest bin, as it is on average: what is quieter counts as nothing."""


def highest_hz(sound: Samples, sample_rate_hz: int) -> float:
    """The highest frequency of its average spectrum that is above SILENT_DB; 0 for silence."""
    if len(sound) < WINDOW:
        sound = np.pad(sound, (0, WINDOW - len(sound)))
    frames = np.lib.stride_tricks.sliding_window_view(sound, WINDOW)[:: WINDOW // 2]
    chosen = frames[:: max(1, -(-len(frames) // MOST_FRAMES))]
    power = sum(
        np.square(np.abs(np.fft.rfft(part * np.blackman(WINDOW)))).sum(0) for part in np.array_split(chosen, 16)
    )
    if not np.max(power) > 0.0:
        return 0.0
    heard = np.flatnonzero(power > np.max(power) * 10.0 ** (SILENT_DB / 10.0))
    return float(heard[-1] * sample_rate_hz / WINDOW)
