"""How children are made of parents. Pure; chance is an argument.

Everything is (count, steps, latent_dim) float32 in the model's own latent units. One-point crossover on the time axis
and the mutations `step` and `replace` are LVNS-RAVE's (arXiv 2404.14063), but with unbiased cuts, every step able to
mutate, and bounds; `iso-line` is Vassiliades & Mouret's (GECCO 2018); the others are ours, made so that a path stays
playable. `rate` 0..1 is the chance of each single step of a child to be touched, the same for all steps; `sigma` how
far, in each latent's own deviation. A rate of 0 is the identity, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from installation.evolution.genotype import Space, reflect

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

LINE = 0.5
"""How far along the line to its partner `iso-line` takes a child, as a deviation; 1 would be all the way."""
WAVES = 4
"""Half waves of the slowest to the quickest movement in a `drift`."""
STRETCH = 0.25
"""How far `stretch` moves the middle of its span in time at sigma 1, as a share of the span."""


@dataclass(frozen=True, eq=False)
class Birth:
    """What a mutation is given: `children` and their `partners` (count, steps, latent_dim) each, and how much."""

    children: Floats
    partners: Floats
    rate: float
    sigma: float
    space: Space

    @property
    def shape(self) -> tuple[int, int, int]:
        count, steps, latent_dim = self.children.shape
        return count, steps, latent_dim


Moved = tuple[Doubles, Bools]
"""Where the latents went (count, steps, latent_dim), and which count (broadcasts to it): the others stay."""
Mutation = Callable[[Birth, np.random.Generator], Moved]


def one_point(first: Floats, second: Floats, rng: np.random.Generator) -> Floats:
    """`first` up to a cut in time, `second` from it. The cut is drawn for each child, uniform over 1..steps-1, so both
    parents are heard; trajectories of one step can't be cut and stay as in `first`."""
    count, steps, _ = first.shape
    if steps < 2:
        return first.copy()
    cuts = rng.integers(1, steps, (count,))
    return np.where((np.arange(steps) < cuts[:, None])[..., None], first, second)


def uniform(first: Floats, second: Floats, rng: np.random.Generator) -> Floats:
    """Each step from either parent, with equal chance."""
    count, steps, _ = first.shape
    return np.where((rng.random((count, steps)) < 0.5)[..., None], first, second)


def none(first: Floats, second: Floats, rng: np.random.Generator) -> Floats:
    """`first` as it is."""
    return first.copy()


CROSSOVERS: dict[str, Callable[[Floats, Floats, np.random.Generator], Floats]] = {
    "one-point": one_point,
    "uniform": uniform,
    "none": none,
}
"""By name: two parents (count, steps, latent_dim) each → children."""


def step(birth: Birth, rng: np.random.Generator) -> Moved:
    """Steps here and there move, each by a normal deviate of its own."""
    touched = _scattered(birth, rng)
    return birth.children + _noise(birth, rng, birth.shape), touched & (birth.sigma > 0)


def span(birth: Birth, rng: np.random.Generator) -> Moved:
    """One smooth bump: a run of steps moves in one direction and back."""
    count, steps, latent_dim = birth.shape
    bump = bumps(count, steps, birth.rate, rng)[..., None]
    return birth.children + bump * _noise(birth, rng, (count, 1, latent_dim)), (bump > 0) & (birth.sigma > 0)


def drift(birth: Birth, rng: np.random.Generator) -> Moved:
    """Some latents, each with chance `rate`, drift slowly over the whole path: a sum of a few cosine half waves."""
    count, steps, latent_dim = birth.shape
    time = (np.arange(steps) + 0.5) / steps
    waves = np.cos(np.pi * np.arange(WAVES + 1)[:, None] * time) / np.sqrt(WAVES + 1)
    weights = rng.standard_normal((count, WAVES + 1, latent_dim)) * birth.sigma * birth.space.deviation
    touched = rng.random((count, 1, latent_dim)) < birth.rate
    return birth.children + np.einsum("cwl,wt->ctl", weights, waves), touched & (birth.sigma > 0)


