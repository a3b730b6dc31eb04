"""CLAP's audio half, of weights you downloaded: what a model that learnt from captions hears. Through transformers.

Wu et al., "Large-scale contrastive language-audio pretraining with feature fusion" (ICASSP 2023). A clip longer than
what the model hears at once (10 s) is cut into pieces, the point is their mean. Points have length 1, so distances
order as cosines do.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from installation.errors import ModelError
from installation.evolution.embedding import same_weights
from installation.evolution.embedding.device import torch_device
from installation.evolution.embedding.resampling import resample

if TYPE_CHECKING:
    from installation.evolution.embedding import Hearing

Floats = npt.NDArray[np.float32]

INSTALL = "pip install -c constraints.txt '.[clap]'"
AT_ONCE = 16
"""Pieces given to the model at once."""


def _digest(model: Any) -> str:
    """SHA-256 of a torch model's weights, by name."""
    found = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        found.update(name.encode())
        found.update(np.ascontiguousarray(value.detach().cpu().numpy()).tobytes())
    return found.hexdigest()


class Clap:
    """See the module. `hearing.weights` holds the folder `clap`, as transformers saves a ClapModel with its feature
    extractor; ModelError where it doesn't. Nothing is ever downloaded."""

    name = "clap"
    calibration: dict[str, Any]

    def __init__(self, hearing: Hearing, calibration: dict[str, Any] | None = None) -> None:
        self.sample_rate_hz = hearing.sample_rate_hz
        self._device = torch_device(hearing.device, "embedding: clap")
        folder = None if hearing.weights is None else Path(hearing.weights) / self.name
        self._model, self._extractor = _load(folder)
        sha256 = _digest(self._model)
        same_weights(self.name, calibration, sha256)
        self.calibration = {"weights": sha256}
        self._model.to(self._device)
        self.size = int(self._model.config.projection_dim)

    def calibrate(self, sounds: Floats) -> None:
        """Nothing: the model's own distances."""

    def embed(self, sounds: Floats) -> Floats:
        """`sounds` (batch, samples) → (batch, size), each of length 1."""
        longest = int(self._extractor.nb_max_samples)
        heard = resample(sounds, self.sample_rate_hz, int(self._extractor.sampling_rate))
        pieces = [row[start : start + longest] for row in heard for start in range(0, max(1, len(row)), longest)]
        found = np.concatenate([self._points(pieces[at : at + AT_ONCE]) for at in range(0, len(pieces), AT_ONCE)])
        points = found.reshape(len(heard), -1, self.size).mean(axis=1)
        return np.asarray(points / (np.linalg.norm(points, axis=1, keepdims=True) + 1e-12), np.float32)

    def _points(self, pieces: list[Floats]) -> Floats:
        """Pieces no longer than the model hears at once → (count, size). None is said to be longer than that, which
        the extractor would say of one drawn at random."""
        import torch

        given = self._extractor(pieces, sampling_rate=self._extractor.sampling_rate, return_tensors="np")
        features = torch.from_numpy(np.asarray(given["input_features"], np.float32)).to(self._device)
        longer = torch.zeros((len(pieces), 1), dtype=torch.bool, device=self._device)
        with torch.no_grad():
            said = self._model(input_features=features, is_longer=longer)
        return np.asarray(said.audio_embeds.cpu().numpy(), np.float32)


def _load(folder: Path | None) -> tuple[Any, Any]:
    """The audio half and the feature extractor in `folder`."""
    if folder is None or not (folder / "config.json").is_file():
        raise ModelError(
            f"embedding: clap has no weights: {folder}/config.json is missing; download a ClapModel, for example "
            "laion/larger_clap_music, with its preprocessor_config.json to that folder"
        )
    try:
        from transformers import ClapAudioModelWithProjection, ClapFeatureExtractor
        from transformers.utils import logging
    except ImportError as error:
        raise ModelError(f"embedding: clap: {error}; {INSTALL}") from error
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        extractor = ClapFeatureExtractor.from_pretrained(str(folder), local_files_only=True)
        model, told = ClapAudioModelWithProjection.from_pretrained(
            str(folder), local_files_only=True, output_loading_info=True
        )
    except (OSError, RuntimeError, ValueError) as error:
        raise ModelError(f"{folder}: not a CLAP model that can be loaded: {error}") from error
    if told["missing_keys"]:
        raise ModelError(f"{folder}: not a CLAP model: it lacks {', '.join(sorted(told['missing_keys']))}")
    model.train(False)
    return model, extractor
