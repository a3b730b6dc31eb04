"""How like the original a model's reconstruction of held-out sound is: three figures, numpy only.

`spectral_distance`   RAVE's own: relative squared distance of magnitudes plus mean distance of their logarithms, summed
                      over five window sizes (Caillon and Esling, "RAVE", arXiv:2111.05011, equations 4 and 5)
`mel_correlation`     Pearson's correlation over all bins of two log-mel spectrograms
`pitch_agreement`     share of the original's pitched frames whose pitch in the reconstruction is within 50 cents
                      (pitch by YIN: de Cheveigné and Kawahara, J. Acoust. Soc. Am. 111, 2002)

Sounds are (samples,), mono, -1..1, on time with each other: the caller removes the model's known latency.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

SCALES = (2048, 1024, 512, 256, 128)
LOG_EPSILON = 1e-7
MELS = 80
MEL_WINDOW = 2048
MEL_HOP = 512
MEL_LOW_HZ = 50.0
MEL_HIGH_HZ = 16_000.0
MEL_FLOOR_DB = -70.0
"""Of a full-scale sine's strongest bin: quieter bins count as this loud."""
PITCH_WINDOW_S = 0.064
PITCH_HOP_S = 0.016
PITCH_LOW_HZ = 100.0
PITCH_HIGH_HZ = 3_000.0
APERIODICITY = 0.15
"""YIN's threshold: a frame is pitched when its normalised difference falls below this."""
PITCH_LEVEL_DB = -45.0
"""A frame is judged when its level (RMS, full scale 0 dB) is above this."""
CENTS = 50.0


@dataclass(frozen=True)
class Figures:
    """What was found. `pitched` frames of the original were judged for pitch."""

    spectral_distance: float
    mel_correlation: float
    pitch_agreement: float
    pitched: int


def compare(original: Samples, reconstruction: Samples, sample_rate_hz: int) -> Figures:
    """All three figures of two sounds of the same length."""
    agreement, pitched = pitch_agreement(original, reconstruction, sample_rate_hz)
    return Figures(
        spectral_distance(original, reconstruction),
        mel_correlation(original, reconstruction, sample_rate_hz),
        agreement,
        pitched,
    )


