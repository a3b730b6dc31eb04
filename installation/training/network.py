"""RAVE's encoder and decoder as streaming operations of our own, with their memories in one place.

acids-rave keeps the past of every convolution in a buffer hidden inside it. Here the same weights are laid out again
as five operations (`Convolution`, `Overlap`, `Residual`, `Analysis`, `Synthesis`) around a `memory`, of which there are
two kinds: `Cache`, a buffer, for TorchScript files as nn~ and its like expect them, and `Slice`, a piece of one state
vector that goes in and comes out with every call, for ONNX files. So what a file holds is this code and the weights.

Causal convolutions over blocks: a convolution over a long signal equals the same convolution over its blocks when each
block is preceded by the last `width` samples of the one before; a transposed convolution, when the last `width` samples
of each block's output are added to the beginning of the next (overlap-add). Multi-band signals are those of a cosine
modulated filter bank (Nguyen, "Near-perfect-reconstruction pseudo-QMF banks", IEEE Trans. Signal Processing 42, 1994).

Runs in the training environment only. Arrays are (batch, channel, time) here, as in the files it makes.
"""

# mypy: allow-subclassing-any, allow-untyped-decorators

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

LARGEST_BATCH = 16
"""Rows a `Cache` has room for; the largest batch of a TorchScript file."""

Memory = Callable[[int, int], nn.Module]
"""Makes the memory of `channels` by `width` samples that one operation needs."""


class Cache(nn.Module):
    """A memory in a buffer: what streaming TorchScript files do. Zero it to begin anew."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.register_buffer("cache", torch.zeros(LARGEST_BATCH, channels, width))

    def recall(self, batch: int) -> Tensor:
        return self.cache[:batch]

    def keep(self, past: Tensor) -> None:
        self.cache[: past.shape[0]].copy_(past)


class Tape:
    """One state vector (batch, size) that the memories read and write in the order in which they are called."""

    def __init__(self) -> None:
        self.size = 0
        self._state: Tensor | None = None
        self._kept: list[tuple[int, Tensor]] = []

    def memory(self, channels: int, width: int) -> nn.Module:
        """A memory that lies next on the tape."""
        made = Slice(self, self.size, channels, width)
        self.size += channels * width
        return made

    def begin(self, state: Tensor) -> None:
        self._state, self._kept = state, []

    def end(self) -> Tensor:
        """The next state, (batch, size)."""
        return torch.cat([past.flatten(1) for _, past in sorted(self._kept, key=lambda each: each[0])], 1)

    def read(self, start: int, channels: int, width: int) -> Tensor:
        assert self._state is not None, "read before begin"
        return self._state[:, start : start + channels * width].reshape(-1, channels, width)

    def write(self, start: int, past: Tensor) -> None:
        self._kept.append((start, past))


class Slice(nn.Module):
    """A memory that is a piece of a tape."""

    def __init__(self, tape: Tape, start: int, channels: int, width: int) -> None:
        super().__init__()
        self.tape, self.start, self.channels, self.width = tape, start, channels, width

    def recall(self, batch: int) -> Tensor:
        return self.tape.read(self.start, self.channels, self.width)

    def keep(self, past: Tensor) -> None:
        self.tape.write(self.start, past)


class Past(nn.Module):
    """The signal with the `width` samples before it put in front."""

    def __init__(self, channels: int, width: int, memory: Memory) -> None:
        super().__init__()
        self.width = width
        self.memory = memory(channels, width)

    def forward(self, signal: Tensor) -> Tensor:
        joined = torch.cat([self.memory.recall(signal.shape[0]), signal], -1)
        self.memory.keep(joined[..., -self.width :])
        return joined


class Delay(nn.Module):
    """The signal `width` samples late."""

    def __init__(self, channels: int, width: int, memory: Memory) -> None:
        super().__init__()
        self.width = width
        self.past = Past(channels, width, memory)

    def forward(self, signal: Tensor) -> Tensor:
        return self.past(signal)[..., : -self.width]


class Convolution(nn.Module):
    """A convolution over a stream: (batch, in, time) → (batch, out, time / stride)."""

    def __init__(self, weight: Tensor, bias: Tensor | None, width: int, memory: Memory, **shape: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight.detach().clone(), requires_grad=False)
        self.bias = None if bias is None else nn.Parameter(bias.detach().clone(), requires_grad=False)
        self.stride, self.dilation, self.groups = shape["stride"], shape["dilation"], shape["groups"]
        self.past = Past(weight.shape[1] * self.groups, width, memory) if width else nn.Identity()

    def forward(self, signal: Tensor) -> Tensor:
        joined = self.past(signal)
        return functional.conv1d(joined, self.weight, self.bias, self.stride, 0, self.dilation, self.groups)


class Overlap(nn.Module):
    """A transposed convolution over a stream: (batch, in, time) → (batch, out, time * stride), `width` samples shared
    between a block's end and the next one's beginning."""

    def __init__(self, weight: Tensor, bias: Tensor | None, stride: int, width: int, memory: Memory) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight.detach().clone(), requires_grad=False)
        self.bias = None if bias is None else nn.Parameter(bias.detach().clone()[:, None], requires_grad=False)
        self.stride, self.width = stride, width
        self.memory = memory(weight.shape[1], width)

    def forward(self, signal: Tensor) -> Tensor:
        spread = functional.conv_transpose1d(signal, self.weight, None, self.stride)
        begin = spread[..., : self.width] + self.memory.recall(signal.shape[0])
        whole = torch.cat([begin, spread[..., self.width :]], -1)
        self.memory.keep(whole[..., -self.width :])
        whole = whole[..., : -self.width]
        if self.bias is not None:
            whole = whole + self.bias
        return whole


class Residual(nn.Module):
    """The signal plus what `inner` makes of it, both on time."""

    def __init__(self, inner: nn.Module, direct: nn.Module) -> None:
        super().__init__()
        self.inner, self.direct = inner, direct

    def forward(self, signal: Tensor) -> Tensor:
        return self.inner(signal) + self.direct(signal)


class Amplitude(nn.Module):
    """The decoder's last word: half its channels are waveforms, the other half their loudness. (batch, 2 n, time) →
    (batch, n, time) within -1..1."""

    def forward(self, signal: Tensor) -> Tensor:
        waveform, loudness = signal.chunk(2, 1)
        return torch.tanh(waveform * torch.sigmoid(loudness))


class Soft(nn.Module):
    """A decoder without loudness channels: its waveforms within -1..1."""

    def forward(self, signal: Tensor) -> Tensor:
        return torch.tanh(signal)


class Signs(nn.Module):
    """Every other sample of every other band negated, as the filter bank's decimation asks: (batch, bands, time)."""

    def __init__(self, bands: int) -> None:
        super().__init__()
        signs = torch.ones(1, bands, 1, 2)
        signs[:, 1::2, :, 0] = -1.0
        self.register_buffer("signs", signs)
        self.bands = bands

    def forward(self, signal: Tensor) -> Tensor:
        pairs = signal.reshape(signal.shape[0], self.bands, -1, 2) * self.signs
        return pairs.reshape(signal.shape[0], self.bands, -1)


