"""The room that the synthesised instruments are played in: its echo, its noise floor, the level of the recording."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

SEED = 7
"""Names the room: there is one, for all of a family's recordings."""
TAIL_S = 0.7
TAIL_DB = -26.0
REFLECTIONS = ((0.007, 0.18), (0.011, 0.13), (0.017, 0.11), (0.023, 0.08), (0.031, 0.06))
"""Delays in seconds and levels."""
PEAK_DB = -3.0
FLOOR_DB = -68.0
"""Level (RMS) of white noise under everything, as a recording has. Most bins of a spectrogram hold nothing else, so
what a model makes of the floor is most of its spectral distance; digital silence would make it no smaller."""


def response(sample_rate_hz: int, rng: np.random.Generator) -> Samples:
    """Impulse response of a small bright room: five early reflections and a tail TAIL_DB under the sound."""
    count = int(TAIL_S * sample_rate_hz)
    tail = rng.standard_normal(count) * np.exp(-6.91 * np.arange(count) / count)
    tail = np.convolve(tail, np.ones(6) / 6.0, mode="same")
    tail *= 10.0 ** (TAIL_DB / 20.0) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    for delay_s, level in REFLECTIONS:
        tail[int(delay_s * sample_rate_hz)] += level
    return tail.astype(np.float32)


def record(dry: Samples, count: int, sample_rate_hz: int, rng: np.random.Generator) -> Samples:
    """The first `count` samples of `dry` as they are recorded in the room: peak at PEAK_DB, the floor under them."""
    wet = _convolve(dry, response(sample_rate_hz, np.random.default_rng(SEED)))[:count]
    wet *= 10.0 ** (PEAK_DB / 20.0) / max(1e-9, float(np.abs(wet).max()))
    wet += 10.0 ** (FLOOR_DB / 20.0) * rng.standard_normal(count, dtype=np.float32)
    return wet


def _convolve(sound: Samples, heard: Samples) -> Samples:
    size = 1 << (len(sound) + len(heard) - 2).bit_length()
    product = np.fft.rfft(sound, size) * np.fft.rfft(heard, size)
    return np.fft.irfft(product, size)[: len(sound)].astype(np.float32)
