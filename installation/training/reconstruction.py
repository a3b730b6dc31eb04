"""An exported model's encoder and decoder in sequence: sound to latents, and back to sound on time.

Each sound is taken whole from an empty state, so the same sound always gives the same numbers. One thread; numpy and
onnxruntime only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.errors import ModelError

Floats = npt.NDArray[np.float32]


class Reconstruction:
    """`folder` holds encoder.onnx and decoder.onnx as `installation models export` writes them. The decoder's
    `latency_samples` are how much later it plays what it was taught to play on time."""

    def __init__(self, folder: Path) -> None:
        self._encoder, self._decoder = (_session(folder / name) for name in ("encoder.onnx", "decoder.onnx"))
        facts = self._decoder.get_modelmeta().custom_metadata_map
        self.sample_rate_hz, self.ratio = int(facts["sample_rate_hz"]), int(facts["ratio"])
        self.latency_samples = int(facts.get("latency_samples", 0))

    def encode(self, sound: Floats) -> Floats:
        """(samples,) → (steps, latent_dim); what is left over after the last whole step is not heard."""
        whole = np.ascontiguousarray(sound[: len(sound) // self.ratio * self.ratio], np.float32)
        latents: Floats = _once(self._encoder, whole[None, None])[0].T
        return latents

    def decode(self, latents: Floats) -> Floats:
        """(steps, latent_dim) → (samples,), late by `latency_samples`."""
        sound: Floats = _once(self._decoder, np.ascontiguousarray(latents.T, np.float32)[None])[0, 0]
        return sound

    def __call__(self, sound: Floats) -> Floats:
        """`sound` encoded and decoded, on time with itself and as long, (samples,)."""
        needed = len(sound) + self.latency_samples
        padded = np.pad(sound, (0, -(-needed // self.ratio) * self.ratio - len(sound)))
        return self.decode(self.encode(padded))[self.latency_samples : needed]


def _session(path: Path) -> Any:
    import onnxruntime

    if not path.is_file():
        raise ModelError(f"{path}: no such file")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _once(session: Any, signal: Floats) -> Floats:
    """The first output for `signal`, (1, channels, time), from an empty state."""
    source, held = session.get_inputs()
    empty = np.zeros((1, held.shape[1]), np.float32)
    made: Floats = session.run(None, {source.name: signal, held.name: empty})[0]
    return made
