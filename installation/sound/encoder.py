"""A model's encoder as a function: mono sound in, latents out, each call from a clean state."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from installation.errors import ModelError

Floats = npt.NDArray[np.float32]
Encode = Callable[[Floats], Floats]
"""Mono sound (batch, samples), full scale 1, at the model's rate → latents (batch, steps, latent_dim); what is less
than a whole step at the end is left out."""

PIECE_STEPS = 512
LEAD_STEPS = 16
"""Steps a piece of a long sound begins before what is kept of it: an encoder in its clean state has forgotten by then
that it began there."""


def _onnx(path: Path, device: str) -> Encode:
    from installation.sound.rave_onnx import onnx_encoder

    return onnx_encoder(path, device)


def _torchscript(path: Path, device: str) -> Encode:
    from installation.sound.rave_torch import torchscript_encoder

    return torchscript_encoder(path, device)


ENCODERS: dict[str, Callable[[Path, str], Encode]] = {".onnx": _onnx, ".ts": _torchscript}
"""By ending of the file. `device` is auto, cpu or cuda."""


def open_encoder(path: Path, device: str = "auto") -> Encode:
    """The encoder in `path`; ModelError if there is none."""
    if path.suffix not in ENCODERS:
        raise ModelError(f"{path}: encoders end in {' or '.join(ENCODERS)}, got {path.suffix or 'no ending'}")
    if not path.is_file():
        raise ModelError(f"{path}: no such file")
    return ENCODERS[path.suffix](path, device)


def encode_whole(sound: Floats, ratio: int, encode: Encode) -> Floats:
    """All of a mono `sound` (samples,), however long, as latents (steps, latent_dim), in pieces."""
    steps = len(sound) // ratio
    if not steps:
        return np.zeros((0, encode(np.zeros((1, ratio), np.float32)).shape[2]), np.float32)
    pieces = []
    for start in range(0, steps, PIECE_STEPS):
        lead = min(start, LEAD_STEPS)
        piece = sound[(start - lead) * ratio : min(start + PIECE_STEPS, steps) * ratio]
        pieces.append(encode(piece[None])[0, lead:])
    return np.concatenate(pieces)
