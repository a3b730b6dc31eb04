"""Small models shaped like streaming exports of RAVE: cached padding, aligned branches, overlapping transposed
convolutions, a filter bank with every other sample negated, latents turned and left to chance, a posterior drawn from.
Names of buffers and attributes are those that such files have."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

BANDS, RATIO, RATE_HZ = 4, 16, 8_000
NETWORK_DIM, STATED_DIM = 5, 2
ROWS = 8


class Padding(nn.Module):
    """The past before the signal, or, cropped, the signal late by it."""

    def __init__(self, channels: int, width: int, crop: bool = False) -> None:
        super().__init__()
        self.width, self.crop = width, crop
        self.register_buffer("pad", torch.rand(ROWS, channels, width))

    def forward(self, signal: Tensor) -> Tensor:
        if self.width:
            signal = torch.cat([self.pad[: signal.shape[0]], signal], -1)
            self.pad[: signal.shape[0]].copy_(signal[..., -self.width :])
            if self.crop:
                signal = signal[..., : -self.width]
        return signal


class Convolution(nn.Module):
    def __init__(self, inner: int, outer: int, width: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outer, inner, width) / (inner * width) ** 0.5)
        self.bias = nn.Parameter(0.1 * torch.randn(outer))
        self.stride, self.dilation = stride, dilation
        self.cache = Padding(inner, (width - 1) * dilation + 1 - stride)

    def forward(self, signal: Tensor) -> Tensor:
        return functional.conv1d(self.cache(signal), self.weight, self.bias, self.stride, 0, self.dilation)


class Overlap(nn.Module):
    """A transposed convolution whose end is added to the beginning of what comes next."""

    def __init__(self, inner: int, outer: int, stride: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(inner, outer, 2 * stride) / inner**0.5)
        self.bias = nn.Parameter(0.1 * torch.randn(outer))
        self.stride = stride
        self.register_buffer("cache", torch.rand(ROWS, outer, stride))

    def forward(self, signal: Tensor) -> Tensor:
        made = functional.conv_transpose1d(signal, self.weight, None, self.stride)
        made[..., : self.stride] += self.cache[: made.shape[0]]
        self.cache[: made.shape[0]].copy_(made[..., -self.stride :])
        return made[..., : -self.stride] + self.bias.unsqueeze(-1)


class Snake(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(1.0 + torch.rand(channels, 1))

    def forward(self, signal: Tensor) -> Tensor:
        return signal + (self.alpha + 1e-9).reciprocal() * (self.alpha * signal).sin().pow(2)


class Residual(nn.Module):
    """A branch that looks `ahead` samples, and a direct one that waits for it."""

    def __init__(self, channels: int, ahead: int, snake: bool) -> None:
        super().__init__()
        self.net = nn.Sequential(
            Snake(channels) if snake else nn.LeakyReLU(0.2), Convolution(channels, channels, 3, dilation=3)
        )
        self.paddings = nn.ModuleList([Padding(channels, 0, crop=True), Padding(channels, ahead, crop=True)])
        self.branches = nn.ModuleList([self.net, nn.Identity()])

    def forward(self, signal: Tensor) -> Tensor:
        made = []
        for branch, padding in zip(self.branches, self.paddings):  # noqa: B905 (TorchScript's zip)
            made.append(branch(padding(signal)))
        return made[0] + made[1]


def negated(bands: Tensor) -> Tensor:
    """Every other sample of every other band."""
    signs = torch.ones_like(bands)
    signs[..., 1::2, ::2] = -1
    return bands * signs


class FilterBank(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.bands = BANDS
        self.forward_conv = Convolution(1, BANDS, 8, stride=BANDS)
        self.inverse_conv = Convolution(BANDS, BANDS, 3)

    def forward(self, sound: Tensor) -> Tensor:
        return negated(self.forward_conv(sound))

    def inverse(self, bands: Tensor) -> Tensor:
        made = self.inverse_conv(negated(bands)).flip(1).permute(0, 2, 1)
        return (
            made.reshape(made.shape[0], made.shape[1], -1, self.bands).permute(0, 2, 1, 3).reshape(made.shape[0], 1, -1)
        )


class Model(nn.Module):
    """`channels` of sound, 16 samples a latent, 5 latents in the network of which the file states 2 (or all)."""

    def __init__(self, channels: int = 1, ahead: int = 0, snake: bool = False, stated: int = STATED_DIM) -> None:
        super().__init__()
        torch.manual_seed(5)
        self.n_channels, self.sr = channels, RATE_HZ
        self.latent_size, self.full_latent_size = stated, NETWORK_DIM
        self.pqmf = FilterBank()
        self.encoder = nn.Sequential(
            Convolution(BANDS * channels, 6, 4, stride=2), Residual(6, ahead, snake), Convolution(6, 10, 4, stride=2)
        )
        self.decoder = nn.Sequential(
            Convolution(NETWORK_DIM, 6, 3), Overlap(6, 6, 2), Residual(6, ahead, snake), nn.LeakyReLU(0.2),
            Overlap(6, 2 * BANDS * channels, 2),
        )  # fmt: skip
        turned, _ = torch.linalg.qr(torch.randn(NETWORK_DIM, NETWORK_DIM))
        self.register_buffer("latent_pca", turned)
        self.register_buffer("latent_mean", torch.randn(NETWORK_DIM))
        self.register_buffer("fidelity", torch.tensor([0.5, 0.8, 0.9, 0.96, 1.0]))
        self.register_buffer("encode_params", torch.tensor([channels, 1, stated, RATIO]))
        self.register_buffer("decode_params", torch.tensor([stated, RATIO, channels, 1]))

    def posterior(self, sound: Tensor) -> Tensor:
        bands = self.pqmf(sound.reshape(-1, 1, sound.shape[-1]))
        return self.encoder(bands.reshape(sound.shape[0], -1, bands.shape[-1]))

    def drawn(self, posterior: Tensor) -> Tensor:
        mean, scale = posterior.chunk(2, 1)
        return torch.randn_like(mean) * (functional.softplus(scale) + 1e-4) + mean

    def turned(self, latents: Tensor) -> Tensor:
        return functional.conv1d(latents - self.latent_mean.unsqueeze(-1), self.latent_pca.unsqueeze(-1))

    @torch.jit.export
    def encode(self, x: Tensor) -> Tensor:
        return self.turned(self.drawn(self.posterior(x)))[:, : self.latent_size]

    def head(self, made: Tensor) -> Tensor:
        waveform, loudness = made.split([made.shape[1] // 2, made.shape[1] // 2], 1)
        return torch.tanh(waveform * torch.sigmoid(loudness))

    @torch.jit.export
    def decode(self, z: Tensor, from_forward: bool = False) -> Tensor:
        noise = torch.randn(z.shape[0], self.full_latent_size - z.shape[1], z.shape[-1]).type_as(z)
        z = functional.conv1d(torch.cat([z, noise], 1), self.latent_pca.T.unsqueeze(-1)) + self.latent_mean.unsqueeze(
            -1
        )
        bands = self.head(self.decoder(z))
        sound = self.pqmf.inverse(bands.reshape(bands.shape[0] * self.n_channels, -1, bands.shape[-1]))
        sound = sound.reshape(z.shape[0], self.n_channels, -1)
        if sound.shape[-1] > z.shape[-1] * self.decode_params[1]:
            sound = sound[..., : z.shape[-1] * self.decode_params[1]]
        return sound

    def forward(self, x: Tensor) -> Tensor:
        return self.decode(self.encode(x), True)


class Hissing(Model):
    """With a noise synthesiser in its decoder."""

    def head(self, made: Tensor) -> Tensor:
        waveform, loudness = made.split([made.shape[1] // 2, made.shape[1] // 2], 1)
        return torch.tanh(waveform) + 0.01 * torch.sigmoid(loudness) * (2.0 * torch.rand_like(waveform) - 1.0)


class Squaring(Model):
    """Whose encoder does more with what it draws than add it."""

    def drawn(self, posterior: Tensor) -> Tensor:
        mean, scale = posterior.chunk(2, 1)
        return mean + scale * torch.randn_like(mean).pow(2)


class Recurrent(Model):
    """With a recurrent network in its decoder, whose past is not kept in a convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(2 * BANDS, 2 * BANDS, batch_first=True)

    def head(self, made: Tensor) -> Tensor:
        return torch.tanh(self.gru(made.permute(0, 2, 1))[0].permute(0, 2, 1).chunk(2, 1)[0])


