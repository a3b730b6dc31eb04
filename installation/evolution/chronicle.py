"""What a store tells of its run: the curves, who lived when, and what it was made with. Read once; no sound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.errors import StoreError
from installation.evolution.individual import Individual, embeddings_of
from installation.evolution.kept import Embedded, Header, Life, Past
from installation.evolution.settings import Settings
from installation.evolution.sparseness import sparseness
from installation.evolution.store import Store

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

LATE = 20
"""Generations whose refusals are counted as late."""
FEWEST = 2
"""Individuals that must live at the end for there to be anything to compare."""


@dataclass(frozen=True, eq=False)
class Chronicle:
    """One run: `generations` and `lives` oldest first, `archived` the points remembered at the end by identity."""

    name: str
    header: Header
    embedded: Embedded
    generations: tuple[Past, ...]
    lives: tuple[Life, ...]
    archived: dict[int, Floats]

    @classmethod
    def of(cls, store: Store, name: str = "") -> Chronicle:
        """The chronicle of `store`, named as its file if not otherwise. StoreError if it holds no generation, or if
        next to nobody lives in its last."""
        generations = tuple(store.generations())
        if not generations:
            raise StoreError(f"{store.path}: holds no whole generation yet")
        name = name or store.path.stem
        told = cls(name, store.header, store.embedded(), generations, tuple(store.lives()), store.archive())
        if (living := len(told.container(told.last))) < FEWEST:
            raise StoreError(f"{store.path}: {living} live in its last generation, allowed are {FEWEST} and more")
        return told

    @property
    def settings(self) -> Settings:
        """The run's settings; of a store of a show, which has none of its own, what the header says and defaults."""
        known = {"embedding": self.header.embedding, "steps": self.header.steps, "seed": self.header.seed}
        return Settings.of(known | (self.header.settings or {}))

    @property
    def stated(self) -> dict[str, Any]:
        """What the header states, and nothing that it doesn't, by name."""
        made = {"model": self.header.model, "embedding": self.header.embedding, "steps": self.header.steps}
        return made | {"seed": self.header.seed} | (self.header.settings or {})

    @property
    def used(self) -> set[str]:
        """The embeddings novelty was measured on."""
        return {self.header.embedding, self.embedded.name}

    @property
    def first(self) -> int:
        return self.generations[0].generation.number

    @property
    def last(self) -> int:
        return self.generations[-1].generation.number

    @property
    def means(self) -> list[float]:
        """Mean sparseness of the container after each generation, the founders' too."""
        return [past.generation.mean for past in self.generations]

    def mean_at(self, generation: int) -> float:
        """Mean sparseness after that generation; KeyError where it was not kept."""
        return {past.generation.number: past.generation.mean for past in self.generations}[generation]

    @property
    def known(self) -> dict[int, Individual]:
        """All that are kept, by identity."""
        return {life.individual.identity: life.individual for life in self.lives}

    def container(self, generation: int) -> list[Individual]:
        """Who lived at the end of that generation and is still kept, oldest first."""
        return [life.individual for life in self.lives if life.lived(generation)]

    def evenly(self, count: int) -> list[int]:
        """About `count` generations from the first to the last, evenly spaced, whose containers are kept whole. A store
        that has forgotten some of its dead has lost its early containers."""
        spaced = np.linspace(self.first, self.last, max(2, count))
        numbers = sorted({round(each) for each in spaced})
        known = self.known
        if all(parent in known for life in self.lives for parent in life.individual.parents):
            return numbers
        whole = len(self.container(self.last))
        return [number for number in numbers if len(self.container(number)) >= whole]

    def rejected_share(self, late: int = LATE) -> float:
        """Share 0..1 of the children of the last `late` generations that the gate refused."""
        some = self.generations[-late - 1 :]
        if len(some) < 2:
            return 0.0
        evaluated = some[-1].generation.evaluations - some[0].generation.evaluations
        return sum(sum(past.rejected.values()) for past in some[1:]) / max(1, evaluated)

    def most_novel(self, count: int) -> list[tuple[Individual, float]]:
        """The sparsest who live at the end with their sparseness as it is now, the sparsest first: against container
        and archive, by the run's neighbours, and always the nearest of them."""
        living = self.container(self.last)
        found = self.sparseness_now(living)
        order = np.argsort(-found, kind="stable")[:count]
        return [(living[place], float(found[place])) for place in order]

    def sparseness_now(self, living: list[Individual]) -> Doubles:
        """Mean distance of each of `living` to its nearest in container and archive, (count,)."""
        if not living:
            return np.zeros(0)
        here = {each.identity for each in living}
        points = embeddings_of(living, len(living[0].embedding))
        elsewhere = [point for identity, point in self.archived.items() if identity not in here]
        others = np.array(elsewhere, np.float32).reshape(len(elsewhere), points.shape[1])
        return sparseness(points, self.settings.neighbours, others)
