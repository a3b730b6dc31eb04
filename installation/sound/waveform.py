"""Whether what is heard is the same waveform as what was played, later; not a likeness of it, nor the same notes again.

A room's microphone hears the loudspeakers' own phases, at a delay that is constant to the millisecond. Whoever imitates
the show, or is imitated by it, has the same pitches and the same envelope, and other phases. So both sounds are
flattened, in time and in frequency, and correlated at every delay: what the generalised cross-correlation with phase
transform does (Knapp and Carter, *The Generalized Correlation Method for Estimation of Time Delay*, 1976), with short
frames, lest one attack decide about all of a window. The same sound shows one sharp peak. Tones alike show a comb of
peaks that are nearly equal, and count for nothing; a note that is struck by chance just as it was played shows a sharp
peak for as long as it rings, and the next one elsewhere. So a delay is believed that stands out of all others for long
enough: a sum that rises with the evidence and falls with time, never below 0 (Page's CUSUM, 1954), at each delay.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Spectra = npt.NDArray[np.complex64]

RATE_HZ = 12_000
FRAME, HOP = 512, 128
WINDOW = 48 * HOP
"""Samples that are compared: 0.5 s."""
DELAYS = 61 * HOP
"""So many delays are looked at, in samples: 0.65 s, card, room and input together."""
PLACE = 32
"""Delays are told apart by so many samples: 2.7 ms."""
PLACES = DELAYS // PLACE
LOW_HZ, HIGH_HZ = 200.0, 5_000.0
FLOOR_DB, FLOOR_SHARE = -80.0, 0.1
"""What is much softer than this, or than so much of the mean over a frame's bins, is not raised to what is louder."""
STILL = 2e-5
"""Power of a flattened sound that is next to nothing: a hundredth of what noise has."""
FAINT = 0.25
"""A peak counts for what it has more than others, as a share of itself, or of this if it is lower."""
MOST = 0.6
"""Evidence is at most this: one good window does not decide."""
NEAR, APART = 2, 3
"""The evidence counts for so many places on either side; those further away than APART are other delays."""
FADES = 0.08
"""By how much belief falls in a second, and what evidence has to exceed in the mean."""
UNSURE, SURE, SUREST = 0.32, 0.44, 0.8
"""Belief from which a delay may be the right one, and at which it is; it rises no further than SUREST."""
_HANN = np.hanning(FRAME + 1)[:FRAME].astype(np.float32)
_FREQUENCIES_HZ = np.fft.rfftfreq(FRAME, 1.0 / RATE_HZ)
_BAND = ((_FREQUENCIES_HZ > LOW_HZ) & (_FREQUENCIES_HZ < HIGH_HZ)).astype(np.float32)
_SIZE = 14_336
"""Of the transforms: no less than WINDOW + DELAYS, and a product of small primes."""


def spectra(line: Floats, count: int) -> Spectra:
    """The first `count` frames of `line` (samples,) at RATE_HZ: (count, bins). A sine of full scale has a magnitude
    of 1."""
    if not count:
        return np.zeros((0, FRAME // 2 + 1), np.complex64)
    frames = np.lib.stride_tricks.sliding_window_view(line, FRAME)[: count * HOP : HOP]
    return np.asarray(np.fft.rfft(frames * _HANN, axis=1) / (FRAME / 4), np.complex64)


def flattened(frames: Spectra, tail: Floats) -> tuple[Floats, Floats]:
    """`frames` (count, bins) with magnitudes near 1 or far below, as sound again (count * HOP,), and the tail for the
    next call (FRAME - HOP,), at first zeros."""
    sizes = np.abs(frames)
    mean = (sizes @ _BAND)[:, None] / np.float32(_BAND.sum())
    flat = frames * (_BAND / (sizes + np.float32(10.0 ** (FLOOR_DB / 20.0)) + np.float32(FLOOR_SHARE) * mean))
    pieces = np.fft.irfft(flat, FRAME, axis=1).astype(np.float32) * _HANN
    line = np.zeros(len(frames) * HOP + FRAME - HOP, np.float32)
    line[: FRAME - HOP] = tail
    for number, piece in enumerate(pieces):
        line[number * HOP : number * HOP + FRAME] += piece
    return line[: len(frames) * HOP], line[len(frames) * HOP :]


def agreement(heard: Floats, played: Floats) -> Floats:
    """The highest correlation, without sign, of flattened `heard` (WINDOW,) with `played` (WINDOW + DELAYS,), both up
    to the same time, about each place, 0..1, (PLACES,): place p is a delay of p * PLACE samples."""
    across = np.fft.irfft(np.fft.rfft(heard, _SIZE) * np.conj(np.fft.rfft(played, _SIZE)), _SIZE)
    sums = np.concatenate([[0.0], np.cumsum(np.square(played, dtype=np.float64))])
    powers = (sums[WINDOW:] - sums[:-WINDOW])[:0:-1] + STILL * WINDOW
    own = float(np.square(heard, dtype=np.float64).sum()) + STILL * WINDOW
    found = np.abs(across[np.arange(DELAYS) - DELAYS]) / np.sqrt(powers * own)
    highest = found.reshape(PLACES, PLACE).max(axis=1)
    return np.asarray(np.maximum(highest, np.concatenate([highest[:1], highest[:-1]])), np.float32)


def evidence(agreements: Floats) -> tuple[int, float]:
    """The place (PLACES,) that agrees most, and by how much it stands out of the others, 0..MOST."""
    place = int(np.argmax(agreements))
    most = float(agreements[place])
    others = np.delete(agreements, slice(max(0, place - APART), place + APART + 1))
    return place, min(MOST, (most - float(others.max())) / max(most, FAINT))


def believed(beliefs: Floats, found: tuple[int, float], passed_s: float) -> Floats:
    """The `beliefs` (PLACES,) once this evidence has been seen for `passed_s`."""
    place, strength = found
    after = beliefs - np.float32(FADES * passed_s)
    after[max(0, place - NEAR) : place + NEAR + 1] += np.float32(strength * passed_s)
    return np.asarray(np.clip(after, 0.0, SUREST), np.float32)


def certainty(beliefs: Floats) -> Floats:
    """How sure it is that what is heard was played 0, 1, 2 … HOP samples ago, give or take one HOP: 0..1,
    (DELAYS // HOP + 1,)."""
    each = HOP // PLACE
    padded = np.pad(beliefs, (each, 2 * each))
    highest = np.lib.stride_tricks.sliding_window_view(padded, 2 * each + 1)[::each].max(axis=1)
    return np.asarray(np.clip((highest - UNSURE) / (SURE - UNSURE), 0.0, 1.0), np.float32)
