"""Makes a decoder that keeps nothing between calls go on: each call decodes again what reaches into it.

A model exported without streaming pads every block with zeros, so that blocks click. A convolutional decoder's sound at
one place depends on a few latents before it and, unless it is causal, a few after. With those decoded along and their
sound left out, blocks join to what the whole would be, later by the latents that have to be waited for.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.sound.decoder import Decoder
from installation.sound.latents import checked

Floats = npt.NDArray[np.float32]

REACH = 24
"""Latents to either side that are looked at; a v2 model that is not causal reaches 7."""
TRIES = 3
SAME = 1e-5
"""Largest difference, of the loudest sample, of what is not reached."""


@dataclass(frozen=True)
class Recent:
    """The latents that still reach what comes, (batch, before + after, latent_dim), and the decoder's own state."""

    latents: Floats
    state: Any


class Overlapped:
    """A Decoder over one without memory, which hears `before` latents before a place and `after` it."""

    def __init__(self, decoder: Decoder, before: int, after: int) -> None:
        self._decoder, self.before, self.after = decoder, before, after
        self.sample_rate_hz, self.ratio = decoder.sample_rate_hz, decoder.ratio
        self.latent_dim, self.channels = decoder.latent_dim, decoder.channels
        self._place: Path = getattr(decoder, "path", Path("decoder"))

    @property
    def traits(self) -> Any:
        """What the decoder's file shows, if it does."""
        return getattr(self._decoder, "traits", None)

    def start(self, batch: int = 1) -> Recent:
        state = self._decoder.start(batch)
        return Recent(np.zeros((batch, self.before + self.after, self.latent_dim), np.float32), state)

    def decode(self, latents: Floats, state: Recent) -> tuple[Floats, Recent]:
        given = checked(latents, self.latent_dim, len(state.latents), self._place)
        if not given.shape[1]:
            return np.zeros((len(given), 0, self.channels), np.float32), state
        line = np.concatenate([state.latents, given], 1)
        sound, following = self._decoder.decode(line, state.state)
        first, steps = self.before * self.ratio, line.shape[1] - self.before - self.after
        kept = np.ascontiguousarray(sound[:, first : first + steps * self.ratio])
        return kept, Recent(line[:, steps:], following)


def joined(decoder: Decoder) -> Decoder:
    """`decoder`, which keeps nothing between calls, as one that goes on; itself if nothing reaches across a join, or
    so much that it can't be told."""
    before, after = reach(decoder)
    return Overlapped(decoder, before, after) if 0 < before + after < REACH else decoder


def reach(decoder: Decoder) -> tuple[int, int]:
    """How many latents before a place, and how many after it, are heard in it: found by changing one latent."""
    before = after = 0
    ratio, steps = decoder.ratio, 2 * REACH + 1
    for seed in range(TRIES):
        rng = np.random.default_rng(seed)
        one = rng.standard_normal((1, steps, decoder.latent_dim)).astype(np.float32)
        other = one.copy()
        other[0, REACH] += 1.0
        (first, _), (second, _) = (decoder.decode(each, decoder.start()) for each in (one, other))
        heard = np.flatnonzero(np.abs(first - second).max((0, 2)) > SAME * float(np.abs(first).max()))
        if len(heard):
            before = max(before, int(heard[-1]) // ratio - REACH)
            after = max(after, REACH - int(heard[0]) // ratio)
    return before, after
