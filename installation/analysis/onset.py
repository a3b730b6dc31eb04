"""Onsets: when something new is struck, in the whole and in each band.

Strength after librosa's `onset_strength` (Böck & Widmer's spectral flux on a log-mel spectrum): the mean over mel bands
of max(0, S[t] - S[t-1]) in dB. An onset is where the strength rises through an adaptive threshold and the last is
long enough ago; what is heard is an envelope that jumps there and decays.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]

PAST_S = 1.5
"""How much of the past the threshold knows."""
RENEW_HOPS = 8
"""The threshold is made anew each so many hops."""
PAST_DB = 4.0
"""Of the past no strength is known to have been greater, or a loud strike would hide the next."""
LEAST_DB = 1.5
"""The threshold's lowest distance above the median strength of the past."""
DEVIATIONS = 7.0
"""Deviations above the median: of noise hardly one hop in ten thousand is so strong. The deviation is the distance of
the upper quartile from the median, which unlike the standard one hardly knows of the strikes themselves."""
BANDS_LEAST_DB = (10.0, 8.0, 7.0, 6.0, 6.0, 6.0, 6.0, 6.0)
BANDS_DEVIATIONS = 5.0
"""The same for the bands, low to high: the lower, the fewer bins, and the more their noise wavers."""
REFRACTORY_S = 0.08
DECAY_S = 0.18
FULL_DB = 15.0
"""Strength at which the envelope jumps all the way to 1."""


def strength_db(mels_db: Doubles, before_db: Doubles) -> float:
    """Onset strength from one mel frame to the next."""
    return float(np.maximum(mels_db - before_db, 0.0).sum()) / len(mels_db)


class Strikes:
    """Onsets of the whole and of the bands at once, pushed each hop of `hop_s`. `levels` (1 + BANDS,) 0..1 are the
    decaying envelopes, `counts` the onsets so far."""

    def __init__(self, hop_s: float) -> None:
        size = 1 + len(BANDS_LEAST_DB)
        self._least_db: Doubles = np.array([LEAST_DB, *BANDS_LEAST_DB])
        self._deviations: Doubles = np.array([DEVIATIONS, *[BANDS_DEVIATIONS] * len(BANDS_LEAST_DB)])
        self._past: Doubles = np.zeros((size, max(4, round(PAST_S / hop_s))))
        self._threshold_db = self._least_db
        self._decay = float(np.exp(-hop_s / DECAY_S))
        self._refractory_hops = REFRACTORY_S / hop_s
        self._hops = 0
        self._ready: Doubles = np.zeros(size)
        self._above = np.zeros(size, np.bool_)
        self.levels: Doubles = np.zeros(size)
        self.counts = np.zeros(size, np.int64)

    def push(self, strengths_db: Doubles) -> Doubles:
        """One hop of which the whole and the bands are so strong, (1 + BANDS,); the envelopes after it."""
        if self._hops % RENEW_HOPS == 0:
            self._threshold_db = self._threshold()
        above = strengths_db > self._threshold_db
        self._past[:, self._hops % self._past.shape[1]] = np.minimum(strengths_db, PAST_DB)
        self._hops += 1
        levels = self.levels * self._decay
        levels[levels <= 1e-4] = 0.0
        struck = above & ~self._above & (self._ready <= self._hops)
        self._above = above
        if struck.any():
            self.counts += struck
            self._ready[struck] = self._hops + self._refractory_hops
            jumps = np.minimum(1.0, 0.3 + 0.7 * strengths_db / FULL_DB)
            levels = np.where(struck, np.maximum(levels, jumps), levels)
        self.levels = levels
        return levels

    def _threshold(self) -> Doubles:
        middle, upper = self._past.shape[1] // 2, 3 * self._past.shape[1] // 4
        ordered = np.partition(self._past, (middle, upper), axis=1)
        median = np.maximum(ordered[:, middle], 0.0)
        deviation = np.maximum(ordered[:, upper] - median, 0.0)
        return np.asarray(median + np.maximum(self._least_db, self._deviations * deviation))
