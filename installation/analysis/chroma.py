"""How much there is of each of the twelve notes, whatever the octave: librosa's `chroma_stft`, tuned to A 440 Hz."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from installation.analysis.spectrum import FFT
from installation.features import CHROMA

Doubles = npt.NDArray[np.float64]

A0_HZ = 27.5
CENTRE_OCTAVES, WIDTH_OCTAVES = 5.0, 2.0
"""Octaves above A0 that count most, and the deviation of the Gaussian by which those further away count less."""
C_ABOVE_A = 3


def weights(sample_rate_hz: int) -> Doubles:
    """How much each bin's power counts for each note, C first, (CHROMA, FFT // 2 + 1).

    Round each bin's pitch lies a Gaussian as wide as the bins are apart, a semitone at least; every bin's twelve are
    of length 1, before the octave is weighed (Ellis 2007, chroma analysis)."""
    frequency_hz = np.arange(1, FFT) * sample_rate_hz / FFT
    pitch = CHROMA * np.log2(frequency_hz / A0_HZ)
    pitch = np.concatenate([[pitch[0] - 1.5 * CHROMA], pitch])
    width = np.append(np.maximum(np.diff(pitch), 1.0), 1.0)
    away = np.mod(pitch - np.arange(CHROMA)[:, None] + CHROMA / 2, CHROMA) - CHROMA / 2
    bumps = np.exp(-0.5 * (2 * away / width) ** 2)
    bumps /= np.sqrt((bumps**2).sum(axis=0))
    bumps *= np.exp(-0.5 * ((pitch / CHROMA - CENTRE_OCTAVES) / WIDTH_OCTAVES) ** 2)
    return np.asarray(np.roll(bumps, -C_ABOVE_A, axis=0)[:, : FFT // 2 + 1])


def shares(power: npt.ArrayLike) -> Doubles:
    """`power` of the notes (CHROMA,) as shares of the strongest, 0..1."""
    notes = np.asarray(power, np.float64)
    most = float(notes.max())
    return np.asarray(notes / most if most > 0 else np.zeros(CHROMA))
