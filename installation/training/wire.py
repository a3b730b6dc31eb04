"""Plucked wires and wooden clicks, synthesised: the quick, rhythmic sound the performer's model `wire` learns.

One hand on one instrument: a pulse of sixteenths, some of them struck, each stroke stopping the one before. A wire is
the ideal string plucked at a fraction of its length (Fletcher and Rossing, *The Physics of Musical Instruments*,
chapter 2): harmonics as sin(k π place) / k, the high ones dying first. Wood is a block with three modes. Every number
that shapes the sound is a constant at the top of this file, every chance a draw from the generator that is passed in,
so a seed names a data set.
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
PLACES = (0.5, 0.27, 0.13)
"""Where along its length a wire is plucked: hollow to bright."""
DECAY_S = 1.1
"""Time for the fundamental of the lowest wire to fall by 60 dB; higher wires and harmonics die sooner."""
STOP_S = 0.04
"""Time for a stopped wire to fall by 60 dB."""
BLOCKS = (
    ((620.0, 1_480.0, 2_950.0), 0.09),
    ((930.0, 2_310.0, 4_200.0), 0.07),
    ((1_390.0, 3_300.0, 6_100.0), 0.05),
)
"""Of wood: the modes of each, and the time for them to fall by 60 dB."""
MODE_LEVELS = (1.0, 0.4, 0.2)
PULSE_S = (0.11, 0.2)
"""Of a sixteenth; each bar has its own."""
BAR = 16
STRUCK = 0.62
"""Share of the pulses that are struck."""
WOOD = 0.3
"""Share of the strokes that are wood."""


def pluck(pitch_hz: float, place: float, velocity: float, sample_rate_hz: int, rng: np.random.Generator) -> Samples:
    """One wire left to ring, (samples,); `velocity` 0..1 sets level and brightness."""
    decay_s = DECAY_S * (LOWEST_HZ / pitch_hz) ** 0.5 * rng.uniform(0.92, 1.08)
    time_s = np.arange(int(decay_s * sample_rate_hz)) / sample_rate_hz
    sound = np.zeros(len(time_s))
    for number in range(1, HARMONICS + 1):
        level = math.sin(math.pi * number * place) / number ** (1.35 - 0.35 * velocity)
        fall = np.exp(-6.91 * number**0.6 / decay_s * time_s)
        sound += level * fall * np.sin(2.0 * math.pi * number * pitch_hz * time_s)
    return _begin(sound * (0.25 + 0.75 * velocity) * 0.45, 0.0008, sample_rate_hz)


def knock(block: int, velocity: float, sample_rate_hz: int) -> Samples:
    """One stroke on a block of wood, (samples,)."""
    modes_hz, decay_s = BLOCKS[block]
    time_s = np.arange(int(decay_s * sample_rate_hz)) / sample_rate_hz
    sound = np.zeros(len(time_s))
    for number, (mode_hz, level) in enumerate(zip(modes_hz, MODE_LEVELS, strict=True)):
        fall = np.exp(-6.91 * (1.0 + 0.5 * number) / decay_s * time_s)
        sound += level ** (1.5 - 0.5 * velocity) * fall * np.sin(2.0 * math.pi * mode_hz * time_s)
    return _begin(sound * (0.25 + 0.75 * velocity) * 0.6, 0.0005, sample_rate_hz)


def perform(seconds: float, sample_rate_hz: int, rng: np.random.Generator) -> Samples:
    """Bar after bar, in the room: (samples,), peak at room.PEAK_DB."""
    count = int(seconds * sample_rate_hz)
    dry = np.zeros(count + 2 * sample_rate_hz, dtype=np.float32)
    position, start, last, place = 0, 0.0, 0, int(rng.integers(len(PITCHES_HZ)))
    while start < seconds:
        if position % BAR == 0:
            pulse_s = float(rng.uniform(*PULSE_S))
        accent = position % 4 == 0
        if rng.random() < (0.9 if accent else STRUCK):
            velocity = float(np.clip(rng.beta(2.2, 2.0) + 0.25 * accent, 0.0, 1.0))
            at = int(start * sample_rate_hz)
            if rng.random() < WOOD:
                sound = knock(int(rng.integers(len(BLOCKS))), velocity, sample_rate_hz)
            else:
                place = _next_place(place, rng)
                sound = pluck(PITCHES_HZ[place], PLACES[int(rng.integers(len(PLACES)))], velocity, sample_rate_hz, rng)
            _stop(dry, last, at, sample_rate_hz)
            dry[at : at + len(sound)] += sound[: len(dry) - at]
            last = at
        start, position = start + pulse_s, position + 1
    return room.record(dry, count, sample_rate_hz, rng)


def _next_place(place: int, rng: np.random.Generator) -> int:
    """The next wire: near the last one, every sixth time anywhere."""
    if rng.random() < 0.17:
        return int(rng.integers(len(PITCHES_HZ)))
    return int(np.clip(place + round(rng.normal(0.0, 2.5)), 0, len(PITCHES_HZ) - 1))


def _begin(sound: Floats, attack_s: float, sample_rate_hz: int) -> Samples:
    """The sound with a soft beginning and end."""
    attack, release = max(2, int(attack_s * sample_rate_hz)), int(0.004 * sample_rate_hz)
    sound[:attack] *= 0.5 - 0.5 * np.cos(np.linspace(0.0, math.pi, attack))
    sound[-release:] *= np.linspace(1.0, 0.0, release)
    return sound.astype(np.float32)


def _stop(sound: Samples, since: int, at: int, sample_rate_hz: int) -> None:
    """Stop what began at `since` and rings on after `at`, in place."""
    after = sound[at:]
    if at > since:
        length = min(len(after), int(1.5 * sample_rate_hz))
        after[:length] *= np.exp(-6.91 / (STOP_S * sample_rate_hz) * np.arange(length)).astype(np.float32)
        after[length:] = 0.0
