"""Mel bands and cepstrum, by librosa's definitions: Slaney's scale, triangles of equal area, an orthonormal DCT-II.

Levels here are in dB of power a bin, 0 for a full-scale sine's own bin, so that white noise is as loud in each band;
librosa's are the same but for one constant, `librosa_db`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from installation.analysis.spectrum import FFT, LIBROSA_AMIN, LIBROSA_GAIN
from installation.features import MFCC
from installation.track import MEL_BINS

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

FLOOR_DB = -80.0
"""For the eye, the onsets and the beat nothing is softer."""
HIGHEST_HZ = 24_000.0
"""At high sample rates the bands end here, else at half the rate, as librosa's do."""
LINEAR_HZ, LINEAR_MELS = 1000.0, 15.0
"""Slaney's scale is linear to here, 15 mel, and logarithmic beyond, a factor of 6.4 every 27 mel."""
LOG_STEP = np.log(6.4) / 27


def edges_hz(sample_rate_hz: int) -> Doubles:
    """Where the triangles begin, peak and end: each from one to the next but one, (MEL_BINS + 2,)."""
    highest_hz = min(HIGHEST_HZ, sample_rate_hz / 2)
    top = (
        LINEAR_MELS + np.log(highest_hz / LINEAR_HZ) / LOG_STEP
        if highest_hz > LINEAR_HZ
        else highest_hz * LINEAR_MELS / LINEAR_HZ
    )
    mels = np.linspace(0.0, top, MEL_BINS + 2)
    logarithmic = LINEAR_HZ * np.exp(np.maximum(mels - LINEAR_MELS, 0.0) * LOG_STEP)
    return np.asarray(np.where(mels < LINEAR_MELS, mels * LINEAR_HZ / LINEAR_MELS, logarithmic))


def weights(sample_rate_hz: int) -> Doubles:
    """How much of each bin's power is in each band, (MEL_BINS, FFT // 2 + 1): triangles, each of sum 1, nearly."""
    width_hz = sample_rate_hz / FFT
    frequency_hz = np.arange(FFT // 2 + 1) * width_hz
    edges = edges_hz(sample_rate_hz)[:, None]
    rising = (frequency_hz - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - frequency_hz) / (edges[2:] - edges[1:-1])
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return np.asarray(triangles * 2 * width_hz / (edges[2:] - edges[:-2]))


def librosa_db(sample_rate_hz: int) -> float:
    """How much higher librosa's mel levels are than these, in dB."""
    return float(10 * np.log10(LIBROSA_GAIN * FFT / sample_rate_hz))


def level_db(power: npt.ArrayLike, sample_rate_hz: int) -> Doubles:
    """`power` in the bands as levels; none is below librosa's 1e-10."""
    least = LIBROSA_AMIN / (LIBROSA_GAIN * FFT / sample_rate_hz)
    return np.asarray(10 * np.log10(np.maximum(np.asarray(power, np.float64), least)))


def display(levels_db: Doubles) -> Floats:
    """For the eye, (MEL_BINS,): FLOOR_DB and less is 0, 0 dB is 1, straight in dB."""
    return np.asarray(np.minimum(np.maximum(1 - levels_db / FLOOR_DB, 0.0), 1.0), np.float32)


def cosines() -> Doubles:
    """The first MFCC rows of the orthonormal DCT-II over the bands, (MFCC, MEL_BINS)."""
    number, band = np.arange(MFCC)[:, None], np.arange(MEL_BINS)
    rows = np.sqrt(2 / MEL_BINS) * np.cos(np.pi * number * (band + 0.5) / MEL_BINS)
    rows[0] /= np.sqrt(2)
    return np.asarray(rows)


class Cepstrum:
    """Mel-frequency cepstral coefficients of mel levels, as librosa would find them without its `top_db`."""

    def __init__(self, sample_rate_hz: int) -> None:
        self._cosines = cosines()
        self._librosa_db = librosa_db(sample_rate_hz)

    def of(self, levels_db: Doubles) -> Doubles:
        """(MEL_BINS,) → (MFCC,). Of levels that are all the same all but the first are 0."""
        found = self._cosines @ (levels_db + self._librosa_db)
        found[1:][np.abs(found[1:]) < 1e-9] = 0.0
        return np.asarray(found)
