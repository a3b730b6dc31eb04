"""A model's encoder: mono sound in, latents out; as a function of a whole sound, or as a stream with its state."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

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
    stream = _onnx_stream(path, device)

    def encode(sound: Floats) -> Floats:
        whole = sound[:, : sound.shape[1] // stream.ratio * stream.ratio, None]
        return stream.encode(whole, stream.start(len(sound)))[0]

    return encode


def _torchscript(path: Path, device: str) -> Encode:
    from installation.sound.rave_torch import torchscript_encoder

    return torchscript_encoder(path, device)


ENCODERS: dict[str, Callable[[Path, str], Encode]] = {".onnx": _onnx, ".ts": _torchscript}
"""By ending of the file. `device` is auto, cpu or cuda."""


def open_encoder(path: Path, device: str = "auto") -> Encode:
    """The encoder in `path`; ModelError if there is none."""
    return ENCODERS[checked_ending(path)](path, device)


def checked_ending(path: Path) -> str:
    """The ending of an encoder's file; ModelError if it has another, or is not there."""
    if path.suffix not in ENCODERS:
        raise ModelError(f"{path}: encoders end in {' or '.join(ENCODERS)}, got {path.suffix or 'no ending'}")
    if not path.is_file():
        raise ModelError(f"{path}: no such file")
    return path.suffix


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


class EncoderStream(Protocol):
    """Sound to latents, a few steps at a time. Pure, as a Decoder is: the same sound and state give the same latents
    and next state, whatever came between, and blocks of any size the same as all at once."""

    sample_rate_hz: int
    ratio: int
    """Samples of sound in one latent."""
    latent_dim: int

    def start(self, batch: int = 1) -> Any:
        """The state of `batch` encoders that have heard nothing."""
        ...

    def encode(self, sound: Floats, state: Any) -> tuple[Floats, Any]:
        """Mono `sound` (batch, steps * ratio, 1) → latents (batch, steps, latent_dim) and the next state."""
        ...


def _onnx_stream(path: Path, device: str) -> EncoderStream:
    from installation.sound.rave_onnx_encoder import OnnxEncoderStream

    return OnnxEncoderStream(path, device)


def _torchscript_stream(path: Path, device: str) -> EncoderStream:
    from installation.sound.rave_torch_encoder import TorchScriptEncoderStream

    return TorchScriptEncoderStream(path, device)


ENCODER_STREAMS: dict[str, Callable[[Path, str], EncoderStream]] = {".onnx": _onnx_stream, ".ts": _torchscript_stream}
"""By ending of the file. `device` is auto, cpu or cuda."""


def open_encoder_stream(path: Path, device: str = "auto") -> EncoderStream:
    """The encoder in `path` as a stream, an instance of its own; ModelError if there is none."""
    return ENCODER_STREAMS[checked_ending(path)](path, device)
