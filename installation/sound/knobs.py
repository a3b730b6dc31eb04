"""How a part's path is read, decoded and mixed: what people turn, as the lane takes it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from installation.sound.player import Turn

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Spread:
    """The model's latents, all (latent_dim,): where its training sound lies, and between which bounds."""

    mean: Floats
    deviation: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Knobs:
    """How the path is read and mixed: `gains` (model channels, card channels), the rest as in `parameters`."""

    turn: Turn
    gains: Floats
    rate: float = 1.0
    glide_s: float = 0.35
    hold: bool = False
    detune_cents: float = 0.0
    width: float = 0.0
    tame: float = 0.0
    gate_db: float = -120.0
    gate_ratio: float = 2.0
    mix: float = 0.0
    """How much of the input's latents is heard, 0..1."""
