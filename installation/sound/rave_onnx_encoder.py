"""Encodes without a break with ONNX Runtime: files with an explicit state, as they are exported."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from installation.errors import ModelError
from installation.sound.latents import checked_batch, checked_sound
from installation.sound.rave_onnx import open_session

Floats = npt.NDArray[np.float32]

NAMES = [["sound", "state"], ["latents", "next_state"]]
FACTS = ("sample_rate_hz", "ratio", "latent_dim", "state_size")


class OnnxEncoderStream:
    """An EncoderStream whose state is one array (batch, S) of its own; nothing is kept between calls."""

    def __init__(self, path: Path, device: str = "auto") -> None:
        self.path = path
        self._session = open_session(path, device)
        names = [[each.name for each in side] for side in (self._session.get_inputs(), self._session.get_outputs())]
        if names != NAMES:
            raise ModelError(f"{path}: an encoder maps {NAMES[0]} to {NAMES[1]}, this file {names[0]} to {names[1]}")
        metadata = self._session.get_modelmeta().custom_metadata_map
        try:
            self.sample_rate_hz, self.ratio, self.latent_dim, self._size = (int(metadata[name]) for name in FACTS)
        except (KeyError, ValueError) as error:
            raise ModelError(f"{path}: its metadata lack {error}; an encoder states {', '.join(FACTS)}") from error

    def start(self, batch: int = 1) -> Floats:
        return np.zeros((checked_batch(batch, self.path), self._size), np.float32)

    def encode(self, sound: Floats, state: Floats) -> tuple[Floats, Floats]:
        given = checked_sound(sound, self.ratio, len(state), self.path)
        if not given.shape[1]:
            return np.zeros((len(given), 0, self.latent_dim), np.float32), state
        feed = {"sound": np.ascontiguousarray(given.transpose(0, 2, 1)), "state": state}
        latents, next_state = self._session.run(NAMES[1], feed)
        return np.ascontiguousarray(latents.transpose(0, 2, 1)), next_state
