"""Decodes with TorchScript: any `.ts` file of RAVE and its kin, as nn~ plays them.

What a file remembers is emptied when it is loaded, set from the state before each call and copied out after it, so that
a decoder is as pure as the others. Random numbers, where a file draws any, are drawn from a seed that is the position
in the state: a step decoded again is the same, and no two steps of a noise synthesiser are alike. Latents that a file
was exported without are zeros (their mean) instead of noise. On a graphics processor calls are recorded: `rave_cuda`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.errors import ModelError
from installation.sound import torchscript
from installation.sound.latents import checked, checked_batch, wants_cuda
from installation.sound.rave_cuda import Graphs
from installation.sound.rave_export import Export
from installation.sound.torchscript import SEED, failures, put_all, reason, seeded, take_all

Floats = npt.NDArray[np.float32]
Prior = Callable[[int, float, int], Floats]

WARM_UP_CALLS = 2
"""TorchScript compiles in its first two calls: 150 to 450 ms each for a large model."""
PLAYED_SAMPLES = 1024
"""A player decodes at least so many samples at once: such a call is made ready, too."""
HOTTEST = 100.0


@dataclass(frozen=True)
class Past:
    """What `batch` decoders remember, `flat` (batch, S) on the device, after so many `steps`."""

    batch: int
    steps: int
    flat: Any


class TorchScriptDecoder:
    """A Decoder over a TorchScript file with `decode(z)`: (batch, latent_dim, steps) → (batch, channels, samples)."""

    def __init__(self, path: Path, device: str = "auto", recorded: bool | None = None) -> None:
        """`recorded`: whether calls are recorded and replayed; None: on a graphics processor."""
        import torch

        torch.set_num_threads(1)
        self.path = path
        self._device = _device(device, path)
        self._export = export = Export(path, self._device)
        self.traits = export.traits
        self.sample_rate_hz, self.ratio = export.sample_rate_hz, export.ratio
        self.latent_dim, self.channels = export.latent_dim, export.channels
        self._memories = export.memories
        self._clean = torchscript.clean_past(self._memories, self._device)
        self._held: Past | None = None
        records = self._device == "cuda" if recorded is None else recorded
        self._graphs = Graphs(export.step, self._memories, self._device) if records else None
        for steps in (1, math.ceil(PLAYED_SAMPLES / self.ratio)) * WARM_UP_CALLS:
            self.decode(np.zeros((1, steps, self.latent_dim), np.float32), self.start())

    @property
    def fault(self) -> str | None:
        """Why calls are not recorded although they were to be, or None."""
        return self._graphs.fault if self._graphs else None

    def start(self, batch: int = 1) -> Past:
        return Past(checked_batch(batch, self.path), 0, self._clean.expand(batch, -1))

    def decode(self, latents: Floats, state: Past) -> tuple[Floats, Past]:
        given = checked(latents, self.latent_dim, state.batch, self.path)
        batch, steps, _ = given.shape
        if not steps:
            return np.zeros((batch, 0, self.channels), np.float32), state
        wide = np.zeros((batch, self._export.full_dim, steps), np.float32)
        wide[:, : self.latent_dim] = given.transpose(0, 2, 1)
        if batch <= self._export.rows:
            sound, past = self._decode_rows(wide, state)
        else:
            parts = [self._decode_rows(wide[rows], _part(state, rows)) for rows in self._shares(batch)]
            sound = np.concatenate([sound for sound, _ in parts])
            past = Past(batch, state.steps + steps, _joined([past.flat for _, past in parts]))
        return np.ascontiguousarray(sound.transpose(0, 2, 1)), past

    def encode(self, sound: Floats) -> Floats:
        """Mono sound (batch, samples) → latents (batch, steps, latent_dim), each from a clean past."""
        self._held = None
        whole = sound.shape[1] // self.ratio * self.ratio
        made = [self._export.encode(sound[rows, :whole]) for rows in self._shares(len(sound))]
        return np.ascontiguousarray(np.concatenate(made)[:, : self.latent_dim].transpose(0, 2, 1))

    def _shares(self, batch: int) -> list[slice]:
        rows = self._export.rows
        return [slice(first, min(first + rows, batch)) for first in range(0, batch, rows)]

    def _decode_rows(self, wide: Floats, state: Past) -> tuple[Floats, Past]:
        """At most as many rows as go at once: sound (rows, channels, samples) and their next past."""
        held, self._held = self._held, None
        seed = SEED + state.steps if self._export.draws else None
        made = self._replayed(wide, state.flat, seed) if self._graphs else None
        sound, flat = made or self._called(wide, state.flat, seed, state is held)
        if sound.shape != (len(wide), self.channels, wide.shape[2] * self.ratio):
            raise ModelError(
                f"{self.path}: {len(wide)} × {wide.shape[2]} latents gave sound of shape {sound.shape}, "
                f"not ({len(wide)}, {self.channels}, {wide.shape[2]} * {self.ratio})"
            )
        past = Past(len(wide), state.steps + wide.shape[2], flat)
        self._held = None if made else past
        return sound, past

    def _called(self, wide: Floats, flat: Any, seed: int | None, held: bool) -> tuple[Floats, Any]:
        """The file called as it is; its buffers are left alone if they still hold `flat`."""
        import torch

        with torch.no_grad():
            if not held:
                put_all(self._memories, flat)
            sound = self._export.decode(wide, seed)
            following = torch.empty(len(wide), self._clean.shape[1], device=self._device)
            take_all(self._memories, following)
        return sound, following

    def _replayed(self, wide: Floats, flat: Any, seed: int | None) -> tuple[Floats, Any] | None:
        assert self._graphs is not None
        try:
            return self._graphs.call(wide, flat, seed)
        except failures() as error:
            raise ModelError(f"{self.path}: decode failed: {reason(error)}") from error


def _part(state: Past, rows: slice) -> Past:
    return Past(rows.stop - rows.start, state.steps, state.flat[rows])


def _joined(parts: list[Any]) -> Any:
    import torch

    return torch.cat(parts)


def _device(device: str, path: Path) -> str:
    return "cuda" if wants_cuda(device, cuda_there(), path) else "cpu"


def cuda_there() -> bool:
    """Whether torch finds a graphics processor."""
    import torch

    return bool(torch.cuda.is_available())


def torchscript_encoder(path: Path, device: str = "auto") -> Callable[[Floats], Floats]:
    """The `encode` of a TorchScript file, from a clean past in each call, and what it draws at random (the posterior of
    RAVE's exports) drawn from the same seed: see `encoder.Encode`."""
    decoder = TorchScriptDecoder(path, device)
    if "encode" not in decoder.traits.methods:
        raise ModelError(f"{path}: has no method encode; it was exported to decode only")
    return decoder.encode


def torchscript_prior(path: Path, device: str = "auto") -> Prior:
    """The `prior` of a TorchScript file: steps, temperature (1: as it learned; above 0) and seed → latents (steps,
    latent_dim). Each call begins anew, and its steps follow from each other. ModelError if the file has none.

    A RAVE export reads the temperature off a signal x (batch, 1, steps) as softplus(x) / ln 2, so that 0 stands for 1;
    here that is undone.
    """
    import torch

    torch.set_num_threads(1)
    on = _device(device, path)
    module = torchscript.load_module(path, on)
    if not torchscript.has(module, "prior"):
        raise ModelError(f"{path}: has no prior; it was exported without one")
    torchscript.empty(torchscript.past_buffers(module))
    clean = [(each, each.clone()) for _, each in module.named_buffers()]

    def prior(steps: int, temperature: float, seed: int) -> Floats:
        if steps < 1 or not 0.0 < temperature <= HOTTEST:
            raise ModelError(
                f"{path}: a prior makes 1 step or more at a temperature in 0..{HOTTEST:g}, got {steps} at {temperature}"
            )
        exponent = temperature * math.log(2.0)
        signal = exponent + math.log(-math.expm1(-exponent))
        with seeded(seed, on == "cuda"):
            for buffer, held in clean:
                buffer.copy_(held)
            try:
                made = module.prior(torch.full((1, 1, steps), signal, device=on))
            except failures() as error:
                raise ModelError(f"{path}: prior failed: {reason(error)}") from error
        out = made.detach().to("cpu", torch.float32).numpy()
        if out.ndim != 3 or out.shape[0] != 1 or out.shape[2] != steps:
            raise ModelError(f"{path}: {steps} steps of its prior have shape {out.shape}, not (1, latents, {steps})")
        return np.ascontiguousarray(out[0].T)

    return prior
