"""Blown and bowed tones, synthesised: the sustained sound the model `breath` learns.

One voice, one tone at a time, in phrases: it glides from note to note of a just pentatonic scale over two octaves,
swells and fades, brightens as it grows louder, and rests. A tone is a row of harmonics under two formants that wander
as a mouth does (source and filter: Fant, *Acoustic Theory of Speech Production*), with a gentle vibrato and a little
breath. Every number that shapes the sound is a constant at the top of this file, every chance a draw from the generator
that is passed in, so a seed names a data set.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from installation.training import room
from installation.training.scale import LOWEST_HZ, pitches_hz

Samples = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

PITCHES_HZ = pitches_hz(2)
HARMONICS = 16
CONTROL_HZ = 200
"""Pitch, level, brightness and formants are drawn so often a second, straight lines between."""
NOTES = (2, 6)
"""Of a phrase, fewest and most."""
NOTE_S = (0.5, 2.6)
GLIDE_S = 0.09
REST_S = (0.25, 0.8)
ATTACK_S = 0.16
RELEASE_S = 0.3
VIBRATO_HZ = 5.2
VIBRATO_CENTS = 12.0
FORMANTS_HZ = ((380.0, 850.0), (1_000.0, 2_600.0))
"""Each wanders between two frequencies."""
FORMANT_DB = 12.0
FORMANT_OCTAVES = 0.35
SLOPE = (0.9, 1.9)
"""Harmonic k has k to the minus this, loud and soft."""
BREATH_DB = -44.0
"""Level of the breath under a tone's own."""


def perform(seconds: float, sample_rate_hz: int, rng: np.random.Generator) -> Samples:
    """Phrase after phrase, in the room: (samples,), peak at room.PEAK_DB."""
    count = int(seconds * sample_rate_hz)
    steps = math.ceil(seconds * CONTROL_HZ) + 1
    pitch, level = phrases(steps, rng)
    time = np.arange(count, dtype=np.float64) * (CONTROL_HZ / sample_rate_hz)
    dry = sing(pitch, level, time, sample_rate_hz, rng)
    return room.record(dry, count, sample_rate_hz, rng)


def phrases(steps: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Pitch in octaves above LOWEST_HZ and level 0..1, CONTROL_HZ times a second, (steps,) each."""
    pitch, level = np.zeros(steps), np.zeros(steps)
    place, at = int(rng.integers(len(PITCHES_HZ))), 0
    while at < steps:
        loudness = rng.uniform(0.35, 1.0)
        for _ in range(int(rng.integers(NOTES[0], NOTES[1] + 1))):
            place = _next_place(place, rng)
            lasts = int(rng.uniform(*NOTE_S) * CONTROL_HZ)
            pitch[at : at + lasts] = math.log2(PITCHES_HZ[place] / LOWEST_HZ)
            level[at : at + lasts] = (loudness * _swell(lasts, rng))[: max(0, steps - at)]
            at += lasts
        rest = int(rng.uniform(*REST_S) * CONTROL_HZ)
        pitch[at : at + rest] = pitch[min(at, steps) - 1]
        at += rest
    return _smooth(pitch, GLIDE_S), _slur(level)


def sing(pitch: Floats, level: Floats, time: Floats, sample_rate_hz: int, rng: np.random.Generator) -> Samples:
    """The tone of those curves at `time` (in their steps), dry, (samples,)."""
    steps = np.arange(len(pitch))
    bend = VIBRATO_CENTS / 1200.0 * level * np.sin(2.0 * math.pi * VIBRATO_HZ * steps / CONTROL_HZ)
    hz = LOWEST_HZ * 2.0 ** (pitch + bend)
    bright = np.clip(level + 0.15 * _wander(len(pitch), 0.8, rng), 0.0, 1.0)
    slope = SLOPE[1] + (SLOPE[0] - SLOPE[1]) * bright
    centres_hz = [low * (high / low) ** (0.5 + 0.5 * _wander(len(pitch), 0.5, rng)) for low, high in FORMANTS_HZ]
    phase = 2.0 * math.pi * np.cumsum(np.interp(time, steps, hz)) / sample_rate_hz
    turn = np.exp(1j * phase)
    power, sound = np.ones_like(turn), np.zeros(len(time))
    for number in range(1, HARMONICS + 1):
        power *= turn
        gain = level * number**-slope * _formants(number * hz, centres_hz)
        sound += np.interp(time, steps, gain) * power.imag
    breath = rng.standard_normal(len(time))
    breath[1:] -= 0.7 * breath[:-1]
    sound += 10.0 ** (BREATH_DB / 20.0) * np.interp(time, steps, level) * breath
    return sound.astype(np.float32)


def _formants(hz: Floats, centres_hz: list[Floats]) -> Floats:
    """The gain of the formants at frequencies `hz`, bells on the logarithm of the frequency."""
    bells = [np.exp(-0.5 * (np.log2(hz / centre) / FORMANT_OCTAVES) ** 2) for centre in centres_hz]
    return np.asarray(10.0 ** (FORMANT_DB / 20.0 * (sum(bells) - 1.0)))


def _next_place(place: int, rng: np.random.Generator) -> int:
    """The next pitch: another one, near the last."""
    step = int(rng.choice([-3, -2, -1, 1, 2, 3], p=[0.08, 0.17, 0.25, 0.25, 0.17, 0.08]))
    return place + step if 0 <= place + step < len(PITCHES_HZ) else place - step


def _swell(steps: int, rng: np.random.Generator) -> Floats:
    """Level over a note: an arch whose top lies anywhere in its middle half."""
    top = rng.uniform(0.25, 0.75)
    depth = rng.uniform(0.1, 0.6)
    time = np.linspace(0.0, 1.0, steps)
    arch = np.where(time < top, time / top, (1.0 - time) / (1.0 - top))
    return np.asarray(1.0 - depth + depth * np.sin(0.5 * math.pi * arch))


def _slur(level: Floats) -> Floats:
    """Levels that rise and fall no quicker than a breath does."""
    out, now = np.empty_like(level), 0.0
    rise, fall = 1.0 / (ATTACK_S * CONTROL_HZ), 1.0 / (RELEASE_S * CONTROL_HZ)
    for place, goal in enumerate(level):
        now += float(np.clip(goal - now, -fall, rise))
        out[place] = now
    return np.asarray(_smooth(out, 0.03))


def _smooth(curve: Floats, seconds: float) -> Floats:
    """The mean over a Hann window so long."""
    window = np.hanning(max(3, int(2.0 * seconds * CONTROL_HZ)) + 2)
    half = len(window) // 2
    padded = np.pad(curve, (half, len(window) - 1 - half), mode="edge")
    return np.convolve(padded, window / window.sum(), mode="valid")


def _wander(steps: int, hz: float, rng: np.random.Generator) -> Floats:
    """A smooth curve within -1..1 that turns about `hz` times a second."""
    knots = rng.uniform(-1.0, 1.0, int(steps * hz / CONTROL_HZ) + 3)
    curve = np.interp(np.arange(steps) * hz / CONTROL_HZ, np.arange(len(knots)), knots)
    return _smooth(curve, 0.3 / hz)
