"""Statistics of mel-frequency cepstra: a judge the search did not use, and another ear than `texture`'s. Numpy only.

Davis & Mermelstein (IEEE ASSP 28, 1980) as librosa defines them: power spectra of 64 ms, Slaney mel bands of equal
area, decibels down to 80 below the clip's loudest, orthonormal DCT-II, deltas as slopes over nine frames.

    c1-c19, mean                           19    weight 1
    c0-c19, standard deviation             20           1
    c0-c19, standard deviation of deltas   20           1

Sound is brought to 32 kHz, so that bands are 0-16 kHz at any rate. No level is set: decibels are relative to the clip's
loudest band, and the mean of c0, all that is left of loudness and silence, is not among the numbers.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.evolution.embedding.resampling import resample
from installation.evolution.embedding.standard import Statistical

Floats = npt.NDArray[np.float32]

RATE_HZ = 32_000
WINDOW = 2048
HOP = 512
BANDS = 40
CEPSTRA = 20
RANGE_DB = 80.0
REACH = 4
"""Frames before and after that a delta is the slope over."""
LINEAR_HZ, LINEAR_MELS = 1000.0, 15.0
"""Slaney's mel scale: straight up to here, then logarithmic, 27 mels to a factor of 6.4."""

BLOCKS = ((CEPSTRA - 1, 1.0), (CEPSTRA, 1.0), (CEPSTRA, 1.0))


class Mfcc(Statistical):
    """See the module."""

    name = "mfcc"

    def __init__(self, sample_rate_hz: int, calibration: dict[str, Any] | None = None) -> None:
        super().__init__(BLOCKS, calibration)
        self.sample_rate_hz = sample_rate_hz

    def statistics(self, sounds: Floats) -> Floats:
        return statistics(sounds, self.sample_rate_hz)


def statistics(sounds: Floats, sample_rate_hz: int) -> Floats:
    """The 59 numbers of each of `sounds` (batch, samples), not scaled, (batch, 59)."""
    cepstrum = cepstra(resample(sounds, sample_rate_hz, RATE_HZ))
    blocks = [cepstrum.mean(axis=1)[:, 1:], cepstrum.std(axis=1), deltas(cepstrum).std(axis=1)]
    return np.asarray(np.concatenate(blocks, axis=1), np.float32)


def cepstra(sounds: Floats) -> Floats:
    """`sounds` (batch, samples) at 32 kHz → c0-c19 of each frame, (batch, frames, 20). No centring; a clip shorter than
    one window is padded to it. Clip by clip: what a clip needs fits the processor's cache."""
    short = WINDOW - sounds.shape[1]
    padded = np.pad(sounds, ((0, 0), (0, short))) if short > 0 else sounds
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW, axis=1)[:, ::HOP]
    found = np.empty((*frames.shape[:2], CEPSTRA), np.float32)
    for clip, out in zip(frames, found, strict=True):
        spectrum = np.fft.rfft(clip * _hann())
        power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32, copy=False) @ mel_weights()
        floor = np.maximum(power.max() * np.float32(10 ** (-RANGE_DB / 10)), np.float32(1e-20))
        np.matmul(np.float32(10) * np.log10(np.maximum(power, floor)), _cosines(), out=out)
    return found


def deltas(cepstrum: Floats) -> Floats:
    """Least-squares slope of each number over nine frames, those at the ends held, (batch, frames, numbers)."""
    frames = cepstrum.shape[1]
    held = np.pad(cepstrum, ((0, 0), (REACH, REACH), (0, 0)), mode="edge")
    slopes = np.zeros_like(cepstrum)
    for step in range(1, REACH + 1):
        ahead, behind = held[:, REACH + step : REACH + step + frames], held[:, REACH - step : REACH - step + frames]
        slopes += np.float32(step) * (ahead - behind)
    return slopes / np.float32(2 * sum(step**2 for step in range(1, REACH + 1)))


@cache
def _hann() -> Floats:
    """The periodic Hann window, (WINDOW,)."""
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW), np.float32)


@cache
def mel_weights() -> Floats:
    """Triangles over hertz between points at equal steps of Slaney's mels, each of area 1, (WINDOW // 2 + 1, BANDS)."""
    frequency_hz = np.arange(WINDOW // 2 + 1)[:, None] * RATE_HZ / WINDOW
    edges_hz = slaney_hz(BANDS + 2, RATE_HZ / 2)
    low, centre, high = edges_hz[:-2], edges_hz[1:-1], edges_hz[2:]
    rising, falling = (frequency_hz - low) / (centre - low), (high - frequency_hz) / (high - centre)
    return np.asarray(np.maximum(0.0, np.minimum(rising, falling)) * 2.0 / (high - low), np.float32)


def slaney_hz(count: int, highest_hz: float) -> npt.NDArray[np.float64]:
    """`count` frequencies from 0 to `highest_hz`, above 1 kHz, at equal steps of Slaney's mels, (count,)."""
    above = 27.0 / np.log(6.4)
    mels = np.linspace(0.0, LINEAR_MELS + above * np.log(highest_hz / LINEAR_HZ), count)
    logarithmic = LINEAR_HZ * np.exp(np.maximum(mels - LINEAR_MELS, 0.0) / above)
    return np.asarray(np.where(mels < LINEAR_MELS, mels * LINEAR_HZ / LINEAR_MELS, logarithmic))


@cache
def _cosines() -> Floats:
    """Orthonormal DCT-II of the bands of a frame, (BANDS, CEPSTRA)."""
    cosines = np.sqrt(2.0 / BANDS) * np.cos(np.pi / BANDS * (np.arange(BANDS)[:, None] + 0.5) * np.arange(CEPSTRA))
    cosines[:, 0] /= np.sqrt(2.0)
    return np.asarray(cosines, np.float32)
