"""Decodes with TorchScript: any streaming `.ts` file of RAVE and its kin, as nn~ plays them.

Such a file keeps its past in buffers named `.cache` or `.pad`, dirty from its making, of as many rows as it can decode
at once. Here they are emptied when the file is loaded, set from the state before each call and copied out after it, so
that a decoder is as pure as the others. Random numbers, where a file draws any, are drawn from the same seed in every
call; latents that a file was exported without are zeros (their mean) instead of noise. The only home of torch on this
side. Loading a TorchScript file runs what is in it: check a file you did not make against its card (`Model.verify`).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.errors import ModelError
from installation.sound.latents import checked, checked_batch, wants_cuda

Floats = npt.NDArray[np.float32]

PAST = ("cache", "pad")
"""Names of the buffers in which cached_conv keeps the past."""
SEED = 1
WARM_UP_CALLS = 2
"""TorchScript compiles in its first two calls: 150 to 450 ms each for a large model."""


@dataclass(frozen=True)
class Past:
    """What `batch` decoders remember: one tensor (batch, channels, width) for each buffer of the file."""

    batch: int
    rows: tuple[Any, ...]


class TorchScriptDecoder:
    """A Decoder over a TorchScript file with `decode(z)`: (batch, latent_dim, steps) → (batch, channels, samples)."""

    def __init__(self, path: Path, device: str = "auto") -> None:
        import torch

        torch.set_num_threads(1)
        self.path = path
        self._torch = torch
        self._cuda = wants_cuda(device, bool(torch.cuda.is_available()), path)
        self._module = _load(path, torch, "cuda" if self._cuda else "cpu")
        self._buffers = [each for name, each in self._module.named_buffers() if name.rpartition(".")[2] in PAST]
        self.sample_rate_hz = int(self._stated("sr", "sampling_rate"))
        self._empty()
        self.latent_dim, self.ratio, self.channels = self._shape()
        self._full_dim = self._deterministic_dim()
        self._rows = self._rows_at_once()
        for _ in range(WARM_UP_CALLS):
            self.decode(np.zeros((1, 1, self.latent_dim), np.float32), self.start())

    def start(self, batch: int = 1) -> Past:
        rows = (self._torch.zeros_like(each[:1]).expand(checked_batch(batch, self.path), *each.shape[1:])
                for each in self._buffers)  # fmt: skip
        return Past(batch, tuple(rows))

    def decode(self, latents: Floats, state: Past) -> tuple[Floats, Past]:
        given = checked(latents, self.latent_dim, state.batch, self.path)
        batch, steps, _ = given.shape
        if not steps:
            return np.zeros((batch, 0, self.channels), np.float32), state
        wide = np.zeros((batch, self._full_dim, steps), np.float32)
        wide[:, : self.latent_dim] = given.transpose(0, 2, 1)
        parts = [self._decode_rows(wide, state, first) for first in range(0, batch, self._rows)]
        sound = np.concatenate([sound for sound, _ in parts])
        if sound.shape[2] != steps * self.ratio:
            raise ModelError(f"{self.path}: {steps} steps gave {sound.shape[2]} samples, not {steps} * {self.ratio}")
        rows = zip(*(rows for _, rows in parts), strict=True)
        past = Past(batch, tuple(each[0] if len(each) == 1 else self._torch.cat(each) for each in rows))
        return np.ascontiguousarray(sound.transpose(0, 2, 1)), past

    def _decode_rows(self, wide: Floats, state: Past, first: int) -> tuple[Floats, list[Any]]:
        """As many rows as go at once, from row `first` on: sound (rows, channels, samples) and their next pasts."""
        last = min(first + self._rows, len(wide))
        with self._torch.no_grad():
            for buffer, rows in zip(self._buffers, state.rows, strict=True):
                buffer[: last - first].copy_(rows[first:last])
            sound = self._call(wide[first:last])
            return sound, [buffer[: last - first].clone() for buffer in self._buffers]

    def _call(self, latents: Floats) -> Floats:
        """The file's own decode, always with the same random numbers: (rows, channels, samples)."""
        torch = self._torch
        devices = [torch.cuda.current_device()] if self._cuda else []
        with torch.no_grad(), torch.random.fork_rng(devices=devices):
            torch.manual_seed(SEED)
            sound = self._module.decode(torch.from_numpy(latents).to("cuda" if self._cuda else "cpu"))
            out: Floats = sound.detach().to("cpu", torch.float32, copy=True).numpy()
        return out[:, None] if out.ndim == 2 else out

    def encode(self, sound: Floats) -> Floats:
        """Mono sound (batch, samples) → latents (batch, steps, latent_dim), each from a clean state."""
        torch, whole = self._torch, sound.shape[1] // self.ratio * self.ratio
        devices = [torch.cuda.current_device()] if self._cuda else []
        made = []
        for first in range(0, len(sound), self._rows):
            rows = np.ascontiguousarray(sound[first : first + self._rows, None, :whole], np.float32)
            given = torch.from_numpy(np.repeat(rows, self.channels, axis=1)).to("cuda" if self._cuda else "cpu")
            self._empty()
            with torch.no_grad(), torch.random.fork_rng(devices=devices):
                torch.manual_seed(SEED)
                latents = self._module.encode(given)
            made.append(latents.detach().to("cpu", torch.float32, copy=True).numpy())
        self._empty()
        return np.ascontiguousarray(np.concatenate(made)[:, : self.latent_dim].transpose(0, 2, 1))

    def _empty(self) -> None:
        with self._torch.no_grad():
            for buffer in self._buffers:
                buffer.zero_()

    def _stated(self, *names: str) -> Any:
        for name in names:
            if (value := getattr(self._module, name, None)) is not None:
                return value
        raise ModelError(f"{self.path}: states neither {' nor '.join(names)}; a RAVE export does")

    def _shape(self) -> tuple[int, int, int]:
        """Latent dimension, ratio and channels: as the file states them, or from decoding one latent."""
        params = getattr(self._module, "decode_params", None)
        if params is not None:
            latent_dim, ratio, channels, out_ratio = (int(each) for each in params)
            return latent_dim, ratio // out_ratio, channels
        latent_dim = int(self._stated("latent_size", "full_latent_size"))
        sound = self._call(np.zeros((1, latent_dim, 1), np.float32))
        self._empty()
        return latent_dim, sound.shape[2], sound.shape[1]

    def _deterministic_dim(self) -> int:
        """The size of latents that leaves nothing to fill with noise, or `latent_dim` where the file takes no more."""
        full = int(getattr(self._module, "full_latent_size", self.latent_dim))
        return full if full > self.latent_dim and self._takes(1, full) else self.latent_dim

    def _rows_at_once(self) -> int:
        """How many rows one call decodes: what its buffers hold, or 1 for a file that does not keep rows apart."""
        most = min((len(each) for each in self._buffers), default=64)
        return most if most > 1 and self._takes(2, self._full_dim) else 1

    def _takes(self, batch: int, latent_dim: int) -> bool:
        try:
            sound = self._call(np.zeros((batch, latent_dim, 1), np.float32))
        except RuntimeError:
            return False
        finally:
            self._empty()
        return sound.shape == (batch, self.channels, self.ratio)


def _load(path: Path, torch: Any, device: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            module = torch.jit.load(str(path), map_location=device)
    except (RuntimeError, ValueError) as error:
        raise ModelError(f"{path}: not a TorchScript file: {error}") from error
    if not hasattr(module, "decode"):
        raise ModelError(f"{path}: has no method decode; a RAVE export does")
    return module.eval()


def cuda_there() -> bool:
    """Whether torch finds a graphics processor."""
    import torch

    return bool(torch.cuda.is_available())


def torchscript_encoder(path: Path, device: str = "auto") -> Callable[[Floats], Floats]:
    """The `encode` of a TorchScript file, with its caches emptied before each call, and what it draws at random (the
    posterior of v1 exports) drawn from the same seed: see `encoder.Encode`."""
    decoder = TorchScriptDecoder(path, device)
    if not hasattr(decoder._module, "encode"):
        raise ModelError(f"{path}: has no method encode; it was exported to decode only")
    return decoder.encode
