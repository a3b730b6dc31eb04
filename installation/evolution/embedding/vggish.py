"""VGGish in torch: the embedding LVNS-RAVE measures novelty on (arXiv 2404.14063), of weights imported beforehand.

Hershey et al., "CNN architectures for large-scale audio classification" (ICASSP 2017), as TensorFlow Hub publishes it:
no ReLU on the last layer, no PCA. A clip's point is the mean over its patches of 0.96 s; distances are taken raw.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from installation.evolution.embedding import same_weights, vggish_weights
from installation.evolution.embedding.device import torch_device
from installation.evolution.embedding.logmel import HOP, MELS, WINDOW, log_mel, resample
from installation.evolution.embedding.vggish_weights import CONVOLUTIONS, FULL, Weights

if TYPE_CHECKING:
    from installation.evolution.embedding import Hearing

Floats = npt.NDArray[np.float32]

PATCH = 96
"""Frames in a patch, and from one to the next."""
SHORTEST = WINDOW + (PATCH - 1) * HOP
"""Samples at 16 kHz in a patch: what is shorter is padded with silence to it."""
POOLED = ("conv1", "conv2", "conv3/conv3_2", "conv4/conv4_2")
"""Convolutions a max-pool comes after."""
AT_ONCE = {"cpu": 8, "cuda": 256}
"""Patches convolved at once: on a processor as many as its cache holds."""
MOST = 1024
"""Patches whose features are kept for the full layers, which read 268 MB of weights however few they are."""


class Vggish:
    """See the module. `hearing.weights` holds `vggish/vggish.safetensors`; ModelError where it doesn't."""

    name = "vggish"
    size = 128
    calibration: dict[str, Any]

    def __init__(self, hearing: Hearing, calibration: dict[str, Any] | None = None) -> None:
        self.sample_rate_hz = hearing.sample_rate_hz
        folder = None if hearing.weights is None else Path(hearing.weights) / self.name
        device = torch_device(hearing.device, "embedding: vggish")
        weights = vggish_weights.load(folder)
        sha256 = vggish_weights.digest(weights)
        same_weights(self.name, calibration, sha256)
        self.calibration = {"weights": sha256}
        self._network = Network(weights, device)

    def calibrate(self, sounds: Floats) -> None:
        """Nothing: distances are the paper's."""

    def embed(self, sounds: Floats) -> Floats:
        """`sounds` (batch, samples) → (batch, 128)."""
        cut = patches(resample(sounds, self.sample_rate_hz))
        batch, count = cut.shape[:2]
        found = self._network(cut.reshape(batch * count, PATCH, MELS))
        return np.asarray(found.reshape(batch, count, self.size).mean(axis=1))


def patches(sounds: Floats) -> Floats:
    """`sounds` (batch, samples) at 16 kHz → log-mel patches (batch, patches, 96, 64); the rest of a patch at the end is
    left out."""
    short = max(0, SHORTEST - sounds.shape[1])
    mels = log_mel(np.pad(sounds, ((0, 0), (0, short))) if short else sounds)
    count = mels.shape[1] // PATCH
    return mels[:, : count * PATCH].reshape(len(mels), count, PATCH, MELS)


class Network:
    """Patches (count, 96, 64) to points (count, 128): six convolutions, three full layers. In full float32; channels
    lie last, which is quicker on a processor."""

    def __init__(self, weights: Weights, device: str) -> None:
        import torch

        self._torch, self._device = torch, device
        layout = torch.channels_last
        self._convolutions = torch.nn.Sequential(*_convolutions(weights)).to(device, memory_format=layout).eval()
        self._full = torch.nn.Sequential(*_full(weights)).to(device).eval()

    def __call__(self, cut: Floats) -> Floats:
        torch = self._torch
        precision = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision("highest")
        try:
            with torch.no_grad(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
                given = torch.from_numpy(np.ascontiguousarray(cut, np.float32)).unsqueeze(1)
                found = [self._full(self._features(some)).cpu() for some in given.split(MOST)]
        finally:
            torch.set_float32_matmul_precision(precision)
        return np.asarray(torch.cat(found).numpy())

    def _features(self, given: Any) -> Any:
        """(count, 1, 96, 64) → (count, 12288), flattened as TensorFlow does: time, frequency, channel."""
        layout = self._torch.channels_last
        pieces = [some.to(self._device, memory_format=layout) for some in given.split(AT_ONCE[self._device])]
        return self._torch.cat([self._convolutions(some).permute(0, 2, 3, 1).flatten(1) for some in pieces])


def _convolutions(weights: Weights) -> list[Any]:
    """Convolutions, pools and ReLUs; a pool comes first, which is the same for less work."""
    from torch.nn import Conv2d, MaxPool2d, ReLU

    layers: list[Any] = []
    for name, given, made in CONVOLUTIONS:
        layers.append(_filled(Conv2d(given, made, 3, padding=1, device="meta"), weights, name, (3, 2, 0, 1)))
        layers += [*([MaxPool2d(2)] if name in POOLED else []), ReLU(inplace=True)]
    return layers


def _full(weights: Weights) -> list[Any]:
    """Full layers with ReLUs between."""
    from torch.nn import Linear, ReLU

    layers: list[Any] = []
    for name, given, made in FULL:
        layers += [_filled(Linear(given, made, device="meta"), weights, name, (1, 0)), ReLU(inplace=True)]
    return layers[:-1]


def _filled(layer: Any, weights: Weights, name: str, axes: tuple[int, ...]) -> Any:
    """`layer` with its weights, their axes put as torch has them."""
    import torch

    kernel = np.ascontiguousarray(weights[f"vggish/{name}/weights"].transpose(axes))
    bias = weights[f"vggish/{name}/biases"].copy()
    for key, value in (("weight", kernel), ("bias", bias)):
        setattr(layer, key, torch.nn.Parameter(torch.from_numpy(value), requires_grad=False))
    return layer
