"""The sound as Shadertoy gives it to shaders, to the byte (Web Audio API, AnalyserNode: fftSize 2048, smoothing .8,
-100..-30 dB): a texture of 512 by 2, the spectrum in row 0, the wave in row 1."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

WINDOW = 2048
BINS = 512
SMOOTHING = 0.8
LOW_DB, HIGH_DB = -100.0, -30.0
LOUDEST = 16.0
"""Samples beyond this are no sound: without a bound they would be smoothed for minutes."""

_TURNS = 2.0 * np.pi * np.arange(WINDOW) / WINDOW
_BLACKMAN = 0.42 - 0.5 * np.cos(_TURNS) + 0.08 * np.cos(2.0 * _TURNS)


class AudioTexture:
    """Remembers the spectrum, which is smoothed from one frame to the next, however long frames are."""

    def __init__(self) -> None:
        self._magnitudes = np.zeros(BINS)

    def push(self, samples: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
        """One frame's texture, (2, 512). `samples` (count, channels), -1..1, end at the frame's moment; the last 2048
        count, and before the first there was silence."""
        recent = np.clip(np.nan_to_num(samples[-WINDOW:].astype(np.float64), nan=0.0), -LOUDEST, LOUDEST)
        wave = np.zeros(WINDOW)
        if recent.size:
            wave[WINDOW - len(recent) :] = recent.mean(axis=1)
        magnitudes = np.abs(np.fft.rfft(wave * _BLACKMAN)[:BINS]) / WINDOW
        self._magnitudes = SMOOTHING * self._magnitudes + (1.0 - SMOOTHING) * magnitudes
        level_db = 20.0 * np.log10(np.maximum(self._magnitudes, 1e-300))
        spectrum = 255.0 / (HIGH_DB - LOW_DB) * (level_db - LOW_DB)
        texture: npt.NDArray[np.uint8] = np.clip([spectrum, 128.0 * (1.0 + wave[:BINS])], 0.0, 255.0).astype(np.uint8)
        return texture
