"""Noise taken out of a recording by spectral gating. The only home of noisereduce.

What is noise is heard in the recording itself: its quietest half second, where that is far below the rest. A recording
without such a place is left as it is: there, a long tone would be taken for noise.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from installation.errors import InstallationError

Floats = npt.NDArray[np.float32]

FRAME_S = 0.05
NOISE_S = 0.5
BELOW_DB = 20.0
"""Noise lies so far below the loudest half second, at the least."""
SILENCE = 1e-11
"""Mean square of a frame below which there is nothing to be taken out: -110 dBFS."""
WINDOW = 2048
SMOOTHED_HZ = 200.0
SMOOTHED_MS = 50.0


def noise_in(sound: Floats, sample_rate_hz: int) -> Floats | None:
    """The quietest NOISE_S of `sound` (samples, channels) that is not silence; None where that is no noise alone."""
    size = max(1, round(FRAME_S * sample_rate_hz))
    count, frames = round(NOISE_S / FRAME_S), len(sound) // size
    if frames < 2 * count:
        return None
    powers = np.square(sound[: frames * size], dtype=np.float64).mean(axis=1).reshape(frames, size).mean(axis=1)
    stretches = np.lib.stride_tricks.sliding_window_view(powers, count)
    means = np.where(stretches.min(axis=1) < SILENCE, np.inf, stretches.mean(axis=1))
    quietest = int(np.argmin(means))
    if not means[quietest] < stretches.mean(axis=1).max() * 10.0 ** (-BELOW_DB / 10.0):
        return None
    return sound[quietest * size : (quietest + count) * size]


def denoised(sound: Floats, sample_rate_hz: int, strength: float = 1.0) -> Floats | None:
    """`sound` (samples, channels) with `strength` (0..1) of its noise taken out, as long; None where no stretch of it
    is noise alone. InstallationError if noisereduce is missing."""
    reduce_noise = _library()
    noise = noise_in(sound, sample_rate_hz)
    if noise is None:
        return None
    pairs = zip(sound.T, noise.T, strict=True)
    made = [_gated(reduce_noise, *pair, sample_rate_hz, strength) for pair in pairs]
    return np.ascontiguousarray(np.stack(made, axis=1), np.float32)


def _gated(reduce_noise: Any, sound: Floats, noise: Floats, sample_rate_hz: int, strength: float) -> Floats:
    """One channel, (samples,): the library takes the same noise for all that it is given."""
    hop = WINDOW // 4
    made: Floats = reduce_noise(
        y=sound,
        sr=sample_rate_hz,
        stationary=True,
        y_noise=noise,
        prop_decrease=strength,
        n_fft=WINDOW,
        hop_length=hop,
        freq_mask_smooth_hz=max(SMOOTHED_HZ, 2.0 * sample_rate_hz / (WINDOW / 2)),
        time_mask_smooth_ms=max(SMOOTHED_MS, 2000.0 * hop / sample_rate_hz),
        n_jobs=1,
    )
    return made


def need_denoising() -> None:
    """InstallationError, before any work is done, if noisereduce is missing."""
    _library()


def _library() -> Any:
    try:
        from noisereduce import reduce_noise
    except ImportError as error:
        raise InstallationError(f"noise reduction: {error}; pip install -c constraints.txt '.[denoise]'") from error
    return reduce_noise
