"""Encodes without a break with TorchScript: any `.ts` file of RAVE and its kin with `encode`, an instance of its own.

What the file remembers of the sound is set from the state before each call and copied out after it. A file that draws
its latents from their posterior draws the same in every step, one step and one row a call: the same sound has the same
latents whenever it is heard, in blocks of any size.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.errors import ModelError
from installation.sound import torchscript
from installation.sound.latents import checked_batch, checked_sound, wants_cuda
from installation.sound.torchscript import SEED, Memory, failures, put_all, reason, seeded, take_all

Floats = npt.NDArray[np.float32]

PROBE_SAMPLES = 1 << 14
"""Enough for a latent or more of any model."""
WARM_UP_CALLS = 2


@dataclass(frozen=True, eq=False)
class Heard:
    """What `batch` encoders remember: `flat` (batch, S) on the device."""

    batch: int
    flat: Any


class TorchScriptEncoderStream:
    """An EncoderStream over a TorchScript file with `encode(x)`: (batch, channels, time) → (batch, latents, steps)."""

    def __init__(self, path: Path, device: str = "auto") -> None:
        import torch

        torch.set_num_threads(1)
        self.path = path
        self._torch = torch
        self._cuda = wants_cuda(device, bool(torch.cuda.is_available()), path)
        self._device = "cuda" if self._cuda else "cpu"
        self._module = torchscript.load_module(path, self._device)
        if not hasattr(self._module, "encode"):
            raise ModelError(f"{path}: has no method encode; it was exported to decode only")
        torchscript.empty(torchscript.past_buffers(self._module))
        self.sample_rate_hz = int(self._stated("sr", "sampling_rate"))
        self._channels, self.latent_dim, self.ratio = self._shape()
        self._memories: list[Memory] = torchscript.memories(self._module, lambda: self._call(_noise()))
        self._clean = torchscript.clean_past(self._memories, self._device)
        self._draws = torchscript.draws(lambda: self._drawn(_noise()), self._cuda)
        self._rows = 1 if self._draws else min((memory.most for memory in self._memories), default=64)
        for _ in range(WARM_UP_CALLS):
            self.encode(np.zeros((1, self.ratio, 1), np.float32), self.start())

    def start(self, batch: int = 1) -> Heard:
        return Heard(checked_batch(batch, self.path), self._clean.expand(batch, -1))

    def encode(self, sound: Floats, state: Heard) -> tuple[Floats, Heard]:
        given = checked_sound(sound, self.ratio, state.batch, self.path)
        batch, count, _ = given.shape
        if not count:
            return np.zeros((batch, 0, self.latent_dim), np.float32), state
        parts = []
        for first in range(0, batch, self._rows):
            rows = slice(first, min(first + self._rows, batch))
            parts.append(self._encode_rows(given[rows].transpose(0, 2, 1), state.flat[rows]))
        latents = np.concatenate([latents for latents, _ in parts])
        flat = parts[0][1] if len(parts) == 1 else self._torch.cat([flat for _, flat in parts])
        return np.ascontiguousarray(latents[:, : self.latent_dim].transpose(0, 2, 1)), Heard(batch, flat)

    def _encode_rows(self, sound: Floats, flat: Any) -> tuple[Floats, Any]:
        """At most as many rows as go at once, (rows, 1, samples): latents (rows, all latents, steps), next state."""
        starts = range(0, sound.shape[2], self.ratio if self._draws else sound.shape[2])
        after = self._torch.empty_like(flat, memory_format=self._torch.contiguous_format)
        with self._torch.no_grad():
            put_all(self._memories, flat)
            made = [self._call(sound[:, :, begin : begin + starts.step]) for begin in starts]
            take_all(self._memories, after)
        latents = np.concatenate(made, 2)
        if latents.shape[2] != sound.shape[2] // self.ratio:
            raise ModelError(
                f"{self.path}: {sound.shape[2]} samples gave {latents.shape[2]} latents, not one in {self.ratio}"
            )
        return latents, after

    def _call(self, sound: Floats) -> Floats:
        """The file's own encode, always with the same random numbers."""
        with seeded(SEED, self._cuda):
            return self._drawn(sound)

    def _drawn(self, sound: Floats) -> Floats:
        """The file's own encode, with random numbers as they come."""
        wide = np.repeat(np.ascontiguousarray(sound), self._channels, axis=1)
        try:
            latents = self._module.encode(self._torch.from_numpy(wide).to(self._device))
        except failures() as error:
            raise ModelError(f"{self.path}: does not encode sound {sound.shape}: {reason(error)}") from error
        out: Floats = latents.detach().to("cpu", self._torch.float32, copy=True).numpy()
        return out

    def _shape(self) -> tuple[int, int, int]:
        """Channels of sound, latents and ratio: as the file states them, or from encoding a little noise."""
        params = getattr(self._module, "encode_params", None)
        if params is not None:
            channels, ratio_in, latent_dim, ratio = (int(each) for each in params)
            return channels, latent_dim, ratio // ratio_in
        self._channels = 1
        made = self._call(_noise())
        torchscript.empty(torchscript.past_buffers(self._module))
        stated = getattr(self._module, "latent_size", None)
        return 1, made.shape[1] if stated is None else int(stated), PROBE_SAMPLES // made.shape[2]

    def _stated(self, *names: str) -> Any:
        for name in names:
            if (value := getattr(self._module, name, None)) is not None:
                return value
        raise ModelError(f"{self.path}: states neither {' nor '.join(names)}; a RAVE export does")


def _noise() -> Floats:
    """A little noise to try a file with, (1, 1, PROBE_SAMPLES)."""
    return np.random.default_rng(SEED).uniform(-0.5, 0.5, (1, 1, PROBE_SAMPLES)).astype(np.float32)