def iso_line(birth: Birth, rng: np.random.Generator) -> Moved:
    """Steps here and there move by noise, and along the line to the partner's same step (its eq. 1)."""
    touched = _scattered(birth, rng)
    along = rng.normal(0.0, LINE, (len(birth.children), 1, 1)) * (birth.partners - birth.children.astype(np.float64))
    return birth.children + _noise(birth, rng, birth.shape) + along, touched


def replace(birth: Birth, rng: np.random.Generator) -> Moved:
    """Steps here and there are drawn anew from N(0, 1), in deviations from the mean; `sigma` has no part in it."""
    touched = _scattered(birth, rng)
    return birth.space.mean + birth.space.deviation * rng.standard_normal(birth.shape), touched


def stretch(birth: Birth, rng: np.random.Generator) -> Moved:
    """A run of steps is played slower at one end and quicker at the other: time itself bends, smoothly, and latents
    between two steps lie on the line between them."""
    count, steps, _ = birth.shape
    bump = bumps(count, steps, birth.rate, rng)
    bend = STRETCH * birth.rate * steps * birth.sigma * rng.standard_normal((count, 1))
    position = np.clip(np.arange(steps) + bend * bump, 0.0, steps - 1.0)
    low = np.minimum(position.astype(np.int64), max(0, steps - 2))
    between = (position - low)[..., None]
    rows = np.arange(count)[:, None]
    after = birth.children[rows, np.minimum(low + 1, steps - 1)]
    moved = birth.children[rows, low] * (1.0 - between) + after * between
    return moved, ((bump > 0) & (birth.sigma > 0))[..., None]


MUTATIONS: dict[str, Mutation] = {
    "step": step,
    "span": span,
    "drift": drift,
    "iso-line": iso_line,
    "replace": replace,
    "stretch": stretch,
}
"""By name: (birth, rng) → where the latents went and which count."""
MIXED = "mixed"
"""Each child's mutation is one of MUTATIONS, chosen by what they have lately earned (`credit`)."""


def mutate(birth: Birth, names: list[str], rng: np.random.Generator, mask: Bools | None = None) -> Floats:
    """The children of `birth`, each mutated by the operator in `names` (count,), reflected at the bounds. What isn't
    touched stays bit for bit; `mask` (latent_dim,) is False where a latent must not move."""
    children = birth.children.copy()
    allowed = np.ones(birth.space.latent_dim, bool) if mask is None else mask
    for name in MUTATIONS:
        rows = np.flatnonzero(np.array([each == name for each in names], bool))
        if len(rows) and birth.rate > 0.0:
            part = Birth(birth.children[rows], birth.partners[rows], birth.rate, birth.sigma, birth.space)
            moved, touched = MUTATIONS[name](part, rng)
            children[rows] = np.where(touched & allowed, reflect(moved, birth.space), part.children)
    return children


def bumps(count: int, steps: int, rate: float, rng: np.random.Generator) -> Doubles:
    """One raised-cosine bump for each child, (count, steps), 0 outside a span of `rate * steps` steps (rounded up or
    down by chance, so the mean is exact). A span may leave at the end and go on at the start: no step is favoured."""
    spans = np.floor(rate * steps + rng.random((count,))).astype(np.int64)
    starts = rng.integers(0, steps, (count,))
    inside = np.mod(np.arange(steps) - starts[:, None], steps)
    shape = np.sin(np.pi * (inside + 1) / (spans[:, None] + 1)) ** 2
    return np.where(inside < spans[:, None], shape, 0.0)


def _scattered(birth: Birth, rng: np.random.Generator) -> Bools:
    count, steps, _ = birth.shape
    return rng.random((count, steps, 1)) < birth.rate


def _noise(birth: Birth, rng: np.random.Generator, shape: tuple[int, int, int]) -> Doubles:
    return np.asarray(rng.standard_normal(shape) * birth.sigma * birth.space.deviation)
