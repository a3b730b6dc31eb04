"""Sound at one rate to sound at another, fast: a banded matrix product. Numpy only.

A windowed-sinc low pass (Smith, "Digital Audio Resampling", CCRMA), Kaiser window, 48 zero crossings a side, half its
amplitude at the lower of the two Nyquist frequencies: flat to 15/16 of it, 70 dB down at 17/16 and 100 dB soon after.
Outputs repeat their places between the inputs every `up`, so a few small matrices, each making 32 outputs at once,
make them all.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

CROSSINGS = 48
BETA = 10.0
"""Less, and what a rate with many places (44.1 kHz has 160) leaves of a loud tone's images is heard by `texture`."""
TOGETHER = 32
"""Outputs one matrix makes."""


def resample(sounds: Floats, sample_rate_hz: int, target_hz: int) -> Floats:
    """`sounds` (batch, samples) at `sample_rate_hz` → (batch, ceil(samples · target / rate)) at `target_hz`, what lies
    outside the clip being silence. The first samples of both are at the same instant."""
    sounds = np.asarray(sounds, np.float32)
    if sample_rate_hz == target_hz:
        return sounds
    batch, samples = sounds.shape
    wanted = -(-samples * target_hz // sample_rate_hz)
    starts, bands, outputs, inputs = _bands(sample_rate_hz, target_hz)
    blocks, width = -(-wanted // outputs), bands.shape[1]
    padded = np.zeros((batch, blocks * inputs + starts[-1] - starts[0] + width), np.float32)
    padded[:, -starts[0] : samples - starts[0]] = sounds
    resampled = np.empty((batch, blocks, outputs), np.float32)
    for number, (start, band) in enumerate(zip(starts, bands, strict=True)):
        first = start - starts[0]
        windows = padded[:, first : first + blocks * inputs].reshape(batch, blocks, inputs)[:, :, :width]
        np.matmul(windows, band, out=resampled[:, :, number * TOGETHER : (number + 1) * TOGETHER])
    return resampled.reshape(batch, blocks * outputs)[:, :wanted]


@cache
def _bands(sample_rate_hz: int, target_hz: int) -> tuple[tuple[int, ...], Floats, int, int]:
    """(where each matrix's inputs begin, from the block's first input; the matrices (count, width, TOGETHER); outputs
    and inputs a block). A block is whole periods and no shorter than a matrix is wide, so rows never overlap."""
    common = int(np.gcd(sample_rate_hz, target_hz))
    up, down = target_hz // common, sample_rate_hz // common
    slow, reach = min(1.0, up / down), CROSSINGS * max(1.0, down / up)
    width = int(np.ceil((TOGETHER - 1) * down / up + 2 * reach)) + 2
    period = int(np.lcm(up, TOGETHER))
    outputs = period * -(-width * up // (period * down))
    places = np.arange(outputs) * down / up
    starts = np.floor(places[::TOGETHER] - reach).astype(int)
    away = places.reshape(-1, 1, TOGETHER) - (starts[:, None] + np.arange(width))[..., None]
    bands = np.sinc(slow * away) * np.i0(BETA * np.sqrt(np.maximum(0.0, 1.0 - (away / reach) ** 2)))
    bands[np.abs(away) > reach] = 0.0
    bands /= bands.sum(axis=1, keepdims=True)
    return tuple(starts.tolist()), np.asarray(bands, np.float32), outputs, outputs * down // up
