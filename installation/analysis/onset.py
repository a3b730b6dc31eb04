"""Onsets: when something new is struck.

Strength after librosa's `onset_strength` (Böck & Widmer's spectral flux on a log-mel spectrum): the mean over mel bands
of max(0, S[t] - S[t-1]) in dB. An onset is where the strength rises through an adaptive threshold and the last is
long enough ago; what is heard is an envelope that jumps there and decays.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from installation.analysis.spectrum import FFT

Doubles = npt.NDArray[np.float64]

MELS = 40
LOW_HZ, HIGH_HZ = 40.0, 16_000.0
FLOOR_DB = -80.0
"""Mel bands below this level, against a full-scale sine, are silent."""
PAST_S = 0.6
"""How much of the past the threshold knows."""
LEAST_DB = 1.5
"""The threshold's lowest distance above the median strength of the past."""
DEVIATIONS = 7.0
"""Median absolute deviations above the median: of noise hardly one hop in ten thousand is so strong, and unlike a mean
a median doesn't know of the strikes themselves, so a loud one doesn't hide the next."""
REFRACTORY_S = 0.08
DECAY_S = 0.18
FULL_DB = 15.0
"""Strength at which the envelope jumps all the way to 1."""


def mel_weights(sample_rate_hz: int) -> Doubles:
    """Triangles on the HTK mel scale over power, each of sum 1 or less, (FFT // 2 + 1, MELS)."""
    frequency_hz = np.arange(FFT // 2 + 1) * sample_rate_hz / FFT
    high_hz = min(HIGH_HZ, sample_rate_hz / 2)
    mels = np.linspace(np.log1p(LOW_HZ / 700), np.log1p(high_hz / 700), MELS + 2)
    edges = 700 * np.expm1(mels)
    rising = (frequency_hz[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - frequency_hz[:, None]) / (edges[2:] - edges[1:-1])
    weights = np.maximum(0.0, np.minimum(rising, falling))
    return np.asarray(weights / np.maximum(weights.sum(axis=0), 1.0))


def mel_db(magnitudes: Doubles, weights: Doubles) -> Doubles:
    """Mel levels, (MELS,), not below FLOOR_DB."""
    return np.asarray(10 * np.log10(np.maximum((magnitudes**2) @ weights, 10 ** (FLOOR_DB / 10))))


class Onset:
    """Pushed a mel frame each hop of `hop_s`; `level` 0..1 is the decaying envelope, `count` the onsets so far."""

    def __init__(self, hop_s: float) -> None:
        self._past: Doubles = np.zeros(max(4, round(PAST_S / hop_s)))
        self._decay = float(np.exp(-hop_s / DECAY_S))
        self._hop_s = hop_s
        self._before: Doubles = np.full(MELS, FLOOR_DB)
        self._hops = 0
        self._rest_s = 0.0
        self._above = False
        self.strength = 0.0
        self.level = 0.0
        self.count = 0

    def push(self, mels: Doubles) -> float:
        """One hop; the envelope after it."""
        self.strength = float(np.maximum(mels - self._before, 0.0).mean())
        self._before = mels
        above = self.strength > self._threshold()
        self._past[self._hops % len(self._past)] = self.strength
        self._hops = self._hops + 1
        self._rest_s = max(0.0, self._rest_s - self._hop_s)
        self.level = self.level * self._decay if self.level > 1e-4 else 0.0
        if above and not self._above and self._rest_s == 0.0:
            self._strike()
        self._above = above
        return self.level

    def _threshold(self) -> float:
        middle = len(self._past) // 2
        median = float(np.partition(self._past, middle)[middle])
        deviation = float(np.partition(np.abs(self._past - median), middle)[middle])
        return median + max(LEAST_DB, DEVIATIONS * deviation)

    def _strike(self) -> None:
        self.count += 1
        self._rest_s = REFRACTORY_S
        self.level = max(self.level, min(1.0, 0.3 + 0.7 * self.strength / FULL_DB))
