"""What a person may turn while a search runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from installation.evolution.operators import MIXED


@dataclass(frozen=True, eq=False)
class Steering:
    """Read at every `ask` and `tell`. `mask` (latent_dim,) is False where a latent must not be mutated; `quality` 0..1
    weighs quality against novelty; the names are those of `operators` and `selection`."""

    mutation_rate: float = 0.5
    sigma: float = 0.6
    crossover: float = 0.7
    neighbours: int = 15
    mask: npt.NDArray[np.bool_] | None = None
    quality: float = 0.0
    operator: str = MIXED
    recombination: str = "one-point"
    selection: str = "nearest"
