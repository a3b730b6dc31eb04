"""Encoders as they come in TorchScript files: small, but named and behaved like the encoding half of real exports."""

import torch
from torch import nn


class Encoding(nn.Module):
    """Each step's samples and those of the step before it through a matrix and tanh, (rows, channels, samples) →
    (rows, latents, steps), from the mean of the channels; and a decoder of zeros."""

    def __init__(self, weight: torch.Tensor, rate_hz: int, rows: int, channels: int) -> None:
        super().__init__()
        self.ratio = weight.shape[1] // 2
        self.sr = rate_hz
        self.register_buffer("weight", weight[:, None])
        self.register_buffer("cache", torch.full((rows, 1, self.ratio), 9.0))
        self.register_buffer("encode_params", torch.tensor([channels, 1, weight.shape[0], self.ratio]))
        self.register_buffer("decode_params", torch.tensor([weight.shape[0], self.ratio, channels, 1]))

    def means(self, x: torch.Tensor) -> torch.Tensor:
        rows = x.shape[0]
        joined = torch.cat([self.cache[:rows], x.mean(1, keepdim=True)], -1)
        self.cache[:rows].copy_(joined[..., -self.ratio :])
        return torch.tanh(nn.functional.conv1d(joined, self.weight, stride=self.ratio))

    @torch.jit.export
    def encode(self, x: torch.Tensor) -> torch.Tensor:
        return self.means(x)

    @torch.jit.export
    def decode(self, z: torch.Tensor) -> torch.Tensor:
        return torch.zeros(z.shape[0], 1, z.shape[2] * self.ratio)


class Drawing(Encoding):
    """As exports that draw their latents from a posterior."""

    @torch.jit.export
    def encode(self, x: torch.Tensor) -> torch.Tensor:
        means = self.means(x)
        return means + 0.1 * torch.randn_like(means)


class Unstated(nn.Module):
    """As early exports: nothing says what `encode` takes and gives."""

    def __init__(self, weight: torch.Tensor, rate_hz: int, rows: int, channels: int) -> None:
        super().__init__()
        self.net = Encoding(weight, rate_hz, rows, channels)
        self.sampling_rate = rate_hz

    @torch.jit.export
    def encode(self, x: torch.Tensor) -> torch.Tensor:
        return self.net.means(x)

    @torch.jit.export
    def decode(self, z: torch.Tensor) -> torch.Tensor:
        return self.net.decode(z)
