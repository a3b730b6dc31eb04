"""Small synthesised sounds whose likeness is known by construction, and a decoder made of sines. For tests only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

RATE_HZ = 16_000
SECONDS = 2.0


@dataclass(frozen=True)
class Recipe:
    """A sound: partials of `pitch_hz`, `slope` dB an octave, struck `density` times a second, and filtered noise."""

    pitch_hz: float = 220.0
    slope_db: float = 9.0
    decay_s: float = 3.0
    noise: float = 0.003
    noise_hz: float = 1500.0
    noise_octaves: float = 1.0
    tremolo_hz: float = 5.0
    tremolo: float = 0.0
    vibrato_hz: float = 5.0
    vibrato_semitones: float = 0.0
    density_hz: float = 1.0
    glide_octaves: float = 0.0
    inharmonicity: float = 0.0
    even: float = 1.0
    attack_s: float = 0.005
    formant_hz: float = 0.0
    delay_s: float = 0.0


def sound(recipe: Recipe, rng: np.random.Generator) -> Floats:
    """`recipe` as (samples,) at RATE_HZ; the seed draws phases and noise."""
    time_s = np.arange(int(RATE_HZ * SECONDS)) / RATE_HZ
    semitones = recipe.vibrato_semitones * np.sin(2 * np.pi * recipe.vibrato_hz * time_s)
    octaves = semitones / 12 + recipe.glide_octaves * time_s / SECONDS
    phase = 2 * np.pi * np.cumsum(recipe.pitch_hz * 2**octaves) / RATE_HZ
    tone = np.zeros_like(time_s)
    for partial in range(1, 17):
        multiple = partial * np.sqrt(1 + recipe.inharmonicity * partial**2)
        if multiple * recipe.pitch_hz * 2 ** np.max(octaves) < 7000:
            level_db = -recipe.slope_db * np.log2(partial)
            if recipe.formant_hz:
                level_db -= 12 * min(3.0, abs(np.log2(multiple * recipe.pitch_hz / recipe.formant_hz)))
            level = 10 ** (level_db / 20) * (recipe.even if partial % 2 == 0 else 1.0)
            tone += level * np.sin(multiple * phase + rng.uniform(0, 2 * np.pi))
    spectrum = np.fft.rfft(rng.standard_normal(len(time_s)))
    frequency_hz = np.fft.rfftfreq(len(time_s), 1 / RATE_HZ)
    away = np.log2(np.maximum(frequency_hz, 1.0) / recipe.noise_hz) / recipe.noise_octaves
    hiss = np.fft.irfft(spectrum * np.exp(-0.5 * away**2), len(time_s))
    mix = tone / np.std(tone) * (1 - recipe.noise) + hiss / np.std(hiss) * recipe.noise
    since_s = np.mod(time_s - recipe.delay_s, 1 / recipe.density_hz)
    strike = np.exp(-since_s / recipe.decay_s) * np.minimum(1.0, since_s / recipe.attack_s)
    tremolo = 1 - recipe.tremolo * (0.5 + 0.5 * np.sin(2 * np.pi * recipe.tremolo_hz * time_s))
    return np.asarray(0.1 * mix * strike * tremolo, np.float32)


# kind: field, whether its steps multiply, what else the sound has, lowest and highest anchor, near step, far step
KINDS: dict[str, tuple[str, bool, dict[str, float], float, float, float, float]] = {
    "pitch": ("pitch_hz", True, {}, 110.0, 440.0, 2 ** (1 / 12), 2 ** (8 / 12)),
    "brightness": ("slope_db", False, {}, 4.0, 10.0, 1.0, 7.0),
    "decay": ("decay_s", True, {}, 0.05, 0.2, 1.2, 3.0),
    "noise or tone": ("noise", True, {}, 0.05, 0.15, 1.25, 5.0),
    "noise colour": ("noise_hz", True, {"noise": 1.0}, 600.0, 1500.0, 2 ** (1 / 12), 2.0),
    "noise width": ("noise_octaves", True, {"noise": 1.0}, 0.2, 0.4, 1.15, 2.5),
    "tremolo rate": ("tremolo_hz", True, {"tremolo": 0.9}, 2.0, 6.0, 1.1, 2.5),
    "tremolo depth": ("tremolo", False, {"tremolo_hz": 5.0}, 0.1, 0.3, 0.05, 0.6),
    "vibrato depth": ("vibrato_semitones", False, {}, 0.0, 0.5, 0.15, 2.0),
    "density": ("density_hz", True, {"decay_s": 0.1}, 1.5, 4.0, 1.1, 2.2),
    "glide": ("glide_octaves", False, {}, 0.0, 0.5, 0.08, 1.0),
    "inharmonicity": ("inharmonicity", False, {"slope_db": 4.0}, 0.0, 0.003, 0.0005, 0.02),
    "hollowness": ("even", False, {"slope_db": 4.0}, 0.8, 1.0, -0.1, -0.78),
    "attack": ("attack_s", True, {"decay_s": 0.2}, 0.004, 0.01, 1.5, 20.0),
    "formant": ("formant_hz", True, {"slope_db": 3.0}, 500.0, 1000.0, 1.1, 2.2),
}


def recipes(kind: str, rng: np.random.Generator) -> tuple[Recipe, Recipe, Recipe]:
    """An anchor, one that is nearly like it and one that is far from it in `kind` only."""
    name, multiplies, others, low, high, near, far = KINDS[kind]
    value = low * (high / low) ** rng.random() if multiplies else rng.uniform(low, high)
    recipe = replace(Recipe(pitch_hz=110 * 2 ** rng.uniform(0, 2)), **others)
    like, unlike = (value * near, value * far) if multiplies else (value + near, value + far)
    return replace(recipe, **{name: value}), replace(recipe, **{name: like}), replace(recipe, **{name: unlike})


def triplet(kind: str, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """The sounds of `recipes`, each with a seed of its own."""
    anchor, like, unlike = recipes(kind, rng)
    return sound(anchor, rng), sound(like, rng), sound(unlike, rng)


def various(count: int, rng: np.random.Generator) -> Floats:
    """Sounds of all kinds, to calibrate on, (count, samples)."""
    kinds = list(KINDS)
    drawn = [recipes(kinds[n % len(kinds)], rng)[2 * int(rng.integers(2))] for n in range(count)]
    return np.stack([sound(recipe, rng) for recipe in drawn])


class SineDecoder:
    """Latents to a few sines, by the decoder Protocol: latent 0 bends the pitch, 1 the brightness, 2 the level; the
    state is a phase for each row. Deterministic, and any block size gives the same sound."""

    sample_rate_hz = RATE_HZ
    channels = 1
    latent_dim = 4

    def __init__(self, ratio: int = 256) -> None:
        self.ratio = ratio

    def start(self, batch: int = 1) -> Any:
        return np.zeros(batch)

    def decode(self, latents: Floats, state: Any) -> tuple[Floats, Any]:
        held = np.repeat(np.asarray(latents, np.float64), self.ratio, axis=1)
        phase = state[:, None] + 2 * np.pi * np.cumsum(220 * 2 ** (0.7 * held[..., 0]), axis=1) / self.sample_rate_hz
        bright, level = 1 / (1 + np.exp(-held[..., 1])), 0.2 / (1 + np.exp(-held[..., 2]))
        mix = np.sin(phase) + bright * np.sin(2 * phase) + bright**2 * np.sin(3 * phase + held[..., 3])
        return np.asarray((level * mix)[..., None], np.float32), np.mod(phase[:, -1], 2 * np.pi)
