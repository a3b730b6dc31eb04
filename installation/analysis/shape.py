"""The shape of a spectrum in a few numbers, by librosa's definitions."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from installation.analysis import bands
from installation.analysis.spectrum import FFT, LIBROSA_AMIN, LIBROSA_GAIN

Doubles = npt.NDArray[np.float64]

ROLLOFF = 0.85


@dataclass(frozen=True)
class Shape:
    """Centre of gravity and spread around it, of magnitude; where 85 % of it lies below; flatness 0..1, of power."""

    centroid_hz: float = 0.0
    spread_hz: float = 0.0
    rolloff_hz: float = 0.0
    flatness: float = 0.0

    @property
    def centroid(self) -> float:
        """The centroid as a position 0..1 between 40 Hz and 16 kHz in octaves."""
        octaves = math.log2(max(self.centroid_hz, bands.LOW_HZ) / bands.LOW_HZ)
        return min(1.0, octaves / math.log2(bands.HIGH_HZ / bands.LOW_HZ))


class Shapes:
    """What shapes spectra have at one sample rate."""

    def __init__(self, sample_rate_hz: int) -> None:
        self._width_hz = sample_rate_hz / FFT
        bins = np.arange(FFT // 2 + 1, dtype=np.float64)
        self._moments: Doubles = np.stack([np.ones_like(bins), bins, bins**2])

    def of(self, magnitudes: Doubles, levels_db: Doubles) -> Shape:
        """The shape of `magnitudes` and their `levels_db`, (FFT // 2 + 1,) each; of nothing, zeros."""
        total, first, second = (self._moments @ magnitudes).tolist()
        if total <= 0.0:
            return Shape()
        centre = first / total
        spread = math.sqrt(max(0.0, second / total - centre**2))
        below = float(np.searchsorted(np.cumsum(magnitudes), ROLLOFF * total))
        width_hz, power = self._width_hz, float(magnitudes @ magnitudes)
        return Shape(centre * width_hz, spread * width_hz, below * width_hz, flatness(power, levels_db))


def flatness(power: float, levels_db: Doubles) -> float:
    """Geometric over arithmetic mean of power, `power` in all: 1 where all bins are the same. `levels_db` are not below
    librosa's 1e-10, nor is the mean."""
    mean = max(power / len(levels_db), LIBROSA_AMIN / LIBROSA_GAIN)
    return min(1.0, 10 ** (float(levels_db.sum()) / len(levels_db) / 10) / mean)


def flux(magnitudes: Doubles, before: Doubles) -> float:
    """What of a spectrum is new: sum of max(0, now - before) over sum of now. 0..1; 1 out of silence."""
    total = float(magnitudes.sum())
    return float(np.maximum(magnitudes - before, 0.0).sum()) / total if total > 0 else 0.0
