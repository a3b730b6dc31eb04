"""The default embedding: statistics of a sound's texture, 124 numbers, no weights to download. Numpy only.

In the spirit of McDermott & Simoncelli (Neuron 71, 2011): timbre as means and spreads of a cepstrum, movement as
modulation energies, the spectrum's shape, and a coarse contour in time, on VGGish's log-mel front end:

    cepstrum c0-c19, mean                       20    weight 1
    cepstrum c0-c19, standard deviation         20           0.5
    modulation, 8 mel groups x 6 octave bands   48           1
    shape: centroid, spread, flatness, crest,
           roll-off, flux; mean and deviation   12           1.4
    contour of c0-c2 in 8 segments              24           0.4
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.evolution.embedding.logmel import FRAMES_A_SECOND, MELS, OFFSET, log_mel, resample
from installation.evolution.embedding.standard import Statistical

Floats = npt.NDArray[np.float32]

CEPSTRA = 20
GROUPS = 8
OCTAVES = 6
LOWEST_MODULATION_HZ = 0.75
SHAPES = 6
SEGMENTS = 8
CONTOURS = 3
ROLLOFF = 0.85
LEVEL = 0.1
"""RMS every clip is brought to first: loudness is the mixer's business, and the gate has refused silence."""

BLOCKS = ((CEPSTRA, 1.0), (CEPSTRA, 0.5), (GROUPS * OCTAVES, 1.0), (2 * SHAPES, 1.4), (SEGMENTS * CONTOURS, 0.4))
"""Size and weight of each block, in order."""
SIZE = sum(size for size, _ in BLOCKS)


class Texture(Statistical):
    """See the module."""

    name = "texture"

    def __init__(self, sample_rate_hz: int, calibration: dict[str, Any] | None = None) -> None:
        super().__init__(BLOCKS, calibration)
        self.sample_rate_hz = sample_rate_hz

    def statistics(self, sounds: Floats) -> Floats:
        return statistics(sounds, self.sample_rate_hz)


def statistics(sounds: Floats, sample_rate_hz: int) -> Floats:
    """The 124 numbers of each of `sounds` (batch, samples), not scaled, (batch, 124)."""
    sounds = np.asarray(sounds, np.float32)
    rms = np.sqrt(np.einsum("ij,ij->i", sounds, sounds) / sounds.shape[1])[:, None] + np.float32(1e-9)
    mels = log_mel(resample(sounds, sample_rate_hz) * (np.float32(LEVEL) / rms))
    cepstrum = mels @ _cosines()
    blocks = [cepstrum.mean(axis=1), cepstrum.std(axis=1), _modulation(mels), _shape(mels), _contour(cepstrum)]
    return np.asarray(np.concatenate(blocks, axis=1), np.float32)


@cache
def _cosines() -> Floats:
    """Orthonormal DCT-II of a mel frame, (MELS, CEPSTRA)."""
    phase = np.pi / MELS * (np.arange(MELS)[:, None] + 0.5) * np.arange(CEPSTRA)
    cosines = np.sqrt(2.0 / MELS) * np.cos(phase)
    cosines[:, 0] /= np.sqrt(2.0)
    return np.asarray(cosines, np.float32)


def _modulation(mels: Floats) -> Floats:
    """Log energy of each mel group's movement in octaves from 0.75 Hz to 48 Hz, (batch, 48)."""
    batch, frames, _ = mels.shape
    groups = mels.reshape(batch, frames, GROUPS, MELS // GROUPS).mean(axis=3)
    moving = groups - groups.mean(axis=1, keepdims=True)
    window = np.hanning(frames + 2)[1:-1].astype(np.float32)
    length = 1 << max(9, (frames - 1).bit_length())
    power = np.abs(np.fft.rfft(moving * window[:, None], length, axis=1)) ** 2 / (np.sum(window**2) * length)
    energy = np.einsum("bfg,fo->bgo", power, _octaves(length)).reshape(batch, GROUPS * OCTAVES)
    return np.asarray(np.log(energy + 1e-3), np.float32)


@cache
def _octaves(length: int) -> Floats:
    """Which bins of an FFT of `length` frames make each octave of modulation, (bins, OCTAVES), 0 or 2."""
    frequency_hz = np.fft.rfftfreq(length, 1.0 / FRAMES_A_SECOND)
    edges = LOWEST_MODULATION_HZ * 2.0 ** np.arange(OCTAVES + 1)
    inside = (frequency_hz[:, None] >= edges[:-1]) & (frequency_hz[:, None] < edges[1:])
    return np.asarray(2.0 * inside, np.float32)


def _shape(mels: Floats) -> Floats:
    """Six measures of each mel spectrum as mean and deviation over time, loud frames counting more, (batch, 12)."""
    magnitude = np.maximum(np.exp(mels) - np.float32(OFFSET), 0) + np.float32(1e-6)
    total = magnitude.sum(axis=2)
    share = magnitude / total[..., None]
    position = np.linspace(0.0, 1.0, MELS, dtype=np.float32)
    centroid = share @ position
    spread = np.sqrt(np.maximum(share @ position**2 - centroid**2, 0))
    flatness = np.log(magnitude).mean(axis=2) - np.log(magnitude.mean(axis=2))
    crest = np.log(magnitude.max(axis=2) / magnitude.mean(axis=2))
    rolloff = np.argmax(np.cumsum(share, axis=2) >= ROLLOFF, axis=2) / np.float32(MELS)
    flux = np.zeros_like(total)
    flux[:, 1:] = np.maximum(np.diff(mels, axis=1), 0).mean(axis=2)
    measures = np.stack([centroid, spread, flatness, crest, rolloff, flux], axis=2)
    loud = (total / total.sum(axis=1, keepdims=True))[..., None]
    mean = (measures * loud).sum(axis=1)
    deviation = np.sqrt((np.square(measures - mean[:, None]) * loud).sum(axis=1))
    return np.asarray(np.concatenate([mean, deviation], axis=1))


def _contour(cepstrum: Floats) -> Floats:
    """The first cepstra over eight segments, each less its own mean, (batch, 24)."""
    frames = cepstrum.shape[1]
    edges = np.linspace(0, frames, SEGMENTS + 1).astype(int)
    segments = [cepstrum[:, min(a, frames - 1) : max(b, a + 1), :CONTOURS].mean(axis=1) for a, b in pairwise(edges)]
    contour = np.stack(segments, axis=1)
    return np.asarray((contour - contour.mean(axis=1, keepdims=True)).reshape(len(contour), SEGMENTS * CONTOURS))
