"""How the search hears a genotype: decoded alone, from a clean state, without the onset of a decoder waking up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Decode = Callable[[Floats], Floats]
"""Latents (batch, steps, latent_dim) → mono sound (batch, samples). The same latents always give the same sound."""

WARM_STEPS = 8
"""Repeats of the first latent decoded before the clip and cut off. A decoder in its zero state answers the first steps
with an onset that is the same for every clip and is never heard in the show, where one trajectory glides into the next:
kept, it would be a part of every embedding. With 8, a causal v2 decoder's first step is within -20 dB of one that was
warm for long, and the next within -33 dB; 0 leaves it at -3 dB."""


class Decoder(Protocol):
    """As much of a decoder as an audition needs; see `sound.decoder`."""

    ratio: int

    def start(self, batch: int = 1) -> Any: ...

    def decode(self, latents: Floats, state: Any) -> tuple[Floats, Any]: ...


def audition(decoder: Decoder, warm_steps: int = WARM_STEPS) -> Decode:
    """A `Decode` on `decoder`: zero state for every call, warmed up, channels averaged. A decoder may have a quicker
    way: `once`, for latents (batch, steps, latent_dim) that nothing comes before or after, and how many steps of their
    sound to leave out."""
    once: Callable[[Floats, int], Floats] | None = getattr(decoder, "once", None)

    def decode(latents: Floats) -> Floats:
        warmed = np.concatenate([np.repeat(latents[:, :1], warm_steps, axis=1), latents], axis=1)
        if once is not None:
            heard = once(warmed, warm_steps)
        else:
            sound, _ = decoder.decode(warmed, decoder.start(len(latents)))
            heard = sound[:, warm_steps * decoder.ratio :]
        return heard[..., 0] if heard.shape[2] == 1 else np.asarray(heard.mean(axis=2), np.float32)

    return decode