class Interleave(nn.Module):
    """Bands of a polyphase synthesis to one signal: (batch, bands, time) → (batch, 1, time * bands)."""

    def forward(self, signal: Tensor) -> Tensor:
        return signal.permute(0, 2, 1).reshape(signal.shape[0], 1, -1)


class FirstHalf(nn.Module):
    """The mean of a posterior whose channels are means, then scales."""

    def forward(self, signal: Tensor) -> Tensor:
        return signal[:, : signal.shape[1] // 2]


def pointwise(weight: Tensor, bias: Tensor) -> Convolution:
    """A matrix applied to every step: `weight` (out, in), `bias` (out,)."""
    return Convolution(weight[..., None], bias, 0, Cache, stride=1, dilation=1, groups=1)


def decoder(rave: Any, components: Tensor, mean: Tensor, memory: Memory) -> nn.Module:
    """Latents (batch, latent_dim, steps) → sound (batch, 1, steps * ratio), from a loaded RAVE whose caches exist.

    Row i of `components` (latent_dim, dimensions of the model's own space), orthonormal, is the direction of latent i
    there, `mean` (dimensions,) its origin.
    """
    generator = rave.decoder
    if generator.noise_module is not None:
        raise ValueError("the decoder has a noise module: it draws random numbers and can't be made deterministic")
    head = Amplitude() if generator.amplitude_modulation else Soft()
    synthesis = _convolution(rave.pqmf.inverse_conv, memory)
    synthesis.weight.data = synthesis.weight.flip(0) * rave.pqmf.n_band
    bands = (Signs(rave.pqmf.n_band), synthesis, Interleave())
    return nn.Sequential(pointwise(components.T, mean), streaming(generator.net, memory), head, *bands)


def encoder(rave: Any, components: Tensor, mean: Tensor, memory: Memory) -> nn.Module:
    """Sound (batch, 1, steps * ratio) → the posterior's mean (batch, latent_dim, steps), in the space of `decoder`."""
    bands = (_convolution(rave.pqmf.forward_conv, memory), Signs(rave.pqmf.n_band))
    net = streaming(rave.encoder.encoder.net, memory)
    return nn.Sequential(*bands, net, FirstHalf(), pointwise(components, -components @ mean))


def streaming(module: nn.Module, memory: Memory) -> nn.Module:
    """The same computation as `module` of a RAVE built with cached convolutions and run once, around `memory`."""
    kind = type(module).__name__
    if kind == "CachedConv1d":
        return _convolution(module, memory)
    if kind == "CachedConvTranspose1d":
        return _overlap(module, memory)
    if kind == "Residual":
        return _residual(module, memory)
    if kind == "DilatedUnit":
        return streaming(module.net, memory)
    if isinstance(module, nn.Sequential):
        return nn.Sequential(*(streaming(each, memory) for each in module))
    if isinstance(module, (nn.LeakyReLU, nn.Identity)):
        return module
    raise ValueError(f"no streaming form of {kind}: v2 models without noise, recurrence or AdaIN can be exported")


def _convolution(module: Any, memory: Memory) -> Any:
    shape = {"stride": module.stride[0], "dilation": module.dilation[0], "groups": module.groups}
    late = _delay(module.downsampling_delay, memory)
    made = Convolution(module.weight, module.bias, module.cache.padding, memory, **shape)
    return made if isinstance(late, nn.Identity) else nn.Sequential(late, made)


def _overlap(module: Any, memory: Memory) -> nn.Module:
    return Overlap(module.weight, module.bias, module.stride[0], 2 * module.padding[0], memory)


def _residual(module: Any, memory: Memory) -> nn.Module:
    inner, direct = module.aligned.branches
    ahead, late = (_delay(padding, memory) for padding in module.aligned.paddings)
    if not isinstance(ahead, nn.Identity) or not isinstance(direct, nn.Identity):
        raise ValueError("no streaming form of a residual whose longer branch is delayed")
    return Residual(streaming(inner, memory), late)


def _delay(padding: Any, memory: Memory) -> nn.Module:
    if not padding.padding:
        return nn.Identity()
    return Delay(padding.pad.shape[1], padding.padding, memory)
