"""What a run is judged with: its model's sound, embeddings to hear it by, and a reference of what that model plays."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from installation.errors import ModelError
from installation.evolution.audition import Decode
from installation.evolution.embedding import Calibration, Embedding
from installation.evolution.evaluation import batches
from installation.evolution.genotype import Space
from installation.evolution.individual import Individual
from installation.evolution.measures import coverage, nearest_neighbour, neighbourhood, vendi

Floats = npt.NDArray[np.float32]

HELD_OUT = ("mfcc", "texture", "rave")
"""Embeddings that need no download, in the order they are taken to judge a search that did not use them."""


@dataclass(frozen=True, eq=False)
class Audience:
    """`decode` gives mono sound at `sample_rate_hz`; `space` is where the model's latents lie; `embed` opens an
    embedding by name, calibrated on fixed sounds of the model, `reopen` one as it was calibrated, either raising
    ModelError; `reference` (count, steps, latent_dim) are latents of what the model plays by itself, always the
    same."""

    decode: Decode
    sample_rate_hz: int
    space: Space
    embed: Callable[[str], Embedding]
    reopen: Callable[[str, Calibration], Embedding]
    reference: Floats


@dataclass(frozen=True)
class Spread:
    """How varied a container is: see `measures`."""

    vendi: float
    nearest_neighbour: float
    coverage: float


@dataclass(frozen=True, eq=False)
class Yardstick:
    """An embedding to judge by, the `reference` in it (count, size), and the `scale` that follows from that."""

    embedding: Embedding
    reference: Floats
    scale: float

    @classmethod
    def of(cls, audience: Audience, embedding: Embedding) -> Yardstick:
        """Hear the reference with `embedding`."""
        (points,) = points_of(audience, audience.reference, [embedding], "reference")
        return cls(embedding, points, neighbourhood(points))

    def measure(self, points: Floats) -> Spread:
        """How varied `points` (count, size) are."""
        return Spread(vendi(points, self.scale), nearest_neighbour(points), coverage(points, self.reference))


def open_held_out(audience: Audience, used: Collection[str], named: str | None = None) -> Embedding:
    """The embedding `named`, or the first of HELD_OUT that is not among `used` and can be opened. ModelError if there
    is none."""
    if named is not None:
        return audience.embed(named)
    reasons = []
    for name in HELD_OUT:
        if name in used:
            reasons.append(f"{name}: the search used it")
            continue
        try:
            return audience.embed(name)
        except ModelError as error:
            reasons.append(f"{name}: {error}")
    raise ModelError("embedding: none is left to judge by; name one. " + "; ".join(reasons))


def points_of(audience: Audience, latents: Floats, embeddings: Sequence[Embedding], what: str) -> list[Floats]:
    """The sounds of `latents` (count, steps, latent_dim) as points (count, size) of each of `embeddings`, each sound
    decoded once; `what` names the progress bar, in plural."""
    parts: list[list[Floats]] = [[np.zeros((0, each.size), np.float32)] for each in embeddings]
    for batch in tqdm(batches(latents), desc=f"hear {what}", unit="batch", leave=False, disable=None):
        sounds = audience.decode(batch)
        for held, embedding in zip(parts, embeddings, strict=True):
            held.append(embedding.embed(sounds))
    return [np.concatenate(held) for held in parts]


def spreads(
    audience: Audience, yardstick: Yardstick, containers: Sequence[Sequence[Individual]], what: str
) -> list[Spread]:
    """How varied each of `containers` is; an individual that lived in several is heard once."""
    everyone = {each.identity: each for container in containers for each in container}
    identities = list(everyone)
    (points,) = points_of(audience, latents_of(everyone.values()), [yardstick.embedding], what)
    places = {identity: place for place, identity in enumerate(identities)}
    return [yardstick.measure(points[[places[each.identity] for each in container]]) for container in containers]


def latents_of(individuals: Iterable[Individual]) -> Floats:
    """Their latents, (count, steps, latent_dim)."""
    return np.stack([each.latents for each in individuals])
