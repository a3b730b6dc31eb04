"""A model in the shape acids-rave builds them, computed at once over the whole signal: what the exporter's streaming
files are checked against. Names of classes and attributes are those the exporter looks for."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from torch import Tensor, nn
from torch.nn import functional

BANDS, LATENT_DIM, RATIO, RATE_HZ = 4, 3, 16, 8_000


class CachedConv1d(nn.Conv1d):
    """Causal: the whole padding lies before the signal."""

    def __init__(self, *sizes: int, past: int, **options: int) -> None:
        super().__init__(*sizes, **options)
        self.cache = SimpleNamespace(padding=past)
        self.downsampling_delay = SimpleNamespace(padding=0)

    def forward(self, signal: Tensor) -> Tensor:
        return super().forward(functional.pad(signal, (self.cache.padding, 0)))


class CachedConvTranspose1d(nn.ConvTranspose1d):
    """What runs over the end is left out."""

    def forward(self, signal: Tensor) -> Tensor:
        spread = functional.conv_transpose1d(signal, self.weight, self.bias, self.stride)
        return spread[..., : signal.shape[-1] * self.stride[0]]


class DilatedUnit(nn.Module):
    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        wide = CachedConv1d(channels, channels, 3, past=2 * dilation, dilation=dilation)
        self.net = nn.Sequential(
            nn.LeakyReLU(0.2), wide, nn.LeakyReLU(0.2), CachedConv1d(channels, channels, 1, past=0)
        )

    def forward(self, signal: Tensor) -> Tensor:
        return self.net(signal)


class Padding(nn.Module):
    """A delay, as the exporter finds it after the model ran once."""

    def __init__(self, channels: int, late: int) -> None:
        super().__init__()
        self.padding = late
        if late:
            self.register_buffer("pad", torch.zeros(1, channels, late))


class Residual(nn.Module):
    def __init__(self, channels: int, dilation: int, late: int = 0) -> None:
        super().__init__()
        self.aligned = nn.Module()
        self.aligned.branches = nn.ModuleList([DilatedUnit(channels, dilation), nn.Identity()])
        self.aligned.paddings = nn.ModuleList([Padding(channels, 0), Padding(channels, late)])

    def forward(self, signal: Tensor) -> Tensor:
        late = self.aligned.paddings[1].padding
        direct = functional.pad(signal, (late, 0))[..., : signal.shape[-1]]
        return self.aligned.branches[0](signal) + direct


class FilterBank(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.n_band = BANDS
        self.forward_conv = CachedConv1d(1, BANDS, 9, past=8, stride=BANDS, bias=False)
        self.inverse_conv = CachedConv1d(BANDS, BANDS, 5, past=4, bias=False)

    def forward(self, sound: Tensor) -> Tensor:
        return self._signed(self.forward_conv(sound))

    def inverse(self, bands: Tensor) -> Tensor:
        made = self.inverse_conv(self._signed(bands)) * self.n_band
        return made.flip(1).transpose(1, 2).reshape(bands.shape[0], 1, -1)

    def _signed(self, bands: Tensor) -> Tensor:
        signs = torch.ones_like(bands)
        signs[:, 1::2, ::2] = -1.0
        return bands * signs


class SmallRave(nn.Module):
    """16 samples a latent: a filter bank of 4 bands, and two steps of 2 each way."""

    def __init__(self, seed: int = 1) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.sr = RATE_HZ
        self.pqmf = FilterBank()
        self.encoder = nn.Module()
        self.encoder.encoder = nn.Module()
        self.encoder.encoder.net = nn.Sequential(
            CachedConv1d(BANDS, 4, 7, past=6),
            Residual(4, 3, late=2),
            nn.LeakyReLU(0.2),
            CachedConv1d(4, 8, 4, past=3, stride=2),
            nn.LeakyReLU(0.2),
            CachedConv1d(8, 2 * LATENT_DIM, 4, past=3, stride=2),
        )
        self.encoder.encoder.forward = self.encoder.encoder.net.forward
        self.decoder = nn.Module()
        self.decoder.noise_module = None
        self.decoder.amplitude_modulation = True
        self.decoder.net = nn.Sequential(
            CachedConv1d(LATENT_DIM, 8, 3, past=2),
            nn.LeakyReLU(0.2),
            CachedConvTranspose1d(8, 4, 4, stride=2, padding=1),
            Residual(4, 1),
            Residual(4, 3),
            nn.LeakyReLU(0.2),
            CachedConvTranspose1d(4, 4, 4, stride=2, padding=1, bias=False),
            nn.LeakyReLU(0.2),
            CachedConv1d(4, 2 * BANDS, 7, past=6),
        )
        self.requires_grad_(False)

    def decode(self, latents: Tensor) -> Tensor:
        waveform, loudness = self.decoder.net(latents).chunk(2, 1)
        return self.pqmf.inverse(torch.tanh(waveform * torch.sigmoid(loudness)))
