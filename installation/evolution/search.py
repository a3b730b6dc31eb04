"""Novelty search by ask and tell: a container of fixed size keeps the sparsest of itself and each brood.

After LVNS-RAVE (arXiv 2404.14063), but with the k *nearest* neighbours its text names, measured against container,
brood and archive; only children are evaluated, and embeddings are kept. No clock, no global chance, no sound: whoever
asks decodes and embeds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.commands import Trajectory
from installation.evolution.archive import Archive
from installation.evolution.genotype import INITS, Space, crossover, mutate
from installation.evolution.individual import Individual, embeddings_of
from installation.evolution.sparseness import sparseness

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

FOUNDING_TRIES = 4
"""Founders evaluated for each place in the container before the search breeds with those that were accepted."""
FOUNDERS_AT_ONCE = 8
"""Founders in one brood, at most: the first of them can be played while the others are evaluated."""
FEWEST = 2
"""Individuals a container must hold before it can breed."""


@dataclass(frozen=True, eq=False)
class Steering:
    """What a person may turn while the search runs; read at every `ask` and `tell`. `mask` (latent_dim,) is False where
    a latent must not be mutated."""

    mutation_rate: float = 0.5
    sigma: float = 0.6
    crossover: float = 0.7
    neighbours: int = 15
    mask: Bools | None = None


@dataclass(frozen=True, eq=False)
class Brood:
    """What was asked and not yet told: `latents` (count, steps, latent_dim), identities and parents of each."""

    latents: Floats
    identities: range
    parents: list[tuple[int, ...]]


class Search:
    """The container and everything needed to go on. `generation` counts broods told, founders' broods too."""

    def __init__(
        self,
        container_size: int,
        brood_size: int,
        rng: np.random.Generator,
        space: Space,
        steps: int,
        *,
        steering: Steering | None = None,
        archive: Archive | None = None,
        init: str = "normal",
        excerpts: Floats | None = None,
    ) -> None:
        if container_size < FEWEST or brood_size < 1 or steps < 1:
            raise ValueError(
                f"search: container {container_size}, brood {brood_size}, steps {steps}: "
                f"allowed are {FEWEST}, 1 and 1 or more"
            )
        if init not in INITS:
            raise ValueError(f"search: init {init!r}: allowed are {', '.join(INITS)}")
        self.container_size = container_size
        self.brood_size = brood_size
        self.rng = rng
        self.space = space
        self.steps = steps
        self.steering = steering or Steering()
        self.archive = archive or Archive(0)
        self.init = init
        self.excerpts = np.zeros((0, space.latent_dim), np.float32) if excerpts is None else excerpts
        self.generation = 0
        self.evaluations = 0
        self.container: list[Individual] = []
        self.sparseness: list[float] = []
        self._next_identity = 1
        self._founders_left = FOUNDING_TRIES * container_size
        self.asked: Brood | None = None

    @property
    def founding(self) -> bool:
        """Whether the first container is still being filled."""
        missing = len(self.container) < self.container_size
        return len(self.container) < FEWEST or (missing and self._founders_left > 0)

    @property
    def mean_sparseness(self) -> float:
        """Mean over the container, each as of the last `tell`; 0 while it is empty."""
        return float(np.mean(self.sparseness)) if self.sparseness else 0.0

    def trajectories(self) -> tuple[Trajectory, ...]:
        """The container as what a player plays, oldest first."""
        return tuple(map(_trajectory, self.container, self.sparseness))

    def ask(self) -> Floats:
        """The next brood to evaluate, (count, steps, latent_dim): founders until the container is full, then children.
        Asking again before telling gives another brood; the one before is forgotten."""
        if self.founding:
            missing = max(1, self.container_size - len(self.container))
            count = min(self.brood_size, FOUNDERS_AT_ONCE, missing)
            latents = INITS[self.init](count, self.steps, self.space, self.excerpts, self.rng)
            parents: list[tuple[int, ...]] = [()] * count
        else:
            latents, parents = self._children()
        identities = range(self._next_identity, self._next_identity + len(latents))
        self._next_identity += len(latents)
        self.asked = Brood(latents, identities, parents)
        return latents

    def _children(self) -> tuple[Floats, list[tuple[int, ...]]]:
        """Parents are drawn from the container with equal chance; the second differs from the first."""
        held, turn = len(self.container), self.steering
        pool = np.stack([each.latents for each in self.container])
        first = self.rng.integers(0, held, self.brood_size)
        second = (first + self.rng.integers(1, held, self.brood_size)) % held
        second = np.where(self.rng.random(self.brood_size) < turn.crossover, second, first)
        children = crossover(pool[first], pool[second], self.rng)
        children = mutate(children, turn.mutation_rate, turn.sigma, self.space, self.rng, turn.mask)
        identities = [each.identity for each in self.container]
        return children, [(identities[a], identities[b]) for a, b in zip(first, second, strict=True)]

    def tell(self, embeddings: Floats, accepted: Bools) -> tuple[Trajectory, ...]:
        """Give the embeddings (count, size) of what was asked, in its order, and which of them passed the quality gate
        (count,). Keeps the sparsest; returns those of the brood that came into the container."""
        if self.asked is None or len(embeddings) != len(self.asked.latents) or len(accepted) != len(embeddings):
            asked = 0 if self.asked is None else len(self.asked.latents)
            raise ValueError(f"search: told {len(embeddings)} embeddings, {len(accepted)} accepted, asked for {asked}")
        founders = self.founding
        self.evaluations += len(embeddings)
        self.generation += 1
        self._founders_left -= len(embeddings) if founders else 0
        brood = self._measured(self.asked, np.asarray(embeddings, np.float32), accepted)
        self.asked = None
        self.archive.consider(brood)
        if not self.founding:
            self.archive.start(self.mean_sparseness)
        born = {each.identity for each in brood}
        return tuple(each for each in self.trajectories() if each.identity in born)

    def _measured(self, asked: Brood, embeddings: Floats, accepted: Bools) -> list[Individual]:
        """The accepted of `asked` with their sparseness, after the sparsest of all have become the container."""
        rows = np.flatnonzero(accepted)
        known = [each.identity for each in self.container] + [asked.identities[row] for row in rows]
        everyone = np.vstack([embeddings_of(self.container, embeddings.shape[1]), embeddings[rows]])
        remembered = embeddings_of(self.archive.without(known), embeddings.shape[1])
        measured = sparseness(everyone, max(1, self.steering.neighbours), remembered)
        held = len(self.container)
        brood = [
            Individual(
                identity=asked.identities[row],
                generation=self.generation,
                parents=asked.parents[row],
                latents=asked.latents[row].copy(),
                embedding=embeddings[row].copy(),
                sparseness=float(measured[held + place]),
            )
            for place, row in enumerate(rows)
        ]
        candidates = self.container + brood
        kept = np.sort(np.argsort(-measured, kind="stable")[: self.container_size])
        self.container = [candidates[place] for place in kept]
        self.sparseness = [float(measured[place]) for place in kept]
        return brood

    def reset(self) -> None:
        """Forget the container and found anew; the archive, the counts and the generator go on, so that what comes is
        not what was."""
        self.container, self.sparseness, self.asked = [], [], None
        self._founders_left = FOUNDING_TRIES * self.container_size

    def state(self) -> dict[str, Any]:
        """All that isn't in the individuals, fit for JSON; taken between `tell` and `ask`, it continues bit for bit."""
        return {
            "generator": self.rng.bit_generator.state,
            "generation": self.generation,
            "evaluations": self.evaluations,
            "next_identity": self._next_identity,
            "founders_left": self._founders_left,
            "sparseness": list(self.sparseness),
            "threshold": self.archive.threshold,
            "quiet": self.archive.quiet,
        }

    def restore(self, state: dict[str, Any], container: Iterable[Individual], archive: Iterable[Individual]) -> None:
        """Go on from a `state` and the individuals that lived with it, in any order."""
        self.rng.bit_generator.state = state["generator"]
        self.generation, self.evaluations = state["generation"], state["evaluations"]
        self._next_identity, self._founders_left = state["next_identity"], state["founders_left"]
        self.container = sorted(container, key=_identity)
        self.sparseness = list(state["sparseness"])
        self.archive.members = sorted(archive, key=_identity)
        self.archive.threshold, self.archive.quiet = state["threshold"], state["quiet"]
        self.asked = None


def _identity(individual: Individual) -> int:
    return individual.identity


def _trajectory(individual: Individual, now: float) -> Trajectory:
    return Trajectory(individual.identity, individual.latents, now, individual.generation)
