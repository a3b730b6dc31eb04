"""What a search is, from its first founder on: everything that must be the same for a run to be the same."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from installation.evolution.genotype import INITS
from installation.evolution.operators import CROSSOVERS, MIXED, MUTATIONS
from installation.evolution.selection import SELECTIONS

CHOICES: dict[str, tuple[str, ...]] = {
    "init": tuple(INITS),
    "crossover": tuple(CROSSOVERS),
    "mutation": (*MUTATIONS, MIXED),
    "selection": tuple(SELECTIONS),
}
LIMITS: dict[str, tuple[float, float]] = {
    "container": (2, 100_000),
    "brood": (1, 100_000),
    "neighbours": (1, 100_000),
    "steps": (2, 4096),
    "rate": (0.0, 1.0),
    "sigma": (0.0, 3.0),
    "archive": (0, 10_000_000),
    "seed": (0, 2**32 - 1),
    "components": (0, 4096),
    "refit": (1, 100_000),
}


@dataclass(frozen=True)
class Settings:
    """The settings of LVNS-RAVE's first experiments (arXiv 2404.14063, section 4), but for the mutation: the paper
    moves one step of 64 a child (`step` at rate 1/64), which leaves near twins of their parents in the container; by
    default several operators are mixed. `rate` is each step's chance to be mutated. `init` dataset needs `excerpts`,
    the SHA-256 of the latents it draws from. `components` above 0 measures novelty on so many principal components of
    the embedding, fitted again every `refit` generations; 0 on the embedding itself."""

    container: int = 50
    brood: int = 30
    neighbours: int = 30
    steps: int = 64
    init: str = "random"
    crossover: str = "one-point"
    mutation: str = "mixed"
    rate: float = 0.4
    sigma: float = 1.5
    adapt: bool = False
    selection: str = "nearest"
    archive: int = 500
    embedding: str = "texture"
    quality: bool = True
    seed: int = 0
    components: int = 0
    refit: int = 10
    excerpts: str = ""

    def faults(self) -> list[str]:
        """What is not allowed, as name, got, allowed; empty if all is well."""
        found = [
            f"{name}: {getattr(self, name)!r}, allowed are {', '.join(allowed)}"
            for name, allowed in CHOICES.items()
            if getattr(self, name) not in allowed
        ]
        found += [
            f"{name}: {getattr(self, name)} is outside {low:g}..{high:g}"
            for name, (low, high) in LIMITS.items()
            if not low <= getattr(self, name) <= high
        ]
        return found

    def differences(self, other: Settings) -> list[str]:
        """In what a run with `other` would not be this run gone on with, in words."""
        pairs = [(field.name, getattr(self, field.name), getattr(other, field.name)) for field in fields(self)]
        return [f"{name} is {held}, wanted {wanted}" for name, held, wanted in pairs if held != wanted]

    def as_dict(self) -> dict[str, Any]:
        """Fit for JSON."""
        return asdict(self)

    @classmethod
    def of(cls, written: dict[str, Any]) -> Settings:
        """The settings in a store's header; what a later version added has its default."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in written.items() if name in known})
