"""The short-time spectrum everything else is heard from: FFT 2048, Hann, one each 512 samples."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from installation.track import SPECTRUM_BINS

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

FFT = 2048
HOP = 512
LOUDEST = 8.0
"""Samples beyond are faults of their maker and clipped, so that nothing overflows."""
FLOOR_DB = -90.0
LIBROSA_GAIN = (FFT / 4) ** 2
"""librosa's power over ours: it leaves the window as it is, whose sum is FFT / 2."""
LIBROSA_AMIN = 1e-10
"""The least power librosa takes a logarithm of."""


@cache
def hann() -> Doubles:
    """The periodic Hann window, (FFT,), scaled so that a sine of amplitude 1 on a bin has magnitude 1."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FFT) / FFT)
    return np.asarray(window * (2.0 / window.sum()))


def magnitude(samples: npt.ArrayLike) -> Doubles:
    """Magnitudes of the last FFT samples, (FFT // 2 + 1,): 1 is a full-scale sine; bin n lies at n * rate / FFT Hz."""
    return np.asarray(np.abs(np.fft.rfft(np.asarray(samples, np.float64) * hann())))


def level_db(power: Doubles) -> Doubles:
    """Levels of bins, 0 for a full-scale sine, none below librosa's least."""
    return np.asarray(10 * np.log10(np.maximum(power, LIBROSA_AMIN / LIBROSA_GAIN)))


def shown(levels_db: Doubles) -> Floats:
    """The first SPECTRUM_BINS bins for the eye, (512,): -90 dB and less is 0, a full-scale sine is 1, straight in dB.

    Linear in frequency, as a Shadertoy or ISF spectrum is (up to 11 kHz at 44.1 kHz, 12 kHz at 48 kHz); a shader that
    wants octaves bends its own axis. For octaves as numbers there are the bands."""
    return np.asarray(np.minimum(np.maximum(1 - levels_db[:SPECTRUM_BINS] / FLOOR_DB, 0.0), 1.0), np.float32)