def magnitudes(sound: Samples, window: int, hop: int) -> Floats:
    """Magnitudes of the short-time Fourier transform, Hann window, centred frames, (frames, window / 2 + 1)."""
    padded = np.pad(sound.astype(np.float64), window // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    taper = 0.5 - 0.5 * np.cos(2.0 * math.pi * np.arange(window) / window)
    return np.abs(np.fft.rfft(frames * taper, axis=1))


def spectral_distance(original: Samples, reconstruction: Samples) -> float:
    """Sum over SCALES of ‖X - Y‖² / ‖X‖² + mean |log(X + ε) - log(Y + ε)|, a quarter window between frames."""
    total = 0.0
    for scale in SCALES:
        ours, theirs = (magnitudes(sound, scale, scale // 4) for sound in (original, reconstruction))
        total += float(np.sum((ours - theirs) ** 2) / np.sum(ours**2))
        total += float(np.mean(np.abs(np.log(ours + LOG_EPSILON) - np.log(theirs + LOG_EPSILON))))
    return total


def mel_filters(sample_rate_hz: int) -> Floats:
    """Triangles at even distances on the mel scale 2595 log10(1 + f / 700), each of height 1, (mels, bins)."""
    low, high = (2595.0 * math.log10(1.0 + hz / 700.0) for hz in (MEL_LOW_HZ, min(MEL_HIGH_HZ, sample_rate_hz / 2)))
    edges_hz = 700.0 * (10.0 ** (np.linspace(low, high, MELS + 2) / 2595.0) - 1.0)
    bins_hz = np.arange(MEL_WINDOW // 2 + 1) * sample_rate_hz / MEL_WINDOW
    rise = (bins_hz - edges_hz[:-2, None]) / (edges_hz[1:-1] - edges_hz[:-2])[:, None]
    fall = (edges_hz[2:, None] - bins_hz) / (edges_hz[2:] - edges_hz[1:-1])[:, None]
    return np.maximum(0.0, np.minimum(rise, fall))


def log_mel(sound: Samples, sample_rate_hz: int) -> Floats:
    """Log-mel spectrogram in dB of a full-scale sine, not below MEL_FLOOR_DB, (frames, MELS)."""
    power = (magnitudes(sound, MEL_WINDOW, MEL_HOP) / (MEL_WINDOW / 4)) ** 2
    return np.maximum(MEL_FLOOR_DB, 10.0 * np.log10(power @ mel_filters(sample_rate_hz).T + 1e-12))


def mel_correlation(original: Samples, reconstruction: Samples, sample_rate_hz: int) -> float:
    """Pearson's correlation of two log-mel spectrograms over all their bins; 0 where one of them is constant."""
    ours, theirs = (log_mel(sound, sample_rate_hz).ravel() for sound in (original, reconstruction))
    ours, theirs = ours - ours.mean(), theirs - theirs.mean()
    scale = math.sqrt(float(ours @ ours) * float(theirs @ theirs))
    return float(ours @ theirs) / scale if scale else 0.0


def pitches_hz(sound: Samples, sample_rate_hz: int) -> Floats:
    """Pitch of each frame by YIN, every PITCH_HOP_S; NaN for a frame that is too quiet or has no pitch. (frames,)"""
    window, hop = int(PITCH_WINDOW_S * sample_rate_hz), int(PITCH_HOP_S * sample_rate_hz)
    longest = math.ceil(sample_rate_hz / PITCH_LOW_HZ)
    if len(sound) < window + longest:
        return np.zeros(0)
    frames = np.lib.stride_tricks.sliding_window_view(sound.astype(np.float64), window + longest)[::hop]
    return np.array([_pitch_hz(frame, window, sample_rate_hz) for frame in frames])


def pitch_agreement(original: Samples, reconstruction: Samples, sample_rate_hz: int) -> tuple[float, int]:
    """Share of the original's pitched frames in which the reconstruction is pitched within CENTS of it, and how many
    frames that is a share of; (0, 0) where the original has no pitched frame."""
    ours, theirs = (pitches_hz(sound, sample_rate_hz) for sound in (original, reconstruction))
    judged = np.flatnonzero(~np.isnan(ours))
    if not len(judged):
        return 0.0, 0
    with np.errstate(invalid="ignore"):
        near = np.abs(1200.0 * np.log2(theirs[judged] / ours[judged])) <= CENTS
    return float(np.mean(near)), len(judged)


def _pitch_hz(frame: Floats, window: int, sample_rate_hz: int) -> float:
    if 10.0 * math.log10(float(np.mean(frame**2)) + 1e-20) < PITCH_LEVEL_DB:
        return math.nan
    difference = _normalised_difference(frame, window)
    shortest = int(sample_rate_hz / PITCH_HIGH_HZ)
    below = np.flatnonzero(difference[shortest:-1] < APERIODICITY)
    if not len(below):
        return math.nan
    lag = shortest + int(below[0])
    while lag + 1 < len(difference) - 1 and difference[lag + 1] < difference[lag]:
        lag += 1
    return sample_rate_hz / (lag + _vertex(difference, lag))


def _normalised_difference(frame: Floats, window: int) -> Floats:
    """YIN's d'(lag), equations 6 and 8, for lags 0..len(frame) - window."""
    lags = len(frame) - window + 1
    size = 1 << (len(frame) + window - 1).bit_length()
    product = np.fft.rfft(frame, size) * np.conj(np.fft.rfft(frame[:window], size))
    correlation = np.fft.irfft(product, size)[:lags]
    energy = np.concatenate([[0.0], np.cumsum(frame**2)])
    difference = np.maximum(0.0, energy[window] + energy[window : window + lags] - energy[:lags] - 2.0 * correlation)
    total = np.cumsum(difference)
    out = np.ones(lags)
    out[1:] = difference[1:] * np.arange(1, lags) / np.maximum(total[1:], 1e-12)
    return out


def _vertex(values: Floats, at: int) -> float:
    """Where, relative to `at`, the parabola through three points has its extreme: -0.5..0.5."""
    if not 0 < at < len(values) - 1:
        return 0.0
    left, middle, right = values[at - 1 : at + 2]
    bend = left - 2.0 * middle + right
    return float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5)) if bend else 0.0


Reconstruct = Callable[[Samples], Samples]
"""A model: sound to its reconstruction on time, both (samples,)."""


def average(figures: list[Figures]) -> Figures:
    """The mean over several sounds; pitch is weighted by the frames that were judged."""
    pitched = sum(each.pitched for each in figures)
    agreeing = sum(each.pitch_agreement * each.pitched for each in figures)
    return Figures(
        float(np.mean([each.spectral_distance for each in figures])),
        float(np.mean([each.mel_correlation for each in figures])),
        agreeing / pitched if pitched else 0.0,
        pitched,
    )
