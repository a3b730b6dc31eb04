"""The front end of VGGish: 16 kHz mono to log-mel frames. Numpy only.

Hershey et al., "CNN architectures for large-scale audio classification" (ICASSP 2017), and AudioSet's published
constants: periodic Hann of 25 ms each 10 ms, FFT 512, magnitude, no centring, 64 HTK mel bands 125-7500 Hz,
log(x + 0.01).
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

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
    """`sounds` (batch, samples) at `sample_rate_hz` → the same at 16 kHz, cut off sharply at 8 kHz, by FFT. The clip
    is padded with zeros at its end so that nothing wraps around and both lengths are whole and quick."""
    if sample_rate_hz == SAMPLE_RATE_HZ:
        return np.asarray(sounds, np.float32)
    common = int(np.gcd(sample_rate_hz, SAMPLE_RATE_HZ))
    up, down = SAMPLE_RATE_HZ // common, sample_rate_hz // common
    samples = sounds.shape[1]
    pieces = _smooth(-(-(samples + WINDOW * down // up) // down))
    spectrum = np.fft.rfft(np.asarray(sounds, np.float32), pieces * down)
    bins = pieces * up // 2 + 1
    if spectrum.shape[1] < bins:
        spectrum = np.pad(spectrum, ((0, 0), (0, bins - spectrum.shape[1])))
    resampled = np.fft.irfft(spectrum[:, :bins], pieces * up)[:, : -(-samples * up // down)]
    return np.asarray(resampled * (up / down), np.float32)


def _smooth(count: int) -> int:
    """The least number not below `count` without prime factors above 5: FFTs of it are quick."""
    while True:
        rest = count
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return count
        count += 1


def log_mel(sounds: Floats) -> Floats:
    """`sounds` (batch, samples) at 16 kHz → natural log of mel magnitude plus 0.01, (batch, frames, 64). A clip shorter
    than one window is padded to it."""
    short = WINDOW - sounds.shape[1]
    padded = np.pad(sounds, ((0, 0), (0, short))) if short > 0 else sounds
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW, axis=1)[:, ::HOP]
    magnitude = np.abs(np.fft.rfft(frames * hann(), FFT)).astype(np.float32, copy=False)
    return np.asarray(np.log(magnitude @ mel_weights() + np.float32(OFFSET)))


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
