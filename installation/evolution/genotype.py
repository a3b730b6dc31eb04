"""Trajectories as genotypes: how the first are drawn and how children are made. Pure; chance is an argument.

Everything is (count, steps, latent_dim) float32 in the model's own latent units. Operators after LVNS-RAVE (arXiv
2404.14063): one-point crossover on the time axis, Gaussian mutation; bounds, spans and masks are ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

BOUND = 3.0
"""How far from the mean a latent may lie, in its own deviations."""
SMOOTH_SHARE = 0.5
"""How often a mutated child gets one smooth bump instead of scattered steps."""


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


def reflect(latents: Floats, space: Space) -> Floats:
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


def crossover(first: Floats, second: Floats, rng: np.random.Generator) -> Floats:
    """One-point crossover in time: `first` up to a cut, `second` from it. The cut is drawn for each child, uniform over
    1..steps-1, so both parents are heard; trajectories of one step can't be cut and stay as in `first`."""
    count, steps, _ = first.shape
    if steps < 2:
        return first.copy()
    cuts = rng.integers(1, steps, (count,))
    return np.where((np.arange(steps) < cuts[:, None])[..., None], first, second)


def mutate(
    children: Floats, rate: float, sigma: float, space: Space, rng: np.random.Generator, mask: Bools | None = None
) -> Floats:
    """`children` with a share `rate` (0..1) of their steps moved, `sigma` deviations of each latent far, and reflected.

    `rate` is the chance of each single step of a child to be mutated, the same for all steps. Each child takes one of
    two operators: scattered (every step decides alone and moves alone) or smooth (see `bumps`), which keeps a path
    playable. Steps that aren't mutated stay bit for bit; `mask` (latent_dim,) is False where a latent must not move.
    """
    count, steps, latent_dim = children.shape
    smooth = rng.random((count,)) < SMOOTH_SHARE
    scattered = rng.random((count, steps)) < rate
    noise = rng.standard_normal((count, steps, latent_dim))
    bump = bumps(count, steps, rate, rng)
    weight = np.where(smooth[:, None], bump, scattered)
    noise = np.where(smooth[:, None, None], noise[:, :1], noise)
    moved = reflect(np.asarray(children + weight[..., None] * noise * sigma * space.deviation, np.float32), space)
    allowed = np.ones(latent_dim, bool) if mask is None else mask
    return np.where((weight > 0)[..., None] & allowed & (sigma > 0), moved, children)


def bumps(count: int, steps: int, rate: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """One raised-cosine bump for each child, (count, steps), 0 outside a span of `rate * steps` steps (rounded up or
    down by chance, so the mean is exact). A span may leave at the end and go on at the start: no step is favoured."""
    spans = np.floor(rate * steps + rng.random((count,))).astype(np.int64)
    starts = rng.integers(0, steps, (count,))
    inside = np.mod(np.arange(steps) - starts[:, None], steps)
    shape = np.sin(np.pi * (inside + 1) / (spans[:, None] + 1)) ** 2
    return np.where(inside < spans[:, None], shape, 0.0)
