"""What both decoders ask of the latents they are given, said in one place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from installation.errors import ModelError

Floats = npt.NDArray[np.float32]

DEVICES = ("auto", "cpu", "cuda")


def checked(latents: Floats, latent_dim: int, batch: int, file: Path) -> Floats:
    """`latents` as float32, or ModelError if they are not (batch, steps, latent_dim) with the state's own `batch`."""
    given = np.asarray(latents, np.float32)
    if given.ndim != 3 or given.shape[2] != latent_dim:
        raise ModelError(f"{file}: latents are (batch, steps, {latent_dim}), got {given.shape}")
    if given.shape[0] != batch:
        raise ModelError(f"{file}: the state is that of {batch} decoders, got latents for {given.shape[0]}")
    return given


def checked_batch(batch: int, file: Path) -> int:
    """`batch`, or ModelError if there can't be so many decoders."""
    if batch < 1:
        raise ModelError(f"{file}: a batch is 1 or more, got {batch}")
    return batch


def wants_cuda(device: str, available: bool, file: Path) -> bool:
    """Whether `device` (one of DEVICES) means the graphics processor; ModelError if it must be and isn't there."""
    if device not in DEVICES:
        raise ModelError(f"{file}: device is one of {', '.join(DEVICES)}, got {device!r}")
    if device == "cuda" and not available:
        raise ModelError(f"{file}: device cuda was asked for and there is none; auto falls back to cpu")
    return device != "cpu" and available


def checked_sound(sound: Floats, ratio: int, batch: int, file: Path) -> Floats:
    """`sound` as float32, or ModelError if it is not mono (batch, steps * ratio, 1) with the state's own `batch`."""
    given = np.asarray(sound, np.float32)
    if given.ndim != 3 or given.shape[2] != 1 or given.shape[1] % ratio:
        raise ModelError(f"{file}: sound is (batch, steps * {ratio}, 1), got {given.shape}")
    if given.shape[0] != batch:
        raise ModelError(f"{file}: the state is that of {batch} encoders, got sound for {given.shape[0]}")
    return given
