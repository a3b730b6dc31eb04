"""The fixed-size living set of LVNS-RAVE: who breeds and is played."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

import numpy as np

from installation.commands import Trajectory
from installation.evolution.individual import Individual


class Container:
    """At most `size` `individuals`, oldest first, and the `sparseness` of each as it was last measured."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.individuals: list[Individual] = []
        self.sparseness: list[float] = []

    @property
    def mean_sparseness(self) -> float:
        """0 while it is empty."""
        return float(np.mean(self.sparseness)) if self.sparseness else 0.0

    def trajectories(self) -> tuple[Trajectory, ...]:
        """As what a player plays, oldest first."""
        return tuple(map(trajectory, self.individuals, self.sparseness))

    def hold(self, individuals: Iterable[Individual], sparseness: Iterable[float]) -> None:
        """These, oldest first, and nobody else."""
        self.individuals, self.sparseness = list(individuals), [float(each) for each in sparseness]

    def drop(self, unwanted: Callable[[Individual], bool]) -> None:
        """Let go of those that are."""
        left = [place for place, each in enumerate(self.individuals) if not unwanted(each)]
        self.hold([self.individuals[place] for place in left], [self.sparseness[place] for place in left])

    def insert(self, individual: Individual, pinned: Collection[int]) -> None:
        """One more; in a full container the least sparse that isn't `pinned` makes room. ValueError if all are."""
        if len(self.individuals) >= self.size:
            loose = [place for place, each in enumerate(self.individuals) if each.identity not in pinned]
            if not loose:
                raise ValueError("recall: every place in the container is pinned")
            gone = min(loose, key=lambda place: self.sparseness[place])
            del self.individuals[gone], self.sparseness[gone]
        place = sum(each.identity < individual.identity for each in self.individuals)
        self.individuals.insert(place, individual)
        self.sparseness.insert(place, individual.sparseness)


def trajectory(individual: Individual, now: float) -> Trajectory:
    """An individual as what a player plays; `now` is its sparseness."""
    return Trajectory(individual.identity, individual.latents, now, individual.generation)
