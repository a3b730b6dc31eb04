"""What is done to a recording before a model learns it: offset, level, silence. Sounds are (samples,), mono."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Stretch = tuple[int, int]
"""First frame or sample of a part, and the one after its last."""

FRAME_S = 0.01
PEAK_DB = -1.0
GATE_DB = 30.0
"""A frame counts for the loudness if it is no further below the loudest one."""
FADE_S = 0.02
TOP, FLAT, FLAT_RUN = 0.98, 1e-5, 3
"""A sample is clipped if it is beyond TOP of the peak and equals its neighbours to FLAT of it, FLAT_RUN or more of
them in a row. (A pure tone's crest is as flat below 40 Hz only.)"""


def levels_db(sound: Samples, sample_rate_hz: int) -> Floats:
    """RMS of each frame of FRAME_S in dB of full scale, (frames,); the last may be shorter."""
    size = max(1, int(FRAME_S * sample_rate_hz))
    starts = np.arange(0, len(sound), size)
    powers = np.add.reduceat(np.square(sound, dtype=np.float64), starts) if len(sound) else np.zeros(0)
    lengths = np.diff(np.append(starts, len(sound)))
    return 10.0 * np.log10(powers / np.maximum(lengths, 1) + 1e-20)


def loudness_db(sound: Samples, sample_rate_hz: int) -> float:
    """RMS of the frames within GATE_DB of the loudest, in dB of full scale; -200 for silence."""
    levels = levels_db(sound, sample_rate_hz)
    if not len(levels):
        return -200.0
    heard = levels[levels >= levels.max() - GATE_DB]
    return float(10.0 * np.log10(np.mean(10.0 ** (heard / 10.0))))


def without_offset(sound: Samples) -> Samples:
    """The sound less its mean."""
    return (sound - np.float32(sound.mean(dtype=np.float64))) if len(sound) else sound


def to_peak(sound: Samples, peak_db: float = PEAK_DB) -> Samples:
    """The sound with its peak at `peak_db` of full scale; silence stays silence."""
    peak = float(np.abs(sound).max(initial=0.0))
    return sound * np.float32(10.0 ** (peak_db / 20.0) / peak) if peak > 0.0 else sound


def to_loudness(sound: Samples, sample_rate_hz: int, level_db: float) -> Samples:
    """The sound with `loudness_db` at `level_db`, or as near to it as a peak of PEAK_DB allows."""
    gain_db = level_db - loudness_db(sound, sample_rate_hz)
    peak_db = 20.0 * math.log10(float(np.abs(sound).max(initial=0.0)) + 1e-10)
    return sound * np.float32(10.0 ** (min(gain_db, PEAK_DB - peak_db) / 20.0))


def clipped(sound: Samples) -> float:
    """Share of the samples that lie in flat runs at the peak, 0..1. Of a sound at its own rate: at another, flat tops
    are flat no more."""
    peak = float(np.abs(sound).max(initial=0.0))
    if peak == 0.0:
        return 0.0
    equal = (np.abs(np.diff(sound)) <= FLAT * peak) & (np.abs(sound[1:]) >= TOP * peak)
    runs = [end - start + 1 for start, end in stretches(equal)]
    return sum(run for run in runs if run >= FLAT_RUN) / len(sound)


def stretches(wanted: npt.NDArray[np.bool_]) -> list[Stretch]:
    """Where a row of truths is true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], wanted, [False]]).astype(np.int8)))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def sounding(levels: Floats, silence_db: float, shortest: int, pad: int) -> list[Stretch]:
    """The frames to keep: all but what is below `silence_db` for at least `shortest` frames, of which `pad` stay at
    either side that sounds."""
    keep = np.ones(len(levels), bool)
    for start, end in stretches(levels < silence_db):
        if end - start >= shortest:
            keep[start + (pad if start else 0) : end - (pad if end < len(levels) else 0)] = False
    return stretches(keep)


def without_silence(
    sound: Samples, sample_rate_hz: int, silence_db: float, shortest_s: float, pad_s: float = 0.1
) -> Samples:
    """The sound without what is quieter than `silence_db` (of full scale) for `shortest_s` or longer. `pad_s` of it
    stays at either side; what remains is joined by crossfades."""
    levels = levels_db(sound, sample_rate_hz)
    if not len(levels) or levels.max() < silence_db:
        return sound[:0]
    pad = min(round(pad_s / FRAME_S), int(0.5 * shortest_s / FRAME_S))
    kept = sounding(levels, silence_db, max(1, math.ceil(shortest_s / FRAME_S)), pad)
    size = max(1, int(FRAME_S * sample_rate_hz))
    return join([sound[start * size : end * size] for start, end in kept], int(FADE_S * sample_rate_hz))


def join(parts: list[Samples], fade: int) -> Samples:
    """The parts one after the other, each overlapping the last by at most `fade` samples, in which one sinks as the
    other rises (powers add to 1). (samples,)"""
    if not parts:
        return np.zeros(0, np.float32)
    overlaps = [min(fade, len(a) // 2, len(b) // 2) for a, b in pairwise(parts)]
    joined, at = np.zeros(sum(map(len, parts)) - sum(overlaps), np.float32), 0
    for number, part in enumerate(parts):
        before = overlaps[number - 1] if number else 0
        after = overlaps[number] if number < len(overlaps) else 0
        joined[at - before : at - before + len(part)] += part * _ramps(len(part), before, after)
        at += len(part) - before
    return joined


def _ramps(count: int, rise: int, fall: int) -> Samples:
    """1 but for a rise at the beginning and a fall at the end, each a quarter of a sine, (count,)."""
    gains = np.ones(count, np.float32)
    gains[:rise] = np.sin(0.5 * np.pi * (np.arange(rise) + 0.5) / max(1, rise))
    if fall:
        gains[-fall:] = np.cos(0.5 * np.pi * (np.arange(fall) + 0.5) / fall)
    return gains
