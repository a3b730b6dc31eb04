"""What novelty is measured on: sounds in, points out whose distance is meant to be the distance we hear."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from installation.evolution.embedding.texture import Texture

Floats = npt.NDArray[np.float32]
Calibration = dict[str, Any]


class Embedding(Protocol):
    """Batches of mono sound to points. Rows are independent: the same sound has the same point in any batch."""

    name: str
    size: int
    """Numbers in one point."""

    @property
    def calibration(self) -> Calibration:
        """What `calibrate` learnt, fit for JSON: an embedding made with it gives the same points."""
        ...

    def calibrate(self, sounds: Floats) -> None:
        """Learn scales from `sounds` (count, samples), once; points from before and after don't compare."""
        ...

    def embed(self, sounds: Floats) -> Floats:
        """`sounds` (batch, samples), finite, full scale 1 → points (batch, size)."""
        ...


EMBEDDINGS: dict[str, Callable[[int, Calibration | None], Embedding]] = {"texture": Texture}
"""By name: (sample_rate_hz, calibration or None) → Embedding."""
