"""Parts the tests put in place of heavy ones: real by contract, small and exactly known."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


class SineDecoder:
    """A decoder of two latents: pitch (octaves around 220 Hz) and level. Its state is a phase and the last two latents,
    so that what is heard glides from one latent to the next over a step: continuous whenever its latents are."""

    sample_rate_hz = 48_000
    channels = 1

    def __init__(self, ratio: int = 2048, latent_dim: int = 2) -> None:
        self.ratio = ratio
        self.latent_dim = latent_dim
        self.calls = 0

    def start(self, batch: int = 1) -> Any:
        return np.zeros((batch, 3))

    def decode(self, latents: Floats, state: Any) -> tuple[Floats, Any]:
        self.calls += 1
        batch, steps, _ = latents.shape
        sound = np.empty((batch, steps * self.ratio, 1), np.float32)
        state = state.copy()
        weight = np.arange(1, self.ratio + 1) / self.ratio
        for step in range(steps):
            target = latents[:, step, :2].astype(np.float64)
            line = state[:, None, 1:] + (target - state[:, 1:])[:, None, :] * weight[None, :, None]
            frequency = 220.0 * 2.0 ** line[:, :, 0]
            phase = state[:, :1] + np.cumsum(frequency, axis=1) / self.sample_rate_hz
            level = 0.2 + 0.1 * np.tanh(line[:, :, 1])
            sound[:, step * self.ratio : (step + 1) * self.ratio, 0] = level * np.sin(2.0 * np.pi * phase)
            state = np.concatenate([phase[:, -1:] % 1.0, target], axis=1)
        return sound, state


def walk(steps: int, latent_dim: int, seed: int = 0) -> Floats:
    """A slow random path, (steps, latent_dim)."""
    rng = np.random.default_rng(seed)
    return np.cumsum(rng.normal(0.0, 0.15, (steps, latent_dim)), axis=0).astype(np.float32)
