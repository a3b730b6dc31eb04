"""What novelty is measured on: sounds in, points out whose distance is meant to be the distance we hear."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from installation.errors import ModelError

Floats = npt.NDArray[np.float32]
Calibration = dict[str, Any]
Encode = Callable[[Floats], Floats]
"""Mono sound (batch, samples) at the model's rate → latents (batch, steps, latent_dim), each from a clean state."""


@dataclass(frozen=True, eq=False)
class Hearing:
    """What an embedding may need to hear with. `device` is auto, cpu or cuda; `encode` is the model's own encoder, None
    where it has none, from a file of `encoder_sha256`; `weights` the folder that holds a folder for each embedding
    whose weights were imported."""

    sample_rate_hz: int
    device: str = "cpu"
    encode: Encode | None = None
    weights: Path | None = None
    encoder_sha256: str = ""


def same_weights(name: str, calibration: Calibration | None, sha256: str) -> None:
    """ModelError if points were made by `name` with weights of another SHA-256 than are there now: no two compare."""
    held = (calibration or {}).get("weights", sha256)
    if held != sha256:
        raise ModelError(f"embedding: {name} has weights of SHA-256 {sha256}, its points were made with {held}")


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


def _texture(hearing: Hearing, calibration: Calibration | None) -> Embedding:
    from installation.evolution.embedding.texture import Texture

    return Texture(hearing.sample_rate_hz, calibration)


def _mfcc(hearing: Hearing, calibration: Calibration | None) -> Embedding:
    from installation.evolution.embedding.mfcc import Mfcc

    return Mfcc(hearing.sample_rate_hz, calibration)


def _rave(hearing: Hearing, calibration: Calibration | None) -> Embedding:
    from installation.evolution.embedding.rave import Rave

    return Rave(hearing, calibration)


def _vggish(hearing: Hearing, calibration: Calibration | None) -> Embedding:
    from installation.evolution.embedding.vggish import Vggish

    return Vggish(hearing, calibration)


def _clap(hearing: Hearing, calibration: Calibration | None) -> Embedding:
    from installation.evolution.embedding.clap import Clap

    return Clap(hearing, calibration)


EMBEDDINGS: dict[str, Callable[[Hearing, Calibration | None], Embedding]] = {
    "texture": _texture,
    "mfcc": _mfcc,
    "rave": _rave,
    "vggish": _vggish,
    "clap": _clap,
}
"""By name: (hearing, calibration or None) → Embedding. ModelError where what it needs is not there."""
