"""How loud a sound is as a whole, and how well two sounds become loud and soft together."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from installation.sound.leveller import level_db

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

SILENT_DB = -120.0
WINDOW_S = 0.05
HOP_S = 0.025
CONTOUR_DB = 60.0
"""A contour goes no further below its loudest place."""


def gated_level_db(sound: Floats, sample_rate_hz: int) -> float:
    """Level of the sounding parts of `sound` (samples, channels), in dBFS: the leveller's measure, its absolute gate
    taken below the sound's own peak, so that a soft recording is measured, too. SILENT_DB for silence."""
    peak = float(np.abs(sound).max(initial=0.0))
    if peak < 1e-6:
        return SILENT_DB
    level = level_db((sound / np.float32(peak)).ravel(), sample_rate_hz * sound.shape[1])
    return level + 20.0 * math.log10(peak) if level > SILENT_DB else SILENT_DB


def contour_db(sound: Floats, sample_rate_hz: int) -> Doubles:
    """Level of `sound` (samples,) in windows of WINDOW_S each HOP_S, in dB, not more than CONTOUR_DB below the loudest,
    (windows,)."""
    window, hop = max(1, round(WINDOW_S * sample_rate_hz)), max(1, round(HOP_S * sample_rate_hz))
    padded = np.pad(np.asarray(sound, np.float64), (0, max(0, window - len(sound))))
    energy = np.concatenate([[0.0], np.cumsum(padded**2)])
    starts = np.arange(0, len(padded) - window + 1, hop)
    levels_db = 10.0 * np.log10(np.maximum((energy[starts + window] - energy[starts]) / window, 1e-20))
    return np.asarray(np.maximum(levels_db, levels_db.max() - CONTOUR_DB))


def loudness_correlation(one: Floats, other: Floats, sample_rate_hz: int) -> float:
    """Pearson's correlation of the contours of two sounds as long as each other, (samples,) each; 0 where one of them
    is constant."""
    ours, theirs = (contour_db(sound, sample_rate_hz) for sound in (one, other))
    ours, theirs = ours - ours.mean(), theirs - theirs.mean()
    scale = math.sqrt(float(ours @ ours) * float(theirs @ theirs))
    return float(ours @ theirs) / scale if scale > 1e-9 else 0.0
