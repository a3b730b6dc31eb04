"""Plain sounds whose features are known by construction. For tests only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

RATE_HZ = 48_000


def sine(frequency_hz: float, seconds: float = 0.5, amplitude: float = 0.5, rate_hz: int = RATE_HZ) -> Floats:
    """(samples, 1)."""
    time_s = np.arange(int(seconds * rate_hz)) / rate_hz
    return (amplitude * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.float32)[:, None]


def noise(seconds: float, amplitude: float = 0.1, seed: int = 0, channels: int = 1, rate_hz: int = RATE_HZ) -> Floats:
    """White and Gaussian, `amplitude` its root mean square, (samples, channels)."""
    shape = (int(seconds * rate_hz), channels)
    return (amplitude * np.random.default_rng(seed).standard_normal(shape)).astype(np.float32)


def strikes(
    times_s: list[float], seconds: float, pitch_hz: float = 300.0, spread: float = 1.2, ring_s: float = 0.6
) -> Floats:
    """Struck tones that ring, a little noise beneath, (samples, 1)."""
    sound = 1e-4 * np.random.default_rng(0).standard_normal(int(seconds * RATE_HZ))
    for number, at_s in enumerate(times_s):
        start = int(at_s * RATE_HZ)
        since_s = np.arange(len(sound) - start) / RATE_HZ
        tone = np.sin(2 * np.pi * pitch_hz * spread ** (number % 7) * since_s)
        sound[start:] += 0.3 * np.minimum(1.0, since_s / 0.002) * np.exp(-since_s / ring_s) * tone
    return sound.astype(np.float32)[:, None]


def silence(seconds: float, channels: int = 1, rate_hz: int = RATE_HZ) -> Floats:
    """(samples, channels)."""
    return np.zeros((int(seconds * rate_hz), channels), np.float32)
