"""One individual of a search: its genotype, what it sounds like to the embedding, and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Individual:
    """`latents` (steps, latent_dim), `embedding` (size,). `identity` is unique in a run and grows; `generation` is 0
    for the first founders; `parents` holds the identities of two parents, one twice for a child without crossover, none
    for a founder; `operator` is the mutation that made it, empty for a founder. `sparseness` is as it was when the
    individual was evaluated: it drifts as others come and go. `quality` is 0..1, see `quality.judge`."""

    identity: int
    generation: int
    parents: tuple[int, ...]
    latents: Floats
    embedding: Floats
    sparseness: float
    operator: str = ""
    quality: float = 1.0


def embeddings_of(individuals: list[Individual], size: int) -> Floats:
    """Their embeddings as rows, (count, size), also when there are none."""
    return np.array([each.embedding for each in individuals], np.float32).reshape(len(individuals), size)
