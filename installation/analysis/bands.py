"""Level in eight bands of equal width in octaves, 40 Hz to 16 kHz."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from installation.analysis.spectrum import FFT
from installation.track import BANDS

Doubles = npt.NDArray[np.float64]

LOW_HZ, HIGH_HZ = 40.0, 16_000.0
FLOOR_DB = -70.0
HANN_NOISE_BINS = 1.5
"""Equivalent noise bandwidth of the Hann window: what a sine's power adds up to over its bins."""


def edges_hz() -> Doubles:
    """The nine edges of the eight bands."""
    return np.asarray(np.geomspace(LOW_HZ, HIGH_HZ, BANDS + 1))


def weights(sample_rate_hz: int) -> Doubles:
    """How much of each bin's power lies in each band, (FFT // 2 + 1, BANDS): a bin is as wide as the bins are apart,
    so a band narrower than a bin still gets its share."""
    width = sample_rate_hz / FFT
    centre = np.arange(FFT // 2 + 1)[:, None] * width
    edges = edges_hz()
    overlap = np.minimum(centre + width / 2, edges[1:]) - np.maximum(centre - width / 2, edges[:-1])
    return np.asarray(np.clip(overlap / width, 0.0, 1.0))


def levels(magnitudes: Doubles, weights: Doubles) -> Doubles:
    """Level of each band, (BANDS,): 0 at -70 dB and less, 1 for a full-scale sine in the band, straight in dB."""
    power = (magnitudes**2) @ weights / HANN_NOISE_BINS
    level_db = 10 * np.log10(np.maximum(power, 1e-12))
    return np.asarray(np.clip(1 - level_db / FLOOR_DB, 0.0, 1.0))
