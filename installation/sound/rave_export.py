"""A TorchScript export of RAVE or its kin, loaded and asked what it is: its own calls, and what only calling it shows.

v1 and v2, with `decode_params` or without, `sr` or `sampling_rate`, one row at a time or many, one channel or several:
sizes are read where the file states them, else found by decoding zeros; nothing is taken for granted.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.errors import ModelError
from installation.sound import torchscript
from installation.sound.torchscript import SEED, Memory, failures, reason, seeded

Floats = npt.NDArray[np.float32]

PROBE_STEPS = 4
ALIKE = 1e-4
"""Largest difference, of the loudest sample, of what sounds the same."""
METHODS = ("encode", "decode", "forward", "prior")


@dataclass(frozen=True)
class Traits:
    """What only calling the file shows, for whoever asks how good it is."""

    methods: tuple[str, ...]
    rate_named: str
    """The name under which it states its sample rate."""
    states_shape: bool
    """Whether it has `decode_params`; else its shape was found by decoding a zero."""
    full_latent_dim: int
    """Latents of its network, more than latent_dim where an export left some out."""
    fills: bool
    """Whether what is left out is filled with noise in every call, and can't be given instead."""
    draws: bool
    """Whether it draws random numbers, all its latents given: a noise synthesiser does."""
    dirty: bool
    """Whether its past was not empty when it was loaded."""
    memories: int
    """Buffers in which `decode` keeps its past; 0: it has none, so it does not stream."""
    rows: int
    """Rows that one call decodes."""


