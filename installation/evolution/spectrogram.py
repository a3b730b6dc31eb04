"""A sound as a picture: level over time and logarithmic frequency. Numpy only."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

WINDOW_S = 0.043
HOP_S = 0.006
ROWS = 220
LOWEST_HZ = 50.0
FLOOR_DB = -75.0


def frequencies_hz(sample_rate_hz: int, rows: int = ROWS) -> npt.NDArray[np.float64]:
    """The frequency of each row, the lowest first, equal steps in octaves up to half the sample rate, (rows,)."""
    return np.geomspace(LOWEST_HZ, sample_rate_hz / 2.0, rows)


def spectrogram(sound: Floats, sample_rate_hz: int, rows: int = ROWS) -> Floats:
    """`sound` (samples,) → level in dB against its loudest place, not below FLOOR_DB, (rows, hops), the lowest
    frequency first; a Hann window of 43 ms each 6 ms. A row holds the loudest bin between it and the next, so no
    partial is lost. Silence is FLOOR_DB all over."""
    window = max(2, round(WINDOW_S * sample_rate_hz))
    hop = max(1, round(HOP_S * sample_rate_hz))
    padded = np.pad(np.asarray(sound, np.float64), window // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    length = 4 * window
    magnitude = np.abs(np.fft.rfft(frames * np.hanning(window), length, axis=1)).T
    edges_hz = np.append(frequencies_hz(sample_rate_hz, rows), sample_rate_hz / 2.0)
    bins = np.clip(np.round(edges_hz * length / sample_rate_hz).astype(int), 0, length // 2)
    levels = np.stack([magnitude[low : max(low + 1, high)].max(axis=0) for low, high in pairwise(bins)])
    level_db = 20.0 * np.log10(np.maximum(levels / max(1e-6, float(levels.max())), 1e-9))
    return np.asarray(np.maximum(level_db, FLOOR_DB), np.float32)
