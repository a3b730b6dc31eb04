"""Struck bells, bowls and bars, synthesised: the recordings the default model learns from.

One coherent, pitched family: a set of 21 instruments tuned to a just pentatonic scale over four octaves, struck one
after another in a small room. Every number that shapes the sound is a constant at the top of this file, every chance
a draw from the generator that is passed in, so a seed names a data set. The room is room.py's, as of all families.

Modes are damped sinusoids (Fletcher and Rossing, *The Physics of Musical Instruments*, chapters 19 to 21): bars whose
second mode is the fourth harmonic, bowls whose modes beat, handbells with a twelfth. All modes are tuned, as founders
and bar makers tune the lowest ones: to octaves and twelfths, so that nearly every mode is the pitch of another stroke.
The fewer frequencies there are, the sooner a model has learned them all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from installation.training import room
from installation.training.scale import pitches_hz

Samples = npt.NDArray[np.float32]

PITCHES_HZ = pitches_hz(4)
MEAN_GAP_S = 0.85
DAMPING_S = 0.15
"""Time for a damped body to fall by 60 dB: each stroke's hand damps the one before, so that one sounds at a time."""


@dataclass(frozen=True)
class Instrument:
    """A struck body: its modes relative to the fundamental and how they die away."""

    name: str
    ratios: tuple[float, ...]
    levels: tuple[float, ...]
    decay_s: float
    """Time for the fundamental at 262 Hz to fall by 60 dB; higher pitches and modes die sooner."""
    beating_hz: float
    attack_s: float
    click: float


INSTRUMENTS = (
    Instrument("bar", (1.0, 4.0, 8.0), (1.0, 0.32, 0.10), 1.9, 0.0, 0.001, 0.05),
    Instrument("bowl", (1.0, 2.0, 4.0, 8.0), (1.0, 0.5, 0.22, 0.08), 4.6, 0.7, 0.004, 0.0),
    Instrument("bell", (1.0, 2.0, 3.0, 4.0, 6.0), (1.0, 0.35, 0.45, 0.14, 0.10), 3.0, 0.3, 0.002, 0.02),
)


def strike(
    instrument: Instrument, pitch_hz: float, velocity: float, sample_rate_hz: int, rng: np.random.Generator
) -> Samples:
    """One stroke left to ring, (samples,); `velocity` 0..1 sets level and brightness."""
    register = (262.0 / pitch_hz) ** 0.45
    decay_s = instrument.decay_s * register * rng.uniform(0.9, 1.1)
    count = int(min(decay_s, 6.0) * sample_rate_hz)
    time_s = np.arange(count, dtype=np.float64) / sample_rate_hz
    sound = np.zeros(count)
    for ratio, level in zip(instrument.ratios, instrument.levels, strict=True):
        mode_hz = pitch_hz * ratio
        if mode_hz > 0.42 * sample_rate_hz:
            continue
        brightness = level ** (1.0 + 0.7 * (1.0 - velocity)) if ratio > 1.0 else 1.0
        rate = 6.91 * ratio**0.7 / decay_s
        phase = rng.uniform(0.0, 2.0 * math.pi)
        mode = np.sin(2.0 * math.pi * mode_hz * time_s + phase)
        if instrument.beating_hz:
            depth = 0.22
            beat_hz = instrument.beating_hz * ratio**0.5
            mode *= 1.0 - depth + depth * np.cos(2.0 * math.pi * beat_hz * time_s + rng.uniform(0.0, 1.0))
        sound += brightness * np.exp(-rate * time_s) * mode
    if instrument.click:
        width = int(0.006 * sample_rate_hz)
        noise = rng.standard_normal(width) * np.exp(-np.arange(width) / (0.0012 * sample_rate_hz))
        sound[:width] += instrument.click * velocity * noise
    attack = max(2, int(instrument.attack_s * sample_rate_hz))
    sound[:attack] *= 0.5 - 0.5 * np.cos(np.linspace(0.0, math.pi, attack))
    release = min(count, int(0.02 * sample_rate_hz))
    sound[-release:] *= np.linspace(1.0, 0.0, release)
    return (sound * (0.25 + 0.75 * velocity) * 0.5).astype(np.float32)


def perform(seconds: float, sample_rate_hz: int, rng: np.random.Generator) -> Samples:
    """A walk over the instruments, one stroke after another, in the room: (samples,), peak at room.PEAK_DB."""
    count = int(seconds * sample_rate_hz)
    dry = np.zeros(count + 8 * sample_rate_hz, dtype=np.float32)
    place, body = int(rng.integers(len(PITCHES_HZ))), INSTRUMENTS[int(rng.integers(len(INSTRUMENTS)))]
    start = 0
    while start < count:
        if rng.random() < 0.35:
            body = INSTRUMENTS[int(rng.integers(len(INSTRUMENTS)))]
        place = _next_place(place, rng)
        sound = strike(body, PITCHES_HZ[place], float(rng.beta(2.5, 1.8)), sample_rate_hz, rng)
        gap = int(max(0.12, rng.gamma(2.2, MEAN_GAP_S / 2.2)) * sample_rate_hz)
        _damp(sound, gap, sample_rate_hz)
        dry[start : start + len(sound)] += sound
        start += gap
    return room.record(dry, count, sample_rate_hz, rng)


def _next_place(place: int, rng: np.random.Generator) -> int:
    """The next pitch: near the last one, every fifth time anywhere."""
    if rng.random() < 0.2:
        return int(rng.integers(len(PITCHES_HZ)))
    return int(np.clip(place + round(rng.normal(0.0, 4.0)), 0, len(PITCHES_HZ) - 1))


def _damp(sound: Samples, after: int, sample_rate_hz: int) -> None:
    """A hand laid on the body from sample `after` on, in place."""
    if after < len(sound):
        fall = np.exp(-6.91 / (DAMPING_S * sample_rate_hz) * np.arange(len(sound) - after))
        sound[after:] *= fall.astype(np.float32)
