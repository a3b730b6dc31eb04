"""The band that plays the tracks of `beats`: every note as float64 samples, mono, drawn from a seeded generator."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Voice = Callable[[float, float, int, np.random.Generator], Doubles]
"""(frequency in Hz, length in s, sample rate in Hz, chance) → samples; a drum ignores the first two."""


def clock(length_s: float, rate_hz: int) -> Doubles:
    """Seconds since the note began, (samples,)."""
    return np.arange(max(1, int(length_s * rate_hz))) / rate_hz


def above(noise: Doubles, low_hz: float, high_hz: float, rate_hz: int) -> Doubles:
    """Noise between two frequencies: a brick wall in the spectrum."""
    bins = np.fft.rfft(noise)
    frequency_hz = np.fft.rfftfreq(len(noise), 1 / rate_hz)
    bins[(frequency_hz < low_hz) | (frequency_hz > high_hz)] = 0
    return np.fft.irfft(bins, len(noise))


def hiss(low_hz: float, high_hz: float, decay_s: float, attack_s: float = 0.0005) -> Voice:
    """A burst of filtered noise: hats, shakers, claps, brushes."""

    def play(_hz: float, _length_s: float, rate_hz: int, rng: np.random.Generator) -> Doubles:
        t = clock(5 * decay_s + attack_s, rate_hz)
        noise = above(rng.standard_normal(len(t)), low_hz, high_hz, rate_hz)
        sound = noise * np.minimum(t / attack_s, 1) * np.exp(-np.maximum(t - attack_s, 0) / decay_s)
        return sound / (np.abs(sound).max() + 1e-9)

    return play


def skin(high_hz: float, low_hz: float, decay_s: float, snares: float = 0.0) -> Voice:
    """A drum: a sine that falls from high to low, with as much of the snares' noise as wished."""

    def play(_hz: float, _length_s: float, rate_hz: int, rng: np.random.Generator) -> Doubles:
        t = clock(5 * decay_s, rate_hz)
        phase = 2 * np.pi * np.cumsum(low_hz + (high_hz - low_hz) * np.exp(-t / 0.02)) / rate_hz
        rattle = above(rng.standard_normal(len(t)), 800, 9000, rate_hz) * np.exp(-t / (0.7 * decay_s))
        return (1 - snares) * np.sin(phase) * np.exp(-t / decay_s) + 0.5 * snares * rattle

    return play


def string(harmonics: int, tilt: float, attack_s: float, decay_s: float, detune: float = 0.0) -> Voice:
    """A note of some harmonics, the n-th n**-tilt as loud: bass, piano, pluck, pad, by how it begins and ends. With
    no decay (0) it is held for its length and let go in 60 ms; else it also dies away by itself."""

    def play(hz: float, length_s: float, rate_hz: int, rng: np.random.Generator) -> Doubles:
        release_s = 0.06
        t = clock(length_s + release_s, rate_hz)
        sound = np.zeros(len(t))
        for cents in (-detune, detune) if detune else (0.0,):
            for n in range(1, harmonics + 1):
                frequency_hz = n * hz * 2 ** (cents / 1200)
                if frequency_hz < 0.45 * rate_hz:
                    sound += n**-tilt * np.sin(2 * np.pi * frequency_hz * t + rng.uniform(0, 2 * np.pi))
        rising = 0.5 - 0.5 * np.cos(np.pi * np.minimum(t / attack_s, 1))
        falling = np.clip((length_s + release_s - t) / release_s, 0, 1)
        dying = np.exp(-t / decay_s) if decay_s else 1.0
        return 0.25 * sound * rising * falling * dying

    return play


VOICES: dict[str, Voice] = {
    "kick": skin(160, 48, 0.09),
    "deep kick": skin(110, 42, 0.2),
    "soft kick": skin(130, 55, 0.12, 0.05),
    "tight snare": skin(320, 220, 0.04, 0.85),
    "tight hat": hiss(8000, 16000, 0.01),
    "snare": skin(260, 180, 0.07, 0.7),
    "brush": hiss(1500, 9000, 0.06, 0.015),
    "clap": hiss(900, 5000, 0.06),
    "rim": hiss(1500, 4000, 0.012),
    "bell": hiss(500, 3000, 0.05),
    "tom": skin(180, 95, 0.12, 0.1),
    "conga": skin(330, 260, 0.07, 0.15),
    "hat": hiss(7000, 16000, 0.02),
    "open hat": hiss(6000, 16000, 0.12),
    "ride": hiss(4000, 14000, 0.15),
    "shaker": hiss(5000, 12000, 0.02, 0.02),
    "bass": string(8, 1.3, 0.006, 0.6),
    "synth bass": string(12, 0.9, 0.004, 0.0),
    "pad": string(6, 1.2, 0.25, 0.0, 6.0),
    "strings": string(10, 1.0, 0.07, 0.0, 5.0),
    "piano": string(8, 1.4, 0.003, 0.5),
    "pluck": string(10, 1.1, 0.002, 0.15),
    "organ": string(4, 0.6, 0.012, 0.0),
    "guitar": string(12, 1.0, 0.003, 0.3),
    "lead": string(9, 1.0, 0.015, 0.0, 4.0),
}
