"""TorchScript modules as they come: small, but shaped, named and behaved like real exports of RAVE."""

import torch
from torch import nn


class Small(nn.Module):
    """Each latent and the one before it through a matrix and tanh: (rows, dim, steps) → (rows, channels, samples)."""

    def __init__(self, weight: torch.Tensor, ratio: int, rows: int) -> None:
        super().__init__()
        self.ratio = ratio
        self.dim = weight.shape[1]
        self.register_buffer("weight", weight)
        self.register_buffer("pad", torch.full((rows, weight.shape[1], 1), 9.0))

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        rows = latents.shape[0]
        joined = torch.cat([self.pad[:rows], latents], -1)
        self.pad[:rows].copy_(joined[..., -1:])
        made = torch.tanh(nn.functional.conv1d(joined, self.weight))
        made = made.reshape(rows, -1, self.ratio, latents.shape[-1]).permute(0, 1, 3, 2)
        return made.reshape(rows, made.shape[1], -1)


class Streaming(nn.Module):
    """As v2 exports."""

    def __init__(self, weight: torch.Tensor, ratio: int, rate_hz: int, rows: int) -> None:
        super().__init__()
        self.net = Small(weight, ratio, rows)
        self.sr = rate_hz
        self.register_buffer("decode_params", torch.tensor([weight.shape[1], ratio, weight.shape[0] // ratio, 1]))

    @torch.jit.export
    def decode(self, z: torch.Tensor) -> torch.Tensor:
        return self.net(z)

    @torch.jit.export
    def get_methods(self) -> list[str]:
        return ["decode"]


class Filled(Streaming):
    """One latent fewer than the network has, filled with fresh noise, as exports under full fidelity are."""

    def __init__(self, weight: torch.Tensor, ratio: int, rate_hz: int, rows: int) -> None:
        super().__init__(weight, ratio, rate_hz, rows)
        self.latent_size, self.full_latent_size = weight.shape[1] - 1, weight.shape[1]
        self.decode_params[0] -= 1

    @torch.jit.export
    def decode(self, z: torch.Tensor) -> torch.Tensor:
        noise = torch.randn(z.shape[0], self.full_latent_size - z.shape[1], z.shape[2])
        return self.net(torch.cat([z, noise], 1))


class Noisy(Streaming):
    """A decoder with a noise synthesiser."""

    @torch.jit.export
    def decode(self, z: torch.Tensor) -> torch.Tensor:
        sound = self.net(z)
        return sound + 0.1 * torch.rand_like(sound)


class Flat(nn.Module):
    """As early v1 exports: one row, (1, time)."""

    def __init__(self, weight: torch.Tensor, ratio: int, rate_hz: int, rows: int) -> None:
        super().__init__()
        self.net = Small(weight, ratio, 1)
        self.sampling_rate = rate_hz
        self.latent_size = weight.shape[1]

    @torch.jit.export
    def decode(self, z: torch.Tensor) -> torch.Tensor:
        return self.net(z)[:, 0]


class Swapped(nn.Module):
    """As other v1 exports: (1, rows, time)."""

    def __init__(self, weight: torch.Tensor, ratio: int, rate_hz: int, rows: int) -> None:
        super().__init__()
        self.net = Small(weight, ratio, rows)
        self.sampling_rate = rate_hz
        self.latent_size = weight.shape[1]

    @torch.jit.export
    def decode(self, z: torch.Tensor) -> torch.Tensor:
        return self.net(z).permute(1, 0, 2)
