"""Eight bands of equal width in octaves, 40 Hz to 16 kHz: how loud each is, and what follows from that."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from installation.analysis.envelope import Envelope
from installation.analysis.spectrum import FFT
from installation.features import BANDS, TURN_S

Doubles = npt.NDArray[np.float64]

LOW_HZ, HIGH_HZ = 40.0, 16_000.0
FLOOR_DB = -70.0
HANN_NOISE_BINS = 1.5
"""Equivalent noise bandwidth of the Hann window: what a sine's power adds up to over its bins."""
ATTACK_MS, RELEASE_MS = 5.0, 180.0
ARRIVES_MS, LEAVES_MS = 1000.0, 3000.0
"""Attack and release of a band's presence."""
RECENT_HOPS = 8
"""A band's rise is held against the mean of so many hops, which noise, that in a narrow band falls and rises all the
time, doesn't move far."""
RANGE_DB = 30.0
"""A rise further below the loudest of late is not heard: the skirts of a strike elsewhere."""
FALL_DB = 12.0
"""How fast the loudest of late is forgotten, in dB a second."""


def edges_hz() -> Doubles:
    """The nine edges of the eight bands."""
    return np.asarray(np.geomspace(LOW_HZ, HIGH_HZ, BANDS + 1))


def weights(sample_rate_hz: int) -> Doubles:
    """How much of each bin's power lies in each band, (BANDS, FFT // 2 + 1): a bin is as wide as the bins are apart,
    so a band narrower than a bin still gets its share."""
    width = sample_rate_hz / FFT
    centre = np.arange(FFT // 2 + 1) * width
    edges = edges_hz()[:, None]
    overlap = np.minimum(centre + width / 2, edges[1:]) - np.maximum(centre - width / 2, edges[:-1])
    return np.asarray(np.clip(overlap / width, 0.0, 1.0))


def level_db(power: npt.ArrayLike) -> Doubles:
    """Level of bands in which lies `power`: 0 for a full-scale sine."""
    return np.asarray(10 * np.log10(np.maximum(np.asarray(power, np.float64) / HANN_NOISE_BINS, 1e-12)))


def position(levels_db: Doubles) -> Doubles:
    """Levels as positions: 0 at FLOOR_DB and less, 1 at 0 dB, straight in dB."""
    return np.asarray(np.minimum(np.maximum(1 - levels_db / FLOOR_DB, 0.0), 1.0))


class Clocks:
    """A clock a band: it runs one second a second while the band is as loud as can be, slower while it is softer."""

    def __init__(self) -> None:
        self.times_s: Doubles = np.zeros(BANDS)

    def push(self, levels: Doubles, hop_s: float) -> Doubles:
        """On by a hop at `levels` 0..1, (BANDS,); the times, which begin again after TURN_S."""
        self.times_s = np.mod(self.times_s + levels * hop_s, TURN_S)
        return self.times_s


class Rises:
    """How much louder each band has become, whatever the gain."""

    def __init__(self, hop_s: float) -> None:
        self._fall = 10 ** (-FALL_DB * hop_s / 10)
        self._loudest = self._least = 10 ** (FLOOR_DB / 10)
        self._recent: Doubles = np.full((RECENT_HOPS, BANDS), self._least)
        self._hops = 0

    def push(self, power: Doubles) -> Doubles:
        """After a hop with `power` in the bands: in dB above the mean of the last RECENT_HOPS, (BANDS,)."""
        self._loudest = max(float(power.max()), self._loudest * self._fall, self._least)
        floor = max(self._least, self._loudest * 10 ** (-RANGE_DB / 10))
        before = np.maximum(self._recent.sum(axis=0) / RECENT_HOPS, floor)
        self._recent[self._hops % RECENT_HOPS] = power
        self._hops += 1
        return np.asarray(10 * np.log10(np.maximum(power, floor) / before))


class Bands:
    """Level and presence of each band, 0..1, and the clocks they drive, which outlive it."""

    def __init__(self, clocks: Clocks) -> None:
        self._levels = Envelope(ATTACK_MS, RELEASE_MS, BANDS)
        self._presence = Envelope(ARRIVES_MS, LEAVES_MS, BANDS)
        self._clocks = clocks

    def push(self, levels_db: Doubles, silent: bool, hop_s: float) -> tuple[Doubles, Doubles, Doubles]:
        """One hop; levels, times and presence after it, (BANDS,) each. While all is `silent` the clocks stand still."""
        levels = self._levels.push(position(levels_db), hop_s)
        times_s = self._clocks.push(np.zeros(BANDS) if silent else levels, hop_s)
        return levels, times_s, self._presence.push(levels, hop_s)
