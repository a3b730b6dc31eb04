"""TorchScript modules as they come: small, but shaped, named and behaved like real exports of RAVE."""

from pathlib import Path

import torch
from torch import nn

from installation import model, trust


def save(module: nn.Module, path: Path, trusted: bool = True) -> Path:
    """Write `module` as a TorchScript file, on the list of trusted files unless not `trusted`."""
    torch.jit.script(module).save(str(path))
    if trusted:
        trust.allow(model.digest(path), path.name)
    return path


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


class AlwaysFilled(Filled):
    """The same, but what is left out can't be given."""

    @torch.jit.export
    def decode(self, z: torch.Tensor) -> torch.Tensor:
        if z.shape[1] != self.latent_size:
            raise RuntimeError("a latent too many")
        return self.net(torch.cat([z, 0.5 * torch.randn(z.shape[0], 1, z.shape[2])], 1))


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


class Stacked(Streaming):
    """Two channels whose filter bank takes each for a row: what it keeps has two rows for one of latents."""

    def __init__(self, weight: torch.Tensor, ratio: int, rate_hz: int, rows: int) -> None:
        super().__init__(weight, ratio, rate_hz, rows)
        self.register_buffer("cache", torch.full((2 * rows, 1, 1), 9.0))

    @torch.jit.export
    def decode(self, z: torch.Tensor) -> torch.Tensor:
        sound = self.net(z)
        several = sound.reshape(-1, 1, sound.shape[2])
        joined = torch.cat([self.cache[: several.shape[0]], several], -1)
        self.cache[: several.shape[0]].copy_(joined[..., -1:])
        return joined[..., :-1].reshape(sound.shape)


class Doubled(Streaming):
    """A mono model exported with two channels: latents are decoded twice as two rows, so it takes one row only."""

    def __init__(self, weight: torch.Tensor, ratio: int, rate_hz: int, rows: int) -> None:
        super().__init__(weight, ratio, rate_hz, rows)
        self.decode_params[2] = 2

    @torch.jit.export
    def decode(self, z: torch.Tensor) -> torch.Tensor:
        made = self.net(z.repeat(2, 1, 1)[:2])
        return torch.cat(made.chunk(2, 0), 1)


class Encoding(Streaming):
    """With an encoder, of the mean of each channel's samples; its own past, dirty too, no decoder's."""

    def __init__(self, weight: torch.Tensor, ratio: int, rate_hz: int, rows: int) -> None:
        super().__init__(weight, ratio, rate_hz, rows)
        self.register_buffer("encode_params", torch.tensor([1, 1, weight.shape[1], ratio]))
        self.register_buffer("pad", torch.full((rows, 1, ratio), 9.0))

    @torch.jit.export
    def encode(self, x: torch.Tensor) -> torch.Tensor:
        rows = x.shape[0]
        joined = torch.cat([self.pad[:rows], x], -1)
        self.pad[:rows].copy_(joined[..., -self.net.ratio :])
        level = joined.reshape(rows, -1, self.net.ratio).mean(-1)
        return (level[:, 1:] + 0.5 * level[:, :-1])[:, None].repeat(1, self.net.dim, 1)


class Counting(Streaming):
    """Keeps more than cached_conv does: a count of its steps, which rows share."""

    def __init__(self, weight: torch.Tensor, ratio: int, rate_hz: int, rows: int) -> None:
        super().__init__(weight, ratio, rate_hz, rows)
        self.register_buffer("count", torch.zeros(1))

    @torch.jit.export
    def decode(self, z: torch.Tensor) -> torch.Tensor:
        steps = self.count + torch.arange(z.shape[2])
        self.count.add_(z.shape[2])
        return self.net(z) * (1.0 - 0.01 * steps).repeat_interleave(self.net.ratio)


class Prior(Streaming):
    """With a prior: a walk whose steps follow from the one before, as wide as its temperature."""

    def __init__(self, weight: torch.Tensor, ratio: int, rate_hz: int, rows: int) -> None:
        super().__init__(weight, ratio, rate_hz, rows)
        self.register_buffer("previous_step", torch.full((1, weight.shape[1], 1), 3.0))
        self._has_prior = True

    @torch.jit.export
    def prior(self, x: torch.Tensor) -> torch.Tensor:
        out = torch.zeros(1, self.net.dim, x.shape[2])
        temperature = nn.functional.softplus(x.mean()) / 0.6931471805599453
        for at in range(x.shape[2]):
            self.previous_step.mul_(0.9).add_(temperature * torch.randn(1, self.net.dim, 1))
            out[..., at : at + 1] = self.previous_step
        return out


class WithoutPrior(Prior):
    """As exports without one are: there is a method, and a flag that it does nothing."""

    def __init__(self, weight: torch.Tensor, ratio: int, rate_hz: int, rows: int) -> None:
        super().__init__(weight, ratio, rate_hz, rows)
        self._has_prior = False


class Apart(Streaming):
    """Not streaming: what lies before a call is taken to be zero."""

    @torch.jit.export
    def decode(self, z: torch.Tensor) -> torch.Tensor:
        self.net.pad.zero_()
        sound = self.net(z)
        self.net.pad.zero_()
        return sound


class Forgetful(Streaming):
    """Keeps a past, but what it takes away from it is the mean of each block."""

    @torch.jit.export
    def decode(self, z: torch.Tensor) -> torch.Tensor:
        return self.net(z - z.mean(2, keepdim=True))


class Centred(Streaming):
    """Not streaming, and each sound depends on the latent after it, too, as much as on the one before."""

    @torch.jit.export
    def decode(self, z: torch.Tensor) -> torch.Tensor:
        self.net.pad.zero_()
        sound = self.net(z + nn.functional.pad(z, [0, 1])[..., 1:])
        self.net.pad.zero_()
        return sound


class Mixing(Streaming):
    """Rows hear each other."""

    @torch.jit.export
    def decode(self, z: torch.Tensor) -> torch.Tensor:
        return self.net(z + z.mean(0, keepdim=True))


class Codes(Streaming):
    """As discrete exports: latents are numbers of a codebook's entries."""

    @torch.jit.export
    def decode(self, z: torch.Tensor) -> torch.Tensor:
        return self.net(torch.clamp(z, 0, 7).long().float() / 4)


class Raising(Streaming):
    """Fails for loud latents, having changed what it keeps."""

    @torch.jit.export
    def decode(self, z: torch.Tensor) -> torch.Tensor:
        sound = self.net(z)
        if bool((z > 50).any()):
            raise RuntimeError("too loud for me")
        return sound


class Shortening(Streaming):
    """Gives fewer samples for loud latents."""

    @torch.jit.export
    def decode(self, z: torch.Tensor) -> torch.Tensor:
        sound = self.net(z)
        return sound[..., 1:] if bool((z > 50).any()) else sound


class Telling(Streaming):
    """What it makes, plainly: `factor` times the sound, and `offset`."""

    def __init__(
        self, weight: torch.Tensor, ratio: int, rate_hz: int, rows: int, factor: float = 1.0, offset: float = 0.0
    ) -> None:
        super().__init__(weight, ratio, rate_hz, rows)
        self.factor, self.offset = factor, offset

    @torch.jit.export
    def decode(self, z: torch.Tensor) -> torch.Tensor:
        return self.factor * self.net(z) + self.offset