class Deciding(Model):
    """Whose decoder does another thing when the latents are large."""

    def head(self, made: Tensor) -> Tensor:
        if bool(made.abs().max() > 3.0):
            return torch.tanh(made.chunk(2, 1)[0])
        return made.chunk(2, 1)[1] * 0.1


class Offline(nn.Module):
    """Exported without streaming: its convolutions pad with zeros."""

    def __init__(self) -> None:
        super().__init__()
        self.sr, self.latent_size = RATE_HZ, NETWORK_DIM
        self.weight = nn.Parameter(torch.randn(RATIO, NETWORK_DIM, 3))

    @torch.jit.export
    def decode(self, z: Tensor) -> Tensor:
        made = functional.conv1d(z, self.weight, None, 1, 1)
        return made.permute(0, 2, 1).reshape(z.shape[0], 1, -1)


class Single(nn.Module):
    """As the earliest exports: one row, its past in whole buffers, set anew instead of written to."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(6)
        self.sampling_rate, self.latent_size = RATE_HZ, NETWORK_DIM
        self.weight = nn.Parameter(0.2 * torch.randn(RATIO, NETWORK_DIM, 3))
        self.register_buffer("pad", torch.rand(1, NETWORK_DIM, 2))

    @torch.jit.export
    def decode(self, z: Tensor) -> Tensor:
        joined = torch.cat([self.pad, z], -1)
        self.pad = joined[..., -2:]
        made = functional.conv1d(joined, self.weight)
        return made.permute(0, 2, 1).reshape(1, -1)


def begin(module: nn.Module) -> None:
    """Empty every past."""
    for name, buffer in module.named_buffers():
        if name.rpartition(".")[2] in ("cache", "pad"):
            buffer.zero_()
