"""How late one sound is against another that it follows: from when each becomes louder, so their waves may differ."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

MOST_S = 1.0
"""No model is later than this."""
HOP_S = 0.001
WINDOW_HOPS = 8
FLOOR_DB = 50.0
"""Below its loudest place, a sound's level counts no further."""
CLEAR = 0.1
"""A likeness (correlation) below this tells nothing: taken to be on time."""


def rises(sound: Floats, sample_rate_hz: int) -> Doubles:
    """By how many dB the level of `sound` (samples,) rises, each HOP_S, 0 where it falls, (hops,)."""
    hop = max(1, round(HOP_S * sample_rate_hz))
    whole = len(sound) // hop * hop
    powers = np.square(sound[:whole], dtype=np.float64).reshape(-1, hop).mean(axis=1)
    smooth = np.convolve(powers, np.hanning(WINDOW_HOPS + 2), mode="same")
    levels_db = 10.0 * np.log10(np.maximum(smooth, 1e-20))
    levels_db = np.maximum(levels_db, levels_db.max(initial=-200.0) - FLOOR_DB)
    return np.asarray(np.maximum(0.0, np.diff(levels_db, prepend=levels_db[:1])))


def measured(sound: Floats, late: Floats, sample_rate_hz: int) -> int:
    """By how many samples `late` comes after `sound`, (samples,) each and as long as each other: 0 to MOST_S; 0 where
    they are not alike. Exact to HOP_S for a delay alone; a model that blurs what it plays is found up to 15 ms later
    than it was trained to be, where its strokes are loudest."""
    if len(sound) < WINDOW_HOPS * HOP_S * sample_rate_hz:
        return 0
    ours, theirs = (each - each.mean() for each in (rises(sound, sample_rate_hz), rises(late, sample_rate_hz)))
    scale = float(np.sqrt((ours @ ours) * (theirs @ theirs)))
    if scale < 1e-9:
        return 0
    size = 1 << (2 * len(ours)).bit_length()
    products = np.fft.irfft(np.fft.rfft(theirs, size) * np.conj(np.fft.rfft(ours, size)), size)
    likeness = products[: min(len(ours), round(MOST_S / HOP_S) + 1)] / scale
    best = int(np.argmax(likeness))
    return best * max(1, round(HOP_S * sample_rate_hz)) if likeness[best] > CLEAR else 0
