"""What every decoder is to the rest: latents and a state in, sound and the next state out."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from installation.errors import ModelError
from installation.model import Model

Floats = npt.NDArray[np.float32]
State = Any
"""What a decoder remembers between calls. Opaque, immutable to whoever holds it: keeping one is a snapshot."""

NVIDIA = Path("/dev/nvidiactl")
"""There where a graphics processor is driven: torch takes a second to import, and is asked only then."""


class Decoder(Protocol):
    """Latents to sound. Pure: the same latents and state give the same sound and next state, whatever came between."""

    sample_rate_hz: int
    ratio: int
    """Samples of sound in one latent."""
    latent_dim: int
    channels: int

    def start(self, batch: int = 1) -> State:
        """The state of `batch` decoders that have heard nothing."""
        ...

    def decode(self, latents: Floats, state: State) -> tuple[Floats, State]:
        """`latents` (batch, steps, latent_dim) → sound (batch, steps * ratio, channels) and the next state."""
        ...


def _onnx(path: Path, device: str) -> Decoder:
    from installation.sound.rave_onnx import OnnxDecoder

    return OnnxDecoder(path, device)


def _torchscript(path: Path, device: str) -> Decoder:
    from installation.sound.rave_torch import TorchScriptDecoder

    decoder = TorchScriptDecoder(path, device)
    if decoder.traits.memories:
        return decoder
    from installation.sound.overlapped import joined

    return joined(decoder)


DECODERS: dict[str, Callable[[Path, str], Decoder]] = {".onnx": _onnx, ".ts": _torchscript}
"""By ending of the file. `device` is auto, cpu or cuda."""


def open_decoder(path: Path, device: str = "auto") -> Decoder:
    """Load the decoder in `path` for `device`."""
    if path.suffix not in DECODERS:
        raise ModelError(f"{path}: decoders end in {' or '.join(DECODERS)}, got {path.suffix or 'no ending'}")
    if not path.is_file():
        raise ModelError(f"{path}: no such file")
    return DECODERS[path.suffix](path, device)


def file_for(model: Model, device: str) -> Path:
    """The decoder's file of `model` for `device`: on a graphics processor its TorchScript twin, if its card names one
    and torch finds the processor, for ONNX Runtime's own build for such processors is seldom there."""
    script = model.folder / str(model.card.get("torchscript", ""))
    wanted = device == "cuda" or (device == "auto" and NVIDIA.exists())
    return script if wanted and script.is_file() and on_cuda() else model.decoder


def on_cuda() -> bool:
    """Whether torch is installed and finds a graphics processor."""
    if find_spec("torch") is None:
        return False
    from installation.sound.rave_torch import cuda_there

    return cuda_there()


def open_quickest(path: Path, device: str = "auto", threads: int = 1) -> tuple[Decoder, int]:
    """The decoder that makes most sound in a second of many clips, as evaluation does, and how many threads may call it
    at once, at most `threads`. ONNX files on a processor run by OpenVINO where that is installed."""
    if path.suffix == ".onnx" and path.is_file() and find_spec("openvino"):
        from installation.sound.rave_onnx import runs_on_cuda
        from installation.sound.rave_openvino import OpenVinoDecoder

        if not runs_on_cuda(path, device):
            return OpenVinoDecoder(path, threads), threads
    return open_decoder(path, device), threads if path.suffix == ".onnx" else 1
