"""The front end of VGGish: 16 kHz mono to log-mel frames. Numpy only.

Hershey et al., "CNN architectures for large-scale audio classification" (ICASSP 2017), and AudioSet's published
constants: periodic Hann of 25 ms each 10 ms, FFT 512, magnitude, no centring, 64 HTK mel bands 125-7500 Hz,
log(x + 0.01).
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from installation.evolution.embedding import resampling

Floats = npt.NDArray[np.float32]

SAMPLE_RATE_HZ = 16_000
WINDOW = 400
HOP = 160
FFT = 512
MELS = 64
LOW_HZ, HIGH_HZ = 125.0, 7500.0
OFFSET = 0.01
FRAMES_A_SECOND = SAMPLE_RATE_HZ // HOP


def resample(sounds: Floats, sample_rate_hz: int) -> Floats:
    """`sounds` (batch, samples) at `sample_rate_hz` → the same at 16 kHz."""
    return resampling.resample(sounds, sample_rate_hz, SAMPLE_RATE_HZ)


def log_mel(sounds: Floats) -> Floats:
    """`sounds` (batch, samples) at 16 kHz → natural log of mel magnitude plus 0.01, (batch, frames, 64). A clip shorter
    than one window is padded to it. Clip by clip: what a clip needs fits the processor's cache."""
    short = WINDOW - sounds.shape[1]
    padded = np.pad(sounds, ((0, 0), (0, short))) if short > 0 else sounds
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW, axis=1)[:, ::HOP]
    mels = np.empty((*frames.shape[:2], MELS), np.float32)
    windowed = np.zeros((frames.shape[1], FFT), np.float32)
    for clip, out in zip(frames, mels, strict=True):
        np.multiply(clip, hann(), out=windowed[:, :WINDOW])
        np.matmul(np.abs(np.fft.rfft(windowed)).astype(np.float32, copy=False), mel_weights(), out=out)
    mels += np.float32(OFFSET)
    return np.log(mels, out=mels)


@cache
def hann() -> Floats:
    """The periodic Hann window, (WINDOW,)."""
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW), np.float32)


@cache
def mel_weights() -> Floats:
    """Triangles, straight on the HTK mel scale, (FFT // 2 + 1, MELS); the DC bin counts nowhere."""
    mels = _mel(np.arange(FFT // 2 + 1) * SAMPLE_RATE_HZ / FFT)[:, None]
    edges = np.linspace(_mel(np.array(LOW_HZ)), _mel(np.array(HIGH_HZ)), MELS + 2)
    rising = (mels - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - mels) / (edges[2:] - edges[1:-1])
    weights = np.maximum(0.0, np.minimum(rising, falling))
    weights[0] = 0.0
    return np.asarray(weights, np.float32)


def _mel(frequency_hz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(1127.0 * np.log1p(frequency_hz / 700.0))
