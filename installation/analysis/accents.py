"""Accents: how strongly something new is struck in this hop, low to high, as the beat tracker hears it.

The spectrum of `analysis.spectrum` sees 2048 samples and smears a strike over 30 ms; here it is half as long, and every
level is held against the loudest of late, so that a fade, a gain or a floor of noise change nothing.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from installation.analysis.spectrum import HOP

Doubles = npt.NDArray[np.float64]

WINDOW = 1024
"""Samples of the short spectrum: two hops."""
LEVELS = 32
"""Triangles on the mel scale, 30 Hz to 16 kHz."""
LOW_HZ, HIGH_HZ = 30.0, 16_000.0
GROUPS = (0, 3, 10, 20, LEVELS)
"""Where bass, tenor, alto and treble begin among the triangles: 0, 320, 1200 and 4400 Hz, nearly."""
RANGE_DB = 50.0
"""What lies further below the loudest of late is not heard."""
FALL_DB = 1.7
"""How fast the loudest of late is forgotten, in dB a second."""
QUIETEST_DB = -60.0
"""The loudest of late is at least so loud."""
COUNT = 2 * (len(GROUPS) - 1) + 1
"""Accents of a hop: for each group its rise in dB, then the whole's, then for each group its rise in loudness."""


def triangles(sample_rate_hz: int) -> Doubles:
    """Weights over power, each of sum 1 or less, (WINDOW // 2 + 1, LEVELS)."""
    frequency_hz = np.arange(WINDOW // 2 + 1) * sample_rate_hz / WINDOW
    high_hz = min(HIGH_HZ, sample_rate_hz / 2)
    edges = 700 * np.expm1(np.linspace(np.log1p(LOW_HZ / 700), np.log1p(high_hz / 700), LEVELS + 2))
    rising = (frequency_hz[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - frequency_hz[:, None]) / (edges[2:] - edges[1:-1])
    weights = np.maximum(0.0, np.minimum(rising, falling))
    return np.asarray(weights / np.maximum(weights.sum(axis=0), 1.0))


class Accents:
    """Pushed each hop; remembers two hops of sound and the loudest of late."""

    def __init__(self, sample_rate_hz: int) -> None:
        self._weights = triangles(sample_rate_hz)
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
        self._hann: Doubles = window * (2.0 / window.sum())
        self._fall_db = FALL_DB * HOP / sample_rate_hz
        self._sizes = np.diff(GROUPS).astype(np.float64)
        self.restart()

    def restart(self) -> None:
        """Forget everything."""
        self._sound: Doubles = np.zeros(WINDOW)
        self._loudest_db = QUIETEST_DB
        self._level_db: Doubles | None = None
        self._loudness: Doubles = np.zeros(LEVELS)
        self._mels: list[Doubles] = []

    def push(self, hop: Doubles, mels_db: Doubles) -> Doubles:
        """The accents of a hop (HOP,) whose mel frame is `mels_db`, (COUNT,), 0 and more, mostly below 3."""
        self._sound[:-HOP] = self._sound[HOP:]
        self._sound[-HOP:] = hop
        bins = np.fft.rfft(self._sound * self._hann)
        power = bins.real**2 + bins.imag**2
        level_db = 10 * np.log10(np.maximum(power @ self._weights, 1e-8))
        self._loudest_db = max(float(level_db.max()), self._loudest_db - self._fall_db, QUIETEST_DB)
        floor_db = self._loudest_db - RANGE_DB
        found = np.empty(COUNT)
        groups = len(self._sizes)
        found[:groups] = self._rises_db(level_db, floor_db)
        found[groups] = self._whole_db(mels_db, floor_db)
        found[groups + 1 :] = self._louder(level_db)
        return np.asarray(np.log1p(found))

    def _rises_db(self, level_db: Doubles, floor_db: float) -> Doubles:
        """Mean rise of each group since the last hop, in dB."""
        before = level_db if self._level_db is None else self._level_db
        self._level_db = level_db
        rise = np.maximum(np.maximum(level_db, floor_db) - np.maximum(before, floor_db), 0.0)
        return np.asarray(np.add.reduceat(rise, GROUPS[:-1]) / self._sizes)

    def _whole_db(self, mels_db: Doubles, floor_db: float) -> float:
        """Mean rise of the mel levels over two hops, in dB: a change of chord as well as a strike."""
        self._mels.append(np.maximum(mels_db, floor_db))
        before = self._mels.pop(0) if len(self._mels) > 2 else self._mels[-1]
        if len(before) != len(self._mels[-1]):
            before = self._mels[-1]
        return float(np.maximum(self._mels[-1] - np.maximum(before, floor_db), 0.0).mean())

    def _louder(self, level_db: Doubles) -> Doubles:
        """Mean rise of each group in loudness, twentieths of the loudest's: the square root of amplitude."""
        loudness = 10 ** ((level_db - self._loudest_db) / 40)
        rise = np.maximum(loudness - self._loudness, 0.0)
        self._loudness = loudness
        return np.asarray(20 * np.add.reduceat(rise, GROUPS[:-1]) / self._sizes)