class Export:
    """The file in `path` on `device` (cpu or cuda), its past empty. Latents here are (rows, full_dim, steps)."""

    def __init__(self, path: Path, device: str) -> None:
        self.path, self.device, self._cuda = path, device, device == "cuda"
        self.module = torchscript.load_module(path, device)
        self.memories: list[Memory] = []
        self.draws = True
        dirty = self.empty()
        rate_named, rate = self._stated("sr", "sampling_rate")
        self.sample_rate_hz = int(rate)
        self.latent_dim, self.ratio, self.channels = self._shape()
        self.heard_channels = (self._params("encode_params") or (1,))[0]
        network_dim = max(int(getattr(self.module, "full_latent_size", 0)), self.latent_dim)
        self.full_dim = self.latent_dim
        if network_dim > self.latent_dim and self._takes(1, network_dim):
            self.full_dim = network_dim
        self.memories = torchscript.memories(self.module, self._probe)
        self.draws = torchscript.draws(lambda: self._probe(seeds=False), self._cuda)
        self.empty()
        self.rows = self._rows_at_once()
        self.traits = Traits(
            methods=tuple(name for name in METHODS if torchscript.has(self.module, name)),
            rate_named=rate_named,
            states_shape=bool(self._params("decode_params")),
            full_latent_dim=network_dim if self.draws else self.full_dim,
            fills=self.draws and network_dim > self.full_dim,
            draws=self.draws and network_dim == self.full_dim,
            dirty=dirty,
            memories=len(self.memories),
            rows=self.rows,
        )

    # Its own calls ----------------------------------------------------------------------------------------------

    def decode(self, latents: Floats, seed: int | None = SEED) -> Floats:
        """Its decode, what it draws drawn from `seed` (None: it draws nothing): (rows, channels, samples). ModelError
        if it raises, or gives no sound."""
        import torch

        given = torch.from_numpy(latents).to(self.device)
        try:
            if seed is None:
                with torch.no_grad():
                    return self._array(self.module.decode(given))
            with seeded(seed, self._cuda):
                return self._array(self.module.decode(given))
        except failures() as error:
            raise ModelError(f"{self.path}: decode failed: {reason(error)}") from error

    def step(self, latents: Any) -> Any:
        """Its decode as a graph records it: tensors on the device."""
        sound = self.module.decode(latents)
        return (sound[:, None] if sound.dim() == 2 else sound).float()

    def encode(self, sound: Floats) -> Floats:
        """Its encode, from an empty past: mono sound (rows, samples) → latents (rows, dim, steps)."""
        import torch

        several = np.ascontiguousarray(np.repeat(sound[:, None], self.heard_channels, axis=1), np.float32)
        self.empty()
        try:
            with seeded(SEED, self._cuda):
                return self._array(self.module.encode(torch.from_numpy(several).to(self.device)))
        except failures() as error:
            raise ModelError(f"{self.path}: encode failed: {reason(error)}") from error
        finally:
            self.empty()

    def empty(self) -> bool:
        """Empty all it remembers; whether any buffer of cached_conv's was not empty."""
        dirty = torchscript.empty(torchscript.past_buffers(self.module))
        for memory in self.memories:
            memory.buffer[: memory.each].copy_(memory.clean)
        return dirty

    def _array(self, made: Any) -> Floats:
        import torch

        if not isinstance(made, torch.Tensor) or made.dim() not in (2, 3):
            raise ModelError(f"{self.path}: gives one tensor of 2 or 3 dimensions, got {str(made)[:80]}")
        out: Floats = made.detach().to("cpu", torch.float32, copy=True).numpy()
        return out[:, None] if out.ndim == 2 else out

    # What it is -------------------------------------------------------------------------------------------------

    def _stated(self, *names: str) -> tuple[str, Any]:
        for name in names:
            if (value := getattr(self.module, name, None)) is not None:
                return name, value
        raise ModelError(f"{self.path}: states neither {' nor '.join(names)}; a RAVE export does")

    def _params(self, name: str) -> tuple[int, ...]:
        """What nn~ is told of a method: channels in, ratio in, channels out, ratio out; empty if nothing is."""
        found = getattr(self.module, name, None)
        return () if found is None else tuple(int(each) for each in found)

    def _shape(self) -> tuple[int, int, int]:
        """Latent dimension, ratio and channels: as the file states them, or from decoding one latent."""
        if params := self._params("decode_params"):
            latent_dim, ratio, channels, out_ratio = params
            return latent_dim, ratio // out_ratio, channels
        latent_dim = int(self._stated("latent_size", "full_latent_size")[1])
        sound = self.decode(np.zeros((1, latent_dim, 1), np.float32))
        self.empty()
        return latent_dim, sound.shape[2], sound.shape[1]

    def _probe(self, seeds: bool = True) -> None:
        """Decode latents that are far from 0, also as a discrete model's codes: what it then keeps is not 0 either."""
        latents = np.random.default_rng(0).uniform(1.0, 8.0, (1, self.full_dim, PROBE_STEPS)).astype(np.float32)
        self.decode(latents, SEED if seeds else None)

    def _rows_at_once(self) -> int:
        """How many rows one call decodes: what its buffers hold, or 1 for a file that does not keep rows apart."""
        most = min((memory.most for memory in self.memories), default=64)
        if most < 2 or not self._takes(2, self.full_dim):
            return 1
        return most if self.draws or self._keeps_rows_apart() else 1

    def _keeps_rows_apart(self) -> bool:
        """Whether two rows, decoded in two calls, sound together as each does alone."""
        both = np.random.default_rng(2).standard_normal((2, self.full_dim, 2)).astype(np.float32)
        return alike(self._twice(both), np.concatenate([self._twice(both[:1]), self._twice(both[1:])]))

    def _twice(self, latents: Floats) -> Floats:
        made = [self.decode(np.ascontiguousarray(latents[..., at : at + 1])) for at in (0, 1)]
        self.empty()
        return np.concatenate(made, 2)

    def _takes(self, rows: int, latent_dim: int) -> bool:
        try:
            sound = self.decode(np.zeros((rows, latent_dim, 1), np.float32))
        except ModelError:
            return False
        finally:
            self.empty()
        return sound.shape == (rows, self.channels, self.ratio)


def alike(one: Floats, other: Floats) -> bool:
    """Whether two sounds are the same but for rounding."""
    return bool(np.abs(one - other).max() <= ALIKE * max(float(np.abs(one).max()), 1e-9))
