"""How loud it is: momentary loudness as broadcasters measure it, and loudness against what is usual here."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from installation.analysis.envelope import Follower
from installation.analysis.kweighting import BLOCK, BLOCKS

Doubles = npt.NDArray[np.float64]

MOMENT_S = 0.4
OFFSET_DB = -0.691
"""Loudness over the level of K-weighted power: a sine of 997 Hz at 0 dBFS in one channel is -3.01 LUFS."""
LOWEST_LUFS = -70.0
USUAL_S = 30.0
"""How slowly what is usual follows what sounds."""
ATTACK_MS, RELEASE_MS = 5.0, 180.0


class Momentary:
    """Momentary loudness (ITU-R BS.1770-4, EBU Tech 3341): of the last 400 ms, silence before the beginning."""

    def __init__(self, sample_rate_hz: int) -> None:
        self._past: Doubles = np.zeros(max(BLOCKS, round(MOMENT_S * sample_rate_hz / BLOCK)))

    def push(self, squares: Doubles) -> float:
        """In LUFS, not below LOWEST_LUFS, after K-weighted mean squares (BLOCKS,), summed over the channels."""
        self._past[:-BLOCKS] = self._past[BLOCKS:]
        self._past[-BLOCKS:] = squares
        mean = float(self._past.sum()) / len(self._past)
        return max(LOWEST_LUFS, OFFSET_DB + 10 * math.log10(max(mean, 1e-12)))


class Gain:
    """Loudness 0..1 on any scale: a / (a + u), a the amplitude now and u what is usual, so that .5 is usual and twice
    as much .67. Usual is the root of the mean power of what sounded lately; while nothing sounds it stays as it is."""

    def __init__(self, hop_s: float) -> None:
        self._hop_s = hop_s
        self._share = -math.expm1(-hop_s / USUAL_S)
        self._heard_s = 0.0
        self._usual = 0.0
        self._amplitude = Follower(ATTACK_MS, RELEASE_MS, hop_s)

    def push(self, power: float, sounding: bool) -> float:
        """After a hop of mean `power`, that is sound or only what is left where nothing sounds."""
        if sounding:
            self._heard_s = min(self._heard_s + self._hop_s, 2 * USUAL_S)
            self._usual += (power - self._usual) * max(self._share, self._hop_s / self._heard_s)
        amplitude = self._amplitude.push(math.sqrt(power))
        return amplitude / (amplitude + math.sqrt(self._usual)) if self._usual > 0.0 else 0.0
