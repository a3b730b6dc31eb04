"""Decodes with ONNX Runtime: files with an explicit state, as `installation models export` writes them.

The file's inputs are `latents` (batch, latent_dim, steps) and `state` (batch, S), its outputs `sound` (batch, channels,
steps * ratio) and `next_state`; its metadata name sample_rate_hz, ratio, latent_dim, channels and state_size. The only
home of onnxruntime, and of RAVE's (batch, channel, time) on this side.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.errors import ModelError
from installation.sound.latents import checked, checked_batch, wants_cuda

Floats = npt.NDArray[np.float32]

FACTS = ("sample_rate_hz", "ratio", "latent_dim", "channels", "state_size")
INPUTS = ["latents", "state"]
OUTPUTS = ["sound", "next_state"]


class OnnxDecoder:
    """A Decoder whose state is one array (batch, S) of its own; nothing is kept between calls."""

    def __init__(self, path: Path, device: str = "auto") -> None:
        self.path = path
        self._session = open_session(path, device)
        facts = stated(self._session, path)
        self.sample_rate_hz, self.ratio, self.latent_dim, self.channels, self._size = facts

    def start(self, batch: int = 1) -> Floats:
        return np.zeros((checked_batch(batch, self.path), self._size), np.float32)

    def decode(self, latents: Floats, state: Floats) -> tuple[Floats, Floats]:
        given = checked(latents, self.latent_dim, len(state), self.path)
        if not given.shape[1]:
            return np.zeros((len(given), 0, self.channels), np.float32), state
        feed = {"latents": np.ascontiguousarray(given.transpose(0, 2, 1)), "state": state}
        sound, next_state = self._session.run(OUTPUTS, feed)
        return np.ascontiguousarray(sound.transpose(0, 2, 1)), next_state


def open_session(path: Path, device: str = "auto") -> Any:
    """An inference session on one thread that sleeps while it waits: the others of this machine have work, too."""
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as errors

    cuda = runs_on_cuda(path, device)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    providers = ["CUDAExecutionProvider"] * cuda + ["CPUExecutionProvider"]
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=providers)
    except (errors.Fail, errors.InvalidProtobuf, errors.InvalidGraph, errors.InvalidArgument, errors.NoSuchFile,
            errors.NotImplemented, errors.RuntimeException) as error:  # fmt: skip
        raise ModelError(f"{path}: not an ONNX model that can be run here: {error}") from error


def runs_on_cuda(path: Path, device: str) -> bool:
    """Whether the file in `path` would run on the graphics processor; see `latents.wants_cuda`."""
    import onnxruntime

    return wants_cuda(device, "CUDAExecutionProvider" in onnxruntime.get_available_providers(), path)


def stated(session: Any, path: Path) -> list[int]:
    """What a decoder's file says of itself: FACTS, in order; ModelError if it is no decoder or doesn't say."""
    names = [[each.name for each in side] for side in (session.get_inputs(), session.get_outputs())]
    if names != [INPUTS, OUTPUTS]:
        raise ModelError(f"{path}: a decoder maps {INPUTS} to {OUTPUTS}, this file {names[0]} to {names[1]}")
    metadata = session.get_modelmeta().custom_metadata_map
    try:
        return [int(metadata[name]) for name in FACTS]
    except (KeyError, ValueError) as error:
        raise ModelError(f"{path}: its metadata lack {error}; a decoder states {', '.join(FACTS)}") from error
