"""Paths through latent space without an end, for sound that nothing was searched or heard for.

`Independent`   each step for itself: the model's own texture, restless
`Smooth`        a slow wandering that is as likely to be anywhere as the training sound's latents are
`Recalled`      goes along encoded excerpts of the training sound and leaps between places that are alike
`Given`         a path that is known as a whole, as a model's own prior makes it

Every walk gives the same path from the same generator, however its steps are asked for. `mean` and `deviation`
(latent_dim,) are the latents' law, as a model's card states it.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

PHRASE_S = 2.0
"""A recalled path stays with an excerpt for so long, on average, at a temperature of 1."""
GLIDE_S = 0.15
"""In so long all but 1/e of a leap's distance is gone."""
NEIGHBOURS = 8
"""It leaps to one of so many places that are most like where it would have gone."""
APART_S = 1.0
"""It leaps no nearer to where it is."""


class Walk(Protocol):
    """A path without an end."""

    def go(self, steps: int) -> Floats:
        """The next `steps` latents, (steps, latent_dim)."""
        ...


class Independent:
    """Normal latents, `temperature` times as far from the mean."""

    def __init__(self, mean: Floats, deviation: Floats, temperature: float, rng: np.random.Generator) -> None:
        self._mean, self._spread, self._rng = mean, temperature * deviation, rng

    def go(self, steps: int) -> Floats:
        return _scaled(self._rng.standard_normal((steps, len(self._mean))), self._mean, self._spread)


class Smooth:
    """Noise through two equal one-pole low-passes of time constant `smooth_s`: normal at each step, `temperature` times
    as far from the mean as the law says, from the first step on; its direction has no jumps."""

    def __init__(
        self,
        mean: Floats,
        deviation: Floats,
        temperature: float,
        smooth_s: float,
        step_s: float,
        rng: np.random.Generator,
    ) -> None:
        self._mean, self._spread, self._rng = mean, temperature * deviation, rng
        self._keep = keep = math.exp(-step_s / smooth_s) if smooth_s > 0.0 else 0.0
        inner = 1.0 / (1.0 - keep**2)
        both = inner / (1.0 - keep**2)
        outer = (1.0 + keep**2) * both / (1.0 - keep**2)
        self._unit = 1.0 / math.sqrt(outer)
        first, second = rng.standard_normal((2, len(mean)))
        self._inner = math.sqrt(inner) * first
        self._outer = both / inner * self._inner + math.sqrt(max(0.0, outer - both**2 / inner)) * second

    def go(self, steps: int) -> Floats:
        out = np.empty((steps, len(self._mean)))
        for place, noise in enumerate(self._rng.standard_normal(out.shape)):
            self._inner = self._keep * self._inner + noise
            self._outer = self._keep * self._outer + self._inner
            out[place] = self._outer
        return _scaled(out * self._unit, self._mean, self._spread)


class Recalled:
    """A walk along `excerpts` (steps, latent_dim; 2 or more). After a phrase it leaps to a place whose latents are like
    those that would have come, and what is left of the distance fades. A higher `temperature` leaps more often, and
    further."""

    def __init__(
        self, excerpts: Floats, deviation: Floats, temperature: float, step_s: float, rng: np.random.Generator
    ) -> None:
        self._excerpts, self._temperature, self._rng = excerpts, temperature, rng
        self._scaled = excerpts / np.maximum(deviation, 1e-9)
        self._leaps = min(1.0, step_s / PHRASE_S * temperature)
        self._fades = math.exp(-step_s / GLIDE_S)
        self._apart = min(max(1, round(APART_S / step_s)), (len(excerpts) - 1) // 2)
        self._place = int(rng.integers(len(excerpts)))
        self._rest: Doubles = np.zeros(excerpts.shape[1])

    def go(self, steps: int) -> Floats:
        out = np.empty((steps, self._excerpts.shape[1]), np.float32)
        for step in range(steps):
            self._forward()
            out[step] = self._excerpts[self._place] + self._rest
        return out

    def _forward(self) -> None:
        self._rest = self._rest * self._fades
        due = self._place + 1
        if due < len(self._excerpts) and self._rng.random() >= self._leaps:
            self._place = due
            return
        wanted = min(due, len(self._excerpts) - 1)
        place = self._alike(wanted)
        self._rest = self._rest + self._excerpts[wanted] - self._excerpts[place]
        self._place = place

    def _alike(self, wanted: int) -> int:
        """A place like `wanted`, the more likely the nearer: exp(-d² / (temperature · the median d²))."""
        distances = np.square(self._scaled - self._scaled[wanted]).sum(axis=1)
        distances[max(0, wanted - self._apart) : wanted + self._apart + 1] = np.inf
        near = np.argsort(distances, kind="stable")[:NEIGHBOURS]
        near = near[np.isfinite(distances[near])]
        if not len(near):
            return int(self._rng.integers(len(distances)))
        squares = distances[near].astype(np.float64)
        scale = self._temperature * max(float(np.median(squares)), 1e-12)
        weights = np.exp((squares[0] - squares) / scale)
        return int(self._rng.choice(near, p=weights / weights.sum()))


class Given:
    """A known path (steps, latent_dim), given once; RuntimeError beyond its end."""

    def __init__(self, path: Floats) -> None:
        self._path, self._place = path, 0

    def go(self, steps: int) -> Floats:
        if self._place + steps > len(self._path):
            raise RuntimeError(f"a path of {len(self._path)} steps was asked for {self._place + steps}")
        self._place += steps
        return self._path[self._place - steps : self._place]


def _scaled(unit: Doubles, mean: Floats, spread: Floats) -> Floats:
    return (mean + spread * unit).astype(np.float32)
