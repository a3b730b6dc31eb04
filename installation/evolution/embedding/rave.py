"""What the model itself hears: statistics over time of the latents its own encoder makes of a sound.

    latents, mean                                   latent_dim    weight 1
    latents, standard deviation                     latent_dim           1
    latents, standard deviation of the difference   latent_dim           1
    from step to step

A latent dimension that hardly varies among the sounds calibrated on is not blown up: no number's scale is below its
block's, so dimensions the model gave little room keep little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from installation.errors import ModelError
from installation.evolution.embedding import same_weights
from installation.evolution.embedding.standard import Statistical

if TYPE_CHECKING:
    from installation.evolution.embedding import Hearing

Floats = npt.NDArray[np.float32]

SHORTEST_S = 0.25
"""What is shorter is padded with silence to it: longer than a step of any RAVE model."""


class Rave(Statistical):
    """See the module. ModelError where the model has no encoder."""

    name = "rave"

    def __init__(self, hearing: Hearing, calibration: dict[str, Any] | None = None) -> None:
        if hearing.encode is None:
            raise ModelError("embedding: rave needs the model's own encoder, and this model has none; allowed: texture")
        same_weights(self.name, calibration, hearing.encoder_sha256)
        self._sha256 = hearing.encoder_sha256
        self._encode = hearing.encode
        self._shortest = int(SHORTEST_S * hearing.sample_rate_hz)
        latent_dim = self._encode(np.zeros((1, self._shortest), np.float32)).shape[2]
        super().__init__(((latent_dim, 1.0),) * 3, calibration, floor=1.0)

    @property
    def calibration(self) -> dict[str, Any]:
        """Mean and scale of each number, as lists, and the encoder's SHA-256."""
        return super().calibration | {"weights": self._sha256}

    def statistics(self, sounds: Floats) -> Floats:
        short = max(0, self._shortest - sounds.shape[1])
        return statistics(self._encode(np.pad(sounds, ((0, 0), (0, short)))))


def statistics(latents: Floats) -> Floats:
    """Mean, deviation and deviation of the difference over time of `latents` (batch, steps, latent_dim), not scaled,
    (batch, 3 latent_dim). A single step differs from nothing: 0."""
    moved = np.diff(latents, axis=1) if latents.shape[1] > 1 else np.zeros_like(latents)
    return np.asarray(np.concatenate([latents.mean(axis=1), latents.std(axis=1), moved.std(axis=1)], axis=1))
