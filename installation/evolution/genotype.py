"""Trajectories as genotypes: where they may lie, and how the first are drawn. Pure; chance is an argument.

Everything is (count, steps, latent_dim) float32 in the model's own latent units. How children are made: `operators`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

BOUND = 3.0
"""How far from the mean a latent may lie, in its own deviations."""


@dataclass(frozen=True, eq=False)
class Space:
    """Where a model's latents lie: `mean` and `deviation`, both (latent_dim,)."""

    mean: Floats
    deviation: Floats

    @property
    def latent_dim(self) -> int:
        return len(self.mean)

    @property
    def low(self) -> Floats:
        return np.asarray(self.mean - BOUND * self.deviation, np.float32)

    @property
    def high(self) -> Floats:
        return np.asarray(self.mean + BOUND * self.deviation, np.float32)


def reflect(latents: npt.NDArray[np.floating], space: Space) -> Floats:
    """`latents` (..., latent_dim) folded back into the space's bounds, as a ball between two walls."""
    low, high = space.low.astype(np.float64), space.high.astype(np.float64)
    width = np.maximum(high - low, np.finfo(np.float64).tiny)
    travel = np.mod(latents - low, 2 * width)
    folded = low + np.where(travel > width, 2 * width - travel, travel)
    return np.asarray(np.clip(folded.astype(np.float32), space.low, space.high))


def uniform(count: int, steps: int, space: Space, excerpts: Floats, rng: np.random.Generator) -> Floats:
    """Every latent from U[-1, 1), in deviations from the mean."""
    values = rng.uniform(-1.0, 1.0, (count, steps, space.latent_dim))
    return np.asarray(space.mean + space.deviation * values, np.float32)


def normal(count: int, steps: int, space: Space, excerpts: Floats, rng: np.random.Generator) -> Floats:
    """Every latent from N(0, 1), in deviations from the mean, reflected at the bounds."""
    values = rng.standard_normal((count, steps, space.latent_dim))
    return reflect(np.asarray(space.mean + space.deviation * values, np.float32), space)


def dataset(count: int, steps: int, space: Space, excerpts: Floats, rng: np.random.Generator) -> Floats:
    """Random windows of `excerpts` (any number of steps, latent_dim), clipped to the bounds; `normal` if too few."""
    if len(excerpts) < steps:
        return normal(count, steps, space, excerpts, rng)
    starts = rng.integers(0, len(excerpts) - steps + 1, count)
    windows = excerpts[starts[:, None] + np.arange(steps)]
    return np.asarray(np.clip(windows, space.low, space.high), np.float32)


Init = Callable[[int, int, Space, Floats, np.random.Generator], Floats]
INITS: dict[str, Init] = {"random": uniform, "normal": normal, "dataset": dataset}
"""How the first container is drawn, by name: (count, steps, space, excerpts, rng) → (count, steps, latent_dim)."""
