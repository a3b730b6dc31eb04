"""What a store keeps, as the search knows it and as rows of a table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.evolution.generation import Generation
from installation.evolution.individual import Individual

Floats = npt.NDArray[np.float32]

COLUMNS = "identity, generation, parents, operator, latents, embedding, sparseness, quality"
"""Of an individual, in the order of `individual_row`."""


@dataclass(frozen=True)
class Header:
    """What a store was made for. Another model, decoder or shape can't go on with it; `embedding`, `calibration` and
    `settings` (see `settings.Settings.as_dict`) are those it began with, `seed` too."""

    model: str
    decoder_sha256: str
    latent_dim: int
    steps: int
    embedding: str
    seed: int
    calibration: dict[str, Any] | None = None
    settings: dict[str, Any] | None = None

    def differences(self, other: Header) -> list[str]:
        """What keeps a search for `other` from going on with a store made for this one, in words."""
        names = ("model", "decoder_sha256", "latent_dim", "steps")
        pairs = [(name, getattr(self, name), getattr(other, name)) for name in names]
        return [f"{name} is {held}, wanted {wanted}" for name, held, wanted in pairs if held != wanted]


@dataclass(frozen=True)
class Embedded:
    """An embedding a store's points were made with: its `number` in the store, name and calibration."""

    number: int
    name: str
    calibration: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Life:
    """When an individual lived in the container: from the end of generation `entered` to that of `left`, None while it
    does; both None for one that only came into the archive."""

    individual: Individual
    entered: int | None
    left: int | None

    def lived(self, generation: int) -> bool:
        """Whether it was in the container at the end of that generation."""
        return self.entered is not None and self.entered <= generation and (self.left is None or generation < self.left)


@dataclass(frozen=True)
class Past:
    """One generation as it was kept: its figures, and how many children were refused, by reason."""

    generation: Generation
    rejected: dict[str, int]


@dataclass(frozen=True, eq=False)
class Change:
    """What one `save` writes: the search's `state`, who lives in the container now, who `came` into the archive and
    who `went`, the individuals the store may not know yet, the generation's figures and refusals if one has ended, and
    the number of the embedding their points are of."""

    state: dict[str, Any]
    container: Iterable[int]
    came: Iterable[int]
    went: Iterable[int]
    newcomers: Mapping[int, Individual]
    generation: Generation
    rejected: Mapping[str, int]
    embedded: int


GENERATION = ", ".join(field.name for field in fields(Generation))
REPLACE_GENERATION = (
    f"INSERT OR REPLACE INTO generations ({GENERATION}, rejected) VALUES ({'?,' * len(fields(Generation))}?)"
)


def figures_row(generation: Generation, rejected: Mapping[str, int]) -> tuple[Any, ...]:
    figures = asdict(generation) | {"credit": json.dumps(generation.credit)}
    return *figures.values(), json.dumps(dict(rejected))


def past(row: tuple[Any, ...]) -> Past:
    figures = dict(zip((field.name for field in fields(Generation)), row[:-1], strict=True))
    return Past(Generation(**figures | {"credit": json.loads(figures["credit"])}), json.loads(row[-1]))


def individual_row(each: Individual) -> tuple[Any, ...]:
    latents, embedding = (np.asarray(array, "<f4").tobytes() for array in (each.latents, each.embedding))
    family = each.identity, each.generation, json.dumps(each.parents), each.operator
    return *family, latents, embedding, each.sparseness, each.quality


def individual(row: tuple[Any, ...], latent_dim: int) -> Individual:
    identity, generation, parents, operator, latents, embedding, sparseness, quality = row
    return Individual(
        identity=identity,
        generation=generation,
        parents=tuple(json.loads(parents)),
        latents=floats(latents).reshape(-1, latent_dim),
        embedding=floats(embedding),
        sparseness=sparseness,
        operator=operator,
        quality=quality,
    )


def floats(stored: bytes) -> Floats:
    return np.frombuffer(stored, "<f4").astype(np.float32)
