"""Latents kept where a model knows its way: bent towards the range its card recommends, without a corner."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

FREE = 0.9
"""Share of the way from the middle of the range to either bound within which a latent is left as it is."""
NOTHING = 1e-9
"""Instead of dividing by the width of a range of one point."""


def tamed(latents: Floats, low: Floats, high: Floats, firmness: float = 1.0) -> Floats:
    """`latents` (…, latent_dim) bent towards the range `low` .. `high` (latent_dim,), of the same shape.

    At a `firmness` of 1 nothing leaves the range: beyond FREE of it a latent goes on along a tanh, whose slope is 1
    where it begins and which never passes the bound. At 0 they are as they were; between, so much of the way is gone.
    """
    if firmness <= 0.0:
        return latents
    middle, half = 0.5 * (low + high), np.maximum(0.5 * (high - low), 0.0)
    knee, room = FREE * half, np.maximum((1.0 - FREE) * half, NOTHING)
    offset = latents - middle
    over = np.maximum(np.abs(offset) - knee, 0.0)
    limited = np.clip(middle + np.sign(offset) * (knee + room * np.tanh(over / room)), low, high)
    share = np.float32(min(1.0, firmness))
    return np.where(over > 0.0, share * limited + (1.0 - share) * latents, latents).astype(np.float32)
