"""Who breeds with whom, and what their children are. Pure; chance is an argument."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from installation.evolution.credit import Credit
from installation.evolution.genotype import Space
from installation.evolution.individual import Individual
from installation.evolution.operators import CROSSOVERS, MIXED, Birth, mutate
from installation.evolution.steering import Steering

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

SIGMA_AT_MOST = 3.0
TWO_PARENTS = "iso-line"
"""The mutation that has a part of the partner, crossed or not."""


@dataclass(frozen=True, eq=False)
class Children:
    """What was bred: `latents` (count, steps, latent_dim), and of each its parents' identities and the operator that
    made it."""

    latents: Floats
    parents: list[tuple[int, ...]]
    operators: list[str]


@dataclass(frozen=True, eq=False)
class Mating:
    """Who may breed: `pool`, of whom the first `held` live in the container; the places of those that a person wants
    more of, who are the first parent of a `share` of the children."""

    pool: list[Individual]
    held: int
    wanted: Integers
    share: float

    def draw(self, count: int, rng: np.random.Generator) -> tuple[Integers, Integers]:
        """First and second parents of `count` children, as places in the pool: the first from the container with equal
        chance, or wanted; the second any other."""
        first = rng.integers(0, self.held, count)
        if len(self.wanted):
            chosen = rng.random(count) < self.share
            first = np.where(chosen, self.wanted[rng.integers(0, len(self.wanted), count)], first)
        second = (first + rng.integers(1, len(self.pool), count)) % len(self.pool)
        return first, second

    def breed(
        self, count: int, turn: Steering, reach: float, credit: Credit, space: Space, rng: np.random.Generator
    ) -> Children:
        """`count` children by what is turned, sigma times `reach`; mixed operators are chosen by their `credit`."""
        first, second = self.draw(count, rng)
        latents = np.stack([each.latents for each in self.pool])
        both = (rng.random(count) < turn.crossover) & (turn.recombination != "none")
        other = np.where(both, second, first)
        crossed = CROSSOVERS[turn.recombination](latents[first], latents[other], rng)
        names = credit.choose(count, rng) if turn.operator == MIXED else [turn.operator] * count
        sigma = min(turn.sigma * reach, SIGMA_AT_MOST)
        birth = Birth(crossed, latents[second], turn.mutation_rate, sigma, space)
        children = mutate(birth, names, rng, turn.mask)
        other = np.where([name == TWO_PARENTS for name in names], second, other)
        known = [each.identity for each in self.pool]
        return Children(children, [(known[a], known[b]) for a, b in zip(first, other, strict=True)], names)
